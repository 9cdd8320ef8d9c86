"""The bodies of endorsements and of learners' records."""

from __future__ import annotations

from typing import Literal

from api.schemas.achievements import Iri, Text
from api.schemas.awards import Day, RecipientBody, recipient_of
from api.schemas.common import Body, Name
from registry.credentials.signed_documents import Endorsement, LearnerRecord


class EndorsementBody(Body):
    """POST /v1/endorsements."""

    subject: Iri
    comment: Text
    name: Name = "Endorsement"
    issued_on: Day | None = None
    expires_on: Day | None = None

    def endorsement(self) -> Endorsement:
        """What is asked for."""
        return Endorsement(self.subject, self.comment, self.name, self.issued_on, self.expires_on)


class RecordBody(Body):
    """POST /v1/clr."""

    recipient: RecipientBody
    name: Name = "Learner record"
    description: Text | None = None
    identity: Literal["hashed", "plain"] = "hashed"
    format: Literal["json", "jwt"] = "json"

    def record(self) -> LearnerRecord:
        """What is asked for. Raises `ValidationError` for a recipient that is none or several."""
        recipient = recipient_of(self.recipient)
        hashed, tokens = self.identity == "hashed", self.format == "jwt"
        return LearnerRecord(recipient, self.name, self.description, hashed, tokens)
