"""What a server says of an issuer, held against the history that nodes gave: `audit issuer --rpc --server`.

The server is believed in nothing: what it says is parsed strictly, and every difference is named as
`registry.services.auditing.consistency` names them. Compared is what both have: the chain up to the block
that the server has read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from registry.cli import exits
from registry.cli.client import Export, Server, ServerUnreachableError, path_of
from registry.cli.output import CommandError
from registry.encoding import (
    BlockHash,
    TxHash,
    parse_address,
    parse_block_hash,
    parse_hex,
    parse_root,
    parse_tx_hash,
    to_checksum,
)
from registry.errors import ValidationError
from registry.services.auditing.consistency import (
    MAX_DIFFERENCES,
    Difference,
    RecordedBatch,
    RecordedChange,
    Records,
    compare,
)
from registry.services.auditing.views import difference_json

if TYPE_CHECKING:
    from registry.ports.chain import ChainReader
    from registry.services.auditing.history import IssuerAudit

T = TypeVar("T")

_COLUMNS = ("kind", "root", "transaction", "final", "requested_by")
_ANCHORED = frozenset({"mined", "final"})
_HIDDEN = "is not listed by the server"
_UNREQUESTED = "was not requested there, or is not listed by the server"


def block_to_compare(server: Server, chain: ChainReader) -> int:
    """The newest block that the node has and the server has read.

    Raises:
        CommandError: the server works with another chain or registry, or has read nothing.
    """
    told = server.get("/v1/registry")
    return _strictly(lambda: _block_to_compare(told, chain))


def _block_to_compare(told: Mapping[str, Any], chain: ChainReader) -> int:
    info = chain.info
    if (told["chain"], parse_address(told["registry"])) != (f"eip155:{info.chain_id}", info.address):
        raise CommandError(
            f"the server works with {told['chain']}, registry {told['registry']}; the node was asked about "
            f"eip155:{info.chain_id}, {to_checksum(info.address)}",
            exits.USAGE,
        )
    if told["indexed_block"] is None:
        raise CommandError("the server has read nothing of the chain yet", exits.UNDECIDED)
    return min(_height(told["indexed_block"]), chain.latest().number)


def compared(server: Server, audit: IssuerAudit) -> dict[str, Any]:
    """The differences as JSON, as `GET /v1/audit/consistency` has them, and whether the server told who
    requested changes of status: only then can it be seen which ones nobody requested there."""
    issuer, block = to_checksum(audit.issuer), audit.block.number
    history = server.get(path_of("audit", "issuers", issuer), as_of=block)
    batches = list(server.items("/v1/batches", issuer=issuer, limit=500))
    registry = server.get("/v1/registry")
    pages = server.exported("/v1/revocations", "text/csv", issuer=issuer, as_of=str(block))
    lines = [line for page in pages for line in _strictly(lambda part=page: list(_lines(part)))]  # type: ignore[misc]

    def found() -> list[Difference]:
        final_block = block - _height(registry["confirmations"]) + 1
        records = _records(batches, lines, block, final_block)
        differences = (*_other_history(audit, history), *compare(audit, records))
        return list(differences[:MAX_DIFFERENCES])

    shown = [difference_json(difference) for difference in _strictly(found)]
    return {
        "server": server.url,
        "block_number": block,
        "consistent": not shown,
        "requesters_shown": _requesters_shown(lines),
        "differences": shown,
    }


def _lines(page: Export) -> Iterator[dict[str, str]]:
    """An issuer's changes of status, a credential each: their CSV has the longest pages."""
    for line in csv.DictReader(io.StringIO(page.content.decode(errors="replace"))):
        yield {name: line[name] for name in _COLUMNS}


def _requesters_shown(lines: list[dict[str, str]]) -> bool:
    return any(line["requested_by"] for line in lines)


def _other_history(audit: IssuerAudit, told: Mapping[str, Any]) -> Iterator[Difference]:
    """Whether the server's list of the contract's events is the node's."""
    own = {(event.transaction, event.log_index) for event in audit.events}
    theirs = {(_transaction(event["transaction"]), event["log_index"]) for event in told["events"]}
    replayed = parse_hex(told["head"]["replayed"], 32)
    if own == theirs and replayed == audit.head_replayed:
        return
    lacking, foreign = len(own - theirs), len(theirs - own)
    detail = f"the server replays another history: it lacks {lacking} events, and has {foreign} others"
    yield Difference("history_mismatch", audit.issuer, detail)


def _records(
    batches: list[dict[str, Any]], lines: list[dict[str, str]], block: int, final_block: int
) -> Records:
    recorded = [_batch(batch, block) for batch in batches if batch["root"] is not None]
    shown = _requesters_shown(lines)
    requested = {_transaction(line["transaction"]) for line in lines if line["requested_by"] or not shown}
    final = {(line["kind"], line["root"], line["transaction"]) for line in lines if line["final"] == "true"}
    changes = [
        RecordedChange(kind[:32], parse_root(root), _transaction(transaction))
        for kind, root, transaction in sorted(final)
    ]
    otherwise = _UNREQUESTED if shown else _HIDDEN
    return Records({batch.root: batch for batch in recorded}, requested, changes, final_block, otherwise)


def _batch(batch: Mapping[str, Any], block: int) -> RecordedBatch:
    identifier, root, anchor = str(batch["id"])[:64], parse_root(batch["root"]), batch["anchor"]
    if batch["state"] not in _ANCHORED or anchor is None or _height(anchor["block_number"]) > block:
        return RecordedBatch(identifier, root, None, None)
    block_hash: BlockHash = parse_block_hash(anchor["block_hash"])
    return RecordedBatch(identifier, root, _height(anchor["block_number"]), block_hash)


def _transaction(value: Any) -> TxHash:
    return parse_tx_hash(value)


def _height(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValidationError("a block number is a whole number")
    return value


def _strictly(read: Callable[[], T]) -> T:
    """What a server said, read; Raises `ServerUnreachableError` where it has not the form."""
    try:
        return read()
    except (KeyError, TypeError, AttributeError, ValidationError, csv.Error) as error:
        raise ServerUnreachableError(
            "the server's records are not of the form that Rootmark's have; does --server name the right one?"
        ) from error


def comparison_text(found: Mapping[str, Any]) -> str:
    """The comparison for a person."""
    lines = [f"compared with {found['server']} at block {found['block_number']}"]
    lines += [
        f"  {d['kind']:<22} {d['batch'] or d['root'] or ''}  {d['detail']}" for d in found["differences"]
    ]
    if found["consistent"]:
        lines.append("  server and chain agree")
    if not found["requesters_shown"]:
        lines.append(
            "  who requested changes of status was not shown: the issuer's key, or scope audit, sees it"
        )
    return "\n".join(lines)
