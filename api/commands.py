"""`rootmark serve`: the HTTP server with its background work."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from registry.bootstrap import ADMIN_TOKEN_FILE, App, build, run_worker
from registry.cli import exits
from registry.cli.output import fail, guarded, stderr
from registry.logs import configure_logging
from registry.settings import Settings, load_settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket, so that a taken port is found out before anything else is done.

    Raises:
        OSError: the address cannot be bound.
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


def make_server(app: App) -> uvicorn.Server:
    """A server over ``app``, not yet running."""
    config = uvicorn.Config(
        create_app(app),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=10,
        proxy_headers=False,
    )
    return uvicorn.Server(config)


@contextmanager
def serving(app: App, bound: socket.socket) -> Iterator[threading.Event]:
    """Server and worker in threads; yields an event that is set when the server has ended."""
    server: uvicorn.Server = make_server(app)
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
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Database, chain, keys and tokens.")] = None,
    workers: Annotated[
        bool,
        typer.Option("--workers/--no-workers", help="Whether this process does the background work too."),
    ] = True,
) -> None:
    """Serve the API. Nothing set: SQLite and the embedded chain, both in the data directory."""
    settings = load_settings(host=host, port=port, data_dir=data_dir)
    configure_logging(settings.log_level)
    signal.signal(signal.SIGTERM, _end)
    bound = bind_or_fail(settings)
    with ExitStack() as stack:
        app = build(settings)
        stack.callback(app.close)
        if workers:
            stack.enter_context(working(app))
        address = f"http://{settings.host}:{bound.getsockname()[1]}"
        stderr.print(f"Rootmark serves {address}  (API: {address}/docs)", markup=False)
        if settings.admin_token is None:
            stderr.print(f"admin token: {settings.data_dir / ADMIN_TOKEN_FILE}", markup=False)
        make_server(app).run(sockets=[bound])


def _end(_signal: int, _frame: object) -> None:
    """Leave by way of what has to be closed: uvicorn raises the signal again once it has served its last
    request, and the default would end the process at once."""
    raise SystemExit(0)


@contextmanager
def working(app: App) -> Iterator[None]:
    """The background work in a thread, ended with the block."""
    thread, stop = run_worker(app)
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


def bind_or_fail(settings: Settings) -> socket.socket:
    """The listening socket, or a message that names the way out."""
    try:
        return listening_socket(settings.host, settings.port)
    except OSError as error:
        fail(
            f"{settings.host}:{settings.port} cannot be used ({error.strerror}); choose another with --port",
            exits.USAGE,
        )
