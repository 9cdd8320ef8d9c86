"""Documents that are sent as what they are: the raw file, or a form with a file and fields.

The whole body is capped before anything is parsed, and stays in memory: the largest file that is read has
10 MiB.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.body import MIB, media_type, read_bytes
from registry.errors import Fault, UnsupportedMediaTypeError, ValidationError

FILE_BYTES = 10 * MIB
FORM_BYTES = FILE_BYTES + MIB
MAX_FIELDS = 10
FORM_TYPE = "multipart/form-data"
FILE_TYPES = frozenset(
    {
        "application/dc+sd-jwt",
        "application/jwt",
        "application/ld+json",
        "application/octet-stream",
        "application/pdf",
        "application/vc",
        "application/vc+jwt",
        "application/vc+ld+json",
        "application/vc+sd-jwt",
        "image/png",
        "image/svg+xml",
    }
)
_NAMED = ", ".join(sorted(FILE_TYPES))
_FIELD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent; ``fields`` are the form's, none for a raw body."""

    data: bytes
    name: str | None
    media_type: str | None
    fields: dict[str, str] = field(default_factory=dict)


class _Parser(MultiPartParser):
    """With a way to close the files of a form that ended in the middle of one."""

    def close_files(self) -> None:
        for file in self._files_to_close_on_error:
            file.close()


async def read_upload(request: Request) -> Upload:
    """The file of a request, from a form's one file or from the raw body.

    Raises:
        UnsupportedMediaTypeError: neither a form nor one of `FILE_TYPES`.
        TooLargeError: over 10 MiB.
        ValidationError: the form is broken, or has not exactly one file.
    """
    kind = media_type(request)
    if kind in FILE_TYPES:
        return Upload(await read_bytes(request, FILE_BYTES), None, kind)
    if kind != FORM_TYPE:
        raise UnsupportedMediaTypeError(f"send application/json, a form with a file, or {_NAMED}")
    fields, files = await read_form(request)
    if len(files) != 1:
        raise _invalid("file", "a form with one file is expected")
    return replace(files[0], fields=fields)


async def read_form(
    request: Request, *, max_files: int = 1, max_field_bytes: int = _FIELD_BYTES
) -> tuple[dict[str, str], list[Upload]]:
    """The fields and files of a `multipart/form-data` body.

    Raises:
        UnsupportedMediaTypeError: another kind of body.
        TooLargeError: over 11 MiB in all.
        ValidationError: the form is broken, has more files or fields than that, or a field twice.
    """
    if media_type(request) != FORM_TYPE or "boundary=" not in request.headers.get("content-type", ""):
        raise UnsupportedMediaTypeError("send a form")
    body = await read_bytes(request, FORM_BYTES)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _Parser(
        request.headers, stream(), max_files=max_files, max_fields=MAX_FIELDS, max_part_size=max_field_bytes
    )
    try:
        return await _taken_apart(await parser.parse())
    except MultiPartException as error:
        raise _invalid("form", f"the form cannot be read: {error.message}") from error
    except (KeyError, ValueError) as error:
        raise _invalid("form", "the form cannot be read") from error
    finally:
        parser.close_files()


async def _taken_apart(form: FormData) -> tuple[dict[str, str], list[Upload]]:
    names = [name for name, value in form.multi_items() if isinstance(value, str)]
    if len(set(names)) != len(names):
        raise _invalid("form", "a field stands in the form twice")
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    return fields, [Upload(await file.read(), file.filename, file.content_type) for file in files]


def _invalid(code: str, detail: str) -> ValidationError:
    return ValidationError(detail, faults=[Fault(code, detail, "")])
