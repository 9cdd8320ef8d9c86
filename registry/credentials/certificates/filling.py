"""From a credential to what stands on its certificate. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from registry.credentials.certificates.drawing import Certificate, Design
from registry.credentials.readable import readable
from registry.encoding import format_time, parse_time, to_hex
from registry.errors import WrongStateError
from registry.merkle import InclusionProof, proof_to_json


def certificate_of(
    document: Mapping[str, Any],
    proof: InclusionProof,
    design: Design,
    *,
    holder: str | None,
    address: str,
    has_page: bool,
    test_chain: bool,
) -> Certificate:
    """The certificate of a badge.

    Args:
        document: the credential with its proofs.
        proof: with the hints where its root stands.

    Raises:
        WrongStateError: it is not anchored yet, so that there is nothing to say where it stands.
    """
    anchor = proof.anchor
    if anchor is None:
        raise WrongStateError("the award is not anchored yet, and its certificate says where it is")
    badge = readable(document)
    return Certificate(
        id=badge.id,
        achievement=badge.name,
        description=badge.description,
        criteria=badge.criteria or badge.criteria_address or "",
        issuer=badge.issuer,
        holder=holder,
        issued=datetime.fromtimestamp(0, UTC) if badge.issued is None else parse_time(badge.issued),
        expires=None if badge.expires is None else parse_time(badge.expires),
        credits=badge.credits,
        results=badge.results,
        address=address,
        has_page=has_page,
        test_chain=test_chain,
        chain=str(proof.registry),
        anchored=", ".join(
            (format_time(anchor.anchored_at), f"block {anchor.block_number}", to_hex(anchor.transaction))
        ),
        root=to_hex(proof.root),
        credential=orjson.dumps(document),
        proof=orjson.dumps(proof_to_json(proof)),
        design=design,
    )
