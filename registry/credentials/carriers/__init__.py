"""What carries a credential: images that it is baked into, and files. Pure: no I/O, no chain, no database.

A carrier holds a credential and says nothing about it: what comes out is examined like anything else.
"""
