"""verify and bundle: by a server, by nodes alone, or by a self-contained bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.bootstrap import contract_code_hash, is_test_chain, open_reader
from registry.cli import exits
from registry.cli.output import JsonFlag, ServerUrl, fail, guarded, read_json_input, server, settings, show
from registry.encoding import (
    AccountId,
    Address,
    ChainId,
    JsonValue,
    parse_address,
    parse_block_hash,
    parse_digest,
    parse_time,
)
from registry.errors import ValidationError
from registry.merkle import PROOF_TYPE, proof_from_json
from registry.services.offline import (
    Checkpoints,
    Trust,
    VerifyRequest,
    make_bundle,
    read_checkpoints,
    verify_bundle,
    verify_with_rpc,
)
from registry.settings import Settings
from registry.verdict.report import report_to_json

Rpc = Annotated[
    list[str] | None,
    typer.Option("--rpc", help="Verify from this node alone; repeat for several that must agree."),
]
ProofFile = Annotated[str | None, typer.Option("--proof", help="The RootmarkProof, when it is not in FILE.")]
ChainOption = Annotated[int | None, typer.Option("--chain-id", help="With --rpc: the chain it must be.")]
RegistryOption = Annotated[str | None, typer.Option("--registry", help="With --rpc: the registry's address.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("verify")(verify)
    app.command("bundle")(bundle)


@guarded
def verify(
    file: Annotated[
        str,
        typer.Argument(
            help="A credential, a RootmarkProof, or both in one object; a digest; - for standard input."
        ),
    ],
    proof: ProofFile = None,
    issuer: Annotated[
        str | None, typer.Option(help="The issuer you expect; then it counts as known.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="A block, or an RFC 3339 time.")] = None,
    live: Annotated[bool, typer.Option(help="Let the server read the chain now.")] = False,
    rpc: Rpc = None,
    bundled: Annotated[
        bool, typer.Option("--bundle", help="FILE is a bundle: no server, no network.")
    ] = False,
    trusted_block: Annotated[
        list[str] | None, typer.Option(help="With --bundle: a block hash you know to be on the chain.")
    ] = None,
    max_age: Annotated[int, typer.Option(help="With --bundle: days.")] = 7,
    chain_id: ChainOption = None,
    registry: RegistryOption = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Verify a credential. The exit code is the verdict: 0 valid, 1 invalid, 3 revoked or over, 4 cannot
    tell.

    By default a server answers. With --rpc no server is asked: the issuer's history is read from the node,
    replayed and held against the contract. With --bundle not even a node: FILE carries everything but your
    trusted block.
    """
    found = settings()
    if bundled:
        report = _by_bundle(found, file, issuer, trusted_block or [], max_age)
    elif rpc:
        body = _body(file, proof)
        report = verify_by_rpc(
            rpc,
            body.get("credential"),
            body.get("proof"),
            issuer,
            digest=body.get("digest"),
            as_of=as_of,
            chain_id=chain_id,
            registry=registry,
            found=found,
        )
    else:
        wanted = {"issuer": issuer, "as_of": as_of, "live": live or None}
        body = _body(file, proof) | {name: value for name, value in wanted.items() if value is not None}
        report = server(server_url, None).post("/v1/verify", body)
    show(report, as_json, report_text)
    raise typer.Exit(exits.OUTCOMES[report["outcome"]])


def _body(file: str, proof: str | None) -> dict[str, Any]:
    """The verification body that a file means: a digest, a credential, a proof, or an object that holds
    them."""
    if file.startswith("0x") and not Path(file).exists():
        value: JsonValue = file
    else:
        value = read_json_input(file)
    if isinstance(value, str):
        body: dict[str, Any] = {"digest": value}
    elif not isinstance(value, dict):
        raise ValidationError("the file holds neither a credential nor a proof nor a digest")
    elif value.get("type") == PROOF_TYPE:
        body = {"digest": value.get("digest"), "proof": value}
    elif "credential" in value or ("digest" in value and "proof" in value):
        body = {name: value[name] for name in ("credential", "digest", "proof") if name in value}
    else:
        body = {"credential": value}
        inside = value.get("proof")
        if isinstance(inside, dict) and inside.get("type") == PROOF_TYPE:
            body["proof"] = inside
    if proof is not None:
        body["proof"] = read_json_input(proof)
    return body


def verify_by_rpc(
    urls: Sequence[str],
    credential: Mapping[str, JsonValue] | None,
    proof: JsonValue,
    issuer: str | None,
    *,
    digest: str | None = None,
    as_of: str | None = None,
    chain_id: int | None = None,
    registry: str | None = None,
    found: Settings | None = None,
) -> dict[str, Any]:
    """A report from nodes alone.

    Raises:
        ValidationError: there is no proof; what is signed by nobody's server needs one.
    """
    found = found or settings()
    if proof is None:
        raise ValidationError("verifying without a server needs the RootmarkProof; give it with --proof")
    request = VerifyRequest(
        digest=None if digest is None else parse_digest(digest),
        credential=credential,
        proof=proof_from_json(proof, pointer="/proof"),
        issuer=None if issuer is None else parse_address(issuer, pointer="/issuer"),
        as_of=_as_of(as_of),
    )
    with ExitStack() as stack:
        chains = []
        for url in urls:
            chain = open_reader(found, [url], chain_id=chain_id, registry=registry)
            stack.callback(chain.close)
            chains.append(chain)
        confirmations = found.confirmations or (1 if chains[0].info.test_chain else 12)
        trust = Trust(issuers=_trusted(found), confirmations=confirmations)
        return report_to_json(verify_with_rpc(request, chains, trust, now=datetime.now(UTC)))


def _as_of(text: str | None) -> int | datetime | None:
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdecimal() else parse_time(text, pointer="/as_of")


def _trusted(found: Settings) -> dict[Address, str | None]:
    return dict.fromkeys(found.trusted_addresses())


def _by_bundle(
    found: Settings, file: str, issuer: str | None, trusted_blocks: list[str], max_age_days: int
) -> dict[str, Any]:
    by_hand = frozenset(parse_block_hash(text, pointer="/trusted_block") for text in trusted_blocks)
    checkpoints = Checkpoints()
    if found.checkpoint_file is not None and found.checkpoint_key is not None:
        checkpoints = read_checkpoints(
            read_json_input(str(found.checkpoint_file)), parse_address(found.checkpoint_key)
        )
    registries: frozenset[AccountId] = frozenset()
    if found.chain_id and found.registry:
        registries = frozenset({AccountId(ChainId(found.chain_id), parse_address(found.registry))})
    trust = Trust(
        issuers=_trusted(found),
        registries=registries,
        code_hash=contract_code_hash(),
        is_test_chain=is_test_chain,
    )
    request = None if issuer is None else VerifyRequest(issuer=parse_address(issuer, pointer="/issuer"))
    report = verify_bundle(
        read_json_input(file),
        replace(checkpoints, by_hand=checkpoints.by_hand | by_hand),
        trust,
        now=datetime.now(UTC),
        max_age=timedelta(days=max_age_days),
        request=request,
    )
    return report_to_json(report)


@guarded
def bundle(
    file: Annotated[str, typer.Argument(help="The credential, or both credential and proof in one object.")],
    output: Annotated[Path, typer.Argument(help="File to write.")],
    rpc: Annotated[str, typer.Option("--rpc", help="A node with eth_getProof; the embedded chain has none.")],
    proof: ProofFile = None,
    chain_id: ChainOption = None,
    registry: RegistryOption = None,
) -> None:
    """Make a bundle that verifies without any network, for a verifier who knows the block's hash."""
    found = settings()
    body = _body(file, proof)
    if body.get("proof") is None:
        raise ValidationError("a bundle needs the RootmarkProof; give it with --proof")
    request = VerifyRequest(
        digest=parse_digest(body["digest"]) if body.get("digest") else None,
        credential=body.get("credential"),
        proof=proof_from_json(body["proof"], pointer="/proof"),
    )
    chain = open_reader(found, [rpc], chain_id=chain_id, registry=registry)
    try:
        made = make_bundle(chain, request, confirmations=found.confirmations or 12)
    finally:
        chain.close()
    try:
        output.write_text(json.dumps(made, ensure_ascii=False))
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}", exits.USAGE)


_MARKS = {"pass": "ok", "fail": "FAIL", "unknown": "?", "skipped": "-"}


def report_text(report: dict[str, Any]) -> str:
    """A report for a person: the sentence, then the checks."""
    lines = [f"{report['outcome'].upper()}: {report['summary']}"]
    lines += [
        f"  {_MARKS[check['result']]:<5} {check['name']:<10} {check['detail']}" for check in report["checks"]
    ]
    lines += [f"  later: {json.dumps(fact, ensure_ascii=False)}" for fact in report["later"]]
    return "\n".join(lines)
