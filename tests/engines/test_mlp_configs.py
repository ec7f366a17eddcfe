"""The shipped configs of networks of JAX and thinc, on a few made-up images."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from trainer_cli.cli import app

ROOT = Path(__file__).parents[2]
FILES = {name: (ROOT / f"configs/{name}-mlp.cfg", ROOT / f"configs/code/{name}_mlp.py") for name in ("jax", "thinc")}
each = pytest.mark.parametrize("library", FILES)


def write(path, array):
    header = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0))


def call(*words):
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result.output


@each
def test_the_shipped_network_learns_blocks(library, tmp_path):
    pytest.importorskip(library)
    places = []
    for section, n in (("train", 300), ("dev", 100)):
        labels = np.arange(n) % 10
        images = np.random.default_rng(n).integers(0, 60, (n, 28, 28))
        images[np.arange(n), 2 * labels, :] += 150  # a bright line
        for kind, array in (("images", images), ("labels", labels)):
            write(tmp_path / f"{section}-{kind}.gz", array)
            places.append(f"--data.{section}.{kind}={tmp_path}/{section}-{kind}.gz")
    config, code = FILES[library]
    short = ("--training.max_steps=80", "--training.eval_frequency=40", "--training.batch_size=32")
    call("train", config, "-o", tmp_path / "run", "--code", code, "-q", *places, *short, "--system.threads=1")
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["accuracy"] > 0.5
    found = json.loads(call("evaluate", tmp_path / "run", "--code", code, "--json"))
    assert found["accuracy"] == max(row["accuracy"] for row in rows)
    assert json.loads((tmp_path / "run/run.json").read_text())["versions"][library]


@each
def test_it_is_short(library):
    assert all(len(path.read_text().splitlines()) < 40 for path in FILES[library])
