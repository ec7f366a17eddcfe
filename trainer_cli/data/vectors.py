"""Word vectors in files: text, as word2vec, GloVe and fastText write them, or safetensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from trainer_cli import tensors
from trainer_cli.arrays import Array
from trainer_cli.data.faults import FaultsError, refused
from trainer_cli.data.readers.files import opened
from trainer_cli.errors import DataError, Problem

# Of a safetensors file: the words as UTF-8, a line each, and their vectors (n, width).
WORDS, VECTORS = "words", "vectors"
BLOCK_WORDS = 4096

Vectors = tuple[list[str], Array]


def read(path: Path) -> Iterator[Vectors]:
    """Words and their vectors (n, width) float32, some thousands at a time.

    In text each line is a word and its numbers, set apart by spaces; a first line of two numbers (how many words and
    how wide) is no word. Files may be packed as those of readers. DataError: a line or the file is something else.
    """
    if path.suffix == ".safetensors":
        yield from from_tensors(path)
    else:
        with opened(path, "vectors") as file:
            yield from from_lines(path, file)


def from_lines(path: Path, lines: Iterable[bytes]) -> Iterator[Vectors]:
    width, words, rows = 0, list[str](), list[Array]()
    for number, line in enumerate(lines, 1):
        parts = line.decode("utf-8", "replace").rstrip().split(" ")
        if number == 1 and len(parts) == 2 and all(part.isdecimal() for part in parts):
            continue
        width = width or len(parts) - 1
        if len(parts) - 1 < max(width, 1):
            raise wrong(path, number, f"expected a word and {max(width, 1)} numbers, got {len(parts)} values")
        word = " ".join(parts[: len(parts) - width])  # some files have words with spaces
        try:
            row = np.array(parts[-width:], np.float32)
        except ValueError as err:
            raise wrong(path, number, f"expected {width} numbers after the word: {err}") from err
        if not np.isfinite(row).all():
            raise wrong(path, number, f"expected finite numbers, got {row[~np.isfinite(row)][0]}")
        words.append(word)
        rows.append(row)
        if len(words) == BLOCK_WORDS:
            yield words, np.stack(rows)
            words, rows = [], []
    if words:
        yield words, np.stack(rows)
    elif not width:
        raise DataError(problems=[Problem("the file has no vectors", str(path))])


def from_tensors(path: Path) -> Iterator[Vectors]:
    with opened(path, "vectors") as file:
        found = tensors.from_bytes(file.read(), path)
    words, vectors = found.get(WORDS), found.get(VECTORS)
    if words is None or vectors is None or words.dtype != np.uint8 or vectors.dtype.kind != "f" or vectors.ndim != 2:
        rule = f"expected the tensors {WORDS} (uint8, UTF-8 with a line a word) and {VECTORS} (n, width)"
        raise DataError(problems=[Problem(f"{rule}, got {', '.join(found)}", str(path))])
    names = words.tobytes().decode("utf-8", "replace").splitlines()
    if len(names) != len(vectors) or not np.isfinite(vectors).all():
        message = f"expected a finite vector for each word, got {len(names)} words and {vectors.shape}"
        raise DataError(problems=[Problem(message, str(path))])
    yield names, vectors.astype(np.float32)


def wrong(path: Path, line: int, message: str) -> DataError:
    return FaultsError([Problem(message, str(path), line)], 1)


def width_of(path: Path) -> int:
    """How wide the vectors of a file are."""
    for _, vectors in read(path):
        return int(vectors.shape[1])
    raise refused("vectors", f"{path}: has no vectors")
