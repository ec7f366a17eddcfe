"""Numbers of a PyTorch module to a file that it loads, and from a file of its own state."""

import json

import pytest

pytest.importorskip("torch")

import safetensors.torch
import torch
from commands import call
from torch import nn
from torch_runs import write_files

from trainer_cli import lookup, tensors, weights
from trainer_cli.api import Linear, chain
from trainer_cli.config.sections import InitFrom
from trainer_cli.errors import ArgumentError
from trainer_cli.wrappers.pytorch import PyTorchWrapper

X = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).numpy()


class Tied(nn.Module):
    """Two layers with one weight, a frozen one, statistics, and a buffer that is not saved."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(4, 4), nn.Linear(4, 4)
        self.decoder.weight = self.encoder.weight
        self.norm = nn.BatchNorm1d(4)
        self.fixed = nn.Linear(4, 4).requires_grad_(False)
        self.register_buffer("scratch", torch.zeros(2), persistent=False)

    def forward(self, x):
        return self.fixed(self.norm(self.decoder(torch.relu(self.encoder(x)))))


def module(seed):
    torch.manual_seed(seed)
    return Tied()


def wrapped(seed):
    return PyTorchWrapper(module(seed)).initialize(X)


def trained(seed):
    """A model whose parameters, statistics and counts have changed."""
    model = wrapped(seed)
    for _ in range(3):
        _, backprop = model.begin_update(X)
        backprop(X)
        model.finish_update(lambda key, w, g: (w - 0.1 * g, g * 0))
    return model


def equal(one, other):
    """Whether two state dicts have the same names and numbers."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_module_loads_what_is_exported(tmp_path):
    model = trained(0)
    (tmp_path / "w.safetensors").write_bytes(tensors.to_bytes(weights.exported(model)))
    state = safetensors.torch.load_file(tmp_path / "w.safetensors")
    assert {"encoder.weight", "decoder.weight", "fixed.bias", "norm.num_batches_tracked"} <= state.keys()
    assert state["norm.num_batches_tracked"].dtype == torch.int64
    assert state["norm.num_batches_tracked"] == 3
    assert "scratch" not in state
    fresh = module(1)
    assert not equal(fresh.state_dict(), state)
    fresh.load_state_dict(state)
    assert equal(fresh.state_dict(), state)
    assert torch.equal(fresh.eval()(torch.from_numpy(X)), torch.from_numpy(model.predict(X)))


class Scaled(nn.Module):
    """A buffer that hangs in two places, and a part that torch.compile may have made."""

    def __init__(self, compiled=True):
        super().__init__()
        self.first, self.norm = nn.Linear(4, 4), nn.BatchNorm1d(4)
        if compiled:
            self.first = torch.compile(self.first, backend="eager")
        self.register_buffer("scale", torch.full((4,), 2.0))
        self.norm.register_buffer("weights", self.scale)

    def forward(self, x):
        return self.norm(self.first(x)) * self.scale + self.norm.weights


def test_a_buffer_in_two_places_is_exported_under_both_names():
    model = PyTorchWrapper(Scaled(compiled=False)).initialize(X)
    model._buffers["module.scale"][0][...] = 3
    found = weights.exported(model)
    assert (found["scale"] == 3).all()
    assert (found["norm.weights"] == 3).all()
    assert [name for name in model.store.learnt() if "scale" in name or "norm.weights" in name] == ["module.scale"]


@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch.compile looks at its inputs'
def test_what_torch_compile_made_has_the_names_of_what_it_was_made_of(tmp_path):
    model = PyTorchWrapper(torch.compile(Scaled(), backend="eager")).initialize(X)
    _, backprop = model.begin_update(X)
    backprop(X)
    assert model.get_grad("module.first.weight").any()
    assert model.attrs["engine"].name == "Scaled"
    found = weights.exported(model)
    assert found.keys() == {name.replace("_orig_mod.", "") for name in Scaled().state_dict()}
    (tmp_path / "w.safetensors").write_bytes(tensors.to_bytes(found))
    begun(tmp_path / "w.safetensors", PyTorchWrapper(torch.compile(Scaled(), backend="eager")).initialize(X))
    # A file that a compiled module's own state was saved to begins one as well.
    state = {name: tensor.clone() for name, tensor in torch.compile(Scaled(), backend="eager").state_dict().items()}
    assert any(name.startswith("_orig_mod.first._orig_mod.") for name in state)
    safetensors.torch.save_file(state, tmp_path / "w.safetensors")
    model = begun(tmp_path / "w.safetensors", PyTorchWrapper(Scaled(compiled=False)).initialize(X))
    assert torch.equal(torch.from_numpy(model.get_param("module.first.bias")), state["_orig_mod.first._orig_mod.bias"])


def state_file(tmp_path, change=lambda state: state):
    """The state of a module as people save it: contiguous copies, so that tied weights stand under each name."""
    state = {name: tensor.clone() for name, tensor in module(7).state_dict().items()}
    safetensors.torch.save_file(change(state), tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def begun(path, model=None, only=()):
    model = model or wrapped(0)
    weights.fill(model, tensors.from_bytes(path.read_bytes()), InitFrom(path, list(only)))
    return model


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_state_dict_begins_a_model(tmp_path, prefix):
    path = state_file(tmp_path, lambda state: {f"{prefix}{name}": tensor for name, tensor in state.items()})
    model, expected = begun(path), module(7).eval()
    assert torch.equal(torch.from_numpy(model.predict(X)), expected(torch.from_numpy(X)).detach())


def test_a_file_with_each_tensor_once_is_enough(tmp_path):
    safetensors.torch.save_model(module(7), str(tmp_path / "w.safetensors"))
    model = begun(tmp_path / "w.safetensors")
    assert torch.equal(torch.from_numpy(model.predict(X)), module(7).eval()(torch.from_numpy(X)).detach())


def test_what_does_not_fit_is_told(tmp_path):
    path = state_file(tmp_path, lambda state: state | {"encoder.weigth": state.pop("encoder.bias")})
    with pytest.raises(ArgumentError, match=r"it has encoder\.weigth, which is no parameter of the model"):
        begun(path)
    path = state_file(tmp_path, lambda state: state | {"decoder.weight": state["decoder.weight"] + 1})
    with pytest.raises(ArgumentError, match=r"decoder\.weight and .*encoder\.weight are one parameter of the model"):
        begun(path)


def test_a_module_within_a_model_takes_its_state(tmp_path):
    model = chain(Linear(4).named("first"), PyTorchWrapper(module(0)).named("net")).initialize(X)
    begun(state_file(tmp_path, lambda state: state | {"head.weight": torch.zeros(2)}), model, only=["net"])
    state = module(7).state_dict()
    assert torch.equal(torch.from_numpy(model.store.learnt()["net.module.encoder.weight"]), state["encoder.weight"])


# Through the commands


def test_a_run_is_exported_and_begins_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    code = ("--code", "parts.py")
    call("train", "run.cfg", "--output", "run", "--quiet", *code)
    call("export", "run", "--format", "safetensors", "--output", "w.safetensors", *code)
    state = safetensors.torch.load_file(tmp_path / "w.safetensors")
    saved = tensors.from_bytes(lookup.find(tmp_path / "run").files["params.safetensors"])
    assert {f"module.{name}" for name in state} == saved.keys()
    overrides = ("--training.init_from", "w.safetensors", "--optimizer.learn_rate", "0.0")
    call("train", "run.cfg", "--output", "again", "--quiet", *code, *overrides, "--optimizer.use_averages", "false")
    again = tensors.from_bytes(lookup.find(tmp_path / "again").files["params.safetensors"])
    assert torch.equal(torch.from_numpy(again["module.hidden.weight"]), state["hidden.weight"])
    facts = json.loads((tmp_path / "again" / "run.json").read_text())["init_from"]
    assert facts["path"] == str(tmp_path / "w.safetensors")
    call("debug-config", "run.cfg", *code, "--training.init_from", "w.safetensors")
