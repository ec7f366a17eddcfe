"""The shipped config of a convolutional network, on a few made-up images."""

from __future__ import annotations

import gzip
import importlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from commands import call

from trainer_cli.arrays import Array, Ints
from trainer_cli.model import Model

augment = importlib.import_module("trainer_cli.layers.augment")  # the package has the layer under this name
CONFIG = Path(__file__).parents[2] / "configs" / "fashion-mnist-cnn.cfg"
SMALL = ("--model.cnn.width", 4, "--model.cnn.hidden", 16, "--training.batch_size", 32, "--training.eval_frequency", 20)


def stripes(n: int, seed: int) -> tuple[Array, Array]:
    """Images of stripes, of each class another number of them, that begin anywhere, in noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    begin, columns = random.uniform(0, 2 * np.pi, (n, 1, 1)), np.arange(28)[:, None]
    wave = np.sin(begin + 2 * np.pi * (labels[:, None, None] + 1) * columns / 28)
    return (wave * 90 + 128 + random.normal(0, 10, (n, 28, 28))).astype(np.uint8), labels


def write(path: Path, array: Array) -> None:
    header = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0))


@pytest.fixture
def images(folder: Path) -> Path:
    for prefix, n in (("train", 400), ("t10k", 100)):
        pixels, labels = stripes(n, seed=n)
        write(folder / f"{prefix}-images-idx3-ubyte.gz", pixels)
        write(folder / f"{prefix}-labels-idx1-ubyte.gz", labels)
    return folder


def train(images: Path, output: str, *words: object) -> None:
    call("train", CONFIG, "--output", output, "--paths.folder", images, *SMALL, *words)


def test_the_shipped_network_learns_stripes(images: Path) -> None:
    train(images, "run", "--training.max_steps", 200, "--optimizer.learn_rate.warmup_steps", 10)
    rows = [json.loads(line) for line in (images / "run/metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["accuracy"] > 0.9
    found = json.loads(call("evaluate", "run", "--json").stdout)
    assert found["accuracy"] == max(row["accuracy"] for row in rows)


def test_the_shipped_dense_layers_learn_stripes(images: Path) -> None:
    config = CONFIG.with_name("fashion-mnist.cfg")
    short = ("--training.max_steps=100", "--training.patience=0", "--training.eval_frequency=50")
    call("train", config, "--output", "run", "--paths.folder", images, "--model.hidden.nO=64", *short)
    assert json.loads(call("evaluate", "run", "--json").stdout)["accuracy"] > 0.3


def files_of_halves(images: Path) -> list[tuple[bytes, bytes]]:
    """What a checkpoint has after 40 steps at once and after 20 steps, a stop and 20 more."""
    train(images, "whole", "--training.max_steps", 40)
    train(images, "halves", "--training.max_steps", 20)
    train(images, "halves", "--training.max_steps", 40, "--resume")
    names = ("model/params.safetensors", "optimizer.safetensors")
    whole, halves = (images / run / "checkpoints/step-0000000040" for run in ("whole", "halves"))
    return [((whole / name).read_bytes(), (halves / name).read_bytes()) for name in names]


def test_a_network_with_augmentation_and_dropout_resumes_to_the_bit(images: Path) -> None:
    assert all(whole == halves for whole, halves in files_of_halves(images))


def test_flips_drawn_from_a_hidden_position_would_be_found(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, hidden = augment.seen, np.random.default_rng(0)

    def drawn(model: Model, *sizes: int) -> tuple[Ints, Ints]:
        with monkeypatch.context() as patched:
            patched.setattr(Model, "random", lambda *_: hidden)
            return seen(model, *sizes)

    monkeypatch.setattr(augment, "seen", drawn)
    assert all(whole != halves for whole, halves in files_of_halves(images))
