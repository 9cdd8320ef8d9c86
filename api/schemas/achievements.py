"""The body of an achievement: POST /v1/achievements, PUT /v1/achievements/{id}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.schemas.common import Body, Name, printable
from registry.credentials.award_values import MAX_ADDRESS, checked_iri, checked_url
from registry.credentials.badge_terms import (
    ACHIEVEMENT_TYPES,
    ALIGNMENT_TARGET_TYPES,
    EXTENSION,
    RESULT_TYPES,
)
from registry.encoding import invalid
from registry.errors import ValidationError

MAX_TEXT = 5_000
MAX_VALUE = 200
_LANGUAGE = r"^[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"  # Open Badges 3.0, LanguageCode


def checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """A check of `registry.credentials.award_values` as a validator of a model."""

    def validate(value: str) -> str:
        try:
            return check(value)
        except ValidationError as error:
            fault = error.faults[0]
            raise PydanticCustomError(fault.code.replace("-", "_"), fault.detail) from error

    return validate


def _one_of(values: tuple[str, ...]) -> Any:
    """One of an enumeration, or an extension of it."""
    pattern = f"^(?:{'|'.join(values)}|{EXTENSION})$"
    return Field(pattern=pattern, max_length=MAX_VALUE, examples=[values[0]])


def _uri(example: str) -> WithJsonSchema:
    schema = {"type": "string", "maxLength": MAX_ADDRESS, "format": "uri", "examples": [example]}
    return WithJsonSchema(schema)


WebAddress = Annotated[str, AfterValidator(checked(checked_url)), _uri("https://college.example/welding")]
Iri = Annotated[
    str, AfterValidator(checked(checked_iri)), _uri("urn:uuid:0d4d1c2e-58a4-4a57-9f3b-6e1f2f6a7b10")
]
AchievementType = Annotated[str, _one_of(ACHIEVEMENT_TYPES)]
TargetType = Annotated[str, _one_of(ALIGNMENT_TARGET_TYPES)]
ResultType = Annotated[str, _one_of(RESULT_TYPES)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(printable)]
Value = Annotated[str, Field(min_length=1, max_length=MAX_VALUE), AfterValidator(printable)]
Language = Annotated[str, Field(pattern=_LANGUAGE, examples=["en-GB"])]
Credits = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Criteria(Body):
    """What has to be done: a web page, a text (Markdown), or both."""

    id: WebAddress | None = None
    narrative: Text | None = None


class Alignment(Body):
    """A node of a skill framework that the achievement corresponds to."""

    target_name: Name
    target_url: WebAddress
    target_framework: Name | None = None
    target_code: Value | None = None
    target_type: TargetType | None = None
    target_description: Text | None = None


class RubricLevel(Body):
    """A level of a rubric; results name it by its id."""

    id: Iri
    name: Name
    level: Value | None = None
    points: Value | None = None
    description: Text | None = None


class ResultDescription(Body):
    """A result that an award may have. Without an id it is given one."""

    id: Iri | None = None
    name: Name
    result_type: ResultType
    required_level: Iri | None = None
    rubric_criterion_levels: Annotated[list[RubricLevel], Field(max_length=20, default_factory=list)]
    allowed_values: Annotated[list[Value], Field(max_length=50, default_factory=list)]
    value_min: Value | None = None
    value_max: Value | None = None
    required_value: Value | None = None


class Related(Body):
    """A related achievement."""

    id: Iri
    version: Value | None = None
    language: Language | None = None


class AchievementBody(Body):
    """What can be earned. The server gives it id and version."""

    name: Name
    description: Text
    criteria: Criteria
    image: WebAddress | None = None
    achievement_type: AchievementType | None = None
    tags: Annotated[list[Name], Field(max_length=50, default_factory=list)]
    alignment: Annotated[list[Alignment], Field(max_length=50, default_factory=list)]
    credits_available: Credits | None = None
    result_descriptions: Annotated[list[ResultDescription], Field(max_length=20, default_factory=list)]
    related: Annotated[list[Related], Field(max_length=20, default_factory=list)]
    language: Language | None = None
    field_of_study: Name | None = None
    specialization: Name | None = None

    def document(self) -> dict[str, Any]:
        """The members that are there, as JSON.

        Raises:
            ValidationError: the criteria say nothing.
        """
        made: dict[str, Any] = self.model_dump(exclude_none=True)
        if not made["criteria"]:
            raise invalid("criteria", "a web page (id), a narrative, or both are expected", "/criteria")
        for description in made["result_descriptions"]:
            for name in ("rubric_criterion_levels", "allowed_values"):
                if not description[name]:
                    del description[name]
        return made
