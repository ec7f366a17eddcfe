"""What docs/engines.md shows runs as it stands there."""

import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from engine_runs import CONFIG, call, write_run

PAGE = (Path(__file__).parents[2] / "docs" / "engines.md").read_text()
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
BLOCKS = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)


def config_of(wrapper, module):
    """The config of other runs with what the page shows in the place of its model."""
    return CONFIG.format(wrapper=wrapper, max_steps=5).replace('"net.v1"', module)


def three_classes(folder):
    rng = np.random.default_rng(0)
    for name in ("train", "dev"):
        rows = [f"{a:.3f},{b:.3f},{'abc'[i % 3]}" for i, (a, b) in enumerate(rng.normal(size=(21, 2)))]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,label", *rows]) + "\n")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in FILES:
        sys.modules.pop(f"trainer_code_{Path(name).stem}", None)


def test_the_module_of_pytorch_is_trained_exported_and_begun_with(here):
    torch = pytest.importorskip("torch")
    write_run(here, FILES["net.py"], config_of("PyTorchWrapper", '"net.v1"\nwidth = 64'))
    three_classes(here)
    assert all(line in (here / "run.cfg").read_text() for line in BLOCKS[0].splitlines())
    code = ("--code", "parts.py")
    call("train", "run.cfg", "-o", "run", "-q", *code)
    call("export", "run", "--output", "net.safetensors", *code)
    from safetensors.torch import load_file

    state = load_file("net.safetensors")
    assert sorted(state) == ["0.bias", "0.weight", "2.bias", "2.weight"]
    net = torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.ReLU(), torch.nn.Linear(64, 3))
    net.load_state_dict(state)
    call("train", "run.cfg", "-o", "next", "-q", *code, "--training.init_from=net.safetensors")
    config = (here / "run.cfg").read_text()
    (here / "run.cfg").write_text(
        config.replace('[optimizer]\n@optimizers = "Adam.v1"\nlearn_rate = 0.02\n', BLOCKS[2])
    )
    call("train", "run.cfg", "-o", "theirs", "-q", *code)


CHAIN = """@layers = "chain.v1"

[model.*.net]
@layers = "PyTorchWrapper.v1"

[model.*.net.module]
@layers = "net.v1"

[model.*.last]
@layers = "Linear.v1"
"""


def test_the_numbers_of_a_module_in_a_chain_are_loaded_into_it(here):
    torch = pytest.importorskip("torch")
    import safetensors.torch

    model = '@layers = "PyTorchWrapper.v1"\n\n[model.module]\n@layers = "net.v1"\n'
    write_run(here, FILES["net.py"], config_of("PyTorchWrapper", '"net.v1"').replace(model, CHAIN))
    three_classes(here)
    call("train", "run.cfg", "-o", "run", "-q", "--code", "parts.py")
    call("export", "run", "--output", "net.safetensors", "--code", "parts.py")
    (lines,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if block.startswith("tensors ="))
    module = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
    known = {"safetensors": safetensors, "module": module}
    exec(lines, known)
    assert "last.W" in known["tensors"]
    assert (module[0].weight == known["tensors"]["net.module.0.weight"]).all()


def test_the_setting_of_weights_is_one_of_thinc():
    pytest.importorskip("thinc")
    from trainer_cli.wrappers.thinc import ThincWrapper

    (block,) = (block for block in BLOCKS if "weights" in block)
    assert re.findall(r"^(\w+) = ", block, re.MULTILINE) == ["weights"]
    assert "weights" in inspect.signature(ThincWrapper).parameters


@pytest.mark.parametrize("name", ["flax_net.v1", "equinox_net.v1"])
def test_modules_of_flax_and_equinox_are_trained(here, name):
    pytest.importorskip("flax")
    pytest.importorskip("equinox")
    more = "\nn_in = 2" if name == "equinox_net.v1" else ""
    write_run(here, FILES["nets.py"], config_of("JAXWrapper", f'"{name}"{more}'))
    three_classes(here)
    call("train", "run.cfg", "-o", "run", "-q", "--code", "parts.py")
