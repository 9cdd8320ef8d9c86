"""What status lists say of a credential: a list counts only when everything about it is right."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.jwt_credentials import VcJoseCredentials
from registry.credentials.formats.verifiable_credentials import VerifiableCredentials
from registry.credentials.status.bitstring import MIN_ENTRIES, encode, new_bitstring
from registry.credentials.status.checking import MAX_ENTRIES, check_status
from registry.encoding import format_time, to_base64url
from registry.verdict.report import CheckName, CheckResult, Outcome
from tests.unit.credentials.suites.parts import (
    ED,
    ISSUER,
    NOW,
    STRANGER,
    V2,
    FakeDocuments,
    badge,
    did_key,
    signed,
    tools,
)

VECTORS = Path(__file__).parents[3] / "vectors" / "bitstring_status_list" / "specification.json"
URL = "https://issuer.example/status/3"
INDEX = 94_567
FAIL, PASS, UNKNOWN = CheckResult.FAIL, CheckResult.PASS, CheckResult.UNKNOWN
HOUR = timedelta(hours=1)


def encoded(*indices: int, size: int = MIN_ENTRIES) -> str:
    return encode(new_bitstring(size, indices))


def entry_of(purpose: str = "revocation", **changes: Any) -> dict[str, Any]:
    """An entry; a change to None leaves the member out."""
    entry = {
        "id": f"{URL}#{INDEX}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(INDEX),
        "statusListCredential": URL,
    }
    return {name: value for name, value in (entry | changes).items() if value is not None}


def list_of(*indices: int, subject: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An unsigned list with these bits; a change to None leaves the member out."""
    credential = {
        "@context": [V2],
        "id": URL,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": ISSUER,
        "validFrom": format_time(NOW - HOUR),
        "validUntil": format_time(NOW + HOUR),
        "credentialSubject": {
            "id": f"{URL}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded(*indices),
            "ttl": 5000,
        }
        | dict(subject or {}),
    }
    return {name: value for name, value in (credential | changes).items() if value is not None}


def check(
    entries: Any, served: Any = None, *, issuer: str = ISSUER, documents: FakeDocuments | None = None
) -> tuple[Finding, ...]:
    """The findings for a credential with ``entries`` when ``served`` stands at the list's address."""
    source = documents or FakeDocuments({} if served is None else {URL: served})
    means = tools(source)

    def examine(presented: Presented) -> Examination:
        if presented.token is not None:
            return VcJoseCredentials().examine(presented, means)
        return VerifiableCredentials().examine(presented, means)

    return check_status(badge(credentialStatus=entries, issuer={"id": issuer}), means, examine)


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    assert finding.check is CheckName.STATUS
    return finding


def requires_unknown(findings: tuple[Finding, ...], says: str) -> None:
    finding = only(findings)
    assert finding.result is UNKNOWN, finding
    assert finding.outcome is Outcome.INDETERMINATE
    assert says in finding.detail


# --- lists that say nothing ---------------------------------------------------------------------------------


def test_status_is_unknown_and_says_what_would_settle_it_when_the_list_is_not_at_hand() -> None:
    requires_unknown(check(entry_of()), f"supply {URL}")


def test_status_is_unknown_when_the_list_is_not_signed() -> None:
    requires_unknown(check(entry_of(), list_of()), "does not verify")


def test_status_is_unknown_when_the_lists_signature_fails() -> None:
    served = signed(list_of(INDEX))
    served["credentialSubject"]["encodedList"] = encoded()
    requires_unknown(check(entry_of(), served), "does not verify")


def test_status_is_unknown_when_one_signature_of_the_list_fails() -> None:
    served = signed(list_of())
    other = signed(list_of(INDEX))
    served["proof"] = [served["proof"], other["proof"]]
    requires_unknown(check(entry_of(), served), "does not verify")


def test_status_is_unknown_when_the_list_is_by_another_issuer() -> None:
    served = signed(list_of(issuer=did_key(STRANGER.public)), STRANGER)
    requires_unknown(check(entry_of(), served), "another issuer")


def test_status_is_unknown_when_a_stranger_signed_in_the_issuers_name() -> None:
    requires_unknown(check(entry_of(), signed(list_of(), STRANGER)), "does not verify")


def test_status_is_unknown_when_the_list_is_for_another_purpose() -> None:
    served = signed(list_of(subject={"statusPurpose": "suspension"}))
    requires_unknown(check(entry_of(), served), "another purpose")


def test_status_is_unknown_when_entries_were_swapped_between_lists() -> None:
    other = "https://issuer.example/status/4"
    suspensions = signed(list_of(INDEX, id=other, subject={"statusPurpose": "suspension"}))
    documents = FakeDocuments({URL: signed(list_of()), other: suspensions})
    swapped = [entry_of(statusListCredential=other), entry_of("suspension")]
    findings = check(swapped, documents=documents)
    assert [finding.result for finding in findings] == [UNKNOWN, UNKNOWN]
    assert all("another purpose" in finding.detail for finding in findings)


def test_status_is_unknown_when_another_list_stands_at_the_address() -> None:
    served = signed(list_of(id="https://issuer.example/status/4"))
    requires_unknown(check(entry_of(), served), "another list")


@pytest.mark.parametrize(
    "dates",
    [
        {"validUntil": format_time(NOW)},
        {"validFrom": format_time(NOW + HOUR)},
        {"validFrom": format_time(NOW - 2 * HOUR), "validUntil": format_time(NOW - HOUR)},
    ],
)
def test_status_is_unknown_when_the_list_is_out_of_its_dates(dates: dict[str, str]) -> None:
    requires_unknown(check(entry_of(), signed(list_of(INDEX, **dates))), "dates")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"encodedList": None}, "cannot be read"),
        ({"encodedList": 7}, "cannot be read"),
        ({"encodedList": encoded()[1:]}, "cannot be read"),
        ({"encodedList": encoded()[:-4]}, "cannot be read"),
        ({"encodedList": "u" + to_base64url(gzip.compress(bytes(1 << 24 | 1)))}, "unpacks to more"),
        (
            {"encodedList": "u" + to_base64url(gzip.compress(bytes(MIN_ENTRIES // 8)) * 2)},
            "something follows",
        ),
        ({"encodedList": encode(bytes(MIN_ENTRIES // 8 - 1))}, "fewer than"),
        ({"type": "StatusList2021"}, "no BitstringStatusList"),
        ({"statusPurpose": ["suspension", "refresh"]}, "another purpose"),
        ({"statusPurpose": None}, "another purpose"),
    ],
)
def test_status_is_unknown_when_the_lists_subject_is_wrong(changes: dict[str, Any], says: str) -> None:
    requires_unknown(check(entry_of(), signed(list_of(subject=changes))), says)


def test_status_is_unknown_when_the_address_holds_another_kind_of_credential() -> None:
    served = signed(list_of(type=["VerifiableCredential"]))
    requires_unknown(check(entry_of(), served), "no BitstringStatusListCredential")


@pytest.mark.parametrize(
    "served", [b"", b"<html>", b"[]", b"{", b'{"a":1,"a":2}', b"\xff\xfe", b"{}", b"a.b.c"]
)
def test_status_is_unknown_when_no_credential_stands_at_the_address(served: bytes) -> None:
    finding = only(check(entry_of(), served))
    assert finding.result is UNKNOWN


# --- entries that say nothing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("text", "no type"),
        (None, ""),
        ({}, "no type"),
        ([[]], "no type"),
        ({"type": [7]}, "no type"),
        ({"type": "SomethingElse"}, "SomethingElse"),
        (entry_of(statusListIndex=None), "no index"),
        (entry_of(statusListIndex="-1"), "no index"),
        (entry_of(statusListIndex="0x10"), "no index"),
        (entry_of(statusListIndex="٣"), "no index"),
        (entry_of(statusListIndex=""), "no index"),
        (entry_of(statusListIndex="9" * 13), "no index"),
        (entry_of(statusListIndex=True), "no index"),
        (entry_of(statusListIndex=1.5), "no index"),
        (entry_of(statusListIndex=str(MIN_ENTRIES)), "outside"),
        (entry_of(statusListCredential=None), "lacks"),
        (entry_of(statusListCredential=["https://a.example"]), "lacks"),
        (entry_of(statusPurpose=None), "lacks"),
        (entry_of(statusSize=0), "size"),
        (entry_of(statusSize=9), "size"),
        (entry_of(statusSize=True), "size"),
        (entry_of(statusSize="2"), "size"),
        (entry_of(statusSize=2), "what each of its values means"),
        (entry_of(statusSize=2, statusMessage=[{"status": "0x0"}]), "what each of its values means"),
        (entry_of(statusMessage="none"), "what each of its values means"),
        (entry_of("acquittal"), "another purpose"),
    ],
)
def test_status_is_unknown_when_the_entry_is_wrong(entry: Any, says: str) -> None:
    findings = check(entry, signed(list_of(INDEX)))
    if entry is None:
        assert findings == ()
    else:
        requires_unknown(findings, says)


def test_status_is_unknown_when_the_purpose_means_nothing_here() -> None:
    served = signed(list_of(INDEX, subject={"statusPurpose": "acquittal"}))
    requires_unknown(check(entry_of("acquittal"), served), "unknown here")


def test_nothing_is_looked_up_when_there_are_too_many_entries() -> None:
    documents = FakeDocuments({URL: signed(list_of())})
    findings = check([entry_of()] * (MAX_ENTRIES + 1), documents=documents)
    requires_unknown(findings, "more than")
    assert documents.asked == []


def test_an_entrys_long_type_is_cut_in_the_finding() -> None:
    assert len(only(check({"type": "x" * 10_000})).detail) < 200


# --- lists that count ---------------------------------------------------------------------------------------


def test_credential_is_revoked_when_its_bit_is_set() -> None:
    finding = only(check(entry_of(), signed(list_of(INDEX))))
    assert (finding.result, finding.outcome) == (FAIL, Outcome.REVOKED)


def test_credential_is_suspended_when_its_bit_is_set() -> None:
    served = signed(list_of(INDEX, subject={"statusPurpose": "suspension"}))
    finding = only(check(entry_of("suspension"), served))
    assert (finding.result, finding.outcome) == (FAIL, Outcome.SUSPENDED)


@pytest.mark.parametrize("bits", [(), (INDEX - 1, INDEX + 1), tuple(set(range(90_000, 100_000)) - {INDEX})])
def test_credential_is_not_revoked_when_only_others_are(bits: tuple[int, ...]) -> None:
    finding = only(check(entry_of(), signed(list_of(*bits))))
    assert (finding.result, finding.outcome) == (PASS, Outcome.VALID)


def test_one_list_may_serve_several_purposes() -> None:
    served = signed(list_of(INDEX, subject={"statusPurpose": ["revocation", "suspension"]}))
    findings = check([entry_of(), entry_of("suspension")], served)
    assert [finding.outcome for finding in findings] == [Outcome.REVOKED, Outcome.SUSPENDED]


def test_each_entry_has_its_own_finding() -> None:
    findings = check([entry_of(), entry_of("suspension"), {"type": "Other"}], signed(list_of(INDEX)))
    assert [finding.result for finding in findings] == [FAIL, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("value", range(4))
def test_value_of_several_bits_revokes_unless_it_is_zero(value: int) -> None:
    messages = [{"status": hex(number), "message": "m"} for number in range(4)]
    bits = [INDEX * 2 + place for place in (0, 1) if value >> (1 - place) & 1]
    served = signed(list_of(subject={"encodedList": encoded(*bits, size=2 * MIN_ENTRIES)}))
    finding = only(check(entry_of(statusSize=2, statusMessage=messages), served))
    assert finding.result is (FAIL if value else PASS)


def test_list_counts_its_entries_and_not_its_bits() -> None:
    messages = [{"status": hex(number), "message": "m"} for number in range(4)]
    finding = check(entry_of(statusSize=2, statusMessage=messages), signed(list_of()))
    requires_unknown(finding, "fewer than")


@pytest.mark.parametrize("purpose", ["message", "refresh"])
def test_purpose_that_only_informs_decides_nothing(purpose: str) -> None:
    finding = only(check(entry_of(purpose), signed(list_of(INDEX, subject={"statusPurpose": purpose}))))
    assert (finding.result, finding.outcome) == (PASS, Outcome.VALID)


def test_list_without_id_counts_where_it_stands() -> None:
    assert only(check(entry_of(), signed(list_of(INDEX, id=None)))).result is FAIL


def test_number_is_taken_for_an_index_too() -> None:
    assert only(check(entry_of(statusListIndex=INDEX), signed(list_of(INDEX)))).result is FAIL


def test_list_of_2021_is_read() -> None:
    entry = entry_of(type="StatusList2021Entry")
    subject = {"type": "StatusList2021", "encodedList": encoded(INDEX)[1:]}
    types = ["VerifiableCredential", "StatusList2021Credential"]
    assert only(check(entry, signed(list_of(subject=subject, type=types)))).result is FAIL
    requires_unknown(check(entry, signed(list_of(INDEX))), "no StatusList2021Credential")


def test_published_example_leads_to_its_list_which_is_not_signed() -> None:
    example = json.loads(VECTORS.read_text())
    means = tools(FakeDocuments({example["list"]["id"]: example["list"]}))
    findings = check_status(
        example["credential"], means, lambda one: VerifiableCredentials().examine(one, means)
    )
    assert [finding.result for finding in findings] == [UNKNOWN, UNKNOWN]
    assert "does not verify" in findings[0].detail
    assert "supply https://example.com/credentials/status/4" in findings[1].detail


def test_published_example_is_not_revoked_once_its_list_is_signed() -> None:
    example = json.loads(VECTORS.read_text())
    url = example["list"]["id"]
    means = tools(FakeDocuments({url: signed(example["list"] | {"issuer": ISSUER}, ED)}))
    credential = example["credential"] | {"issuer": ISSUER}
    findings = check_status(credential, means, lambda one: VerifiableCredentials().examine(one, means))
    assert [finding.result for finding in findings] == [PASS, UNKNOWN]


# --- 1EdTech's list of revoked credentials ------------------------------------------------------------------

REVOKED = "https://issuer.example/revoked"
ENTRY = {"id": REVOKED, "type": "1EdTechRevocationList"}


def revoked(*listed: Any, **changes: Any) -> FakeDocuments:
    document = {"id": REVOKED, "issuer": ISSUER, "revokedCredential": list(listed)} | changes
    return FakeDocuments({REVOKED: document})


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        (FakeDocuments(), "supply"),
        (FakeDocuments({REVOKED: b"<html>"}), "not JSON"),
        (FakeDocuments({REVOKED: []}), "no such list"),
        (revoked(revokedCredential={}), "no such list"),
        (revoked(issuer="https://stranger.example"), "another issuer"),
        (revoked(id="https://issuer.example/other"), "another list"),
    ],
)
def test_status_is_unknown_when_the_revocation_list_is_wrong(documents: FakeDocuments, says: str) -> None:
    requires_unknown(check(ENTRY, documents=documents), says)


def test_status_is_unknown_when_the_revocation_list_has_no_address() -> None:
    requires_unknown(check({"type": "1EdTechRevocationList"}), "no address")


def test_status_is_unknown_when_the_credential_has_no_id_to_be_listed_by() -> None:
    means = tools(revoked({"revoked": True}))
    findings = check_status(badge(id=None, credentialStatus=ENTRY), means, lambda _: pytest.fail("no list"))
    requires_unknown(findings, "no id")


@pytest.mark.parametrize(
    "listed", [{"id": badge()["id"]}, {"id": badge()["id"], "revoked": True}, badge()["id"]]
)
def test_credential_is_revoked_when_the_revocation_list_names_it(listed: Any) -> None:
    finding = only(check(ENTRY, documents=revoked({"id": "urn:other"}, listed)))
    assert (finding.result, finding.outcome) == (FAIL, Outcome.REVOKED)


@pytest.mark.parametrize(
    "listed", [{"id": "urn:other"}, {"id": badge()["id"], "revoked": False}, 7, None, {}]
)
def test_credential_is_not_revoked_when_the_revocation_list_does_not_name_it(listed: Any) -> None:
    assert only(check(ENTRY, documents=revoked(listed))).result is PASS
