"""`rootmark doctor`: everything that keeps a server from starting or working, each with what to do about it.

Checks only look: nothing is made, migrated or taken over. They are independent: one that fails does not keep
the others from being made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from registry.bootstrap import (
    CREDENTIAL_KEYS,
    REPORT_KEY_FILE,
    WEBHOOK_KEY_FILE,
    SystemClock,
    relayer_of,
    report_signer,
    webhook_secrets,
)
from registry.chain.doctor import NodeFault, NodeFinding, examine_nodes
from registry.chain.keystore import EncryptedKeystore
from registry.credentials.keystore import EncryptedCredentialKeystore
from registry.encoding import parse_address, to_checksum
from registry.errors import ConfigurationError, RootmarkError
from registry.ports.clock import Clock
from registry.ports.signer import Signer
from registry.settings import Settings
from registry.store import migrations_behind

MIN_FREE_BYTES = 512 * 1024 * 1024
MAX_CLOCK_DIFFERENCE_SECONDS = 30
MIN_FUNDS_WEI = 10**15
"""About twenty anchors at 1 gwei; below it somebody should know."""
KEYSTORES = ("operating-keys", "admin-keys", CREDENTIAL_KEYS)
KEYS_TRIED = 20
CERTIFICATE_WARNING = timedelta(days=30)
_TIMEOUT_SECONDS = 5.0
_MISSED_BLOCKS = 3


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
    """Make all checks that the settings call for.

    Args:
        clock: this machine's, unless a test moves it.
        free_bytes: of the file system that a path is on.
    """
    now = (clock or SystemClock()).now()
    free = free_bytes or (lambda path: shutil.disk_usage(path).free)
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("disk", lambda: _disk(settings, free)),
        ("database", lambda: _database(settings)),
        ("keystore", lambda: _keystores(settings)),
        ("webhooks", lambda: _webhooks(settings)),
        ("reports", lambda: _reports(settings, now)),
        ("clock", lambda: _clock_by_files(settings, now)),
    ]
    if settings.embedded:
        checks.append(("lock", lambda: _lock(settings.data_dir / "chain" / "chain.lock")))
    else:
        checks.append(("node", lambda: _nodes(settings, now)))
    return [finding for name, check in checks for finding in _made(name, check)]


def _made(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check; an error that it does not expect is one too."""
    try:
        yield from check()
    except RootmarkError as error:
        yield Finding(name, False, str(error), "mend this, and run the doctor again")
    except OSError as error:
        detail = f"this could not be looked at: {error.strerror or type(error).__name__}"
        yield Finding(name, False, detail, "check who owns DATA_DIR, and its modes")


# --- machine ------------------------------------------------------------------------------------------------


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.absolute().parent)


def _disk(settings: Settings, free_bytes: Callable[[Path], int]) -> Iterator[Finding]:
    place = _existing(settings.data_dir)
    free = free_bytes(place)
    detail = f"{free // 2**20} MiB free where DATA_DIR is"
    if free < MIN_FREE_BYTES:
        yield Finding("disk", False, detail, "make room: a full disk stops issuing and indexing")
    elif not place.is_dir() or not os.access(place, os.W_OK):
        yield Finding("disk", False, "DATA_DIR cannot be written to", "check who owns it, and its mode")
    else:
        yield Finding("disk", True, detail)


def _clock_by_files(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Files of DATA_DIR from the future tell that this clock was set back."""
    files = [path for path in settings.data_dir.glob("*") if path.is_file()]
    files += [path for path in (settings.data_dir / "chain").glob("*") if path.is_file()]
    newest = max((path.stat().st_mtime for path in files), default=0.0)
    ahead = newest - now.timestamp()
    if ahead > MAX_CLOCK_DIFFERENCE_SECONDS:
        detail = f"this machine's clock is {ahead:.0f} s behind the newest file in DATA_DIR"
        yield Finding("clock", False, detail, "set the clock (NTP)")
    elif settings.embedded:
        yield Finding("clock", True, "not behind what is in DATA_DIR")


def _lock(path: Path) -> Iterator[Finding]:
    """The lock dies with its process; a file that is left over only looks like one."""
    if not path.exists():
        yield Finding("lock", True, "the data directory is not in use")
        return
    with path.open("rb") as file:
        holder = file.read(32).decode("ascii", "replace").strip()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield Finding("lock", True, f"the embedded chain is in use by process {holder or 'unknown'}")
            return
    if holder.isdecimal():  # a process that ends well takes its number out of the file
        yield Finding(
            "lock",
            False,
            f"a stale lock is left from process {holder}, which was killed",
            "the next start takes it over, nothing is lost; find out why the process was killed",
        )
    else:
        yield Finding("lock", True, "the data directory is not in use")


# --- database and keys --------------------------------------------------------------------------------------


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None and not (settings.data_dir / "rootmark.db").exists():
        yield Finding("database", True, "made at the first start")
        return
    try:
        behind = migrations_behind(settings.effective_database_url)
    except RootmarkError as error:
        yield Finding("database", False, str(error), "check DATABASE_URL, and that the database runs")
        return
    if behind:
        plural = "s" if behind > 1 else ""
        yield Finding("database", False, f"{behind} migration{plural} behind", "run `rootmark db migrate`")
    else:
        yield Finding("database", True, "up to date")


def _keystores(settings: Settings) -> Iterator[Finding]:
    try:
        relayer = relayer_of(settings)
        for name in KEYSTORES:
            _try_keys(settings.data_dir, name)
    except RootmarkError as error:
        advice = "restore keystore and password from the backup, or mend owner and mode"
        yield Finding("keystore", False, str(error), advice)
        return
    set_up = relayer is not None or settings.embedded
    yield Finding("keystore", True, "readable" if set_up else "no relayer key is set")


def _try_keys(data_dir: Path, name: str) -> None:
    """Decrypt some keys of a keystore. It and its password are made at the first start, not here."""
    directory, password_file = data_dir / name, data_dir / f"{name}-password"
    if not directory.exists():
        return
    try:
        if not any(directory.iterdir()):
            return
        password = password_file.read_text().strip().encode()
    except FileNotFoundError as error:
        raise ConfigurationError(f"{password_file.name} is missing: the keys beside it are locked") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{name} or its password cannot be read") from error
    if name == CREDENTIAL_KEYS:
        EncryptedCredentialKeystore(directory, password).examine(KEYS_TRIED)
        return
    keystore = EncryptedKeystore(directory, password, strong_kdf=False)
    for address in sorted(keystore.addresses())[:KEYS_TRIED]:
        keystore.get(address)


def _webhooks(settings: Settings) -> Iterator[Finding]:
    if not (settings.data_dir / WEBHOOK_KEY_FILE).exists():
        return
    try:
        webhook_secrets(settings.data_dir)
    except ConfigurationError as error:
        advice = "restore it from the backup; without it each webhook needs a new secret"
        yield Finding("webhooks", False, str(error), advice)
    else:
        yield Finding("webhooks", True, "the key of their secrets is readable")


def _reports(settings: Settings, now: datetime) -> Iterator[Finding]:
    if not (settings.data_dir / REPORT_KEY_FILE).exists():
        return
    try:
        signer = report_signer(settings, settings.data_dir, SystemClock())
    except ConfigurationError as error:
        advice = f"restore {REPORT_KEY_FILE} from the backup, or replace it"
        yield Finding("reports", False, str(error), advice)
        return
    detail = f"the certificate that signs them is for {signer.period}"
    if signer.valid_from <= now <= signer.valid_until - CERTIFICATE_WARNING:
        yield Finding("reports", True, detail)
    else:
        advice = f"replace {REPORT_KEY_FILE} in DATA_DIR, and tell those who compare the certificate"
        yield Finding("reports", False, detail, advice)


# --- nodes --------------------------------------------------------------------------------------------------

_CHECKS = {
    NodeFault.UNREACHABLE: ("node", "check RPC_URL, and that the node runs"),
    NodeFault.WRONG_CHAIN_ID: ("chain", "check RPC_URL and CHAIN_ID: one of them is another chain's"),
    NodeFault.NO_CODE: ("contract", "check REGISTRY, or deploy the contract with `rootmark deploy`"),
    NodeFault.OTHER_CODE: ("contract", "check REGISTRY: this is another contract, or another version"),
}


def _nodes(settings: Settings, now: datetime) -> Iterator[Finding]:
    relayer = _relayer(settings)
    found = examine_nodes(
        settings.rpc_url,
        chain_id=settings.chain_id,
        registry=parse_address(settings.registry) if settings.registry else None,
        account=None if relayer is None else relayer.address,
    )
    for url, node in zip(settings.rpc_url, found, strict=True):
        if node.fault is None:
            yield Finding("node", True, f"{node.node} {node.detail}, with the registry")
        else:
            check, advice = _CHECKS[node.fault]
            yield Finding(check, False, f"{node.node}: {node.detail}", advice)
        if node.latest is not None:
            yield _clock(node, _date_of(url), now)
    if relayer is not None:
        balances = [node.balance_wei for node in found if node.balance_wei is not None]
        if balances:
            yield _funds(relayer, min(balances))


def _relayer(settings: Settings) -> Signer | None:
    """The relayer, where its keystore is readable; that it is not is another check's finding."""
    try:
        return relayer_of(settings)
    except RootmarkError:
        return None


def _funds(relayer: Signer, balance_wei: int) -> Finding:
    detail = f"the relayer {to_checksum(relayer.address)} has {balance_wei} wei"
    if balance_wei < MIN_FUNDS_WEI:
        return Finding("funds", False, detail, "send it ether: without it nothing is anchored")
    return Finding("funds", True, detail)


def _date_of(url: str) -> datetime | None:
    """The node's clock, as its HTTP answers tell it (RFC 9110, section 6.6.1); None where they do not."""
    ask = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    try:
        answer = httpx.post(url, json=ask, timeout=_TIMEOUT_SECONDS, follow_redirects=False)
        date = parsedate_to_datetime(answer.headers["Date"])
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _clock(node: NodeFinding, date: datetime | None, now: datetime) -> Finding:
    """Compare this clock with the node's, and with its newest block: one from the future tells that this
    clock is late, an old one where blocks come regularly that it is early, or that the node is behind."""
    assert node.latest is not None
    age = now.timestamp() - node.latest.timestamp
    difference = 0.0 if date is None else (now - date).total_seconds()
    if abs(difference) > MAX_CLOCK_DIFFERENCE_SECONDS:
        side = "ahead of" if difference > 0 else "behind"
        detail = f"this machine's clock is {abs(difference):.0f} s {side} that of {node.node}"
        return Finding("clock", False, detail, "set this clock (NTP), or the node's")
    if age < -MAX_CLOCK_DIFFERENCE_SECONDS:
        detail = f"this machine's clock is {-age:.0f} s behind the newest block of {node.node}"
        return Finding("clock", False, detail, "set the clock (NTP)")
    regular = node.block_seconds
    if regular is not None and age > MAX_CLOCK_DIFFERENCE_SECONDS + _MISSED_BLOCKS * regular:
        detail = f"the newest block of {node.node} is {age:.0f} s old, blocks come every {regular:.0f} s"
        return Finding("clock", False, detail, "set the clock (NTP), or ask why the node is behind")
    return Finding("clock", True, f"fits that of {node.node}")
