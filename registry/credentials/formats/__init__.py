"""Examiners, one for each format of credential: each takes what was shown and gives findings."""
