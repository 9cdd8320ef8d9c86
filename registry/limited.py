"""Work on what strangers made, in a child process with little memory and time.

For libraries of other languages that a hostile file can fill up or keep busy, and that no exception stops.
The child is this interpreter with a fixed program: it sees no setting and no secret, and writes to no file.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys

from registry.errors import UnavailableError

_START_SECONDS = 20  # of the interpreter and the library, on a machine that is busy
_INHERITED = ("LD_LIBRARY_PATH", "PATH", "PYTHONHOME")
_CODE = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "importlib.import_module(sys.argv[2]).main()"
)


def started(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A child that runs ``main()`` of a module, with pipes for what goes in and out.

    It inherits no environment but what Python needs, no other file, and no terminal's signals.
    """
    # One thread, and one arena for its memory: others reserve room that counts against a limit.
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    return subprocess.Popen(  # noqa: S603 - this interpreter and a fixed program
        [sys.executable, "-c", _CODE, json.dumps(sys.path), module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )


def answer_of(module: str, data: bytes, *, seconds: int, memory_bytes: int) -> bytes | None:
    """What a module makes of the data.

    Args:
        module: the name of one whose ``answer(data: bytes) -> bytes`` returns at least one byte and raises
            nothing but MemoryError. What it imports is loaded before the limits count.
        seconds: of the processor.

    Returns:
        None where it needed more than that.

    Raises:
        UnavailableError: the child does not start, or the machine is too busy for it.
    """
    process = started(__name__, module, str(seconds), str(memory_bytes))
    name = module.rpartition(".")[2]
    try:
        output, _ = process.communicate(data, timeout=_START_SECONDS + seconds)
    except subprocess.TimeoutExpired as error:  # it got no processor: what it would have needed is unknown
        raise UnavailableError(f"the helper {name} is kept waiting; try again later", part=name) from error
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if not output and process.returncode == 1:
        raise UnavailableError(f"the helper {name} does not start; try again later", part=name)
    return output or None


def main() -> None:
    """The child's program: it gives up memory and time before it looks at anything."""
    name, seconds, memory_bytes = sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    answer = importlib.import_module(name).answer
    data = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        made = answer(data)
    except MemoryError:
        return
    sys.stdout.buffer.write(made)
