"""`rootmark serve`: the HTTP server with its background work."""

from __future__ import annotations

import gc
import json
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.cli import exits
from registry.cli.options import JsonFlag
from registry.cli.output import CommandError, guarded, stderr
from registry.cli.startup import heavy_imports

if TYPE_CHECKING:
    import uvicorn

    from registry.bootstrap import App
    from registry.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket, so that a taken port is found out before anything else is done.

    Raises:
        OSError: the address cannot be bound, or ``host`` is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def url_of(bound: socket.socket, scheme: str = "http") -> str:
    """The address of a server on a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def check_tls(settings: Settings) -> None:
    """Return when the settings ask for no HTTPS, or certificate and key are there and belong together.

    Raises:
        ConfigurationError: a file cannot be read, is not PEM, is encrypted, or the two do not fit.
    """
    from registry.errors import ConfigurationError

    if settings.tls_cert is None or settings.tls_key is None:
        return
    for name, path in (("certificate", settings.tls_cert), ("key", settings.tls_key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise ConfigurationError(f"the TLS {name} {path} cannot be read: {error.strerror}") from error
    try:
        # Without a password of its own an encrypted key would be asked for at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, password=lambda: b""
        )
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            detail = "the TLS key belongs to another certificate"
        else:
            detail = "the TLS certificate or its key is not PEM that can be used; the key is not encrypted"
        raise ConfigurationError(f"{detail}: {settings.tls_cert}, {settings.tls_key}") from error


def at_port_of(bound: socket.socket, settings: Settings) -> Settings:
    """The settings with the port that is listened on, which 0 leaves open: DIDs may be made of it."""
    return settings.model_copy(update={"port": bound.getsockname()[1]})


def make_server(app: App) -> uvicorn.Server:
    """A server over ``app``, not yet running."""
    import uvicorn

    from api.app import create_app
    from api.protocol import BoundedHttpProtocol

    config = uvicorn.Config(
        create_app(app),
        http=BoundedHttpProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=10,
        proxy_headers=False,
        ssl_certfile=app.settings.tls_cert,
        ssl_keyfile=app.settings.tls_key,
    )
    return uvicorn.Server(config)


@contextmanager
def serving(app: App, bound: socket.socket) -> Iterator[threading.Event]:
    """Server and worker in threads; yields an event that is set when the server has ended."""
    from registry.bootstrap import working

    server = make_server(app)
    ended = threading.Event()

    def serve() -> None:
        try:
            server.run(sockets=[bound])
        finally:
            ended.set()

    thread = threading.Thread(target=serve, name="server")
    with working(app):
        thread.start()
        try:
            while not server.started and not ended.is_set():
                time.sleep(0.02)
            yield ended
        finally:
            server.should_exit = True
            thread.join(timeout=30)


@guarded
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Database, chain, keys and tokens.")] = None,
    workers: Annotated[
        bool,
        typer.Option("--workers/--no-workers", help="Whether this process does the background work too."),
    ] = True,
    accept_new_public_url: Annotated[
        bool,
        typer.Option(
            "--accept-new-public-url",
            help="Go on under another PUBLIC_URL than the one in the DIDs of credentials signed before.",
        ),
    ] = False,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate chain in PEM: speak HTTPS; with --tls-key.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's private key in PEM.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Serve the API. Nothing set: SQLite and the embedded chain, both in the data directory.

    With --json a line on standard output says where, once the port is taken. Logs go to standard error.
    SIGTERM and Ctrl-C let running requests end first.

    Example: rootmark serve --port 8080 --data-dir /var/lib/rootmark
    """
    with heavy_imports():
        from registry.bootstrap import build, working
        from registry.logs import configure_logging
        from registry.settings import load_settings

    settings = load_settings(host=host, port=port, data_dir=data_dir, tls_cert=tls_cert, tls_key=tls_key)
    configure_logging(settings.log_level)
    check_tls(settings)
    signal.signal(signal.SIGTERM, _end)
    bound = bind_or_fail(settings)
    with ExitStack() as stack:
        stack.callback(bound.close)
        app = build(at_port_of(bound, settings))
        stack.callback(app.close)
        app.identity.claim_address(accept_new=accept_new_public_url)
        with heavy_imports():
            server = make_server(app)
        if workers:
            stack.enter_context(working(app))
        _say_where(url_of(bound, settings.scheme), settings, as_json)
        gc.collect()
        gc.freeze()  # what stays until the end need not be searched for garbage again and again
        server.run(sockets=[bound])


def _say_where(address: str, settings: Settings, as_json: bool) -> None:
    from registry.bootstrap import ADMIN_TOKEN_FILE

    token_file = settings.data_dir / ADMIN_TOKEN_FILE
    stderr.print(f"Rootmark serves {address}  (open it in a browser; API: {address}/docs)", markup=False)
    if settings.admin_token is None:
        stderr.print(f"admin token: {token_file}", markup=False)
    if as_json:
        told = None if settings.admin_token else str(token_file)
        typer.echo(json.dumps({"url": address, "docs": f"{address}/docs", "admin_token_file": told}))


def _end(_signal: int, _frame: object) -> None:
    """Leave by way of what has to be closed: uvicorn raises the signal again once it has served its last
    request, and the default would end the process at once."""
    raise SystemExit(0)


def bind_or_fail(settings: Settings) -> socket.socket:
    """The listening socket, or a message that names the way out."""
    try:
        return listening_socket(settings.host, settings.port)
    except OSError as error:
        raise CommandError(
            f"{settings.host}:{settings.port} cannot be used ({error.strerror}); choose another with --port, "
            "or another address with --host",
            exits.USAGE,
        ) from error
