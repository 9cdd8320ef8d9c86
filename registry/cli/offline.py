"""Verification without a server: from nodes alone, or from a bundle and the verifier's own checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from registry.bootstrap import contract_code_hash, is_test_chain, open_reader, relayer_of
from registry.cli.inputs import parse_as_of, read_json_input
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
from registry.errors import ConfigurationError, ValidationError
from registry.merkle import proof_from_json
from registry.services.offline import (
    Checkpoints,
    Trust,
    VerifyRequest,
    make_bundle,
    make_checkpoints,
    read_checkpoints,
    verify_bundle,
    verify_with_rpc,
)
from registry.settings import Settings
from registry.verdict.report import report_to_json

PUBLIC_CONFIRMATIONS = 12


def verify_by_rpc(
    urls: Sequence[str],
    body: Mapping[str, Any],
    settings: Settings,
    *,
    issuer: str | None = None,
    as_of: str | None = None,
    chain_id: int | None = None,
    registry: str | None = None,
) -> dict[str, Any]:
    """A report from nodes alone.

    Args:
        urls: nodes; each is read for itself, and all must agree.
        body: ``proof``, and ``credential`` or ``digest``.

    Raises:
        ValidationError: there is no proof.
        ChainUnavailableError, ConfigurationError, NodeMismatchError: as of the chain's readers.
    """
    if body.get("proof") is None:
        raise ValidationError("verifying without a server needs the RootmarkProof; give it with --proof")
    request = replace(
        _request(body),
        issuer=None if issuer is None else parse_address(issuer, pointer="/issuer"),
        as_of=None if as_of is None else parse_as_of(as_of),
    )
    with ExitStack() as stack:
        chains = []
        for url in urls:
            chain = open_reader(settings, [url], chain_id=chain_id, registry=registry)
            stack.callback(chain.close)
            chains.append(chain)
        default = 1 if chains[0].info.test_chain else PUBLIC_CONFIRMATIONS
        trust = Trust(issuers=_trusted(settings), confirmations=settings.confirmations or default)
        return report_to_json(verify_with_rpc(request, chains, trust, now=datetime.now(UTC)))


def _request(body: Mapping[str, Any]) -> VerifyRequest:
    digest: JsonValue = body.get("digest")
    return VerifyRequest(
        digest=None if digest is None else parse_digest(digest, pointer="/digest"),
        credential=body.get("credential"),
        proof=proof_from_json(body["proof"], pointer="/proof"),
    )


def _trusted(settings: Settings) -> dict[Address, str | None]:
    return dict.fromkeys(settings.trusted_addresses())


def verify_by_bundle(
    bundle: JsonValue,
    settings: Settings,
    *,
    issuer: str | None = None,
    trusted_blocks: Sequence[str] = (),
    max_age_days: int = 7,
) -> dict[str, Any]:
    """A report from a bundle and the blocks that the verifier trusts: those given, and the signed file's.

    Raises:
        MalformedEvidenceError: bundle or checkpoint file do not have their form, or the file's signature is
            not the configured key's.
    """
    by_hand: frozenset[BlockHash] = frozenset(
        parse_block_hash(text, pointer="/trusted_block") for text in trusted_blocks
    )
    checkpoints = Checkpoints(by_hand=by_hand)
    if settings.checkpoint_file is not None and settings.checkpoint_key is not None:
        file = read_json_input(str(settings.checkpoint_file))
        checkpoints |= read_checkpoints(file, parse_address(settings.checkpoint_key))
    registries: frozenset[AccountId] = frozenset()
    if settings.chain_id and settings.registry:
        registries = frozenset({AccountId(ChainId(settings.chain_id), parse_address(settings.registry))})
    trust = Trust(
        issuers=_trusted(settings),
        registries=registries,
        code_hash=contract_code_hash(),
        is_test_chain=is_test_chain,
    )
    report = verify_bundle(
        bundle,
        checkpoints,
        trust,
        now=datetime.now(UTC),
        max_age=timedelta(days=max_age_days),
        request=None if issuer is None else VerifyRequest(issuer=parse_address(issuer, pointer="/issuer")),
    )
    return report_to_json(report)


def bundle_from(
    url: str, body: Mapping[str, Any], settings: Settings, *, chain_id: int | None, registry: str | None
) -> dict[str, Any]:
    """A bundle for a credential, read from one node.

    Raises:
        ValidationError: there is no proof.
        UnsupportedByNodeError: the node gives no storage proofs (the embedded chain).
    """
    if body.get("proof") is None:
        raise ValidationError("a bundle needs the RootmarkProof; give it with --proof")
    request = _request(body)
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
