"""What a page's form sends, read as strictly as the API reads bodies."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from api.body import MIB, media_type, read_bytes
from api.uploads import FORM_TYPE, Upload, read_form
from registry.errors import Fault, UnsupportedMediaTypeError, ValidationError

URLENCODED = "application/x-www-form-urlencoded"
MAX_FIELDS = 1_100
"""A selection of up to a thousand lines, and what stands beside it."""


class Fields:
    """The fields of a form. A name may stand several times only where `all` is asked for it."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def text(self, name: str, max_length: int = 512) -> str:
        """The field's text without blanks around it; empty when it is not there.

        Raises:
            ValidationError: it stands twice, or is too long.
        """
        values = [value for found, value in self._pairs if found == name]
        if len(values) > 1:
            raise fault(name, "twice", "the field stands in the form twice")
        value = values[0].strip() if values else ""
        if len(value) > max_length:
            raise fault(name, "length", f"at most {max_length} characters")
        return value

    def raw(self, name: str) -> str:
        """The field's text as it was sent; empty when it is not there."""
        return next((value for found, value in self._pairs if found == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of the field."""
        return [value for found, value in self._pairs if found == name]

    def checked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.all(name))


async def read_fields(request: Request, *, max_bytes: int = MIB) -> Fields:
    """The fields of a form without files.

    Raises:
        UnsupportedMediaTypeError, TooLargeError: another kind of body, or too much of it.
        ValidationError: not percent-encoded UTF-8, U+0000, or too many fields.
    """
    if media_type(request) != URLENCODED:
        raise UnsupportedMediaTypeError("send a form")
    body = await read_bytes(request, max_bytes)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except UnicodeError as error:
        raise fault("", "characters", "a form is percent-encoded UTF-8") from error
    except ValueError as error:
        raise fault("", "too-many", f"at most {MAX_FIELDS} fields") from error
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise fault("", "characters", "a form has no U+0000")
    return Fields(pairs)


async def read_files(
    request: Request, *, max_files: int, max_field_bytes: int = MIB
) -> tuple[Fields, list[Upload]]:
    """The fields and the files of a form; files without a name and without content, which a browser sends
    for a chooser that was left empty, are left out.

    Raises:
        See `api.uploads.read_form`.
    """
    if media_type(request) != FORM_TYPE:
        return await read_fields(request), []
    fields, files = await read_form(request, max_files=max_files, max_field_bytes=max_field_bytes)
    return Fields(list(fields.items())), [file for file in files if file.name or file.data]


def fault(name: str, code: str, detail: str) -> ValidationError:
    """A form's mistake, at its field."""
    return ValidationError(detail, faults=[Fault(code, detail, f"/{name}" if name else "")])
