"""Takes in a request's body: plain bytes into a file, forms apart into parameters and uploaded tables.

Rules kept: the whole body is here before the engine hears of the request, so a client that breaks off inserts nothing;
what is compressed is decompressed on the way, a piece at a time.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import IO

from aiohttp import BodyPartReader, web

from deploy.local.gateway import encodings
from deploy.local.gateway.errors import ClickHouseError


@dataclass
class Form:
    """The fields and files of a multipart/form-data body; empty for any other."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


async def receive(request: web.Request, body: IO[bytes]) -> Form:
    """Write the plain body into `body` and rewind it; a form is returned instead.

    Errors: ClickHouseError for an encoding that is unknown or damaged.
    """
    if request.content_type == "multipart/form-data":
        return await _form(request)
    async for piece in _plain(request):
        body.write(piece)
    body.seek(0)
    return Form()


async def _plain(request: web.Request) -> AsyncIterator[bytes]:
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    names = [encoding] if encoding not in ("", "identity") else []
    if request.query.get("decompress") == "1":
        names.append(encodings.BLOCKS)
    decoders = [(name, encodings.decoder(name)) for name in names]
    received = 0
    async for piece in request.content.iter_any():
        received += len(piece)
        plain = piece
        for name, decoder in decoders:
            plain = _decompress(name, decoder, plain)
        yield plain
    for name, decoder in decoders:
        if received and not decoder.eof:
            raise encodings.damaged(name)


def _decompress(name: str, decoder: encodings.Decoder, data: bytes) -> bytes:
    try:
        return decoder.decompress(data)
    except ClickHouseError:
        raise
    except Exception as error:  # each codec has its own kind of exception
        raise encodings.damaged(name) from error


async def _form(request: web.Request) -> Form:
    form = Form()
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or not part.name:
            raise ClickHouseError(36, "BAD_ARGUMENTS", "Every part of a form needs a name")
        data = bytes(await part.read(decode=True))
        if part.filename:
            form.files[part.name] = data
        else:
            form.fields[part.name] = data.decode()
    return form
