"""Examiners, one for each format of document that can be shown: each takes what was shown and gives findings."""
