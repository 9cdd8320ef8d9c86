"""Verification without this project's server: from one or several nodes, or from a self-contained bundle.

No store anywhere: a chain is seen as `ChainReader` only, a bundle not even that. The judge is the server's
own.
"""

from registry.services.claims import VerifyRequest
from registry.services.offline.bundle import make_bundle
from registry.services.offline.bundle_check import MAX_AGE, verify_bundle
from registry.services.offline.bundle_json import Bundle, bundle_from_json
from registry.services.offline.checkpoints import Checkpoints, make_checkpoints, read_checkpoints
from registry.services.offline.no_chain import verify_without_chain
from registry.services.offline.rpc import verify_with_rpc
from registry.services.offline.trust import Trust

__all__ = [
    "MAX_AGE",
    "Bundle",
    "Checkpoints",
    "Trust",
    "VerifyRequest",
    "bundle_from_json",
    "make_bundle",
    "make_checkpoints",
    "read_checkpoints",
    "verify_bundle",
    "verify_with_rpc",
    "verify_without_chain",
]
