"""A record that a learner puts together: a ClrCredential by nobody but themselves.

A registry cannot vouch for such a record, since learners are not known to it; what is inside it is vouched
for by those who issued it, each by its own proofs. So the record is by a key that is made for it alone and
forgotten at once (`did:key`): its proof shows that the record is as it was put together, and the equal ids of
issuer and subject that it is the learner's own. Its proof signs the JSON as it is (`eddsa-jcs-2022`), for
which no context is needed.

Source: CLR Standard 2.0, "ClrCredential"; did:key Method; Data Integrity EdDSA Cryptosuites 1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from registry.credentials.clr import Record, build_clr
from registry.credentials.findings import Presented
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.suites.signing import ProofOptions, add_proof
from registry.credentials.verification_methods import did_key, did_key_method
from registry.ports.documents import Canonicalizer

_SUITE = "eddsa-jcs-2022"
TITLE = "Learner record"


def own_record(
    documents: Sequence[dict[str, Any]],
    now: datetime,
    canonicalizer: Canonicalizer,
    *,
    name: str | None,
    partial: bool,
) -> dict[str, Any]:
    """The record, signed.

    Args:
        documents: the credentials with their proofs, 1 to `registry.credentials.clr.MAX_CREDENTIALS`.
        name: the learner's, where it is to stand on the record.
        partial: whether the learner has more than that.
    """
    pair = KeyPair.generate(KeyType.ED25519)
    learner = did_key(pair.public)
    profile: dict[str, Any] = {"id": learner, "type": ["Profile"]}
    record = Record(
        id=uuid4().urn,
        issuer=profile if name is None else profile | {"name": name},
        subject={"id": learner},
        name=TITLE,
        valid_from=now.replace(microsecond=0),
        credentials=[Presented(document=document) for document in documents],
        partial=partial,
    )
    options = ProofOptions(_SUITE, KeyType.ED25519, did_key_method(pair.public), created=now)
    return add_proof(build_clr(record, None), options, pair.sign, canonicalizer).document
