"""Text in whatever encoding, decoded strictly; a wrong byte is known by its line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import RawIOBase
from typing import IO, Any

from trainer_cli.data.faults import printable
from trainer_cli.errors import ArgumentError, DataError, Problem

UTF_8 = "utf-8"
CHUNK = 1 << 16


def checked_encoding(name: object) -> str:
    """The name of a text encoding in Python's spelling; ArgumentError: there is none of this name."""
    try:
        "\n".encode(name)  # type: ignore[arg-type]
        return codecs.lookup(str(name)).name
    except (LookupError, UnicodeError, TypeError, ValueError):
        usual = '"utf-8", "latin-1", "cp1252" and "utf-16" are usual ones'
        message = f"no text encoding is called {printable(repr(name))}; {usual}"
        raise ArgumentError(problems=[Problem(message, where="text_encoding")]) from None


def is_wide(encoding: str) -> bool:
    """Whether lines cannot be told apart before they are decoded, as in UTF-16."""
    return "\n".encode(encoding) != b"\n"


def wrong_byte(err: UnicodeDecodeError, encoding: str, position: int | None = None) -> str:
    """What is wrong with a text that has another encoding; `position` is that of the byte in its line, from 1."""
    kind = f"{encoding.upper()} text" if encoding.startswith("utf") else f"text in {encoding}"
    place = f" at position {position} of the line" if position else ""
    remedy = "save it as UTF-8, or set its text_encoding" if encoding == UTF_8 else "set another text_encoding"
    return f"the file must be {kind}, got byte 0x{err.object[err.start]:02x}{place}; {remedy}"


def texts(file: IO[bytes], encoding: str, path: str) -> Iterator[str]:
    """A file's text in pieces, without a byte order mark; DataError: a byte that is none of the encoding's."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, is_first, data = 1, True, b"-"
    while data:
        data = file.read(CHUNK)
        state = decoder.getstate()
        try:
            text = decoder.decode(data, not data)
        except UnicodeDecodeError as err:
            decoder.setstate(state)
            decoder.errors = "replace"
            line += decoder.decode(data, not data).partition("\ufffd")[0].count("\n")
            raise DataError(problems=[Problem(wrong_byte(err, encoding), path, line)]) from err
        if text:
            yield text.removeprefix("\ufeff") if is_first else text
            line, is_first = line + text.count("\n"), False


class Transcoded(RawIOBase):
    """A file of text in another encoding as UTF-8."""

    def __init__(self, file: IO[bytes], encoding: str, path: str):
        self.texts = texts(file, encoding, path)
        self.data = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.data = self.data or next(self.texts, "").encode(UTF_8, "surrogatepass")
        given, self.data = self.data[: len(buffer)], self.data[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)
