"""The shipped config of a PyTorch module, on a few made-up images; and its parameters as a file for PyTorch itself."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from engine_runs import CODE, call
from safetensors.torch import load_file
from test_pytorch_runs import train


@pytest.fixture
def folder(torch_folder):
    return torch_folder


ROOT = Path(__file__).parents[2]
CONFIG, SHIPPED = ROOT / "configs" / "torch-cnn.cfg", ROOT / "configs" / "code" / "torch_cnn.py"


def stripes(n, seed):
    """Images of stripes, of each class another number of them, that begin anywhere, in noise."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    begin, columns = random.uniform(0, 2 * np.pi, (n, 1, 1)), np.arange(28)[:, None]
    wave = np.sin(begin + 2 * np.pi * (labels[:, None, None] + 1) * columns / 28)
    return (wave * 90 + 128 + random.normal(0, 10, (n, 28, 28))).astype(np.uint8), labels


def write(path, array):
    header = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0))


def test_the_shipped_network_learns_stripes(tmp_path):
    places = []
    for section, n in (("train", 300), ("dev", 100)):
        for kind, array in zip(("images", "labels"), stripes(n, n), strict=True):
            write(tmp_path / f"{section}-{kind}.gz", array)
            places.append(f"--data.{section}.{kind}={tmp_path}/{section}-{kind}.gz")
    small = ("--model.module.width=4", "--model.module.hidden=16", "--training.batch_size=32", "--system.threads=1")
    short = ("--training.max_steps=60", "--training.eval_frequency=30", "--optimizer.learn_rate.warmup_steps=5")
    run, code = tmp_path / "run", ("--code", SHIPPED)
    call("train", CONFIG, "-o", run, *code, "-q", *places, *small, *short, "--optimizer.learn_rate.initial_rate=0.01")
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["accuracy"] > 0.5
    assert json.loads(call("evaluate", run, *code, "--json"))["accuracy"] == max(row["accuracy"] for row in rows)


@pytest.mark.parametrize("path", [CONFIG, SHIPPED], ids=["config", "code"])
def test_it_is_short(path):
    assert len(path.read_text().splitlines()) < 40


def test_what_is_exported_is_a_state_dict_of_the_module(folder):
    train("run")
    call("export", "run", "--format", "safetensors", "-o", "params.safetensors", *CODE)
    from trainer_cli.registry import registry

    module = registry.layers.get("net.v1")()
    module.load_state_dict(load_file("params.safetensors"))
    module.eval()
    X = torch.tensor(np.loadtxt("dev.csv", delimiter=",", skiprows=1, usecols=(0, 1)), dtype=torch.float32)
    X = (X - X.mean()) / X.std()
    assert torch.isfinite(module(X)).all()
    assert module.norm.num_batches_tracked > 0
