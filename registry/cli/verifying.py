"""verify and bundle: by a server, by nodes alone, by a self-contained bundle, or by documents alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import exits, many
from registry.cli.inputs import STANDARD_INPUT, read_json_input, write_output
from registry.cli.options import JsonFlag, ServerUrl, server, settings
from registry.cli.output import guarded, show
from registry.cli.progress import waiting
from registry.cli.shown import Shown, body_of, opened_body, read_documents, read_shown
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
            help="A credential of any known format (JSON, JWT, SD-JWT, PNG, SVG, .opencert), a "
            "RootmarkProof, or both in one object; a digest; - for standard input."
        ),
    ],
    proof: ProofFile = None,
    issuer: Annotated[
        str | None,
        typer.Option(help="The issuer you expect, an address, DID or URL; then it counts as known."),
    ] = None,
    document: Annotated[
        list[str] | None,
        typer.Option(
            "--document",
            metavar="URL=FILE",
            help="Another document that the credential refers to (DID document, status list); repeat.",
        ),
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="A block, or an RFC 3339 time.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Let the server read the chain now.")] = False,
    all_lines: Annotated[
        bool, typer.Option("--many", help="FILE is NDJSON: verify what every line holds.")
    ] = False,
    rpc: Rpc = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nobody: FILE and what --document gives decide.")
    ] = False,
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
    block that you trust (--trusted-block, or CHECKPOINT_FILE signed by CHECKPOINT_KEY). With --offline
    nothing is asked about any chain: enough for signed credentials of other systems.

    Examples:

      rootmark verify diploma.json --issuer 0x1234...

      rootmark verify badge.png --issuer did:web:college.example

      rootmark verify diploma.json --proof proof.json --rpc https://node-a.example --rpc https://node-b.example

      rootmark verify bundle.json --bundle --trusted-block 0xabcd...

      rootmark verify badge.jwt --offline --document did:web:college.example=did.json

      rootmark verify --many applicants.ndjson --json > reports.ndjson
    """
    wanted = {"issuer": issuer, "as_of": as_of, "live": live or None}
    asked = {name: value for name, value in wanted.items() if value is not None}
    ways = [name for name, given in (("--rpc", rpc), ("--offline", offline), ("--bundle", bundled)) if given]
    if len(ways) > 1:
        raise ValidationError(f"{ways[0]} and {ways[1]} exclude each other")
    if all_lines:
        if ways or proof is not None or document:
            raise ValidationError(
                "--many asks a server; it goes with none of --rpc, --offline, --bundle, --proof, --document"
            )
        with server(server_url, None) as target:
            raise typer.Exit(many.verify_lines(target, file, asked, body_of, as_json))
    documents = read_documents(document or [])
    if bundled:
        if as_of is not None or live:
            raise ValidationError("a bundle speaks of its own block: no --as-of or --live with --bundle")
        report = _by_bundle(file, issuer, trusted_block or [], max_age, documents)
    elif rpc or offline:
        if live:
            raise ValidationError("--live is for servers")
        found = _body(file, proof)
        report = _without_server(rpc or [], found, issuer, as_of, chain_id, registry, documents)
    else:
        report = _by_server(server_url, file, proof, asked, documents)
    show(report, as_json, report_text)
    raise typer.Exit(exits.OUTCOMES[report["outcome"]])


def _by_server(
    server_url: str | None,
    file: str,
    proof: str | None,
    asked: dict[str, Any],
    documents: dict[str, bytes],
) -> dict[str, Any]:
    from registry.cli.shown import contents_of, media_type_of

    shown = read_shown(file)
    if shown.data is not None and proof is None and not documents:
        contents = contents_of(shown.data, file)
        fields = {name: "true" if value is True else str(value) for name, value in asked.items()}
        with server(server_url, None) as target:
            made: dict[str, Any] = target.post_file(
                "/v1/verify", shown.data, media_type_of(contents), Path(file).name, fields
            )
            return made
    body = _body(file, proof, shown) | asked
    if "hosted_at" in body:
        raise ValidationError("the server looks up where this badge is hosted: no --proof or --document")
    if documents:
        body["documents"] = {name: _text(data) for name, data in documents.items()}
    with server(server_url, None) as target:
        answer: dict[str, Any] = target.post("/v1/verify", body)
        return answer


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValidationError("a document to send along is not UTF-8") from error


def _without_server(
    urls: list[str],
    body: dict[str, Any],
    issuer: str | None,
    as_of: str | None,
    chain_id: int | None,
    registry: str | None,
    documents: dict[str, bytes],
) -> dict[str, Any]:
    with waiting("reading the chain" if urls else "verifying"):
        from registry.cli.offline import verify_offline

        return verify_offline(
            urls,
            body,
            settings(),
            issuer=issuer,
            as_of=as_of,
            chain_id=chain_id,
            registry=registry,
            documents=documents,
        )


def _by_bundle(
    file: str, issuer: str | None, trusted_blocks: list[str], max_age: int, documents: dict[str, bytes]
) -> dict[str, Any]:
    from registry.cli.offline import verify_by_bundle

    return verify_by_bundle(
        read_json_input(file),
        settings(),
        issuer=issuer,
        trusted_blocks=trusted_blocks,
        max_age_days=max_age,
        documents=documents,
    )


def _body(file: str, proof: str | None, shown: Shown | None = None) -> dict[str, Any]:
    """The verification body that an argument means, with the proof beside it."""
    body = opened_body(shown or read_shown(file), file)
    return body if proof is None else body | {"proof": read_json_input(proof)}


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
    """A report for a person: the sentence, the format, then the checks."""
    lines = [headline(report)]
    lines += [f"  {'':<5} {'kind':<10} {report['format']}"] if "format" in report else []
    lines += [
        f"  {_MARKS[check['result']]:<5} {check['name']:<10} {check['detail']}" for check in report["checks"]
    ]
    lines += [f"  later: {json.dumps(fact, ensure_ascii=False)}" for fact in report["later"]]
    return "\n".join(lines)
