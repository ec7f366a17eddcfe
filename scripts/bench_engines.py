"""How fast this loop trains a module of another library, beside a loop written by hand in that library.

    python scripts/bench_engines.py                   every pair
    python scripts/bench_engines.py torch-mlp --rounds 5 --steps 200

Writes docs/overhead.json, and the table in docs/engines.md between its two marks. Run it with the Python of
.venv-engines, on a machine that does nothing else, after `python scripts/get_data.py fashion-mnist`. Both sides have
the same network, batches of 128 images drawn in a new order each pass, Adam without clipping or averages, and the same
number of threads. They take turns within one process, a new one for each pair: XLA's threads are fixed when it starts.
A round is so many updates of each, after as many to warm up, and its result the ratio of the seconds: ours over theirs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from benchmark.images import fashion_mnist
from benchmark.running import ROOT, machine, seconds

from trainer_cli import loop
from trainer_cli.arrays import Array
from trainer_cli.epochs import Epochs
from trainer_cli.gradient import BatchGradient
from trainer_cli.losses.categorical_crossentropy_v4 import CategoricalCrossentropyV4
from trainer_cli.model import Model
from trainer_cli.ops import get_ops
from trainer_cli.optimizers.adam import Adam
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import as_schedule
from trainer_cli.threads import computing, fix_threads

NUMBERS = ROOT / "docs" / "overhead.json"
PAGE = ROOT / "docs" / "engines.md"
BEGIN, END = "<!-- overhead -->\n", "<!-- /overhead -->\n"
BATCH_SIZE, LEARN_RATE = 128, 0.001


class Data(NamedTuple):
    """Images and labels as `Epochs` takes them."""

    X: Array
    Y: Array
    weights: None = None


# One update an item; nothing runs before it is asked for.
Steps = Iterator[Any]


class Pair(NamedTuple):
    """Ours and the hand-written loop of one network; `limit` is the ratio that ours should not exceed."""

    title: str
    images: bool
    threads: int
    limit: float
    ours: Callable[[Data, int], tuple[Model, Steps]]
    theirs: Callable[[Data, int], Steps]


def our_steps(model: Model, data: Data) -> tuple[Model, Steps]:
    """Our loop around a wrapped module."""
    model.use_ops(get_ops("auto"))
    model.initialize(data.X[:16], np.zeros((1, 10), np.float32), seed=0)
    optimizer = Adam(LEARN_RATE, grad_clip=0.0, use_averages=False)
    epochs = Epochs(data, as_schedule(BATCH_SIZE), seed=0)
    loss = CategoricalCrossentropyV4(from_logits=True)
    loss.use_ops(model.ops)
    return model, loop.train(model, optimizer, epochs, BatchGradient(model, loss, as_schedule(1)))


# PyTorch


def torch_mlp() -> Any:
    from torch import nn

    hidden = [nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10))


def torch_cnn() -> Any:
    from torch import nn

    first = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10))


def our_torch(network: Callable[[], Any]) -> Callable[[Data, int], tuple[Model, Steps]]:
    def ours(data: Data, threads: int) -> tuple[Model, Steps]:
        return our_steps(registry.layers.get("PyTorchWrapper.v1")(network()), data)

    return ours


def plain_torch(network: Callable[[], Any]) -> Callable[[Data, int], Steps]:
    """The loop as PyTorch's own tutorials have it, with the fused Adam."""

    def steps(data: Data, threads: int) -> Steps:
        import torch

        # Not permuted: of one channel that would look like "channels last", and other kernels would run than in ours.
        X = torch.from_numpy(data.X.reshape(len(data.X), 1, 28, 28) if data.X.ndim == 4 else data.X)
        Y = torch.from_numpy(data.Y)
        model = network().train()
        optimizer = torch.optim.Adam(model.parameters(), LEARN_RATE, fused=True)
        torch.set_num_threads(threads)
        while True:
            for rows in torch.randperm(len(X)).split(BATCH_SIZE):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(X[rows]), Y[rows])
                loss.backward()
                optimizer.step()
                yield loss.item()

    return steps


# JAX


def jax_init(rng: Any, X: Any) -> dict[str, Any]:
    import jax

    sizes = (784, 256, 128, 10)
    params: dict[str, Any] = {}
    for number, (n_in, n_out) in enumerate(pairwise(sizes)):
        key = jax.random.fold_in(rng, number)
        params[f"W{number}"] = jax.random.normal(key, (n_in, n_out)) * (2 / n_in) ** 0.5
        params[f"b{number}"] = jax.numpy.zeros(n_out)
    return params


def jax_apply(params: dict[str, Any], X: Any, is_train: bool, rng: Any) -> Any:
    import jax

    hidden = jax.nn.relu(X @ params["W0"] + params["b0"])
    hidden = jax.nn.relu(hidden @ params["W1"] + params["b1"])
    return hidden @ params["W2"] + params["b2"]


def our_jax(data: Data, threads: int) -> tuple[Model, Steps]:
    import jax  # noqa: F401 - as a run's own code does, before its threads are fixed: those of both

    fix_threads(threads, ["jax"])
    return our_steps(registry.layers.get("JAXWrapper.v1")((jax_init, jax_apply)), data)


def plain_jax(data: Data, threads: int) -> Steps:
    """One jitted step with optax; a pass's short last batch is left out, which spares it a second compilation."""
    import jax
    import optax

    params = jax_init(jax.random.key(0), data.X[:1])
    optimizer = optax.adam(LEARN_RATE)
    state = optimizer.init(params)

    def loss_of(params: Any, X: Any, Y: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(jax_apply(params, X, True, None), Y).mean()

    def step(params: Any, state: Any, X: Any, Y: Any) -> Any:
        loss, gradient = jax.value_and_grad(loss_of)(params, X, Y)
        changes, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, changes), state, loss

    compiled = jax.jit(step)
    shuffled = np.random.default_rng(0)
    while True:
        order = shuffled.permutation(len(data.X))
        for start in range(0, len(order) - BATCH_SIZE + 1, BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            params, state, loss = compiled(params, state, data.X[rows], data.Y[rows])
            yield float(loss)


PAIRS = {
    "torch-mlp": Pair("PyTorch, MLP 784-256-128-10", False, 1, 1.03, our_torch(torch_mlp), plain_torch(torch_mlp)),
    "torch-cnn": Pair("PyTorch, CNN of 2 convolutions", True, 2, 1.03, our_torch(torch_cnn), plain_torch(torch_cnn)),
    "jax-mlp": Pair("JAX, MLP 784-256-128-10", False, 1, 1.10, our_jax, plain_jax),
    "jax-mlp-2": Pair("JAX, MLP 784-256-128-10", False, 2, 1.10, our_jax, plain_jax),
}


def measured(name: str, rounds: int, steps: int) -> dict[str, Any]:
    """The ratio of each round, and the median milliseconds of an update of each side."""
    pair = PAIRS[name]
    data = training_images(pair.images)
    model, ours = pair.ours(data, pair.threads)
    theirs = pair.theirs(data, pair.threads)
    with computing(pair.threads, model):
        seconds(ours, steps), seconds(theirs, steps)
        pairs = [(seconds(ours, steps), seconds(theirs, steps)) for _ in range(rounds)]
    return {
        "title": pair.title,
        "threads": pair.threads,
        "limit": pair.limit,
        "steps": steps,
        "ratios": [round(a / b, 4) for a, b in pairs],
        "ours_ms": round(1000 * statistics.median(a for a, _ in pairs) / steps, 3),
        "theirs_ms": round(1000 * statistics.median(b for _, b in pairs) / steps, 3),
    }


def table(found: Mapping[str, Any]) -> str:
    """The ratios as a table in Markdown; where the load at the start was above 1, others had a part of the machine."""
    lines = [
        "| | threads | ours, ms | by hand, ms | ours over by hand: median | least to greatest | at most | load |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    for name in (name for name in PAIRS if name in found):
        one = found[name]
        ratios = one["ratios"]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f} ({len(ratios)} rounds of {one['steps']})"
        median = f"{statistics.median(ratios):.3f}"
        cells = (one["title"], one["threads"], one["ours_ms"], one["theirs_ms"], median, spread, one["limit"])
        lines.append(f"| {' | '.join(map(str, cells))} | {one['machine']['load']} |")
    return "\n".join(lines) + "\n"


def keep(found: Mapping[str, Any]) -> None:
    NUMBERS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def training_images(images: bool) -> Data:
    """The training images as (B, 28, 28, 1) or (B, 784), and their labels."""
    X, Y = fashion_mnist()
    return Data(X.reshape(len(X), 28, 28, 1) if images else X, Y)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time this loop around modules of other libraries.")
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help=f"which of {', '.join(PAIRS)}; all by default")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=150)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.pairs if name not in PAIRS]
    if unknown:
        parser.error(f"no pair is called {unknown[0]}; the pairs are {', '.join(PAIRS)}")
    found = json.loads(NUMBERS.read_text(encoding="utf-8")) if NUMBERS.exists() else {}
    for name in arguments.pairs or PAIRS:
        around = machine()
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            result = process.submit(measured, name, arguments.rounds, arguments.steps).result()
        found[name] = result | {"machine": around}
        ratio = statistics.median(result["ratios"])
        print(f"{name}: {ratio:.3f} times their seconds, rounds {min(result['ratios'])} to {max(result['ratios'])}")
        keep(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
