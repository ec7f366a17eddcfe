"""Words with their neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer_cli.arrays import Ragged
from trainer_cli.layers.inputs import sizes
from trainer_cli.layers.rowwise import gradient_of
from trainer_cli.layers.sequences import as_ragged, init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("expand_window.v1")
def expand_window(window_size: int = 1) -> Model:
    """Each row of a sequence beside its `window_size` neighbours on both sides: `Y[t] = [X[t - 1], X[t], X[t + 1]]`.

    X is Ragged (sum, n), Y is Ragged (sum, (2 * window_size + 1) * n); beyond the ends of a sequence there are zeros.
    With a layer of rows after it this is a convolution. Collobert et al., "Natural Language Processing (Almost) from
    Scratch" (JMLR 2011).
    """
    sizes("expand_window.v1", window_size=window_size)
    attrs = {"layer": "expand_window.v1", "window_size": window_size}
    return Model("expand_window", forward, init=init, attrs=attrs)


def forward(model: Model, inputs: Any, is_train: bool) -> tuple[Ragged, Backprop]:
    X, size = as_ragged(model, inputs), model.attrs["window_size"]

    def backprop(dY: Any) -> Ragged:
        dZ = np.ascontiguousarray(gradient_of(model, dY, X), X.data.dtype)
        return X.like(model.ops.backprop_seq2col(dZ, X.lengths, size))

    return X.like(model.ops.seq2col(X.data, X.lengths, size)), backprop
