"""Examiners, one for each format of document that can be shown for verification."""
