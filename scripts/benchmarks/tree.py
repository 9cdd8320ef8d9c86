"""Tree and all paths against merkletools: seconds and peak memory, each measurement in a process of its own.

Both get the same leaves one after the other (merkletools as the hexadecimal text it takes, the registry as
bytes), build the tree and make the path of every leaf, which is dropped once it is counted. "With sides"
makes of ours what merkletools makes: a list of `{"left"|"right": hexadecimal}`.

Peak memory is VmHWM of /proc, not `ru_maxrss`, which a process inherits from the one that started it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from scripts.benchmarks.figures import Figure, Outcome, Target
from scripts.benchmarks.repository import ROOT

SIZES = (10_000, 100_000, 1_000_000)
PEER = "merkletools"
MIB = 1024 * 1024


def run(leaves: int | None) -> Outcome:
    """Measure at ``leaves``, else at each of `SIZES`."""
    outcome = Outcome("tree")
    for size in (leaves,) if leaves else SIZES:
        theirs = _measured("merkletools", size)
        ours = _measured("rootmark", size)
        with_sides = _measured("sides", size)
        if not ours["paths"] == theirs["paths"] == with_sides["paths"] or ours["top"] != theirs["top"]:
            raise RuntimeError("the two trees differ")
        label = f"{size:,} leaves"
        outcome.figures += [
            _figure(f"{label}: tree", "s", ours["tree_seconds"], theirs["tree_seconds"]),
            _figure(
                f"{label}: tree and all paths",
                "s",
                ours["seconds"],
                theirs["seconds"],
                Target(0.5, "ratio"),
            ),
            _figure(
                f"{label}: the same, paths with sides in hexadecimal",
                "s",
                with_sides["seconds"],
                theirs["seconds"],
            ),
            _figure(
                f"{label}: peak memory",
                "MiB",
                ours["peak_bytes"] / MIB,
                theirs["peak_bytes"] / MIB,
                Target(1.0, "ratio"),
            ),
        ]
    return outcome


def _figure(name: str, unit: str, ours: float, theirs: float, target: Target | None = None) -> Figure:
    return Figure(name, unit, ours, theirs, PEER, target)


def _measured(side: str, size: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "scripts.benchmarks.tree", side, str(size)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{side} failed: {done.stderr.decode(errors='replace')[-2000:]}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


# --- in the measured process --------------------------------------------------------------------------------


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell a process's peak memory")


def _leaves(size: int) -> Iterator[bytes]:
    for index in range(size):
        yield sha256(index.to_bytes(8, "big")).digest()


def _with_merkletools(size: int) -> dict[str, Any]:
    from merkletools import MerkleTools

    began = time.perf_counter()
    tree = MerkleTools(hash_type="sha256")
    for leaf in _leaves(size):
        tree.add_leaf(leaf.hex(), False)
    tree.make_tree()
    built = time.perf_counter()
    paths = sum(len(tree.get_proof(index)) for index in range(size))
    return _report(began, built, paths, tree.get_merkle_root())


def _with_rootmark(size: int, *, sides: bool) -> dict[str, Any]:
    from registry.encoding import Leaf
    from registry.merkle import build_tiles, iter_paths, path_sides

    began = time.perf_counter()
    tree = build_tiles(Leaf(leaf) for leaf in _leaves(size))
    built = time.perf_counter()
    if sides:
        paths = 0
        for index, path in enumerate(iter_paths(size, tree.read_tile)):
            shown = [
                {side.value: node.hex()} for side, node in zip(path_sides(index, size), path, strict=True)
            ]
            paths += len(shown)
    else:
        paths = sum(map(len, iter_paths(size, tree.read_tile)))
    return _report(began, built, paths, tree.top.hex())


def _report(began: float, built: float, paths: int, top: str) -> dict[str, Any]:
    ended = time.perf_counter()
    return {
        "tree_seconds": built - began,
        "seconds": ended - began,
        "paths": paths,
        "top": top,
        "peak_bytes": peak_bytes(),
    }


def main(side: str, size: int) -> None:
    """Measure one side and print what was found as JSON."""
    if side == "merkletools":
        found = _with_merkletools(size)
    else:
        found = _with_rootmark(size, sides=side == "sides")
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
