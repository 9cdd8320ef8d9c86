"""What the ``credentialStatus`` of somebody's credential says.

A list counts only when it verifies itself, is by the credential's own issuer, stands at the address that the
entry names, is for the entry's purpose and within its dates; otherwise the status is ``unknown``: a list that
is wrong says nothing about the credential. Nothing is fetched but through `Tools.documents`.

Source: Bitstring Status List 1.0, section 3.2; StatusList2021 (its predecessor); Open Badges 3.0, section
"1EdTech Revocation List".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.sources import Tools
from registry.credentials.status.bitstring import MIN_ENTRIES, decode, entry
from registry.encoding import JsonValue, parse_json
from registry.errors import MalformedInputError, UnavailableSourceError, ValidationError
from registry.verdict.report import CheckName, CheckResult, Outcome

MAX_ENTRIES = 10
MAX_INDEX_DIGITS = 12
MAX_REVOKED = 1_000_000

_FORCED = {"revocation": Outcome.REVOKED, "suspension": Outcome.SUSPENDED}
_INFORMATIVE = frozenset({"refresh", "message"})
_LISTS = {
    "BitstringStatusListEntry": ("BitstringStatusList", "BitstringStatusListCredential", True),
    "StatusList2021Entry": ("StatusList2021", "StatusList2021Credential", False),
}
"""By the entry's type: its list's subject type, its credential's type, and whether the text is multibase."""

Examine = Callable[[Presented], Examination]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A well-formed entry of a status list."""

    kind: str
    purpose: str
    index: int
    size: int
    url: str


class _UnusableListError(Exception):
    """A list that says nothing. The text is a clause."""


def check_status(credential: Mapping[str, JsonValue], tools: Tools, examine: Examine) -> tuple[Finding, ...]:
    """A finding for each entry of ``credentialStatus``; none for a credential without.

    Args:
        examine: verifies the list, which is a credential of its own.
    """
    found = credential.get("credentialStatus")
    if found is None:
        return ()
    entries = found if isinstance(found, list) else [found]
    if len(entries) > MAX_ENTRIES:
        return (_status(CheckResult.UNKNOWN, f"it has more than {MAX_ENTRIES} status entries"),)
    return tuple(_checked(one, credential, tools, examine) for one in entries)


def _status(result: CheckResult, detail: str, forces: Outcome | None = None) -> Finding:
    return Finding(CheckName.STATUS, result, detail, forces)


def _checked(
    member: JsonValue, credential: Mapping[str, JsonValue], tools: Tools, examine: Examine
) -> Finding:
    try:
        kind = _kind(member)
        if kind == "1EdTechRevocationList":
            return _in_revocation_list(member, credential, tools)
        if kind not in _LISTS:
            return _status(CheckResult.UNKNOWN, f"its status is a {kind}, which is not looked at here")
        return _in_list(_read_entry(member, kind), credential, tools, examine)
    except UnavailableSourceError as error:
        detail = f"its status list was not looked at: {error}"
        return Finding(CheckName.STATUS, CheckResult.UNKNOWN, detail, missing=_address(member))
    except _UnusableListError as error:
        return _status(CheckResult.UNKNOWN, str(error))


def _address(member: JsonValue) -> str | None:
    """Where an entry's list stands."""
    found = member.get("statusListCredential", member.get("id")) if isinstance(member, dict) else None
    return found if isinstance(found, str) else None


def _kind(member: JsonValue) -> str:
    kinds = member.get("type") if isinstance(member, dict) else None
    names = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    known = [name for name in names if name in _LISTS or name == "1EdTechRevocationList"]
    if known:
        return str(known[0])
    first = next((name for name in names if isinstance(name, str)), None)
    if first is None:
        raise _UnusableListError("a status entry has no type")
    return first[:100]


def _read_entry(member: Any, kind: str) -> _Entry:
    purpose, index, url = (
        member.get(name) for name in ("statusPurpose", "statusListIndex", "statusListCredential")
    )
    size = member.get("statusSize", 1)
    digits = str(index) if isinstance(index, int) and not isinstance(index, bool) else index
    if not isinstance(digits, str) or not (
        digits.isascii() and digits.isdecimal() and len(digits) <= MAX_INDEX_DIGITS
    ):
        raise _UnusableListError("a status entry has no index, a whole number as text")
    if not isinstance(purpose, str) or not isinstance(url, str):
        raise _UnusableListError("a status entry lacks its purpose or the address of its list")
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 8:
        raise _UnusableListError("a status entry has a size that is not looked at here")
    messages = member.get("statusMessage")
    if (messages is not None or size > 1) and not (isinstance(messages, list) and len(messages) == 1 << size):
        raise _UnusableListError("a status entry does not say what each of its values means")
    return _Entry(kind, purpose, int(digits), size, url)


# --- status lists -------------------------------------------------------------------------------------------


def _in_list(wanted: _Entry, credential: Mapping[str, JsonValue], tools: Tools, examine: Examine) -> Finding:
    presented = _presented(tools.documents.get(wanted.url))
    examination = examine(presented)
    _require_verified(examination, credential)
    subject = _subject(examination, wanted, tools)
    _, _, multibase = _LISTS[wanted.kind]
    try:
        bits = decode(subject.get("encodedList"), multibase=multibase)
    except ValidationError as error:
        raise _UnusableListError(f"its status list cannot be read: {error}") from error
    if len(bits) * 8 // wanted.size < MIN_ENTRIES:
        raise _UnusableListError(f"its status list has fewer than {MIN_ENTRIES} entries")
    value = entry(bits, wanted.index, wanted.size)
    if value is None:
        raise _UnusableListError("its index lies outside of its status list")
    return _said(wanted, value)


def _said(wanted: _Entry, value: int) -> Finding:
    if wanted.purpose in _INFORMATIVE:
        return _status(CheckResult.PASS, f"its list for {wanted.purpose} says {value}, which decides nothing")
    forced = _FORCED.get(wanted.purpose)
    if forced is None:
        return _status(CheckResult.UNKNOWN, f"its status is about {wanted.purpose[:100]}, unknown here")
    if value:
        return _status(CheckResult.FAIL, f"{forced.value} by its issuer's status list", forced)
    return _status(CheckResult.PASS, f"not {forced.value} by its issuer's status list")


def _presented(body: bytes) -> Presented:
    text = body.strip()
    try:
        if not text.startswith(b"{"):
            return Presented(token=text.decode("ascii"))
        document = parse_json(text)
    except (UnicodeDecodeError, MalformedInputError) as error:
        raise _UnusableListError("its status list is no credential") from error
    assert isinstance(document, dict), "it begins with a brace"
    return Presented(document=document)


def _require_verified(examination: Examination, credential: Mapping[str, JsonValue]) -> None:
    bad = next((one for one in examination.findings if one.outcome is not Outcome.VALID), None)
    if bad is not None:
        raise _UnusableListError(f"its status list does not verify: {bad.detail}")
    signed = any(
        one.check is CheckName.SIGNATURE and one.result is CheckResult.PASS for one in examination.findings
    )
    if not signed or examination.credential is None:
        raise _UnusableListError("its status list is not signed")
    if examination.issuer != _id_of(credential.get("issuer")):
        raise _UnusableListError("its status list is by another issuer")


def _subject(examination: Examination, wanted: _Entry, tools: Tools) -> Mapping[str, JsonValue]:
    subject_type, credential_type, _ = _LISTS[wanted.kind]
    credential = examination.credential or {}
    subject = credential.get("credentialSubject")
    dates = examination.validity
    if credential_type not in _names(credential.get("type")) or not isinstance(subject, dict):
        raise _UnusableListError(f"what stands at its status list's address is no {credential_type}")
    if credential.get("id", wanted.url) != wanted.url:
        raise _UnusableListError("what stands at its status list's address is another list")
    if subject_type not in _names(subject.get("type")):
        raise _UnusableListError(f"its status list is no {subject_type}")
    if wanted.purpose not in _names(subject.get("statusPurpose")):
        raise _UnusableListError("its status list is for another purpose")
    if (
        not dates.readable
        or (dates.valid_until is not None and tools.now >= dates.valid_until)
        or (dates.valid_from is not None and tools.now < dates.valid_from)
    ):
        raise _UnusableListError("its status list is out of its dates")
    return subject


def _names(value: JsonValue) -> Sequence[str]:
    if isinstance(value, str):
        return [value]
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _id_of(issuer: JsonValue) -> JsonValue:
    return issuer.get("id") if isinstance(issuer, dict) else issuer


# --- 1EdTech's list of revoked credentials ------------------------------------------------------------------


def _in_revocation_list(member: Any, credential: Mapping[str, JsonValue], tools: Tools) -> Finding:
    url, own_id = member.get("id"), credential.get("id")
    if not isinstance(url, str):
        raise _UnusableListError("its revocation list has no address")
    if not isinstance(own_id, str):
        raise _UnusableListError("it has no id by which its revocation list could name it")
    try:
        document = parse_json(tools.documents.get(url))
    except MalformedInputError as error:
        raise _UnusableListError("its revocation list is not JSON") from error
    listed = document.get("revokedCredential") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(listed, list) or len(listed) > MAX_REVOKED:
        raise _UnusableListError("what stands at its revocation list's address is no such list")
    if document.get("id", url) != url:
        raise _UnusableListError("what stands at its revocation list's address is another list")
    if _id_of(document.get("issuer")) != _id_of(credential.get("issuer")):
        raise _UnusableListError("its revocation list is by another issuer")
    if any(_names_revoked(one, own_id) for one in listed):
        return _status(CheckResult.FAIL, "revoked by its issuer's revocation list", Outcome.REVOKED)
    return _status(CheckResult.PASS, "not in its issuer's revocation list")


def _names_revoked(listed: JsonValue, own_id: str) -> bool:
    """An entry names a credential, and may say that it is no longer revoked."""
    if isinstance(listed, dict):
        return listed.get("id") == own_id and listed.get("revoked") is not False
    return listed == own_id
