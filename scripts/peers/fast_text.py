"""fastText with pairs of words, 10 epochs, on lower-cased texts with punctuation set apart, as its tutorial does.

The rate is chosen on the dev rows.
"""

from __future__ import annotations

import re
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import fasttext
import texts
from answer import Question, answer, best

RATES = (0.1, 0.25, 0.5, 1.0)


def plain(text: str) -> str:
    return re.sub(r"([.!?,'/()])", r" \1 ", text.lower()).replace("\n", " ")


def accuracy(model: Any, path: Path) -> float:
    lines, labels = texts.read(path, "label")
    found, _ = model.predict([plain(line) for line in lines])
    right: list[bool] = [guess[0] == f"__label__{label}" for guess, label in zip(found, labels, strict=True)]
    return sum(right) / len(right)


def measure(question: Question) -> dict[str, Any]:
    """Accuracy of the best of four."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "train.txt"
        rows = zip(*texts.read(question.train, "label"), strict=True)
        path.write_text("".join(f"__label__{label} {plain(line)}\n" for line, label in rows), encoding="utf-8")

        def fit(rate: float) -> Any:
            return fasttext.train_supervised(
                str(path), lr=rate, epoch=10, wordNgrams=2, bucket=200_000, thread=1, seed=question.seed, verbose=0
            )

        chosen, model = best(
            ((f"lr {rate:g}", partial(fit, rate)) for rate in RATES), lambda model: accuracy(model, question.dev)
        )
    return {"accuracy": accuracy(model, question.test), "chosen": chosen}


if __name__ == "__main__":
    answer(measure, ["fasttext-wheel", "numpy"])
