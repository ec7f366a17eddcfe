"""Fashion-MNIST in PyTorch: the same networks, rates and numbers of updates as configs/fashion-mnist{,-cnn}.cfg.

The first numbers are PyTorch's, which the convolutional network of the config has too (`fan_in_uniform_init.v1`).
TRAIN, DEV and TEST are files of images, `*-images-idx3-ubyte.gz`, with the labels beside them.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from answer import Question, answer
from torch import nn


def mlp() -> Any:
    """784 inputs, 256 and 128 hidden units with dropout, 10 classes."""
    hidden = [nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10))


def cnn() -> Any:
    """Two convolutions of 3x3 with 32 and 64 filters, each halved by its maxima; 256 hidden units; 10 classes."""
    first = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    hidden = [nn.Flatten(), nn.Linear(64 * 7 * 7, 256), nn.ReLU(), nn.Dropout(0.4)]
    return nn.Sequential(*first, *second, *hidden, nn.Linear(256, 10))


@dataclass(frozen=True)
class Recipe:
    """A network and its training: the rate rises over `warmup` updates and falls to 0 at `steps`."""

    network: Callable[[], Any]
    steps: int
    standardised: bool = False
    flipped: bool = False
    rate: float = 0.002
    warmup: int = 200
    batch_size: int = 128


RECIPES = {"mlp": Recipe(mlp, 7000), "cnn": Recipe(cnn, 7000, standardised=True, flipped=True)}


def images(path: Path) -> tuple[Any, Any]:
    """Pixels from 0 to 1, (B, 1, 28, 28), and labels (B,)."""
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(path.with_name(path.name.replace("images-idx3", "labels-idx1"))) as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return torch.from_numpy(pixels.astype(np.float32) / 255), torch.from_numpy(labels.astype(np.int64))


def accuracy(model: Any, X: Any, Y: Any) -> float:
    model.eval()
    with torch.inference_mode():
        guesses = torch.cat([model(part).argmax(1) for part in X.split(1000)])
    return float((guesses == Y).float().mean())


def measure(question: Question) -> dict[str, Any]:
    """Accuracy on the test images after the last update."""
    torch.manual_seed(question.seed)
    recipe = RECIPES[question.options.network]
    (X, Y), (test_X, test_Y) = images(question.train), images(question.test)
    if recipe.standardised:
        mean, deviation = X.mean(), X.std()
        X, test_X = (X - mean) / deviation, (test_X - mean) / deviation
    model = recipe.network()
    learn(model, recipe, X, Y)
    return {"accuracy": accuracy(model, test_X, test_Y)}


def learn(model: Any, recipe: Recipe, X: Any, Y: Any) -> None:
    """Make the recipe's number of updates, in a new order of the rows each time round."""
    optimizer = torch.optim.Adam(model.parameters(), recipe.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / recipe.warmup, (recipe.steps - step) / (recipe.steps - recipe.warmup))
    )
    model.train()
    step = 0
    while step < recipe.steps:
        for rows in torch.randperm(len(X)).split(recipe.batch_size)[: recipe.steps - step]:
            batch = flipped(X[rows]) if recipe.flipped else X[rows]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(batch), Y[rows]).backward()
            optimizer.step()
            schedule.step()
            step += 1


def flipped(X: Any) -> Any:
    """Half of the images, drawn at random, turned left to right."""
    return torch.where(torch.rand(len(X), 1, 1, 1) < 0.5, X.flip(3), X)


if __name__ == "__main__":
    answer(measure, ["torch", "numpy"], network="mlp")
