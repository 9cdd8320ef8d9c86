"""Whether the chain and a DID document say the same about who an issuer is. Pure.

The issuer's admin names a DID on chain (`setProfile`); the DID's document names the account, or one of the
keys that anchor for it. Either alone proves nothing: anybody may point at anybody. Only both together tie the
name in a credential to the account behind its anchor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from eth_hash.auto import keccak

from registry.credentials.did_documents import ACCOUNT_DID
from registry.credentials.keys import KeyType, PublicKey
from registry.encoding import AccountId, Address, JsonValue, parse_account_id
from registry.errors import ValidationError

MAX_ENTRIES = 100
"""Of a list in a document no more are looked at."""


class AgreementState(Enum):
    """What the two directions say together; the first that applies."""

    CHAIN_SILENT = "chain_silent"
    CHAIN_DIFFERS = "chain_differs"
    DOCUMENT_DIFFERS = "document_differs"
    DOCUMENT_SILENT = "document_silent"
    BOTH = "both"


_SENTENCES = {
    AgreementState.CHAIN_SILENT: "the issuer's account has not named a DID on chain",
    AgreementState.CHAIN_DIFFERS: "the issuer's account names another DID on chain than the credential's",
    AgreementState.DOCUMENT_DIFFERS: "the DID document names another account on this chain",
    AgreementState.DOCUMENT_SILENT: "the account names the DID on chain, and the document does not answer",
    AgreementState.BOTH: "the account names the DID on chain, and the DID document names the account",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """``detail`` is a sentence for a person, without a full stop."""

    state: AgreementState

    @property
    def detail(self) -> str:
        """What was found."""
        return _SENTENCES[self.state]

    def __bool__(self) -> NoReturn:
        raise TypeError("an agreement has no truth value; look at its state")


def agreement(
    account: AccountId,
    profile_uri: str | None,
    document: Mapping[str, JsonValue],
    keys: Collection[Address] = (),
) -> Agreement:
    """Compare what the account says with what the document says. Never raises for what the document holds.

    Args:
        account: the issuer on its chain.
        profile_uri: of the newest `ProfileSet` event; None or empty when there is none.
        document: the DID document, from a source that can be trusted to have it from its DID.
        keys: accounts of the keys that the chain says belong to the issuer.
    """
    if not profile_uri:
        return Agreement(AgreementState.CHAIN_SILENT)
    if profile_uri != document.get("id"):
        return Agreement(AgreementState.CHAIN_DIFFERS)
    named = set(_accounts(document, account))
    if account in named or not {Address(key) for key in keys}.isdisjoint(_key_accounts(document)):
        return Agreement(AgreementState.BOTH)
    return Agreement(AgreementState.DOCUMENT_DIFFERS if named else AgreementState.DOCUMENT_SILENT)


def _accounts(document: Mapping[str, JsonValue], account: AccountId) -> Iterator[AccountId]:
    """The accounts on that chain that the document says are the same subject."""
    for name in _list(document, "alsoKnownAs"):
        if isinstance(name, str) and name.startswith(ACCOUNT_DID):
            try:
                found = parse_account_id(name.removeprefix(ACCOUNT_DID))
            except ValidationError:
                continue
            if found.chain == account.chain:
                yield found


def _key_accounts(document: Mapping[str, JsonValue]) -> Iterator[Address]:
    """The accounts of the secp256k1 keys that may make assertions."""
    entries = _list(document, "assertionMethod")
    listed = {entry for entry in entries if isinstance(entry, str)}
    for method in [*entries, *_list(document, "verificationMethod")]:
        if not isinstance(method, Mapping) or not isinstance(method.get("id"), str):
            continue
        if method["id"] in listed or method in entries:
            key = _public_key(method)
            if key is not None and key.kind is KeyType.SECP256K1:
                yield Address(keccak(key.point()[1:])[12:])


def _public_key(method: Mapping[str, JsonValue]) -> PublicKey | None:
    try:
        if "publicKeyMultibase" in method:
            return PublicKey.from_multikey(method["publicKeyMultibase"])
        return PublicKey.from_jwk(method.get("publicKeyJwk"))
    except ValidationError:
        return None


def _list(document: Mapping[str, JsonValue], name: str) -> list[JsonValue]:
    found = document.get(name)
    return found[:MAX_ENTRIES] if isinstance(found, list) else []
