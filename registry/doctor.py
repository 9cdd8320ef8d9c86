"""`rootmark doctor`: everything that keeps a server from starting or working, each with what to do about it.

Checks only look. They are independent: one that fails does not keep the others from being made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.bootstrap import SystemClock, operating_keystore, relayer_of
from registry.chain.factory import open_rpc
from registry.encoding import parse_address, to_checksum
from registry.errors import ChainUnavailableError, ConfigurationError, RootmarkError
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.settings import Settings
from registry.store import migrations_behind

MIN_FREE_BYTES = 512 * 1024 * 1024
MAX_CLOCK_DIFFERENCE_SECONDS = 30
MIN_FUNDS_WEI = 10**15
"""About twenty anchors at 1 gwei; below it somebody should know."""
_INTERVAL_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result. ``advice`` is empty when all is well."""

    check: str
    ok: bool
    detail: str
    advice: str = ""


def examine(
    settings: Settings, *, clock: Clock | None = None, free_bytes: Callable[[Path], int] | None = None
) -> list[Finding]:
    """Make all checks that the settings call for."""
    free = free_bytes or (lambda path: shutil.disk_usage(path).free)
    findings = [_disk(settings, free), _database(settings), _keystores(settings)]
    if settings.embedded:
        findings.append(_lock(settings.data_dir / "chain" / "chain.lock"))
    else:
        findings += _node(settings, clock or SystemClock())
    return findings


# --- machine ------------------------------------------------------------------------------------------------


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.absolute().parent)


def _disk(settings: Settings, free_bytes: Callable[[Path], int]) -> Finding:
    free = free_bytes(_existing(settings.data_dir))
    detail = f"{free // 2**20} MiB free where DATA_DIR is"
    advice = "" if free >= MIN_FREE_BYTES else "make room: a full disk stops issuing and indexing"
    return Finding("disk", not advice, detail, advice)


def _lock(path: Path) -> Finding:
    """The lock dies with its process; a file that is left over only looks like one."""
    if not path.exists():
        return Finding("lock", True, "the data directory is not in use")
    with path.open("rb") as file:
        holder = file.read(32).decode("ascii", "replace").strip()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Finding("lock", True, f"the embedded chain is in use by process {holder or 'unknown'}")
    if holder.isdecimal() and not _is_running(int(holder)):
        return Finding(
            "lock",
            False,
            f"a lock file is left from process {holder}, which has ended without closing the chain",
            "nothing to do: the next start takes it over; look why the process was killed",
        )
    return Finding("lock", True, "the data directory is not in use")


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


# --- database and keys --------------------------------------------------------------------------------------


def _database(settings: Settings) -> Finding:
    try:
        behind = migrations_behind(settings.effective_database_url)
    except RootmarkError as error:
        return Finding("database", False, str(error), "check DATABASE_URL, and that the database runs")
    fresh = settings.database_url is None and not (settings.data_dir / "rootmark.db").exists()
    if behind and not fresh:
        return Finding("database", False, f"{behind} migrations behind", "run `rootmark db migrate`")
    return Finding("database", True, "made at the first start" if fresh else "up to date")


def _keystores(settings: Settings) -> Finding:
    try:
        relayer = relayer_of(settings)
        if (settings.data_dir / "operating-keys").exists():
            keystore = operating_keystore(settings)
            for address in keystore.addresses():
                keystore.get(address)
    except RootmarkError as error:
        return Finding(
            "keystore",
            False,
            str(error),
            "restore keystore and password from the backup, or mend their modes",
        )
    return Finding("keystore", True, "readable" if relayer or settings.embedded else "no relayer key is set")


# --- node ---------------------------------------------------------------------------------------------------


def _node(settings: Settings, clock: Clock) -> Iterator[Finding]:
    try:
        chain = open_rpc(
            settings.rpc_url,
            chain_id=settings.chain_id,
            registry=parse_address(settings.registry) if settings.registry else None,
            deployed_block=settings.deployed_block,
            quorum=len(settings.rpc_url),
        )
    except ChainUnavailableError as error:
        yield Finding("node", False, str(error), "check RPC_URL, and that each node runs")
        return
    except ConfigurationError as error:
        yield Finding(
            "contract", False, str(error), "check RPC_URL, CHAIN_ID and REGISTRY, or `rootmark deploy`"
        )
        return
    try:
        yield Finding("node", True, f"{len(settings.rpc_url)} answering")
        yield Finding("contract", True, f"the registry stands at {to_checksum(chain.info.address)}")
        yield from _guarded("clock", lambda: _clock(chain, clock))
        yield from _guarded("funds", lambda: _funds(settings, chain))
    finally:
        chain.close()


def _guarded(name: str, check: Callable[[], Finding]) -> Iterator[Finding]:
    try:
        yield check()
    except RootmarkError as error:
        yield Finding(name, False, str(error), "run it again once the node answers")


def _clock(chain: Chain, clock: Clock) -> Finding:
    """Compare with the newest block. A block from the future tells that this clock is late; an old one tells
    that it is early, or that the node is behind, where the chain's blocks come regularly."""
    latest = chain.latest()
    difference = clock.now().timestamp() - latest.timestamp
    if difference < -MAX_CLOCK_DIFFERENCE_SECONDS:
        return Finding(
            "clock",
            False,
            f"this machine's clock is {-difference:.0f} s behind the newest block",
            "set the clock (NTP)",
        )
    interval = _block_seconds(chain, latest.number)
    allowed = MAX_CLOCK_DIFFERENCE_SECONDS + 3 * interval
    if not chain.info.test_chain and difference > allowed:
        return Finding(
            "clock",
            False,
            f"the newest block is {difference:.0f} s old, blocks come every {interval:.0f} s",
            "set the clock (NTP), or ask why the node is behind",
        )
    return Finding("clock", True, "fits the newest block")


def _block_seconds(chain: Chain, latest: int) -> float:
    first = max(latest - _INTERVAL_BLOCKS, 0)
    if first == latest:
        return 0.0
    return (chain.header(latest).timestamp - chain.header(first).timestamp) / (latest - first)


def _funds(settings: Settings, chain: Chain) -> Finding:
    relayer = relayer_of(settings)
    if relayer is None:
        return Finding("funds", True, "no relayer: issuers' own keys pay")
    balance = chain.balance_wei(relayer.address)
    detail = f"the relayer {to_checksum(relayer.address)} has {balance} wei"
    if balance < MIN_FUNDS_WEI:
        return Finding("funds", False, detail, "send it ether: without it nothing is anchored")
    return Finding("funds", True, detail)
