"""Where the repository is, and its `tests` package under that name.

merkletools installs a package `tests` of its own, which Python would find first. The benchmarks take the
local chains and the contract's operations from the tests.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def prefer_own_tests() -> None:
    """Let `import tests.…` find this repository's."""
    own = str(ROOT / "tests")
    if own in map(str, getattr(sys.modules.get("tests"), "__path__", ())):
        return
    if "tests" in sys.modules or find_spec("tests") is not None:
        module = ModuleType("tests")
        module.__path__ = [own]
        sys.modules["tests"] = module
