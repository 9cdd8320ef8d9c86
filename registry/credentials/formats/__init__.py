"""Examiners, one for each format of document: each takes what was shown and gives findings."""
