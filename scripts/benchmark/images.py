"""The images that scripts measure on."""

from __future__ import annotations

import numpy as np

from benchmark.running import ROOT
from trainer_cli.arrays import Array
from trainer_cli.data.readers.idx import IdxReader

FOLDER = ROOT / "configs" / "data" / "fashion-mnist"


def fashion_mnist() -> tuple[Array, Array]:
    """The training images of Fashion-MNIST, pixels from 0 to 1, as (60000, 784), and their labels."""
    reader = IdxReader(FOLDER / "train-images-idx3-ubyte.gz", FOLDER / "train-labels-idx1-ubyte.gz")
    blocks = [block.columns for block in reader.blocks()]
    X = np.concatenate([block["image"] for block in blocks]).astype(np.float32) / 255
    Y = np.concatenate([block["label"] for block in blocks]).astype(np.int64)
    return X.reshape(len(X), -1), Y
