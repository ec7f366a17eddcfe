"""Write configs/data/reviews-{train,dev,test}.jsonl: a sample of the review snippets of `get_data.py reviews`.

Run once: `python scripts/make_reviews.py [DIR] [--from FOLDER]`; FOLDER has the source archive of vaderSentiment.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import snippets
from packages import archive_in, python_source

SHARE = 0.13
PARTS = {"test": 0.15, "dev": 0.15}


def sample(found: list[snippets.Snippet]) -> list[snippets.Snippet]:
    """About every eighth of those that are positive or negative, drawn by a hash of the id."""
    return [snippet for snippet in snippets.clear(found) if snippets.position(snippet.id, "sample ") < SHARE]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the review snippets that ship.")
    parser.add_argument("directory", nargs="?", type=Path, default=Path("configs/data"))
    parser.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="where the archive is already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.source is None:
            archive = python_source(snippets.PACKAGE, snippets.VERSION, Path(scratch))
        else:
            archive = archive_in(arguments.source, snippets.PACKAGE, "tar.gz")
        found = snippets.read(archive)
    for name, rows in snippets.split(sample(found), PARTS).items():
        path = arguments.directory / f"reviews-{name}.jsonl"
        snippets.write(path, rows)
        print(f"{path}: {len(rows)} rows", file=sys.stderr)


if __name__ == "__main__":
    main()
