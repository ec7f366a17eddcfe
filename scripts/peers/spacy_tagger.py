"""spaCy's tagger on a CPU: what `spacy init config --pipeline tagger --optimize efficiency` writes, trained.

TRAIN, DEV and TEST have a word, a tab and its tag in each line, and an empty line after each sentence.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import spacy
from answer import Question, answer
from spacy.cli.init_config import init_config
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

SEEN: list[dict[str, Any]] = []


def seen() -> Callable[..., Any]:
    """Keep what every evaluation tells of words and seconds."""

    def setup(nlp: Any, stdout: Any, stderr: Any) -> tuple[Callable[[dict[str, Any] | None], None], Callable[[], None]]:
        def log(info: dict[str, Any] | None) -> None:
            if info is not None:
                SEEN.append({name: info[name] for name in ("words", "seconds", "score", "step", "other_scores")})

        return log, lambda: None

    return setup


spacy.registry.loggers("seen.v1", func=seen)


def sentences(path: Path, vocab: Any) -> Iterator[Any]:
    """A document for each sentence, split into words as in the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for full, group in itertools.groupby(lines, key=bool):
        if full:
            words, tags = zip(*(line.split("\t") for line in group), strict=True)
            yield Doc(vocab, words=words, tags=tags)


def measure(question: Question) -> dict[str, Any]:
    """Accuracy on the test words, words a second in training (evaluations not counted) and in tagging.

    `--keep FOLDER` keeps the model; `--tag FOLDER` trains nothing and tags with such a one.
    """
    if question.options.tag:
        return tagging(spacy.load(question.options.tag), question.test)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, path in (("train", question.train), ("dev", question.dev)):
            DocBin(attrs=["TAG"], docs=sentences(path, Vocab())).to_disk(folder / f"{name}.spacy")
        init_config(lang="en", pipeline=["tagger"], optimize="efficiency").to_disk(folder / "config.cfg")
        settings = {
            "paths.train": str(folder / "train.spacy"),
            "paths.dev": str(folder / "dev.spacy"),
            "system.seed": question.seed,
            "training.max_steps": int(question.options.steps),
            "training.eval_frequency": int(question.options.frequency),
            "training.logger": {"@loggers": "seen.v1"},
        }
        train(folder / "config.cfg", folder / "out", overrides=settings)
        nlp = spacy.load(folder / "out" / "model-best")
        if question.options.keep:
            nlp.to_disk(question.options.keep)
    return {**tagging(nlp, question.test), **training(question.dev), "chosen": f"{SEEN[-1]['step']} updates"}


def training(dev: Path) -> dict[str, float]:
    """Words a second in updates: the seconds since the start less those of the evaluations."""
    n_words = sum(1 for line in dev.read_text(encoding="utf-8").splitlines() if line)
    evaluations = sum(n_words / entry["other_scores"]["speed"] for entry in SEEN)
    return {"train_words_per_second": round(SEEN[-1]["words"] / (SEEN[-1]["seconds"] - evaluations))}


def tagging(nlp: Any, test: Path) -> dict[str, float]:
    """Accuracy and words a second on words that are there already, the best of three passes."""
    gold = list(sentences(test, nlp.vocab))
    seconds = []
    for _ in range(3):
        bare = [Doc(nlp.vocab, words=[word.text for word in doc]) for doc in gold]
        start = time.monotonic()
        tagged = list(nlp.pipe(bare))
        seconds.append(time.monotonic() - start)
    right = [a.tag_ == b.tag_ for doc, other in zip(gold, tagged, strict=True) for a, b in zip(doc, other, strict=True)]
    return {"accuracy": sum(right) / len(right), "words_per_second": round(len(right) / min(seconds))}


if __name__ == "__main__":
    answer(measure, ["spacy", "thinc", "numpy"], steps=20_000, frequency=1000, keep="", tag="")
