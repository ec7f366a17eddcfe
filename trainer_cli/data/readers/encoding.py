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
    return f"the file must be {kind}, got byte 0x{err.object[err.start]:02x}{place}; {remedy(err, encoding)}"


def remedy(err: UnicodeDecodeError, encoding: str) -> str:
    """What to do about a text that has another encoding: the same for all such lines of most files."""
    if encoding != UTF_8:
        return "set another text_encoding"
    return f'save it as UTF-8, or set text_encoding = "{guessed(err.object)}" if it is that'


def guessed(data: bytes) -> str:
    """The encoding that some bytes, which are no UTF-8, are likely to have.

    >>> guessed(b"a\\0\\xe4\\0"), guessed(b"\\xe4"), guessed(b"\\x81")
    ('utf-16-le', 'cp1252', 'latin-1')
    """
    if wide := wide_in(data):
        return wide
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"  # which has a letter for every byte
    return "cp1252"


def wide_in(data: bytes) -> str:
    """The kind of UTF-16 without a byte order mark that some bytes are: most letters have a zero; or an empty text.

    >>> wide_in("a,b".encode("utf-16-be")), wide_in(b"a,b")
    ('utf-16-be', '')
    """
    n, halves = len(data) // 2, {"utf-16-be": data[::2].count(0), "utf-16-le": data[1::2].count(0)}
    return next((name for name, zeros in halves.items() if n and 2 * zeros > n), "")


def doubt(data: bytes, encoding: str) -> str:
    """Why a text that begins with some bytes is probably garbled in an encoding, and what to do; or an empty text.

    >>> doubt("für".encode(), "cp1252").partition(":")[0], doubt(b"f\\xfcr", "cp1252"), doubt(b"for", "cp1252")
    ('it is read as cp1252 and looks like UTF-8', '', '')
    """
    if encoding.startswith("utf") or data.isascii() or is_wide(encoding):
        return ""
    try:
        codecs.getincrementaldecoder(UTF_8)().decode(data)  # the last letter may be cut
    except UnicodeDecodeError:
        return ""
    return f'it is read as {encoding} and looks like UTF-8: if letters come out garbled, set text_encoding = "{UTF_8}"'


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
