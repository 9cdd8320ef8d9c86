"""The operator's settings: `ROOTMARK_*` environment variables over `rootmark.toml` over defaults.

Nothing set means SQLite and the embedded chain, both in ``data_dir``. No repr, log line or error shows a
secret: tokens are `SecretStr`, and addresses that may hold a password or an access key are left out of it.
Values that contradict each other raise `ConfigurationError` with the setting's name.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from registry.encoding import Address, parse_address, to_hex
from registry.errors import ConfigurationError, RootmarkError

SETTINGS_FILE = "rootmark.toml"
EMBEDDED_CHAIN_ID = 31337

_HOST = re.compile(r"(?P<host>(?:[a-z0-9-]{1,63}\.)*(?P<tld>[a-z0-9-]{1,63}))(?::[0-9]{1,5})?")


def _split(value: Any) -> Any:
    """Lists come as TOML arrays, or as one comma-separated string."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _address(text: str) -> str:
    try:
        return to_hex(parse_address(text))
    except RootmarkError as error:
        raise ValueError(str(error)) from error


def _issuer(text: str) -> str:
    """An address, or a name that documents have for their issuer, as it is."""
    return text if text.startswith(("did:", "https://", "http://")) else _address(text)


def _host(text: str) -> str:
    name = text.lower()
    match = _HOST.fullmatch(name)
    if match is None or (match["tld"].isdecimal() and match["host"] != "127.0.0.1"):
        raise ValueError("a host is a name without scheme and path, with :port where it is not 443")
    return name


AddressText = Annotated[str, AfterValidator(_address)]
IssuerText = Annotated[str, AfterValidator(_issuer)]
HostText = Annotated[str, AfterValidator(_host)]


class Settings(BaseSettings):
    """Every setting, with its default."""

    model_config = SettingsConfigDict(env_prefix="ROOTMARK_", toml_file=SETTINGS_FILE, extra="forbid")

    data_dir: Path = Field(
        Path("rootmark-data"), description="Database, keystores, embedded chain and tokens."
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the server listens on.")
    tls_cert: Path | None = Field(None, description="Certificate chain in PEM: the server speaks HTTPS.")
    tls_key: Path | None = Field(None, description="The certificate's private key in PEM, not encrypted.")
    public_url: str | None = Field(None, description="The server's address as the world sees it.")
    database_url: str | None = Field(
        None, repr=False, description="postgresql://… or sqlite:///…; default: DATA_DIR."
    )
    rpc_url: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        repr=False,
        description="JSON-RPC nodes, comma-separated; none: the embedded chain.",
    )
    chain_id: int | None = Field(None, ge=1, description="The chain id the nodes must answer with.")
    registry: AddressText | None = Field(None, description="Address of the registry contract.")
    deployed_block: int | None = Field(
        None, ge=0, description="Block of the contract's deployment, if known."
    )
    signer_keystore: Path | None = Field(None, description="Directory of the relayer's encrypted key.")
    signer_password_file: Path | None = Field(None, description="File with the keystores' password.")
    confirmations: int | None = Field(None, ge=1, description="Blocks until final: 1 embedded, 12 elsewhere.")
    trusted_issuers: Annotated[list[IssuerText], NoDecode] = Field(
        default_factory=list,
        description="Issuers known to this verifier, by comma: addresses, DIDs, or web addresses.",
    )
    context_dir: Path | None = Field(
        None, description="Further JSON-LD contexts: files, and contexts.json with address and file of each."
    )
    fetch_hosts: Annotated[list[HostText], NoDecode] = Field(
        default_factory=list,
        description="Hosts that issuers' documents may be fetched from, comma-separated; none: no fetching.",
    )
    webhook_hosts: Annotated[list[HostText], NoDecode] = Field(
        default_factory=list,
        description="Hosts that webhooks may reach though they are private, comma-separated; none: public "
        "ones alone.",
    )
    checkpoint_file: Path | None = Field(None, description="Signed block hashes that bundles may rest on.")
    checkpoint_key: AddressText | None = Field(None, description="Account that signs the checkpoint file.")
    max_index_age_seconds: int = Field(60, ge=1, description="Older readings give no `valid`.")
    batch_max_age_seconds: int = Field(300, ge=1, description="An open batch is sealed after this time.")
    batch_max_size: int = Field(
        10_000, ge=1, le=2_000_000, description="An open batch is sealed at this size."
    )
    admin_token: SecretStr | None = Field(None, description="Else made at the first start, in DATA_DIR.")
    store_documents: bool = Field(False, description="Keep the posted credentials.")
    require_approval: bool = Field(
        False, description="A second API key approves publishing and mass changes."
    )
    approval_threshold: int = Field(100, ge=0, description="Status changes above this number need approval.")
    poll_seconds: float = Field(0.5, gt=0, description="How often the worker looks at the chain.")
    max_fee_gwei: int = Field(500, ge=1, description="No transaction offers more per gas.")
    bump_after_seconds: int = Field(60, ge=1, description="A transaction waiting longer gets a higher fee.")
    rate_limit_per_minute: int = Field(600, ge=1, description="Requests a minute and address without a key.")
    rate_limit_per_minute_key: int = Field(6000, ge=1, description="Requests a minute with a key.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class passes it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line over environment over file; no .env files, no secrets directory."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @field_validator("rpc_url", "trusted_issuers", "fetch_hosts", "webhook_hosts", mode="before")
    @classmethod
    def _split_lists(cls, value: Any) -> Any:
        return _split(value)

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.rpc_url and self.chain_id is None:
            raise ValueError("chain_id: say which chain the nodes of rpc_url must be on")
        if not self.rpc_url and self.chain_id not in (None, EMBEDDED_CHAIN_ID):
            raise ValueError(f"chain_id: the embedded chain is {EMBEDDED_CHAIN_ID}; set rpc_url for another")
        if (self.tls_cert is None) is not (self.tls_key is None):
            raise ValueError("tls_cert and tls_key: HTTPS wants both, or neither")
        if self.checkpoint_file is not None and self.checkpoint_key is None:
            raise ValueError("checkpoint_key: a checkpoint file is worth nothing without its signer")
        return self

    @property
    def embedded(self) -> bool:
        """Whether this server runs its own chain."""
        return not self.rpc_url

    @property
    def effective_database_url(self) -> str:
        """The database, SQLite in the data directory unless set."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'rootmark.db'}"

    @property
    def scheme(self) -> str:
        """What the server speaks."""
        return "http" if self.tls_cert is None else "https"

    @property
    def effective_public_url(self) -> str:
        """The server's address as the world sees it; this machine's where nothing is set."""
        return self.public_url or f"{self.scheme}://localhost:{self.port}"

    @property
    def effective_confirmations(self) -> int:
        """Blocks from inclusion until final, the including block counted."""
        return self.confirmations or (1 if self.embedded else 12)

    def trusted_addresses(self) -> frozenset[Address]:
        """The accounts of the verifier's trust list."""
        return frozenset(parse_address(text) for text in self.trusted_issuers if text.startswith("0x"))

    def trusted_names(self) -> frozenset[str]:
        """The DIDs and web addresses of the trust list."""
        return frozenset(text for text in self.trusted_issuers if not text.startswith("0x"))


def load_settings(**overrides: Any) -> Settings:
    """Read settings; ``overrides`` (from the command line) win, None means "not given".

    Raises:
        ConfigurationError: a setting is unknown, has the wrong form, or contradicts another. Values are not
            echoed.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in fault["loc"]).upper()
            lines.append(f"ROOTMARK_{name}: {fault['msg']}" if name else str(fault["msg"]))
        raise ConfigurationError("; ".join(lines)) from error
    except ValueError as error:  # a rootmark.toml that is not TOML
        raise ConfigurationError(f"{Path(os.curdir) / SETTINGS_FILE}: {error}") from error
