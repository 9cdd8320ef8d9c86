"""The status of credentials in W3C status lists: reading anybody's, publishing our own."""
