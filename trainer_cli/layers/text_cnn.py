"""A model of texts as sequences of words."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trainer_cli.errors import ArgumentError
from trainer_cli.layers.chain import chain
from trainer_cli.layers.concatenate import concatenate
from trainer_cli.layers.conv1d import Conv1D
from trainer_cli.layers.dropout import Dropout, checked
from trainer_cli.layers.embed import Embed
from trainer_cli.layers.inputs import sizes
from trainer_cli.layers.linear import Linear
from trainer_cli.layers.reduce_max import reduce_max
from trainer_cli.layers.softmax import Softmax
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("text_cnn.v1")
def text_cnn(
    output: Literal["softmax", "linear"] = "softmax",
    width: int = 64,
    filters: int = 64,
    windows: list[int] | None = None,
    dropout: float | Schedule = 0.5,
    nO: int | None = None,
    vectors: Path | None = None,
) -> Model:
    """A text by the phrases in it: X is Ragged ids, as `text.v1` gives without weights, Y is (B, nO).

    Each word has a vector of `width`; a `Conv1D.v1` for each of `windows` (3, 4 and 5 words if left out) has `filters`
    outputs at each place, of which the largest in the text counts; `dropout` drops these in training, and a softmax or
    with `output = "linear"` an affine layer follows. `vectors` names a file that the words start from, see `Embed.v1`.
    Kim, "Convolutional Neural Networks for Sentence Classification"
    (EMNLP 2014), arXiv:1408.5882.
    """
    sizes("text_cnn.v1", width=width, filters=filters, nO=nO)
    windows = [3, 4, 5] if windows is None else windows
    if not isinstance(windows, list) or not windows or len(set(windows)) < len(windows):
        raise ArgumentError(f"text_cnn.v1: windows must be different numbers of words, got {windows!r}")
    if output not in ("softmax", "linear"):
        raise ArgumentError(f'text_cnn.v1: output must be "softmax" or "linear", got {output!r}')
    phrases = [
        chain(
            Conv1D(filters, kernel_size=sizes("text_cnn.v1", windows=n)["windows"] or 1, activation="relu").named(
                "conv"
            ),
            reduce_max(),
        ).named(f"window{n}")
        for n in windows
    ]
    last = Softmax(nO) if output == "softmax" else Linear(nO)
    rate = checked(dropout)
    model = chain(
        Embed(width, vectors=vectors).named("words"),
        concatenate(*phrases).named("phrases"),
        Dropout(0.0 if rate is None else rate).named("dropout"),
        last.named("output"),
    )
    model.attrs["layer"] = "text_cnn.v1"
    return model
