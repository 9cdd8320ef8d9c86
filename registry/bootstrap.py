"""The only wiring: from settings to a running application. Everything else is given its parts.

Secrets are made here at the first start: the admin token and the keystores' passwords, each in a file of mode
600 in the data directory. The operating keys, the admin keys and the keys that sign credentials lie in
separate keystores under separate passwords.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from registry.chain import chains
from registry.chain.abi import load_artifact
from registry.chain.embedded.lock import DirectoryLock
from registry.chain.factory import EmbeddedGateway, deploy_by_rpc, open_embedded, open_rpc
from registry.chain.keystore import EncryptedKeystore
from registry.credentials.accreditations import AccreditationService
from registry.credentials.achievement_images import AchievementImageService
from registry.credentials.achievements import AchievementService
from registry.credentials.awards import AwardService
from registry.credentials.certificates.designs import DesignService
from registry.credentials.chain_profiles import ChainProfiles
from registry.credentials.console import ConsoleServices, console_services
from registry.credentials.exporting import AwardExports
from registry.credentials.holding.collection import CollectionService
from registry.credentials.holding.pages import PageService
from registry.credentials.holding.sharing import ShareService
from registry.credentials.identity import IdentityService
from registry.credentials.keystore import EncryptedCredentialKeystore
from registry.credentials.publication import Publication
from registry.credentials.rdf import ContextStore, Pin, RdfCanonicalizer
from registry.credentials.services import credential_services
from registry.credentials.signed_documents import SignedDocuments
from registry.credentials.vc_api.issuing import VcIssuing
from registry.credentials.vc_api.presenting import PresentationVerification
from registry.credentials.verification import CredentialVerification
from registry.encoding import parse_address, to_checksum, to_hex
from registry.errors import ConfigurationError, IndexStaleError
from registry.net.posting import Posting
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.signer import Signer
from registry.ports.store import Store
from registry.private_files import private_directory, secret_file
from registry.reports.service import ReportService
from registry.reports.signing import PdfSigner, make_identity
from registry.secret_box import SealedWithKey
from registry.services.access import AccessService, new_token, token_sha256
from registry.services.anchoring.pipeline import Pipeline
from registry.services.audit import AuditService
from registry.services.housekeeping import Housekeeping
from registry.services.idempotency import IdempotencyRef
from registry.services.indexing import Indexer
from registry.services.issuers import IssuerService
from registry.services.issuing import IssuingService
from registry.services.metrics import Metrics
from registry.services.policy import Policy
from registry.services.status import StatusService
from registry.services.verification import VerificationPolicy, VerificationService
from registry.services.webhooks.delivering import Courier
from registry.services.webhooks.management import WebhookService
from registry.services.worker import Worker
from registry.settings import Settings
from registry.store import copy_database, migrate, migrations_behind, open_store, schema_version

ADMIN_TOKEN_FILE = "admin-token"
CREDENTIAL_KEYS = "credential-keys"
WEBHOOK_KEY_FILE = "webhook-secrets-key"
REPORT_KEY_FILE = "report-signing.pem"
GWEI = 10**9


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present, UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class App:
    """A wired application. Close it to release the embedded chain's lock, the leases and the connections."""

    settings: Settings
    clock: Clock
    store: Store
    chain: Chain
    access: AccessService
    issuers: IssuerService
    issuing: IssuingService
    status: StatusService
    verification: VerificationService
    indexer: Indexer
    pipeline: Pipeline
    audit: AuditService
    reports: ReportService
    identity: IdentityService
    documents: CredentialVerification
    canonicalizer: RdfCanonicalizer
    publication: Publication
    metrics: Metrics
    achievements: AchievementService
    achievement_images: AchievementImageService
    awards: AwardService
    presentations: PresentationVerification
    vc_issuing: VcIssuing
    exports: AwardExports
    signed: SignedDocuments
    pages: PageService
    collection: CollectionService
    shares: ShareService
    designs: DesignService
    accreditations: AccreditationService
    console: ConsoleServices
    webhooks: WebhookService
    worker: Worker
    courier: Worker
    spool_directory: Path
    jsonrpc: Callable[[Any], Any] | None
    version: str
    _resources: ExitStack = field(repr=False)

    @property
    def reads_are_quick(self) -> bool:
        """Whether a few look-ups cost less than handing them to a thread: the database is a local file."""
        return _is_file(self.settings.database_url)

    def bind(self, ref: IdempotencyRef, resource: str) -> None:
        """Remember what a request made, for services that do not bind it with their effect."""
        with self.store.write() as unit:
            ref.bind(unit, resource)

    def readiness_checks(self) -> dict[str, Callable[[], object]]:
        """Checks by the part they are about; each raises when the part does not work."""
        return {"database": self.store.ping, "node": self.chain.latest, "index": self._check_index}

    def _check_index(self) -> None:
        position = self.audit.position()
        limit = self.settings.max_index_age_seconds
        if position is None or (self.clock.now() - position.read_at).total_seconds() > limit:
            raise IndexStaleError(f"the index has not been brought up to date for more than {limit} s")

    def close(self) -> None:
        """Release everything, in reverse order of opening."""
        self._resources.close()


def _is_file(database_url: str | None) -> bool:
    """Whether the database is SQLite's, which one process at a time may serve."""
    return database_url is None or database_url.startswith("sqlite")


def build(settings: Settings, *, clock: Clock | None = None) -> App:
    """Wire an application.

    Raises:
        ConfigurationError: settings, database, chain or keystores do not fit each other.
        ChainUnavailableError, StoreUnavailableError: node or database cannot be reached.
    """
    clock = clock or SystemClock()
    data_dir = private_directory(settings.data_dir)
    with ExitStack() as stack:
        chain, relayer, jsonrpc = _open_chain(settings, data_dir)
        stack.callback(chain.close)
        if _is_file(settings.database_url):
            lock = DirectoryLock(data_dir, name="server.lock", what="the SQLite database")
            stack.callback(lock.release)
        store = open_store(settings.effective_database_url, migrate=settings.database_url is None)
        stack.callback(store.close)
        _claim_database(store, chain)
        app = _wire(settings, clock, data_dir, store, chain, relayer, jsonrpc, stack)
        stack.pop_all()
        return app


def _wire(
    settings: Settings,
    clock: Clock,
    data_dir: Path,
    store: Store,
    chain: Chain,
    relayer: Signer | None,
    jsonrpc: Callable[[Any], Any] | None,
    stack: ExitStack,
) -> App:
    policy = _policy(settings)
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    operating = operating_keystore(settings)
    admins = _keystore(data_dir, "admin-keys")
    access = AccessService(store, clock, admin_token_sha256(settings, data_dir))
    indexer = Indexer(
        store, chain, clock, confirmations=settings.effective_confirmations, owner=f"indexer-{owner}"
    )
    pipeline = Pipeline(store, chain, operating, admins, relayer, clock, policy, owner)
    forget = Housekeeping(store, clock).step
    profiles = ChainProfiles(store, chain, relayer, clock, policy).step
    steps = [
        ("indexer", indexer.step),
        ("pipeline", pipeline.step),
        ("profiles", profiles),
        ("housekeeping", forget),
    ]
    issuing = IssuingService(store, chain, clock, policy)
    status = StatusService(store, chain, clock, policy)
    verification = VerificationService(store, chain, indexer, clock, _verification_policy(settings))
    signing = credential_keystore(settings)
    canonicalizer = open_canonicalizer(settings, _pinned_in(store))
    stack.callback(canonicalizer.close)
    credentials = credential_services(
        store,
        chain,
        clock,
        policy,
        IdentityService(
            store,
            chain,
            signing,
            [operating, admins],
            clock,
            settings.effective_public_url,
        ),
        signing,
        canonicalizer,
        issuing,
        status,
        verification,
        max_index_age_seconds=settings.max_index_age_seconds,
        fetch_hosts=settings.fetch_hosts,
        trusted=settings.trusted_names(),
        accreditors=frozenset(settings.trusted_addresses()),
    )
    post, box = Posting(settings.webhook_hosts), webhook_secrets(data_dir)
    courier = Courier(store, clock, post, box)
    audit = AuditService(store, chain, clock)
    signer = report_signer(settings, data_dir, clock)
    reports = ReportService(store, chain, clock, audit, signer, settings.effective_public_url)
    resources = ExitStack()
    resources.push(stack.pop_all())
    resources.callback(indexer.close)
    resources.callback(pipeline.close)
    resources.callback(courier.close)
    return App(
        settings=settings,
        clock=clock,
        store=store,
        chain=chain,
        access=access,
        issuers=IssuerService(store, chain, operating, admins, relayer, clock, policy),
        issuing=issuing,
        status=status,
        verification=verification,
        indexer=indexer,
        pipeline=pipeline,
        audit=audit,
        reports=reports,
        identity=credentials.identity,
        documents=credentials.documents,
        canonicalizer=canonicalizer,
        publication=credentials.publication,
        metrics=Metrics(store, chain, clock),
        achievements=credentials.achievements,
        achievement_images=credentials.achievement_images,
        awards=credentials.awards,
        presentations=credentials.presentations,
        vc_issuing=credentials.vc_issuing,
        exports=credentials.exports,
        signed=credentials.signed,
        pages=credentials.pages,
        collection=credentials.collection,
        shares=credentials.shares,
        designs=credentials.designs,
        accreditations=credentials.accreditations,
        console=console_services(store, clock, access, credentials.awards, status),
        webhooks=WebhookService(store, clock, post, box),
        worker=Worker(steps, poll_seconds=settings.poll_seconds),
        courier=Worker([("webhooks", courier.step)], poll_seconds=settings.poll_seconds),
        spool_directory=private_directory(data_dir / "incoming"),
        jsonrpc=jsonrpc,
        version=version("rootmark"),
        _resources=resources,
    )


def _policy(settings: Settings) -> Policy:
    return Policy(
        batch_max_age_seconds=settings.batch_max_age_seconds,
        batch_max_size=settings.batch_max_size,
        confirmations=settings.effective_confirmations,
        store_documents=settings.store_documents,
        require_approval=settings.require_approval,
        approval_threshold=settings.approval_threshold,
        max_fee_per_gas_wei=settings.max_fee_gwei * GWEI,
        bump_after_seconds=settings.bump_after_seconds,
    )


def _verification_policy(settings: Settings) -> VerificationPolicy:
    return VerificationPolicy(
        trusted_issuers=settings.trusted_addresses(), max_index_age_seconds=settings.max_index_age_seconds
    )


# --- chain and keys -----------------------------------------------------------------------------------------


def _open_chain(
    settings: Settings, data_dir: Path
) -> tuple[Chain, Signer | None, Callable[[Any], Any] | None]:
    if settings.embedded:
        embedded: EmbeddedGateway = open_embedded(data_dir / "chain")
        return embedded, embedded.funder, embedded.jsonrpc
    assert settings.chain_id is not None
    chain = open_rpc(
        settings.rpc_url,
        chain_id=settings.chain_id,
        registry=parse_address(settings.registry) if settings.registry else None,
        deployed_block=settings.deployed_block,
    )
    try:
        return chain, relayer_of(settings), None
    except BaseException:
        chain.close()
        raise


def relayer_of(settings: Settings) -> Signer | None:
    """The one key of SIGNER_KEYSTORE, which pays for relayed calls; None where none is set.

    Raises:
        ConfigurationError: not exactly one key, no password file, or a publicly known key on a public chain.
        SignerError: the keystore cannot be read.
    """
    if settings.signer_keystore is None:
        return None
    if settings.signer_password_file is None:
        raise ConfigurationError("ROOTMARK_SIGNER_PASSWORD_FILE: the keystore's password is needed")
    try:
        password = settings.signer_password_file.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise ConfigurationError(
            f"ROOTMARK_SIGNER_PASSWORD_FILE: cannot be read: {error.strerror}"
        ) from error
    keystore = EncryptedKeystore(settings.signer_keystore, password)
    addresses = keystore.addresses()
    if len(addresses) != 1:
        raise ConfigurationError(
            f"ROOTMARK_SIGNER_KEYSTORE: exactly one key is expected, there are {len(addresses)}"
        )
    (address,) = addresses
    chains.refuse_development_key(address, settings.chain_id or 0)
    return keystore.get(address)


def operating_keystore(settings: Settings) -> EncryptedKeystore:
    """The issuers' operating keys that this server holds."""
    return _keystore(settings.data_dir, "operating-keys")


def credential_keystore(settings: Settings) -> EncryptedCredentialKeystore:
    """The keys with which issuers sign credentials."""
    directory, password = _keystore_files(settings.data_dir, CREDENTIAL_KEYS)
    return EncryptedCredentialKeystore(directory, password)


def _keystore(data_dir: Path, name: str) -> EncryptedKeystore:
    directory, password = _keystore_files(data_dir, name)
    return EncryptedKeystore(directory, password, strong_kdf=False)


def _keystore_files(data_dir: Path, name: str) -> tuple[Path, bytes]:
    """A keystore's directory and its password of 256 random bits, made at the first start."""
    password = secret_file(data_dir / f"{name}-password", lambda: secrets.token_hex(32))
    return private_directory(data_dir / name), password.encode()


def webhook_secrets(data_dir: Path) -> SealedWithKey:
    """Seals what webhooks are signed with, by a key of 256 random bits, made at the first start.

    Raises:
        ConfigurationError: the key's file cannot be read, or holds something else.
    """
    text = secret_file(data_dir / WEBHOOK_KEY_FILE, lambda: secrets.token_hex(32))
    try:
        return SealedWithKey(bytes.fromhex(text))
    except ValueError as error:
        raise ConfigurationError(f"{WEBHOOK_KEY_FILE} in DATA_DIR holds no key of 32 bytes") from error


def report_signer(settings: Settings, data_dir: Path, clock: Clock) -> PdfSigner:
    """Signs reports, by a key and a certificate that are made at the first start.

    Raises:
        ConfigurationError: the file cannot be read, or holds something else.
    """
    name = urlsplit(settings.effective_public_url).netloc
    return PdfSigner(secret_file(data_dir / REPORT_KEY_FILE, lambda: make_identity(name, clock.now())))


def open_reader(
    settings: Settings, urls: Sequence[str], *, chain_id: int | None = None, registry: str | None = None
) -> Chain:
    """A chain to read from, for commands that need no server.

    Args:
        chain_id: else the one set; else whatever the first node says.
        registry: else the one set; else where every registry stands that was deployed the usual way.

    Raises:
        ConfigurationError: a node is on another chain, or has another contract there.
        ChainUnavailableError: no node answers.
    """
    address = registry or settings.registry
    return open_rpc(
        urls,
        chain_id=chain_id or settings.chain_id,
        registry=parse_address(address) if address else None,
        deployed_block=settings.deployed_block,
    )


def is_test_chain(chain_id: int) -> bool:
    """Whether what stands on that chain proves nothing to anybody but its makers."""
    return chains.is_test_chain(chain_id)


def contract_code_hash() -> bytes:
    """Keccak-256 of the registry's code, the same on every chain."""
    return load_artifact().code_hash


# --- documents ----------------------------------------------------------------------------------------------


def open_canonicalizer(settings: Settings, pin: Pin | None = None) -> RdfCanonicalizer:
    """The canonicaliser of JSON-LD documents, over the bundled contexts and the operator's. Close it.

    Args:
        pin: see `registry.credentials.rdf.ContextStore`; without it nothing is remembered from run to run.

    Raises:
        ConfigurationError: CONTEXT_DIR cannot be read, or a context in it is not what was pinned.
    """
    return RdfCanonicalizer(ContextStore(settings.context_dir, pin))


def _pinned_in(store: Store) -> Pin:
    """The SHA-256 of each of the operator's contexts, as it was when it was first used, in the database."""

    def pin(address: str, sha256_hex: str) -> str:
        name = f"context:{address}"
        with store.write() as unit:
            known = unit.meta.get(name)
            if known is None:
                unit.meta.set(name, sha256_hex)
            return known or sha256_hex

    return pin


# --- secrets and files --------------------------------------------------------------------------------------


def admin_token_sha256(settings: Settings, data_dir: Path) -> bytes:
    """SHA-256 of the admin token: the one set, else the one in the data directory, made at the first
    start."""
    if settings.admin_token is not None:
        return token_sha256(settings.admin_token.get_secret_value())
    return token_sha256(secret_file(data_dir / ADMIN_TOKEN_FILE, new_token))


# --- database and contract ----------------------------------------------------------------------------------


def migrate_database(settings: Settings) -> str:
    """Bring the schema up to date; its version."""
    private_directory(settings.data_dir)
    return migrate(settings.effective_database_url)


def database_versions(settings: Settings) -> dict[str, Any]:
    """`version` (None for an empty database) and `behind`, the number of missing migrations."""
    url = settings.effective_database_url
    return {"version": schema_version(url), "behind": migrations_behind(url)}


def copy_to(settings: Settings, target: str, progress: Callable[[str, int], None]) -> dict[str, int]:
    """Copy the database to the empty one at ``target``; rows by table. See `registry.store.copy_database`."""
    return copy_database(settings.effective_database_url, target, progress)


def deploy_contract(settings: Settings) -> dict[str, Any]:
    """Deploy the registry on the chain of RPC_URL.

    Raises:
        ConfigurationError: the embedded chain (which deploys by itself), no key to pay with, or the node is
            on another chain than CHAIN_ID.
        ChainUnavailableError: the node does not answer.
    """
    if settings.embedded:
        raise ConfigurationError(
            "the embedded chain brings its registry; set ROOTMARK_RPC_URL for another chain"
        )
    signer = relayer_of(settings)
    if signer is None:
        raise ConfigurationError("ROOTMARK_SIGNER_KEYSTORE: a key that pays for the deployment is needed")
    made = deploy_by_rpc(settings.rpc_url, signer, expected_chain_id=settings.chain_id)
    return {
        "chain": f"eip155:{settings.chain_id}",
        "registry": to_checksum(made.address),
        "transaction": None if made.transaction is None else to_hex(made.transaction),
    }


def _claim_database(store: Store, chain: Chain) -> None:
    """A database belongs to one registry on one chain; another would make its records nonsense."""
    info = chain.info
    mine = f"eip155:{info.chain_id}:{to_hex(info.address)}:{to_hex(info.genesis_hash)}"
    with store.write() as unit:
        known = unit.meta.get("registry")
        if known is None:
            unit.meta.set("registry", mine)
        elif known != mine:
            raise ConfigurationError(
                "this database belongs to another registry or chain; use the settings it was made with, or "
                "another DATABASE_URL or DATA_DIR"
            )


@contextmanager
def working(app: App) -> Iterator[threading.Event]:
    """The background work in threads, which end with the block; set the event to end it before."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=work.run, args=(stop,), name=name, daemon=True)
        for name, work in (("worker", app.worker), ("courier", app.courier))
    ]
    for thread in threads:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)
