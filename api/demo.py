"""`rootmark demo`: the main job on real input, told step by step, then the server goes on.

Everything goes through the HTTP API of a server in this process, as an issuer's own program would do it; only
the offline verification uses no server. A second run finds what the first one issued and issues nothing
again; a run that was killed is taken up where it stopped.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands import at_port_of, bind_or_fail, serving, url_of
from api.demo_awards import Awards, read_awards
from api.demo_story import Telling, tell
from registry.cli.options import JsonFlag
from registry.cli.output import fail, guarded, stderr
from registry.cli.progress import waiting
from registry.cli.startup import heavy_imports
from registry.errors import ConfigurationError

if TYPE_CHECKING:
    from registry.bootstrap import App

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "awards.csv"
POLL_SECONDS = 0.2
INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


@guarded
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story instead of serving on.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to serve on; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the demo keeps its data.")] = None,
    file: Annotated[
        Path, typer.Option("--csv", help="The awards; achievements.json beside it has their courses.")
    ] = EXAMPLE,
    export: Annotated[
        Path | None,
        typer.Option(help="Write a badge, its proof and the tampered copy into this directory, to try out."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Award 500 Open Badges on an embedded chain, verify, tamper, revoke, audit; then serve.

    Run it again: nothing is issued twice, and the revoked one is still revoked. --json prints the steps as
    JSON, one a line.
    """
    told = Telling(as_json)
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT otherwise
        signal.signal(ending, signal.default_int_handler)
    try:
        with running(port, data_dir, file, told) as (app, url, awards, stopped):
            tell(told, app, url, awards, export)
            if not once:
                where = f"Serving {url}  (open it in a browser and drop a badge; API: {url}/docs)."
                stderr.print(f"\n{where} Ctrl-C ends it.", markup=False)
                _until_interrupted(stopped)
    except KeyboardInterrupt:
        fail("interrupted; run it again to go on where it stopped", INTERRUPTED)


def _until_interrupted(stopped: Any) -> None:
    try:
        stopped.wait()
    except KeyboardInterrupt:
        stderr.print("ended", markup=False)


@contextmanager
def running(
    port: int | None, data_dir: Path | None, file: Path, told: Telling
) -> Iterator[tuple[App, str, Awards, Any]]:
    """A server over the embedded chain; yields it, its address, the awards, and the event of its end."""
    from registry.logs import configure_logging
    from registry.settings import load_settings

    settings = load_settings(port=port, data_dir=data_dir, log_level="ERROR")
    if not settings.embedded:
        raise ConfigurationError("the demo uses the embedded chain; unset ROOTMARK_RPC_URL")
    often = min(settings.poll_seconds, POLL_SECONDS)
    settings = settings.model_copy(update={"poll_seconds": often, "tls_cert": None, "tls_key": None})
    configure_logging(settings.log_level)
    awards = read_awards(file)
    bound = bind_or_fail(settings)
    try:
        with waiting("starting chain and server"), heavy_imports():
            from api.app import create_app  # noqa: F401 - `serving` needs it, and it is large
            from registry.bootstrap import build
        told.line(f"Rootmark demo: {len(awards.rows)} awards, from issue to audit. Data: {settings.data_dir}")
        app = build(at_port_of(bound, settings))
        try:
            app.identity.claim_address(accept_new=True)  # what a demo has signed is nobody's
            with serving(app, bound) as stopped:
                yield app, url_of(bound), awards, stopped
        finally:
            app.close()
    finally:
        bound.close()
