"""Awards as they come in: JSON, NDJSON and CSV, all read into `registry.credentials.award_values.Row`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from api.body import validated
from api.schemas.achievements import Credits, Iri, Text, Value, checked
from api.schemas.common import Body, Name, Note, reader
from registry.credentials.award_values import (
    MAX_ADDRESS,
    MAX_EMAIL,
    MAX_EXTERNAL_ID,
    AwardRequest,
    BadRow,
    Place,
    Recipient,
    ResultRequest,
    Row,
    checked_did,
    checked_email,
    checked_line,
    checked_url,
    parse_day,
)
from registry.credentials.awarding import FURTHER_SUITES, AwardOptions
from registry.credentials.badges import Evidence
from registry.encoding import JsonValue, invalid, parse_json
from registry.errors import Fault, MalformedInputError, ValidationError

MAX_JSON_AWARDS = 10_000


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        raise invalid("type", "a date is a string", "")
    return parse_day(value)


_DAY = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}], "examples": ["2026-11-23"]}
Day = Annotated[Any, BeforeValidator(reader(_day)), WithJsonSchema(_DAY)]
ExternalId = Annotated[
    str,
    Field(min_length=1, max_length=MAX_EXTERNAL_ID),
    AfterValidator(checked(lambda text: checked_line(text, MAX_EXTERNAL_ID))),
]
_EMAIL = {"type": "string", "format": "email", "maxLength": MAX_EMAIL, "examples": ["ada@college.example"]}
_DID = {"type": "string", "maxLength": MAX_ADDRESS, "examples": ["did:web:ada.example"]}
_URL = {"type": "string", "format": "uri", "maxLength": MAX_ADDRESS, "examples": ["https://ada.example"]}


class RecipientBody(Body):
    """Exactly one of email, did and url; the name is shown in the credential only when asked for."""

    email: Annotated[str, AfterValidator(checked(checked_email)), WithJsonSchema(_EMAIL)] | None = None
    did: Annotated[str, AfterValidator(checked(checked_did)), WithJsonSchema(_DID)] | None = None
    url: Annotated[str, AfterValidator(checked(checked_url)), WithJsonSchema(_URL)] | None = None
    name: Name | None = None


class ResultBody(Body):
    """A result: a value, a rubric level (its id, level or name), or both."""

    result_description: Iri | None = None
    value: Value | None = None
    level: Value | None = None


class EvidenceBody(Body):
    """Evidence; without an id, the address of it, it is given one."""

    id: Iri | None = None
    name: Name | None = None
    description: Text | None = None
    narrative: Text | None = None
    genre: Value | None = None
    audience: Value | None = None


class Replacement(Body):
    """An award that replaces another: what is left open of recipient and achievement is taken from that."""

    recipient: RecipientBody | None = None
    achievement_id: Value | None = None
    external_id: ExternalId | None = None
    issued_on: Day | None = None
    expires_on: Day | None = None
    results: Annotated[list[ResultBody], Field(max_length=20, default_factory=list)]
    evidence: Annotated[list[EvidenceBody], Field(max_length=20, default_factory=list)]
    credits_earned: Credits | None = None

    def request(self, place: Place) -> AwardRequest:
        """What is asked for.

        Raises:
            ValidationError: a recipient that is none or several; a result that says nothing. Pointers are
            within the award.
        """
        return AwardRequest(
            place=place,
            recipient=None if self.recipient is None else recipient_of(self.recipient),
            achievement_id=self.achievement_id,
            external_id=self.external_id,
            issued_on=self.issued_on,
            expires_on=self.expires_on,
            results=tuple(_result(one, number) for number, one in enumerate(self.results)),
            evidence=tuple(Evidence(**one.model_dump()) for one in self.evidence),
            credits_earned=_number(self.credits_earned),
        )


class NewAward(Replacement):
    """One award."""

    recipient: RecipientBody
    achievement_id: Value


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise invalid("repeated", "each cryptosuite may stand here once", "")
    return names


class OptionsBody(Body):
    """What one request says for all its awards."""

    credential_status: bool = True
    identity: Literal["hashed", "plain"] = "hashed"
    name: Literal["omit", "plain"] = "omit"
    proofs: Annotated[
        list[Literal["ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019"]],
        AfterValidator(reader(_each_once)),
        Field(max_length=len(FURTHER_SUITES), json_schema_extra={"uniqueItems": True}),
    ] = Field(default_factory=list)

    def options(self) -> AwardOptions:
        """The options."""
        hashed, named = self.identity == "hashed", self.name == "plain"
        return AwardOptions(self.credential_status, hashed, named, tuple(self.proofs))


class AwardsBody(Body):
    """POST /v1/awards as JSON. The awards are checked one by one, see `rows_of_json`."""

    awards: Annotated[list[Any], Field(min_length=1, max_length=MAX_JSON_AWARDS)]
    options: OptionsBody = OptionsBody()


class SupersedeBody(Body):
    """POST /v1/awards/{award_id}/supersede."""

    award: Replacement
    options: OptionsBody = OptionsBody()
    note: Note | None = None


def rows_of_json(awards: Iterable[JsonValue]) -> Iterator[Row]:
    """The awards of a JSON body; what is wrong is told with pointers."""
    for number, value in enumerate(awards):
        yield _row(value, Place(pointer=f"/awards/{number}"))


def rows_of_lines(lines: Iterable[tuple[int, bytes]]) -> Iterator[Row]:
    """The awards of an NDJSON body, an object a line."""
    for number, line in lines:
        place = Place(line=number)
        try:
            value = parse_json(line)
        except MalformedInputError as error:
            faults = error.faults or (Fault("invalid", str(error), ""),)
            yield BadRow(place, tuple(_placed(fault, place) for fault in faults))
            continue
        yield _row(value, place)


def _row(value: JsonValue, place: Place) -> Row:
    try:
        return validated(NewAward, value).request(place)
    except ValidationError as error:
        return BadRow(place, tuple(_placed(fault, place) for fault in error.faults))


def replacement(body: SupersedeBody) -> AwardRequest:
    """The award of a body that supersedes another. Raises `ValidationError` with pointers into the body."""
    place = Place(pointer="/award")
    try:
        return body.award.request(place)
    except ValidationError as error:
        faults = [_placed(fault, place) for fault in error.faults]
        raise ValidationError(str(error), faults=faults) from error


def _placed(fault: Fault, place: Place) -> Fault:
    return place.fault(fault.code, fault.detail, (fault.pointer or "").removeprefix("/"))


def recipient_of(body: RecipientBody) -> Recipient:
    """The recipient. Raises `ValidationError` when it is none or several."""
    given = [name for name in ("email", "did", "url") if getattr(body, name) is not None]
    if len(given) != 1:
        raise invalid("recipient", "exactly one of email, did and url is expected", "/recipient")
    return Recipient(body.email, body.did, body.url, body.name)


def _result(body: ResultBody, number: int) -> ResultRequest:
    if body.value is None and body.level is None:
        raise invalid("result", "a value, a level, or both are expected", f"/results/{number}")
    return ResultRequest(body.value, body.level, body.result_description)


def _number(value: float | None) -> int | float | None:
    return int(value) if value is not None and value == int(value) else value
