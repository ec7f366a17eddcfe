"""The optimizers of PyTorch on the model's arrays: to the bit what they do alone, and what is kept of them."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from engine_runs import call
from torch_runs import write_files

from trainer_cli import checkpoint, tensors
from trainer_cli.api import Linear, Relu, chain, warmup_linear
from trainer_cli.errors import ArgumentError, DivergedError, ModelFileError
from trainer_cli.optimizers import TorchOptimizer
from trainer_cli.optimizers.torch_optimizer import REFUSED
from trainer_cli.store import view


@pytest.fixture
def folder(torch_folder):
    return torch_folder


X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
NAMES = sorted(
    name
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and name not in ("Optimizer", *REFUSED)
)
RATE = warmup_linear(0.02, 3, 30)
SETTINGS = {
    "SGD": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    "AdamW": {"betas": [0.8, 0.95]},
    "Adam": {"amsgrad": True, "fused": True},
    "RMSprop": {"momentum": 0.5, "centered": True},
}


def made():
    return chain(Relu(nO=4), Linear(nO=3)).initialize(X)


def step(model, optimizer):
    Y, backprop = model.begin_update(X)
    backprop(Y)
    model.finish_update(optimizer)
    optimizer.step_schedules()


def plain(model, name):
    """PyTorch's optimizer over tensors of its own, and the function that makes one step of it."""
    store = model.store
    params = [torch.from_numpy(view(store.values, s).copy()).requires_grad_() for s in store.segments]
    free = [s.no_decay for s in store.segments]
    decaying = {"params": [p for p, each in zip(params, free, strict=True) if not each]}
    others = {"params": [p for p, each in zip(params, free, strict=True) if each]}
    settings = SETTINGS.get(name, {})
    inner = getattr(torch.optim, name)([decaying, others], lr=RATE(0), **settings)
    if "weight_decay" in inner.param_groups[1]:
        inner.param_groups[1]["weight_decay"] = 0.0

    def plain_step(gradients, step):
        for param, segment in zip(params, store.segments, strict=True):
            param.grad = torch.from_numpy(view(gradients, segment).copy())
        for group in inner.param_groups:
            group["lr"] = RATE(step)
        inner.step()
        return np.concatenate([param.detach().numpy().reshape(-1) for param in params])

    return plain_step


@pytest.mark.parametrize("name", NAMES)
def test_an_update_is_pytorchs_to_the_bit(name):
    model, optimizer = made(), TorchOptimizer(name, RATE, **SETTINGS.get(name, {}))
    expected = plain(model, name)
    for n in range(6):
        Y, backprop = model.begin_update(X)
        backprop(Y)
        wanted = expected(model.store.gradients, n)
        model.finish_update(optimizer)
        optimizer.step_schedules()
        np.testing.assert_array_equal(model.store.values, wanted)
        assert not model.store.gradients.any()


def resumed(name, forget=()):
    """Whether a run that goes on from what was kept comes to the same bits."""
    whole, first, second = made(), made(), made()
    optimizers = [TorchOptimizer(name, RATE, **SETTINGS.get(name, {})) for _ in range(3)]
    for _ in range(6):
        step(whole, optimizers[0])
    for _ in range(3):
        step(first, optimizers[1])
    kept = tensors.from_bytes(tensors.to_bytes(optimizers[1].to_arrays(first.store)))
    kept = {key: array * 0 if key.startswith(tuple(forget)) else array for key, array in kept.items()}
    second.store.values[...] = first.store.values
    optimizers[2].from_arrays(second.store, kept, n_updates=3)
    optimizers[2].position = 3
    for _ in range(3):
        step(second, optimizers[2])
    return whole.store.values.tobytes() == second.store.values.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_goes_on_to_the_same_bits(name):
    assert resumed(name)


def test_the_check_sees_a_moment_that_is_forgotten():
    assert not resumed("SGD", forget=["momentum_buffer."])


def test_what_is_kept_has_the_parameters_names():
    model, optimizer = made(), TorchOptimizer("AdamW", 0.01)
    assert list(optimizer.to_arrays(model.store)) == ["facts"]
    step(model, optimizer)
    kept = optimizer.to_arrays(model.store)
    assert kept.keys() == {"facts"} | {
        f"{kind}.{segment.name}" for kind in ("step", "exp_avg", "exp_avg_sq") for segment in model.store.segments
    }
    with pytest.raises(ModelFileError, match=r"that of torch\.optim\.AdamW, not of torch\.optim\.SGD$"):
        TorchOptimizer("SGD", 0.01).from_arrays(model.store, kept, n_updates=1)
    with pytest.raises(ModelFileError, match=r"is not one of torch\.optim\.AdamW"):
        optimizer.from_arrays(model.store, {"m.relu.W": X}, n_updates=1)
    with pytest.raises(ModelFileError, match=r"^exp_avg\.other\.W: belongs to no layer"):
        optimizer.from_arrays(model.store, {**kept, "exp_avg.other.W": X}, n_updates=1)


def damaged(kept, name, how):
    """What was kept, without one array, with one of another name, or with one cut short or of another type."""
    others = {key: array for key, array in kept.items() if key != name}
    changed = {
        "is missing": {},
        "is nothing that": {name: kept[name], f"other.{name.partition('.')[2]}": kept[name]},
        r"is float32 \(1,?.*\), Adafactor keeps": {name: kept[name][:1]},
        "is float64": {name: kept[name].astype(np.float64)},
    }
    return others | changed[how]


@pytest.mark.parametrize(
    "how", ["is missing", "is nothing that", r"is float32 \(1,?.*\), Adafactor keeps", "is float64"]
)
@pytest.mark.parametrize("name", ["row_var.relu.W", "row_var.linear.W", "variance.relu.b"])
def test_a_state_that_is_cut_short_is_told_when_it_is_loaded(how, name):
    model, optimizer = made(), TorchOptimizer("Adafactor", 0.01)
    step(model, optimizer)
    kept = optimizer.to_arrays(model.store)
    before = optimizer.to_arrays(model.store)
    with pytest.raises(ModelFileError, match=rf"^\w+\.{name.partition('.')[2]}: {how}"):
        optimizer.from_arrays(model.store, damaged(kept, name, how), n_updates=1)
    after = optimizer.to_arrays(model.store)
    assert all(np.array_equal(before[key], after[key]) for key in before)
    optimizer.from_arrays(model.store, kept, n_updates=1)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_what_is_expected(name):
    model, optimizer = made(), TorchOptimizer(name, RATE, **SETTINGS.get(name, {}))
    for _ in range(3):
        step(model, optimizer)
    kept = optimizer.to_arrays(model.store)
    optimizer.from_arrays(model.store, kept, n_updates=3)
    assert len(kept) == 1 + len(optimizer.expected(model.store))


def test_the_state_moves_along_when_the_model_is_nested():
    model, optimizer = made(), TorchOptimizer("SGD", 0.1, momentum=0.9)
    step(model, optimizer)
    before = optimizer.to_arrays(model.store)
    outer = chain(model, Linear(nO=2))
    outer.layers[1].initialize(np.zeros((2, 3), np.float32))
    after = optimizer.to_arrays(outer.store)
    np.testing.assert_array_equal(after["momentum_buffer.chain.relu.W"], before["momentum_buffer.relu.W"])


def test_a_gradient_is_clipped_and_one_that_is_not_finite_changes_nothing():
    model, optimizer = made(), TorchOptimizer("SGD", 1.0, grad_clip=0.5)
    before = model.store.values.copy()
    Y, backprop = model.begin_update(X)
    backprop(Y * 100)
    model.finish_update(optimizer)
    moved = [np.linalg.norm(view(model.store.values - before, segment)) for segment in model.store.segments]
    np.testing.assert_allclose(moved, 0.5, rtol=1e-5)
    kept = model.store.values.copy()
    model.store.gradients[3] = np.nan
    with pytest.raises(DivergedError, match="the gradient of relu"):
        model.finish_update(optimizer)
    np.testing.assert_array_equal(model.store.values, kept)


WRONG = {
    "torch.optim has no optimizer of the name 'Adamw'. Did you mean AdamW?": {"name": "Adamw"},
    "the name LBFGS cannot be used: it runs the model several times": {"name": "LBFGS"},
    "Adam takes no beta. Did you mean betas?": {"name": "Adam", "beta": 0.9},
    "lr is set by learn_rate here": {"name": "Adam", "lr": 0.1},
    "Adam refuses this: Invalid beta parameter at index 0: 1.5": {"name": "Adam", "betas": [1.5, 0.9]},
    "betas of Adam must be a list of 2 numbers, as [0.9, 0.999] by default, got 0.9": {"name": "Adam", "betas": 0.9},
    "betas of Adam must be a list of 2 numbers, as [0.9, 0.999] by default, got [0.9]": {
        "name": "Adam",
        "betas": [0.9],
    },
    "eps of Adam must be a number, as 1e-08 by default, got 'small'": {"name": "Adam", "eps": "small"},
    "amsgrad of Adam must be true or false, as False by default, got 1": {"name": "Adam", "amsgrad": 1},
    "eps of Adafactor must be a list of 2 numbers, as [None, 0.001] by default, got 0.1": {
        "name": "Adafactor",
        "eps": 0.1,
    },
    "Adam cannot update with this: If capturable=True": {"name": "Adam", "capturable": True},
    "Adam cannot update with this: a leaf Variable that requires grad": {"name": "Adam", "differentiable": True},
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_settings_are_told(message):
    with pytest.raises(ArgumentError) as caught:
        TorchOptimizer(learn_rate=0.1, **WRONG[message])
    assert message in str(caught.value)


def test_a_run_is_trained_by_it_stopped_and_resumed(folder):
    write_files(folder, '@optimizers = "TorchOptimizer.v1"\nname = "AdamW"\nlearn_rate = 0.02\nweight_decay = 0.1')
    line = ("--code", "parts.py", "-q")
    call("train", "run.cfg", "-o", "whole", *line)
    call("train", "run.cfg", "-o", "run", *line, "--training.max_steps=11")
    call("train", "run.cfg", "-o", "run", *line, "--resume")
    name = "checkpoints/step-0000000030/optimizer.safetensors"
    assert (folder / "run" / name).read_bytes() == (folder / "whole" / name).read_bytes()
    write_files(folder, '@optimizers = "TorchOptimizer.v1"\nname = "AdmW"\nlearn_rate = 0.02')
    said = call("debug-config", "run.cfg", "--code", "parts.py", code=2)
    rule = "TorchOptimizer.v1: torch.optim has no optimizer of the name 'AdmW'. Did you mean AdamW?"
    assert said == f"run.cfg:30: optimizer.name: {rule}\n"
    write_files(folder, '@optimizers = "TorchOptimizer.v1"\nname = "Adam"\nlearn_rate = 0.02\nbetas = 0.9')
    said = call("debug-config", "run.cfg", "--code", "parts.py", code=2)
    rule = "betas of Adam must be a list of 2 numbers, as [0.9, 0.999] by default, got 0.9"
    assert said == f"run.cfg:32: optimizer.betas: TorchOptimizer.v1: {rule}\n"
    write_files(folder, '@optimizers = "TorchOptimizer.v1"\nname = "Muon"\nlearn_rate = 0.02')
    said = call("train", "run.cfg", "-o", "other", *line, "--optimizer.weight_decay=0", code=2)
    assert 'the name Muon cannot be used: it takes matrices alone, and no biases; @optimizers = "Muon.v1"' in said
    said = call("debug-config", "run.cfg", "--code", "parts.py", "--optimizer.name=Mun", code=2)
    assert "Muon" not in said
    assert "There are " in said
    assert not (folder / "other" / "checkpoints").exists()


def test_a_checkpoint_whose_state_is_cut_short_is_told_with_its_file(folder):
    write_files(folder, '@optimizers = "TorchOptimizer.v1"\nname = "Adam"\nlearn_rate = 0.02')
    line = ("--code", "parts.py", "-q")
    call("train", "run.cfg", "-o", "run", *line, "--training.max_steps=5")
    place = "run/checkpoints/step-0000000005"
    found = checkpoint.read(folder / place)
    cut = {name: array for name, array in found.optimizer.items() if name != "exp_avg.module.hidden.weight"}
    shutil.rmtree(folder / "run" / "checkpoints")
    checkpoint.save(folder / "run", replace(found, optimizer=cut))
    said = call("train", "run.cfg", "-o", "run", *line, "--resume", code=2)
    assert said == f"{folder}/{place}/optimizer.safetensors: exp_avg.module.hidden.weight: is missing\n"
