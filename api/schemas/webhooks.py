"""The bodies of the routes below /v1/webhooks."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.common import Body, TimeField, printable
from registry.model.webhooks import EVENT_KINDS, MAX_URL_CHARACTERS
from registry.services.webhooks.management import MAX_DESCRIPTION_CHARACTERS, Changes

EventKind = Annotated[str, WithJsonSchema({"type": "string", "enum": list(EVENT_KINDS)})]
"""The service says which there are."""

Url = Annotated[
    str, Field(min_length=1, max_length=MAX_URL_CHARACTERS, examples=["https://lms.example/rootmark"])
]
Description = Annotated[str, Field(max_length=MAX_DESCRIPTION_CHARACTERS), AfterValidator(printable)]
Kinds = Annotated[list[EventKind], Field(max_length=50)]


class NewWebhook(Body):
    """POST /v1/webhooks. No ``kinds``: all."""

    url: Url
    kinds: Annotated[Kinds, Field(default_factory=list)]
    description: Description = ""


class WebhookChanges(Body):
    """PATCH /v1/webhooks/{id}. What is not there stays."""

    url: Url | None = None
    kinds: Kinds | None = None
    description: Description | None = None
    enabled: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> WebhookChanges:
        if not self.model_fields_set:
            raise PydanticCustomError("empty", "at least one member that is to change is expected")
        return self

    def changes(self) -> Changes:
        """As the service takes them."""
        return Changes(self.url, self.description, self.kinds, self.enabled)


class Replay(Body):
    """POST /v1/webhooks/{id}/replay."""

    since: TimeField
