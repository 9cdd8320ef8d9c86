"""The two judges: verifiers that others wrote, in Node.js, each judgement in a process of its own.

Their packages come from the lock file beside this one, installed as those of the tests are. Invariant: a
judge's process opens sockets to the server and the node alone (judge.mjs), so nothing that it says rests on
the state of the world.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from scripts.interoperability.stage import Stage, StageError

HERE = Path(__file__).resolve().parent
PATIENCE_SECONDS = 120.0
REGISTRY_URL = "https://registry.invalid/issuers.json"
"""Where verifier-core is told that its list of trusted issuers lies; answered without a network."""


class Judge(Enum):
    """A verifier; ``value`` is its name in judge.mjs."""

    CORE = "verifier-core"
    BLOCKCERTS = "cert-verifier-js"

    @property
    def package(self) -> str:
        """The npm package."""
        return {Judge.CORE: "@digitalcredentials/verifier-core"}.get(self, "@blockcerts/cert-verifier-js")

    @property
    def version(self) -> str:
        """The version that the lock file names."""
        packages = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        return str(packages[f"node_modules/{self.package}"]["version"])


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge made of a document.

    Attributes:
        accepted: whether no check of it failed.
        said: its own words: the checks that failed, or those that passed.
        refused: URLs that it asked for and that are not to be had here.
    """

    accepted: bool
    said: str
    refused: tuple[str, ...]


def judge(
    stage: Stage,
    which: Judge,
    document: Mapping[str, Any],
    environ: Mapping[str, str],
    withheld: Sequence[str] = (),
) -> Judgement:
    """Show a document to a judge.

    Args:
        stage: whose server and node it may ask.
        which: the judge.
        document: a credential.
        environ: has Node.js on PATH.
        withheld: parts of paths at which it finds the server out of reach.

    Raises:
        StageError: it said nothing that can be read.
    """
    task = {
        "judge": which.value,
        "credential": document,
        "server": stage.origin,
        "node": stage.node.url,
        "documents": {REGISTRY_URL: {"registry": {stage.did: {"name": "Example College"}}}},
        "withheld": list(withheld),
        "registries": [{"name": "Issuers known here", "type": "dcc-legacy", "url": REGISTRY_URL}],
    }
    done = subprocess.run(
        ["node", str(HERE / "judge.mjs")],
        input=json.dumps(task),
        env={**environ, "NODE_EXTRA_CA_CERTS": str(stage.certificate.certificate)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    try:
        told = json.loads(done.stdout)
        return Judgement(told["accepted"], told["said"], tuple(told["refused"]))
    except (ValueError, KeyError) as error:
        raise StageError(f"{which.value} did not judge: {done.stderr[-2000:]}") from error
