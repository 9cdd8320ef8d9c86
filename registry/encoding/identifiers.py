"""Credentials must carry an ``id`` that nobody can guess; otherwise looking up digests would answer guesses.

Randomness cannot be proved from one value. The rule here accepts what random generators with 128 bits write,
and refuses what counters, names and course codes look like: docs/proof-format.md, section 2.4. What such a
generator wrote is refused with a chance below one in a thousand million for UUIDs and hexadecimal, below one
in a million otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from registry.encoding.canonical import JsonValue
from registry.encoding.hexes import invalid

_SEPARATORS = re.compile(r"[/:#?=&;]")
_EXTENSION = re.compile(r"\.(?:json|jsonld)\Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{12}")
_HEX = re.compile(r"(?:0x)?([0-9a-f]{32,128})")
_SHORT_HEX = re.compile(r"[0-9a-f-]+")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{22,128}")
_LONG_RUN = re.compile(r"(.)\1{10}")

_MIN_DISTINCT_HEX_DIGITS = 6
_MIN_DISTINCT_HEX_PAIRS = 17
_MIN_DISTINCT_CHARACTERS = 9
_MIN_DISTINCT_PAIRS = 16

# Steps that repeat, as a share of all steps: 16 of 32 digits, 6 of 16 bytes, 12 of 24 characters.
_MAX_EQUAL_DIGIT_STEPS = 1 / 2
_MAX_EQUAL_OCTET_STEPS = 3 / 8
_MAX_EQUAL_CHARACTER_STEPS = 1 / 2

# The forty commonest pairs of letters in English: about 45 % of all pairs in words, 6 % in random letters.
# The weights are the logarithms of 0.45/0.059 and 0.55/0.941, so their sum is the log likelihood ratio of
# words to randomness, and random letters reach the limit with a chance below e^-16.
_COMMON_PAIRS = frozenset(
    pair
    for row in (
        "th he in er an re on at en nd ti es or te of ed is it al ar",
        "st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea",
    )
    for pair in row.split()
)
_COMMON_PAIR_WEIGHT = 2.03
_OTHER_PAIR_WEIGHT = -0.54
_WORDS_LIMIT = 16
# Alphabets with - and _ have both cases; 22 random characters that use only one of them are that unlikely.
_SEPARATED_ONE_CASE_WEIGHT = 10.5


def require_unguessable_id(credential: Mapping[str, JsonValue], *, pointer: str = "") -> str:
    """Return the credential's ``id`` if its last segment looks like at least 128 random bits.

    Args:
        credential: the whole document.
        pointer: RFC 6901 pointer to the credential, put before ``/id`` in the error.

    Raises:
        ValidationError: code ``id-missing`` or ``id-guessable``.
    """
    where = f"{pointer}/id"
    identifier = credential.get("id")
    if not isinstance(identifier, str):
        raise invalid("id-missing", "a credential needs an id, a string", where)
    segments = [segment for segment in _SEPARATORS.split(identifier) if segment]
    if not segments or not _looks_random(_EXTENSION.sub("", segments[-1])):
        detail = "the id must end in 128 random bits, for example urn:uuid: and a random (version 4) UUID"
        raise invalid("id-guessable", detail, where)
    return identifier


_LONGEST_SEGMENT = 130
"""Nothing longer is taken: 128 digits or characters, and perhaps 0x."""


def _looks_random(segment: str) -> bool:
    return len(segment) <= _LONGEST_SEGMENT and _is_one_of_the_forms(segment)


@lru_cache(maxsize=1_024)  # one verification asks several times about the same id
def _is_one_of_the_forms(segment: str) -> bool:
    lower = segment.lower()
    uuid = _UUID.fullmatch(lower)
    if uuid is not None:
        return uuid[1] == "4" and uuid[2] in "89ab" and _random_hex(lower.replace("-", ""))
    digits = _HEX.fullmatch(lower)
    if digits is not None:
        return _random_hex(digits[1])
    return _BASE64URL.fullmatch(segment) is not None and _random_text(segment)


def _random_hex(digits: str) -> bool:
    values = [int(digit, 16) for digit in digits]
    octets = [high * 16 + low for high, low in zip(values[::2], values[1::2], strict=False)]
    return (
        len(set(digits)) >= _MIN_DISTINCT_HEX_DIGITS
        and _distinct_pairs(digits) >= _MIN_DISTINCT_HEX_PAIRS
        and _LONG_RUN.search(digits) is None
        and _equal_steps(values, 16) < _MAX_EQUAL_DIGIT_STEPS * len(values)
        and _equal_steps(octets, 256) < _MAX_EQUAL_OCTET_STEPS * len(octets)
    )


def _random_text(segment: str) -> bool:
    return (
        _SHORT_HEX.fullmatch(segment.lower()) is None
        and len(set(segment)) >= _MIN_DISTINCT_CHARACTERS
        and _distinct_pairs(segment) >= _MIN_DISTINCT_PAIRS
        and _equal_steps([ord(character) for character in segment], 256)
        < _MAX_EQUAL_CHARACTER_STEPS * len(segment)
        and _likelihood_of_words(segment) < _WORDS_LIMIT
    )


def _likelihood_of_words(segment: str) -> float:
    lower = segment.lower()
    pairs = [pair for pair in map("".join, pairwise(lower)) if pair.isalpha()]
    common = sum(pair in _COMMON_PAIRS for pair in pairs)
    likelihood = common * _COMMON_PAIR_WEIGHT + (len(pairs) - common) * _OTHER_PAIR_WEIGHT
    if segment in (lower, segment.upper()) and ("-" in segment or "_" in segment):
        likelihood += _SEPARATED_ONE_CASE_WEIGHT
    return likelihood


def _distinct_pairs(text: str) -> int:
    return len({text[i : i + 2] for i in range(len(text) - 1)})


def _equal_steps(values: Sequence[int], modulus: int) -> int:
    """How often the step to the next value repeats, as it does in counters and keyboard rows."""
    steps = [(b - a) % modulus for a, b in pairwise(values)]
    return sum(a == b for a, b in pairwise(steps))
