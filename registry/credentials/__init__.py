"""Credentials that others understand: Open Badges 3.0 and W3C Verifiable Credentials, issued and verified;
and the formats of other systems, verified.

Sits over the services: what is anchored goes through `registry.services.issuing` like any other digest. What
can be pure is pure; network and chain are reached only through the protocols in `sources`.
"""
