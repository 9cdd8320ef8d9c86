"""A verifier written from docs/proof-format.md alone: standard library only, nothing of Rootmark imported.

`verify` takes an object with a `proof` (section 4) and perhaps the `credential` it is about. It returns
inclusion (`pass`, `fail`, `malformed`) and integrity (`pass`, `fail`, `unknown`, `skipped`). Whether the root
is anchored, and its status, must be read from the chain (section 7). Run with file names, it prints both.
"""

import json
import re
import sys
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

METHODS = {"opaque": 0, "jcs-sha256": 1, "rdfc-sha256": 2}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"


def keccak256(data):
    """Keccak-256 of at most 135 bytes, one block: enough for the checksum of an address (EIP-55)."""
    block = bytearray(data.ljust(136, b"\0")) + bytes(64)
    block[len(data)] ^= 0x01
    block[135] ^= 0x80
    a = [[int.from_bytes(block[8 * i : 8 * i + 8], "little") for i in range(x, 25, 5)] for x in range(5)]
    rotate = lambda w, n: (w << n | w >> (64 - n)) & (2**64 - 1)  # noqa: E731
    lfsr = 1
    for _ in range(24):
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        a = [[word ^ c[x - 1] ^ rotate(c[(x + 1) % 5], 1) for word in a[x]] for x in range(5)]
        x, y, current = 1, 0, a[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, a[x][y] = a[x][y], rotate(current, (t + 1) * (t + 2) // 2 % 64)
        for y in range(5):
            row = [column[y] for column in a]
            for x in range(5):
                a[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        for j in range(7):
            a[0][0] ^= (lfsr & 1) << ((1 << j) - 1)
            lfsr = lfsr << 1 ^ (0x171 if lfsr & 0x80 else 0)
    return b"".join(a[x][0].to_bytes(8, "little") for x in range(4))


def need(condition):
    if not condition:
        raise ValueError("a wrong type, length, name or range")


def hexadecimal(text, length):
    need(isinstance(text, str) and len(text) == 2 + 2 * length and re.fullmatch("0x[0-9a-fA-F]*", text))
    return bytes.fromhex(text[2:])


def address(text):
    value = hexadecimal(text, 20)
    digits, selector = value.hex(), keccak256(value.hex().encode()).hex()
    checksum = "".join(d.upper() if s >= "8" else d for d, s in zip(digits, selector, strict=False))
    need(text[2:] in (digits, digits.upper(), checksum))
    return value


def integer(value, low, high):
    need(type(value) is int and low <= value <= high)
    return value


def hints(proof):
    """registry and anchor: nothing is concluded from them, but their types are checked."""
    if (registry := proof.get("registry")) is not None:
        need(isinstance(registry, str) and re.fullmatch("eip155:[1-9][0-9]{0,31}:0x[^:]*", registry))
        address(registry.rpartition(":")[2])
    if (anchor := proof.get("anchor")) is not None:
        need(isinstance(anchor, dict))
        hexadecimal(anchor.get("transaction"), 32)
        hexadecimal(anchor.get("blockHash"), 32)
        integer(anchor.get("blockNumber"), 0, 2**53 - 1)
        time = anchor.get("anchoredAt")
        need(isinstance(time, str) and re.fullmatch(TIME, time, re.ASCII | re.IGNORECASE))
        datetime.fromisoformat(time.upper())


def inclusion(proof):
    """Sections 3 and 4: True or False; raises ValueError."""
    need(isinstance(proof, dict) and proof.get("type") == "RootmarkProof/v1")
    hints(proof)
    issuer = address(proof.get("issuer"))
    digest, salt, root = (hexadecimal(proof.get(name), 32) for name in ("digest", "salt", "root"))
    index, size = integer(proof.get("index"), 0, 2**53 - 1), integer(proof.get("size"), 1, 2**32)
    need(isinstance(proof.get("digestMethod"), str) and proof["digestMethod"] in METHODS)
    need(isinstance(proof.get("path"), list) and len(proof["path"]) <= 64)
    path = []
    for entry in proof["path"]:
        need(isinstance(entry, dict) and list(entry) in (["left"], ["right"]))
        path += [(side, hexadecimal(value, 32)) for side, value in entry.items()]
    prefix = bytes([METHODS[proof["digestMethod"]]]) + issuer + index.to_bytes(8, "big")
    node = sha256(prefix + sha256(digest + salt).digest()).digest()
    position, width, entries = index, size, iter(path)
    while width > 1:
        if position ^ 1 < width:  # there is a sibling, so an entry is due
            side, entry = next(entries, (None, b""))
            if side != ("left" if position % 2 else "right"):
                return False
            node = sha256(entry + node if side == "left" else node + entry).digest()
        position, width = position // 2, (width + 1) // 2
    committed = sha256(b"\xff" + size.to_bytes(8, "big") + node).digest()
    return index < size and next(entries, None) is None and committed == root


def canonical(value):
    """RFC 8785."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        sign, digits, exponent = Decimal(repr(value or 0)).normalize().as_tuple()
        text, point = "".join(map(str, digits)), len(digits) + exponent
        if -6 < point <= 0:
            text = "0." + text.rjust(len(text) - point, "0")
        elif 0 < point <= 21:
            text = (text[:point].ljust(point, "0") + "." + text[point:]).rstrip(".")
        else:
            text = text[0] + ("." + text[1:] if text[1:] else "") + f"e{point - 1:+}"
        return "-" * sign + text
    return json.dumps(value, ensure_ascii=False)


def integrity(credential, proof):
    """Section 2: does the credential have the proof's digest?"""
    if proof["digestMethod"] != "jcs-sha256":
        return "unknown"
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    digest = "0x" + sha256(canonical(unsigned).encode()).hexdigest()
    return "pass" if digest == proof["digest"].lower() else "fail"


def verify(vector):
    try:
        result = "pass" if inclusion(vector["proof"]) else "fail"
    except ValueError:
        return "malformed", "skipped"
    return result, integrity(vector["credential"], vector["proof"]) if "credential" in vector else "skipped"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(*verify(json.loads(Path(name).read_text("utf-8"))), name)  # noqa: T201
