"""Verdicts: evidence in, report out. Pure: no I/O, no chain, no store, no clock.

`history` replays the contract's events, `views` says what they mean for one credential, `judge` turns
evidence into a report. The same code serves the server, the command line and offline use; docs/verdicts.md
describes its rules.
"""
