"""Signs any credential with a did:key of this server, on request. Nothing of it is stored, batched or
anchored.

Each owner (an issuer hosted here, or nobody on the embedded chain, where everybody may sign) has one key of
each kind, made at its first use: the secret half in the keystore of the keys that sign credentials, its
public half named in the database. Invariants: a key is durable before anything names it, and of two
processes that make one at once both sign with the one that was named first; what is signed has the form of
its data model and says nothing that its contexts do not define, whatever the securing mechanism; its issuer
is the key's DID, in place of whoever it named, as the implementations do that the test suites were written
against.

Source: VC API 0.7 (W3C Credentials Community Group), section "Issue Credential"; Verifiable Credentials Data
Model 2.0, section 4.13.1 (enveloped credentials).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from registry.credentials.did_documents import KEY_TYPES
from registry.credentials.formats.data_model import V2, contexts_of, require_credential
from registry.credentials.formats.jwt_credentials import issue_vc_jose
from registry.credentials.keys import PublicKey
from registry.credentials.suites.cryptosuites import CREATED
from registry.credentials.suites.signing import ProofOptions, add_proof, with_proof_terms
from registry.credentials.verification_methods import did_key, did_key_method
from registry.encoding import Address, JsonValue, invalid, parse_base64url, to_base64url, to_hex
from registry.errors import Fault, NotFoundError, ValidationError
from registry.model.signing_keys import SigningKeyKind
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer
from registry.ports.signer import CredentialKeystore, CredentialSigner
from registry.ports.store import Store

KINDS: Mapping[str, SigningKeyKind] = {
    kind.value: kind for kind in (SigningKeyKind.ED25519, SigningKeyKind.P256, SigningKeyKind.P384)
}
"""The kinds of key by their names in addresses."""

ENVELOPED = "EnvelopedVerifiableCredential"
_ENVELOPE = "data:application/vc+jwt,"
_PLACE = "/credential"


@dataclass(frozen=True, slots=True)
class ProofWishes:
    """What a caller wants in the proof. Without ``created`` it says the present time."""

    created: datetime | None = None
    expires: datetime | None = None
    challenge: str | None = None
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class _Key:
    """A key that is ready, with its names."""

    public: PublicKey
    signer: CredentialSigner

    @property
    def did(self) -> str:
        return did_key(self.public)

    @property
    def method(self) -> str:
        return did_key_method(self.public)


class VcIssuing:
    """Safe to call from several threads and processes."""

    def __init__(
        self, store: Store, keystore: CredentialKeystore, canonicalizer: Canonicalizer, clock: Clock
    ) -> None:
        self._store = store
        self._keystore = keystore
        self._canonicalizer = canonicalizer
        self._clock = clock

    def issue(
        self,
        owner: Address | None,
        suite: str,
        kind_name: str,
        credential: Mapping[str, JsonValue],
        wishes: ProofWishes,
    ) -> dict[str, JsonValue]:
        """The credential with a Data Integrity proof.

        Args:
            owner: whose key signs; None for the one that is everybody's.
            suite, kind_name: of `CREATED` and `KINDS`.
            credential: of data model 2.0 or 1.1, without a proof.

        Raises:
            NotFoundError: no such suite or kind, or a suite that takes other keys.
            ValidationError: the credential has not the form of one, or says something that is not defined;
                pointers begin with ``/credential``.
            SignerError: the key cannot be read or written.
        """
        kind = _kind(kind_name)
        cryptosuite = CREATED.get(suite)
        if cryptosuite is None or KEY_TYPES[kind] not in cryptosuite.kinds:
            raise NotFoundError("credentials are not issued with this suite and kind of key")
        key, document = self._prepared(owner, kind, credential)
        options = ProofOptions(
            suite,
            KEY_TYPES[kind],
            key.method,
            created=wishes.created or self._clock.now(),
            expires=wishes.expires,
            challenge=wishes.challenge,
            domain=wishes.domain,
        )
        with _placed():
            if cryptosuite.jcs:
                self._require_defined(with_proof_terms(document))
            return add_proof(document, options, key.signer.sign, self._canonicalizer).document

    def envelop(
        self, owner: Address | None, kind_name: str, credential: Mapping[str, JsonValue]
    ) -> dict[str, JsonValue]:
        """The credential as VC-JOSE, in an EnvelopedVerifiableCredential. Arguments and errors as `issue`;
        data model 2.0 alone."""
        kind = _kind(kind_name)
        if contexts_of(credential)[:1] != [V2]:
            raise invalid("context", "VC-JOSE secures credentials of data model 2.0", f"{_PLACE}/@context")
        key, document = self._prepared(owner, kind, credential)
        with _placed():
            self._require_defined(document)
            token = issue_vc_jose(document, key.public, key.method, key.signer.sign)
        return {"@context": [V2], "id": f"{_ENVELOPE}{token}", "type": ENVELOPED}

    def _prepared(
        self, owner: Address | None, kind: SigningKeyKind, credential: Mapping[str, JsonValue]
    ) -> tuple[_Key, dict[str, JsonValue]]:
        """The key, and the credential with it as its issuer."""
        if "proof" in credential:
            raise invalid("proof", "a credential to be signed has no proof yet", f"{_PLACE}/proof")
        require_credential(credential, pointer=_PLACE)
        key = self._key(owner, kind)
        issuer = credential["issuer"]
        named: JsonValue = {**issuer, "id": key.did} if isinstance(issuer, Mapping) else key.did
        return key, {**credential, "issuer": named}

    def _require_defined(self, document: Mapping[str, JsonValue]) -> None:
        """Return when every term is defined; raises as `Canonicalizer.n_quads`. What secures the text of a
        document leaves open what it means."""
        self._canonicalizer.n_quads(document)

    # --- keys -----------------------------------------------------------------------------------------------

    def _key(self, owner: Address | None, kind: SigningKeyKind) -> _Key:
        name = f"vc-key:{'anybody' if owner is None else to_hex(owner)}:{kind.value}"
        with self._store.read() as unit:
            known = unit.meta.get(name)
        if known is None:
            known = self._first_key(owner, name, kind)
        signer = self._keystore.get(parse_base64url(known))
        return _Key(PublicKey.from_raw(KEY_TYPES[kind], signer.public_key), signer)

    def _first_key(self, owner: Address | None, name: str, kind: SigningKeyKind) -> str:
        made = to_base64url(self._keystore.create(kind).public_key)
        with self._store.write() as unit:
            if owner is not None:  # nobody's keys are the embedded chain's, which one process has alone
                unit.issuers.lock(owner)
            known = unit.meta.get(name)  # another thread or process may have been quicker
            if known is not None:
                return known
            unit.meta.set(name, made)
            unit.access.log(self._clock.now(), "server", "vc-key.created", name, "made at its first use")
            return made


def _kind(name: str) -> SigningKeyKind:
    kind = KINDS.get(name)
    if kind is None:
        raise NotFoundError("credentials are not issued with keys of this kind")
    return kind


@contextmanager
def _placed() -> Iterator[None]:
    """Let faults of a document point to its place in the request."""
    try:
        yield
    except ValidationError as error:
        faults = [Fault(fault.code, fault.detail, f"{_PLACE}{fault.pointer or ''}") for fault in error.faults]
        raise type(error)(str(error), faults=faults or [Fault("credential", str(error), _PLACE)]) from error
