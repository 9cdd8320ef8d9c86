"""Verification without a server: from nodes alone, from a bundle and the verifier's own checkpoints, or from
what was shown alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any

from registry.bootstrap import (
    SystemClock,
    contract_code_hash,
    is_test_chain,
    open_canonicalizer,
    open_reader,
    relayer_of,
)
from registry.cli.inputs import parse_as_of, read_json_input
from registry.credentials.assembly import NoLedgers
from registry.credentials.findings import Presented
from registry.credentials.offline import with_place, without_server
from registry.credentials.registries import FromBundle, LedgersOfNodes, NoChain, NodesAlone
from registry.credentials.syntax import parse_issuer_name
from registry.credentials.verification import DocumentRequest, Registry
from registry.encoding import (
    AccountId,
    Address,
    BlockHash,
    ChainId,
    JsonValue,
    parse_address,
    parse_block_hash,
    parse_digest,
)
from registry.errors import ConfigurationError, RootmarkError, ValidationError
from registry.merkle import proof_from_json
from registry.ports.chain import Chain
from registry.services.offline import (
    Checkpoints,
    Trust,
    VerifyRequest,
    bundle_from_json,
    make_bundle,
    make_checkpoints,
    read_checkpoints,
)
from registry.settings import Settings
from registry.verdict.report import Report, report_to_json

PUBLIC_CONFIRMATIONS = 12
Documents = Mapping[str, bytes]


def verify_offline(
    urls: Sequence[str],
    body: Mapping[str, Any],
    settings: Settings,
    *,
    issuer: str | None = None,
    as_of: str | None = None,
    chain_id: int | None = None,
    registry: str | None = None,
    documents: Documents | None = None,
) -> dict[str, Any]:
    """A report from nodes alone, or from what was shown alone.

    Args:
        urls: nodes; each is read for itself, and all must agree. None at all: no chain is asked.
        body: ``credential`` (JSON, or a token), ``hosted_at`` or ``digest``; ``proof`` beside it.
        documents: others that the credential refers to, by address.

    Raises:
        ValidationError: there is no proof, and nothing that could be judged without.
        ChainUnavailableError, ConfigurationError, NodeMismatchError: as of the chain's readers.
    """
    with ExitStack() as stack:
        chains: list[Chain] = []
        for url in urls:
            chains.append(open_reader(settings, [url], chain_id=chain_id, registry=registry))
            stack.callback(chains[-1].close)
        trust = _trust(settings, chains)
        answering: Registry = (
            NodesAlone(chains, trust, SystemClock()) if chains else NoChain(trust, SystemClock())
        )
        moment = None if as_of is None else parse_as_of(as_of)
        if body.get("credential") is None and "hosted_at" not in body:
            return report_to_json(_about_digest(answering, body, issuer, moment))
        request = _document_request(body, issuer, moment, documents or {})
        canonicalizer = stack.enter_context(closing(open_canonicalizer(settings)))
        ledgers = LedgersOfNodes(chains, trust.confirmations) if chains else NoLedgers()
        verifier = without_server(canonicalizer, answering, ledgers, SystemClock(), settings.trusted_names())
        try:
            return report_to_json(verifier.verify(request))
        except ValidationError as error:
            raise _with_way_out(error) from error


def _trust(settings: Settings, chains: Sequence[Chain]) -> Trust:
    default = 1 if chains and chains[0].info.test_chain else PUBLIC_CONFIRMATIONS
    return Trust(
        issuers=_trusted(settings),
        confirmations=settings.confirmations or default,
        is_test_chain=is_test_chain,
    )


def _trusted(settings: Settings) -> dict[Address, str | None]:
    return dict.fromkeys(settings.trusted_addresses())


def _about_digest(
    answering: Registry, body: Mapping[str, Any], issuer: str | None, moment: int | datetime | None
) -> Report:
    if body.get("proof") is None:
        raise ValidationError(_PROOF_NEEDED)
    digest: JsonValue = body.get("digest")
    request = VerifyRequest(
        digest=None if digest is None else parse_digest(digest, pointer="/digest"),
        proof=proof_from_json(body["proof"], pointer="/proof"),
        issuer=None if issuer is None else parse_address(issuer, pointer="/issuer"),
        as_of=moment,
    )
    return _only(answering, request)


_PROOF_NEEDED = "verifying this without a server needs its RootmarkProof; give it with --proof"


def _with_way_out(error: ValidationError) -> ValidationError:
    missing = any(fault.code == "proof-missing" for fault in error.faults)
    return ValidationError(_PROOF_NEEDED) if missing else error


def _only(answering: Registry, request: VerifyRequest) -> Report:
    (found,) = answering.verify_many([request])
    if isinstance(found, RootmarkError):
        raise found
    return found


def _document_request(
    body: Mapping[str, Any], issuer: str | None, moment: int | datetime | None, documents: Documents
) -> DocumentRequest:
    credential, digest, proof = body.get("credential"), body.get("digest"), body.get("proof")
    if credential is not None and not isinstance(credential, str | Mapping):
        raise ValidationError("a credential is a JSON object, or a token as text")
    presented = Presented(token=credential) if isinstance(credential, str) else Presented(document=credential)
    return DocumentRequest(
        presented=presented,
        hosted_at=body.get("hosted_at"),
        digest=None if digest is None else parse_digest(digest, pointer="/digest"),
        proof=None if proof is None else proof_from_json(proof, pointer="/proof"),
        issuer=None if issuer is None else parse_issuer_name(issuer, pointer="/issuer"),
        as_of=moment,
        supplied=documents,
    )


# --- bundles ------------------------------------------------------------------------------------------------


def verify_by_bundle(
    bundle: JsonValue,
    settings: Settings,
    *,
    issuer: str | None = None,
    trusted_blocks: Sequence[str] = (),
    max_age_days: int = 7,
    documents: Documents | None = None,
) -> dict[str, Any]:
    """A report from a bundle and the blocks that the verifier trusts: those given, and the signed file's.

    Raises:
        MalformedEvidenceError: bundle or checkpoint file do not have their form, or the file's signature is
            not the configured key's.
    """
    trust = Trust(
        issuers=_trusted(settings),
        registries=_own_registries(settings),
        code_hash=contract_code_hash(),
        is_test_chain=is_test_chain,
    )
    read = bundle_from_json(bundle)
    clock = SystemClock()
    answering = FromBundle(
        bundle, _checkpoints(settings, trusted_blocks), trust, clock, timedelta(days=max_age_days)
    )
    if read.credential is None:
        named = None if issuer is None else parse_address(issuer, pointer="/issuer")
        return report_to_json(_only(answering, VerifyRequest(issuer=named)))
    request = DocumentRequest(
        presented=Presented(document=read.credential),
        digest=read.digest,
        proof=read.proof,
        issuer=None if issuer is None else parse_issuer_name(issuer, pointer="/issuer"),
        supplied=documents or {},
    )
    with closing(open_canonicalizer(settings)) as canonicalizer:
        verifier = without_server(canonicalizer, answering, NoLedgers(), clock, settings.trusted_names())
        return report_to_json(verifier.verify(request))


def _checkpoints(settings: Settings, trusted_blocks: Sequence[str]) -> Checkpoints:
    by_hand: frozenset[BlockHash] = frozenset(
        parse_block_hash(text, pointer="/trusted_block") for text in trusted_blocks
    )
    checkpoints = Checkpoints(by_hand=by_hand)
    if settings.checkpoint_file is not None and settings.checkpoint_key is not None:
        file = read_json_input(str(settings.checkpoint_file))
        checkpoints |= read_checkpoints(file, parse_address(settings.checkpoint_key))
    return checkpoints


def _own_registries(settings: Settings) -> frozenset[AccountId]:
    if settings.chain_id and settings.registry:
        return frozenset({AccountId(ChainId(settings.chain_id), parse_address(settings.registry))})
    return frozenset()


def bundle_from(
    url: str, body: Mapping[str, Any], settings: Settings, *, chain_id: int | None, registry: str | None
) -> dict[str, Any]:
    """A bundle for a credential, read from one node.

    Raises:
        ValidationError: there is no proof, or the credential is no JSON.
        UnsupportedByNodeError: the node gives no storage proofs (the embedded chain).
    """
    credential, digest, proof = body.get("credential"), body.get("digest"), body.get("proof")
    if credential is not None and not isinstance(credential, Mapping):
        raise ValidationError("a bundle holds a credential that is JSON, and no token")
    request = VerifyRequest(
        digest=None if digest is None else parse_digest(digest, pointer="/digest"),
        credential=credential,
        proof=None if proof is None else proof_from_json(proof, pointer="/proof"),
    )
    with closing(open_canonicalizer(settings)) as canonicalizer:
        request = with_place(request, canonicalizer)
    if request.proof is None:
        raise ValidationError("a bundle needs the RootmarkProof; give it with --proof")
    chain = open_reader(settings, [url], chain_id=chain_id, registry=registry)
    try:
        default = 1 if chain.info.test_chain else PUBLIC_CONFIRMATIONS
        return make_bundle(chain, request, confirmations=settings.confirmations or default)
    finally:
        chain.close()


def sign_checkpoints(settings: Settings, numbers: Sequence[int]) -> dict[str, Any]:
    """A checkpoint file of these blocks of RPC_URL, or of the newest final one, signed by SIGNER_KEYSTORE's
    key.

    Raises:
        ConfigurationError: there is no node, no key, or a block is not final.
    """
    if settings.embedded:
        raise ConfigurationError("set ROOTMARK_RPC_URL: bundles come from nodes with eth_getProof only")
    signer = relayer_of(settings)
    if signer is None:
        raise ConfigurationError("ROOTMARK_SIGNER_KEYSTORE: the key that signs is needed")
    chain = open_reader(settings, settings.rpc_url)
    try:
        final = max(chain.latest().number - settings.effective_confirmations + 1, 0)
        wanted = sorted(set(numbers)) or [final]
        if not 0 <= wanted[0] <= wanted[-1] <= final:
            raise ConfigurationError(f"blocks up to {final} are final; others are not signed")
        headers = [chain.header(number) for number in wanted]
        return make_checkpoints(signer, chain.info.chain_id, headers, datetime.now(UTC))
    finally:
        chain.close()
