"""Review snippets with human ratings: read from the source package `vaderSentiment`, labelled, split by their id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from packages import GetDataError, check, members

PACKAGE, VERSION = "vaderSentiment", "3.3.2"
INNER = "hutto_ICWSM_2014.tar.gz"
FILES = {
    "amazon": (
        "amazonReviewSnippets_GroundTruth.txt",
        "11a9807a0974a2506a2d3b4851eaf69b3d6d20688ce4923adda2312a4f6dd6c2",
    ),
    "movie": (
        "movieReviewSnippets_GroundTruth.txt",
        "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
    ),
}
CLEAR = 0.5
PARTS = {"test": 0.1, "dev": 0.1}


@dataclass(frozen=True)
class Snippet:
    """One or two sentences of a review: `rating` is the mean of 15 to 20 people, from -4 (bad) to 4 (good)."""

    id: str
    text: str
    rating: float

    @property
    def label(self) -> str:
        """The sign of a clear rating; within half a point of 0 it is neutral."""
        if abs(self.rating) < CLEAR:
            return "neutral"
        return "positive" if self.rating > 0 else "negative"


def read(archive: Path, files: dict[str, tuple[str, str]] = FILES) -> list[Snippet]:
    """The snippets of the package's source archive, each text once (the first of its kind).

    The package has them by source and nearly by rating; here a hash of the id puts them in an order that means nothing.
    """
    outer = members(archive.read_bytes(), str(archive))
    inner = next((content for name, content in outer if name.endswith(f"/{INNER}")), None)
    if inner is None:
        raise GetDataError(f"{archive} has no {INNER}")
    contents = {name.rpartition("/")[2]: content for name, content in members(inner, f"{archive}/{INNER}")}
    found: dict[str, Snippet] = {}
    for source, (name, sha256) in files.items():
        if name not in contents:
            raise GetDataError(f"{archive} has no {name}")
        for snippet in parsed(source, check(contents[name], sha256, f"{name} of {archive.name}")):
            found.setdefault(snippet.text, snippet)
    return sorted(found.values(), key=lambda snippet: position(snippet.id, "order "))


def parsed(source: str, content: bytes) -> Iterable[Snippet]:
    """Lines of id, mean rating and text, with tabs between; ratings to 4 decimals, blanks around a text dropped."""
    for line in content.decode("utf-8-sig").split("\n"):
        if line.strip():
            number, rating, text = line.rstrip("\r").split("\t")
            yield Snippet(f"{source}-{number}", text.strip(), round(float(rating), 4))


def position(name: str, salt: str = "") -> float:
    """A number from 0 up to 1 that depends on the name and the salt alone: the first 53 bits of its sha256."""
    return (int.from_bytes(hashlib.sha256(f"{salt}{name}".encode()).digest()[:8]) >> 11) / 2**53


def split(snippets: Sequence[Snippet], shares: dict[str, float] = PARTS, salt: str = "") -> dict[str, list[Snippet]]:
    """Snippets by part: the first shares of all positions are the parts named, and the rest is `train`."""
    parts: dict[str, list[Snippet]] = {"train": [], **{name: [] for name in shares}}
    for snippet in snippets:
        at, chosen = position(snippet.id, salt), "train"
        for name, share in shares.items():
            if 0 <= at < share:
                chosen = name
            at -= share
        parts[chosen].append(snippet)
    return parts


def clear(snippets: Iterable[Snippet]) -> list[Snippet]:
    """Those that are positive or negative."""
    return [snippet for snippet in snippets if snippet.label != "neutral"]


def write(path: Path, snippets: Iterable[Snippet]) -> None:
    """One JSON object a line: id, text, rating and label; the file appears when it is whole."""
    rows = [{**asdict(snippet), "label": snippet.label} for snippet in snippets]
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    part.replace(path)
