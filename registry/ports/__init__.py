"""Protocols of what the services need from the outside: a chain, a store, signers, a clock.

Each method says which errors of `registry.errors` may come out; an implementation chains foreign errors into
those and lets nothing else through.
"""
