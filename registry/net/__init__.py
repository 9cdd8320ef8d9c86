"""Connections to hosts that somebody else named: to addresses that were checked, and only for so long."""
