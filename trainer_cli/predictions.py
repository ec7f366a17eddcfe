"""What a trained model says of raw records, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged, n_rows, slice_rows
from trainer_cli.data.block import Block
from trainer_cli.data.dataset import no_rows
from trainer_cli.data.faults import Faults
from trainer_cli.data.gather import Gather
from trainer_cli.data.reader import Reader
from trainer_cli.errors import ArgumentError
from trainer_cli.evaluate import probabilities
from trainer_cli.trained import Trained


@dataclass(frozen=True)
class Predicted:
    """Rows as they were read, and for each what is predicted: a label, a list of them where a row may have several, a
    number in the column's own unit, or a tag for each word.

    `scores` are the probabilities of the labels (of a list of them a list), None for numbers and tags; `ranked` has for
    each row the most probable labels with theirs, if more than the first were asked for. `separator` stands between the
    labels of a list where they are one text. `are_tags`: each word of a row has a value.
    """

    block: Block
    values: list[Any]
    scores: list[Any] | None
    ranked: list[list[tuple[str, float]]] | None
    separator: str = ";"
    are_tags: bool = False


def predictions(trained: Trained, reader: Reader, *, batch_size: int, top: int = 1) -> Iterator[Predicted]:
    """The predictions for the rows of a reader, in order; memory does not grow with the data.

    The target need not be there. A DataError at the end names the rows that could not be read; from the first block
    with such a row on, no predictions come.
    """
    features, faults, n = trained.features[1], Faults(), 0
    for block in faults.watch(reader.blocks()):
        X = faults.attempt(features.encode, block)
        if X is not None and not faults:
            parts = [slice_rows(X, start, start + batch_size) for start in range(0, n_rows(X), batch_size)]
            outputs = Gather(n_rows(X))
            for part in parts:
                outputs.add(trained.model.predict(part))
            n += len(block)
            yield predicted(trained, block, probabilities(outputs.result(), trained.loss.link), top)
    faults.check()
    if n == 0:
        raise no_rows()


def predicted(trained: Trained, block: Block, outputs: Array | Ragged, top: int) -> Predicted:
    """The predictions for one block, from the model's probabilities or numbers (B, n), or ragged ones a token."""
    target = trained.target[1]
    names = getattr(target, "names", ())
    values = target.decode(outputs)
    if isinstance(outputs, Ragged):
        if top > 1:
            raise ArgumentError("--top ranks the labels of a record; this model gives each word a tag")
        return Predicted(block, values, None, None, " ", are_tags=True)
    if not names or outputs.shape[1] != len(names):
        return Predicted(block, values, None, None)
    is_list = getattr(target, "truths", "") == "flags"
    scores = of_lists(names, values, outputs) if is_list else of_labels(names, values, outputs)
    separator = getattr(target, "separator", ";")
    if top == 1:
        return Predicted(block, values, scores, None, separator)
    # Stable, so that of equally probable ones the first comes first, as in `decode`.
    order = np.argsort(-outputs, axis=1, kind="stable")[:, :top]
    ranked = [[(names[i], float(row[i])) for i in best] for row, best in zip(outputs, order.tolist(), strict=True)]
    return Predicted(block, values, scores, ranked, separator)


def of_labels(names: Sequence[str], values: Sequence[str], outputs: Array) -> list[float]:
    """The probability (B, n) of the label that each row is given."""
    places = {name: i for i, name in enumerate(names)}
    given = np.fromiter(map(places.__getitem__, values), np.int64, len(values))
    found: list[float] = outputs[np.arange(len(outputs)), given].astype(float).tolist()
    return found


def of_lists(names: Sequence[str], values: Sequence[Sequence[str]], outputs: Array) -> list[list[float]]:
    """The probabilities (B, n) of the labels that each row is given."""
    places = {name: i for i, name in enumerate(names)}
    return [[float(row[places[name]]) for name in given] for row, given in zip(outputs, values, strict=True)]
