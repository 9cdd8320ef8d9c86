"""Reports for people who file them: an issuer's audit as a signed PDF, and the check of one."""
