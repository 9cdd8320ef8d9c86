"""verify and bundle: by a server, by nodes alone, or by a self-contained bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import exits, many
from registry.cli.inputs import STANDARD_INPUT, read_input, read_json_input, write_output
from registry.cli.options import JsonFlag, ServerUrl, server, settings
from registry.cli.output import guarded, show
from registry.cli.progress import waiting
from registry.errors import ValidationError

Rpc = Annotated[
    list[str] | None,
    typer.Option(
        "--rpc", metavar="URL", help="Verify from this node alone; repeat for more that must agree."
    ),
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
    live: Annotated[bool, typer.Option("--live", help="Let the server read the chain now.")] = False,
    all_lines: Annotated[
        bool, typer.Option("--many", help="FILE is NDJSON: verify what every line holds.")
    ] = False,
    rpc: Rpc = None,
    bundled: Annotated[
        bool, typer.Option("--bundle", help="FILE is a bundle: no server, no network.")
    ] = False,
    trusted_block: Annotated[
        list[str] | None, typer.Option(help="With --bundle: a block hash you know to be on the chain.")
    ] = None,
    max_age: Annotated[int, typer.Option(min=0, max=36_500, help="With --bundle: days it may be old.")] = 7,
    chain_id: ChainOption = None,
    registry: RegistryOption = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Verify a credential. The exit code is the verdict.

    0 valid, 1 invalid, 3 revoked, suspended, withdrawn or expired, 4 cannot tell (yet), 5 cannot reach. By
    default a server answers. With --rpc no server is asked: the issuer's history is read from the node,
    replayed and held against the contract. With --bundle not even a node: FILE carries everything but the
    block that you trust (--trusted-block, or CHECKPOINT_FILE signed by CHECKPOINT_KEY).

    Examples:

      rootmark verify diploma.json --issuer 0x1234...

      rootmark verify diploma.json --proof proof.json --rpc https://node-a.example --rpc https://node-b.example

      rootmark verify bundle.json --bundle --trusted-block 0xabcd...

      rootmark verify --many applicants.ndjson --json > reports.ndjson
    """
    wanted = {"issuer": issuer, "as_of": as_of, "live": live or None}
    asked = {name: value for name, value in wanted.items() if value is not None}
    if all_lines:
        if rpc or bundled or proof is not None:
            raise ValidationError("--many asks a server; it goes with neither --rpc, --bundle nor --proof")
        with server(server_url, None) as target:
            raise typer.Exit(many.verify_lines(target, file, asked, body_of, as_json))
    if bundled:
        if rpc or as_of is not None or live:
            raise ValidationError(
                "a bundle speaks of its own block: no --rpc, --as-of or --live with --bundle"
            )
        report = _by_bundle(file, issuer, trusted_block or [], max_age)
    elif rpc:
        report = _by_rpc(rpc, _body(file, proof), issuer, as_of, chain_id, registry)
    else:
        body = _body(file, proof) | asked
        with server(server_url, None) as target:
            report = target.post("/v1/verify", body)
    show(report, as_json, report_text)
    raise typer.Exit(exits.OUTCOMES[report["outcome"]])


def _by_rpc(
    urls: list[str],
    body: dict[str, Any],
    issuer: str | None,
    as_of: str | None,
    chain_id: int | None,
    registry: str | None,
) -> dict[str, Any]:
    with waiting("reading the chain"):
        from registry.cli.offline import verify_by_rpc

        return verify_by_rpc(
            urls, body, settings(), issuer=issuer, as_of=as_of, chain_id=chain_id, registry=registry
        )


def _by_bundle(file: str, issuer: str | None, trusted_blocks: list[str], max_age: int) -> dict[str, Any]:
    from registry.cli.offline import verify_by_bundle

    found = settings()
    return verify_by_bundle(
        read_json_input(file), found, issuer=issuer, trusted_blocks=trusted_blocks, max_age_days=max_age
    )


# --- what a file means --------------------------------------------------------------------------------------


def _body(file: str, proof: str | None) -> dict[str, Any]:
    """The verification body that an argument means: a digest, or the name of a file."""
    if file.startswith("0x") and not Path(file).exists():
        body = body_of(file)
    elif file == STANDARD_INPUT and (text := read_input(file).strip()).startswith(b"0x"):
        body = body_of(text.decode("ascii", "replace"))
    elif file == STANDARD_INPUT:
        from registry.encoding import parse_json

        body = body_of(parse_json(text))
    else:
        body = body_of(read_json_input(file))
    if proof is not None:
        body["proof"] = read_json_input(proof)
    return body


def body_of(value: Any) -> dict[str, Any]:
    """The verification body that a value means: a digest, a credential, a proof, or an object that holds
    them.

    Raises:
        ValidationError: it is none of these.
    """
    from registry.merkle import PROOF_TYPE

    if isinstance(value, str):
        return {"digest": value}
    if not isinstance(value, dict):
        raise ValidationError("this holds neither a credential nor a proof nor a digest")
    if value.get("type") == PROOF_TYPE:
        return {"digest": value.get("digest"), "proof": value}
    if "credential" in value or ("digest" in value and value.keys() <= {"digest", "proof"}):
        return {name: value[name] for name in ("credential", "digest", "proof") if name in value}
    inside = value.get("proof")
    if isinstance(inside, dict) and inside.get("type") == PROOF_TYPE:
        return {"credential": value, "proof": inside}
    return {"credential": value}


@guarded
def bundle(
    file: Annotated[str, typer.Argument(help="The credential, or both credential and proof in one object.")],
    output: Annotated[Path, typer.Argument(help="File to write; - for standard output.")],
    rpc: Annotated[
        str,
        typer.Option("--rpc", metavar="URL", help="A node with eth_getProof; the embedded chain has none."),
    ],
    proof: ProofFile = None,
    chain_id: ChainOption = None,
    registry: RegistryOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a bundle that verifies without any network, for a verifier who knows the block's hash.

    Example: rootmark bundle diploma.json bundle.json --proof proof.json --rpc https://node.example
    """
    body = _body(file, proof)
    with waiting("reading the chain"):
        from registry.cli.offline import bundle_from

        made = bundle_from(rpc, body, settings(), chain_id=chain_id, registry=registry)
    write_output(output, json.dumps(made, ensure_ascii=False) + "\n")
    if str(output) != STANDARD_INPUT:
        told = {"file": str(output)}
        show(told, as_json, lambda _: f"bundle written to {output}")


_MARKS = {"pass": "ok", "fail": "FAIL", "unknown": "?", "skipped": "-"}


def headline(report: dict[str, Any]) -> str:
    """The outcome in capitals, and the sentence about it."""
    outcome, summary = str(report["outcome"]), str(report["summary"])
    said, _, rest = summary.partition(": ")
    return f"{outcome.upper()}: {rest if rest and said.lower().replace(' ', '_') == outcome else summary}"


def report_text(report: dict[str, Any]) -> str:
    """A report for a person: the sentence, then the checks."""
    lines = [headline(report)]
    lines += [
        f"  {_MARKS[check['result']]:<5} {check['name']:<10} {check['detail']}" for check in report["checks"]
    ]
    lines += [f"  later: {json.dumps(fact, ensure_ascii=False)}" for fact in report["later"]]
    return "\n".join(lines)
