"""Rootmark's HTTP interface: parse, call one service, serialise."""
