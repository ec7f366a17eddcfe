"""How fast a trained tagger tags: `python scripts/benchmark/tagging.py MODEL DATA`.

The sentences are in memory before the clock starts and their tags are there when it stops: reading is not counted and
encoding is. As with the peer, the model has met the words before (the first pass counts like the others), and the best
of three passes is told, the one that other programs disturbed least.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_cli import lookup, scoring
from trainer_cli.data import reader
from trainer_cli.data.block import Block
from trainer_cli.predictions import predictions
from trainer_cli.threads import computing

N_PASSES = 3


@dataclass(frozen=True)
class InMemory:
    """A reader of blocks that are there."""

    kept: tuple[Block, ...]

    def columns(self) -> tuple[str, ...]:
        return tuple(self.kept[0].columns)

    def blocks(self) -> Iterator[Block]:
        yield from self.kept


def tagging(model: Path, data: Path) -> dict[str, float]:
    """Accuracy on the words of `data` and words a second."""
    trained, conditions = scoring.load(lookup.find(model))
    gold, words = trained.target[1].reads[0], trained.features[1].reads
    whole = InMemory(tuple(reader.rebuild(*trained.reader, data, (*words, gold), {}).blocks()))
    bare = InMemory(tuple(Block({name: block.columns[name] for name in words}) for block in whole.kept))
    seconds, tags = [], []
    with computing(conditions.threads, trained.model):
        for _ in range(N_PASSES):
            start = time.monotonic()
            tags = [
                row for part in predictions(trained, bare, batch_size=conditions.eval_batch_size) for row in part.values
            ]
            seconds.append(time.monotonic() - start)
    right = [
        a == b for row, other in zip(truths(whole, gold), tags, strict=True) for a, b in zip(row, other, strict=True)
    ]
    return {"accuracy": sum(right) / len(right), "words_per_second": round(len(right) / min(seconds))}


def truths(whole: InMemory, gold: str) -> Iterator[Any]:
    for block in whole.kept:
        yield from block.columns[gold]


if __name__ == "__main__":
    print(json.dumps(tagging(Path(sys.argv[1]), Path(sys.argv[2]))))
