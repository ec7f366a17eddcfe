"""Modules that train nothing, or end in what the loss does not expect, are told; those that only look so are not."""

import random
import re
import warnings
from contextlib import nullcontext

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from test_pytorch import IMAGES, RAGGED, ROWS, cnn, mirrored, mlp
from torch import nn
from torch.utils.checkpoint import checkpoint

from trainer_cli.api import BinaryCrossentropy, CategoricalCrossentropyV4, L2Distance, Linear, chain, concatenate
from trainer_cli.losses import TorchLoss
from trainer_cli.pairing import mismatch
from trainer_cli.wrappers import pytorch
from trainer_cli.wrappers.engine import ModuleError
from trainer_cli.wrappers.global_seed import seeded
from trainer_cli.wrappers.pytorch import PyTorchWrapper

Y = np.zeros((1, 3), np.float32)
NO_PARAMETER = "an output that depends on none of its parameters"
NO_INPUT = "an output that does not depend on its input, so nothing before it is trained"


class Ways(nn.Module):
    """A module whose outputs come about in the way `how` of its own two-layer network."""

    def __init__(self, how, *, frozen=False):
        super().__init__()
        self.inner, self.how, self.n = mlp().requires_grad_(not frozen), how, 0

    def forward(self, x, lengths=None):
        return self.how(self, x)


def detached(module, x):
    return module.inner(x).detach()


def without_gradients(module, x):
    with torch.no_grad():
        return module.inner(x)


def of_input_alone(module, x):
    return x[:, :3] + module.inner(x).detach()


def of_own_alone(module, x):
    return module.inner(x.detach())


def straight(module, x):
    return module.inner(x)


def recomputed(module, x):
    return checkpoint(module.inner, x, use_reentrant=True) if torch.is_grad_enabled() else module.inner(x)


def one_branch(module, x):
    module.n += 1
    return module.inner(x) if module.n % 2 else module.inner[2](torch.ones(len(x), 4))


def pass_back(model, X=ROWS):
    """A pass forward and back, as the loop makes it."""
    found, backprop = model.begin_update(X, input_gradient=False)
    backprop(found.like(np.ones_like(found.data)) if X is RAGGED else np.ones_like(found))


def before(module):
    return chain(Linear(nO=5), module)


def after(module):
    return chain(module, Linear(nO=3))


def beside(module):
    return concatenate(module, Linear(nO=3))


def alone(module):
    return module


@pytest.mark.parametrize("wrapped", [PyTorchWrapper, mirrored])
@pytest.mark.parametrize(
    ("around", "how", "frozen", "message"),
    [
        (alone, detached, False, NO_PARAMETER),
        (after, without_gradients, False, NO_PARAMETER),
        (before, of_input_alone, False, NO_PARAMETER),
        (before, of_own_alone, False, NO_INPUT),
        (before, without_gradients, True, NO_INPUT),
        (alone, straight, True, "has frozen parameters alone .* nothing would be trained"),
    ],
)
def test_a_module_through_which_no_gradient_flows_is_told_at_the_first_pass(wrapped, around, how, frozen, message):
    model = around(wrapped(Ways(how, frozen=frozen))).initialize(ROWS)
    with pytest.raises(ModuleError, match=rf"PyTorch module Ways (returned )?{message}"):
        pass_back(model)


@pytest.mark.parametrize(
    ("around", "how", "frozen"),
    [
        (alone, straight, False),
        (before, straight, True),
        (after, straight, True),
        (after, without_gradients, True),
        (after, of_own_alone, False),
        (beside, without_gradients, True),
        (alone, one_branch, False),
        (before, recomputed, False),
    ],
)
@pytest.mark.parametrize("X", [ROWS, RAGGED], ids=["rows", "ragged"])
def test_what_trains_something_is_no_mistake(around, how, frozen, X):
    model = around(PyTorchWrapper(Ways(how, frozen=frozen))).initialize(X)
    for _ in range(3):
        pass_back(model, X)
    assert model.store.gradients.any()


def test_who_asks_for_the_gradient_of_the_models_input_may_have_none():
    model = chain(PyTorchWrapper(Ways(without_gradients, frozen=True)), Linear(nO=3)).initialize(ROWS)
    _, backprop = model.begin_update(ROWS)
    assert not backprop(np.ones((6, 3), np.float32)).any()


def test_the_check_sees_a_module_that_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(pytorch, "proved", lambda *arguments: pytorch.nullcontext())
    pass_back(PyTorchWrapper(Ways(detached)).initialize(ROWS))


def test_after_the_first_pass_nothing_is_hooked():
    model = PyTorchWrapper(mlp()).initialize(ROWS)
    pass_back(model)
    engine = model.attrs["engine"]
    assert engine.flows
    assert not any(param._post_accumulate_grad_hooks for param in engine.module.parameters())


# What a module ends in


class Ending(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.inner, self.function = mlp(), function

    def forward(self, x):
        return self.function(self.inner(x))


def by_hand(y):
    return y.exp() / y.exp().sum(1, keepdim=True)


ENDINGS = {
    "softmax_activation": [
        nn.Sequential(mlp(), nn.Softmax(dim=1)),
        nn.Sequential(mlp(), nn.Sequential(nn.Softmax(dim=1), nn.Dropout(0.1))),
        Ending(nn.Softmax(dim=1)),
        Ending(lambda y: y.softmax(1).reshape(-1, 3)),
        Ending(by_hand),
        Ending(lambda y: y.detach().softmax(1)),
        nn.Softmax(dim=1),
    ],
    "log_softmax": [nn.Sequential(mlp(), nn.LogSoftmax(dim=1)), Ending(lambda y: torch.log_softmax(y, 1))],
    "sigmoid": [nn.Sequential(mlp(), nn.Sigmoid()), Ending(torch.sigmoid), nn.Sigmoid()],
    None: [mlp(), Ending(torch.tanh), Ending(lambda y: y.clamp(0, 1)), Ending(lambda y: y.sigmoid().softmax(1) + 1)],
}


@pytest.mark.parametrize(("ends_in", "module"), [(key, module) for key, each in ENDINGS.items() for module in each])
def test_a_sample_shows_what_a_module_ends_in(ends_in, module):
    assert PyTorchWrapper(module).initialize(ROWS).attrs.get("output") == ends_in


def test_a_bias_that_adds_up_to_1_is_no_softmax():
    module = nn.Linear(5, 2)
    nn.init.zeros_(module.weight)
    nn.init.constant_(module.bias, 0.5)
    assert "output" not in PyTorchWrapper(module).initialize(ROWS).attrs
    assert "output" not in PyTorchWrapper(cnn()).initialize(IMAGES).attrs


OF_LOGITS, OF_PROBABILITIES = CategoricalCrossentropyV4(from_logits=True), CategoricalCrossentropyV4()
PAIRS = [
    (nn.Softmax(dim=1), OF_LOGITS, "takes logits, but the PyTorch module Sequential ends in a softmax"),
    (nn.Softmax(dim=1), TorchLoss("CrossEntropyLoss"), "takes logits, but"),
    (nn.Softmax(dim=1), OF_PROBABILITIES, "gives the gradient of logits, .*let it end in logits, and set from_logits"),
    (nn.Softmax(dim=1), TorchLoss("NLLLoss"), "takes log-probabilities, but .* ends in a softmax"),
    (nn.Sigmoid(), BinaryCrossentropy(), "takes logits, but the PyTorch module Sequential ends in a sigmoid"),
    (nn.Sigmoid(), TorchLoss("BCEWithLogitsLoss"), "takes logits, but"),
    (nn.Sigmoid(), TorchLoss("BCELoss"), "$"),
    (nn.Softmax(dim=1), L2Distance(), "$"),
    (nn.LogSoftmax(dim=1), TorchLoss("NLLLoss"), "$"),
    (nn.LogSoftmax(dim=1), OF_LOGITS, "$"),  # the same loss and gradient: its softmax is the probabilities
    (nn.LogSoftmax(dim=1), OF_PROBABILITIES, "gives the gradient of logits, but .* ends in a log_softmax"),
    (nn.Identity(), OF_LOGITS, "$"),
]


@pytest.mark.parametrize(("end", "loss", "message"), PAIRS)
def test_what_a_module_ends_in_fits_the_loss_or_is_told(end, loss, message):
    model = chain(Linear(nO=5), PyTorchWrapper(nn.Sequential(mlp(), end))).initialize(ROWS)
    found = mismatch(model, loss)
    assert re.match(message, found), found


def test_log_probabilities_have_the_loss_of_their_logits():
    truths = np.array([0, 2, 1, 1, 0, 2])
    logits = ROWS[:, :3]
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    for found, wanted in zip(OF_LOGITS(log_p, truths), OF_LOGITS(logits, truths), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


# What a module holds and returns


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.float16])
def test_a_module_of_another_type_is_told_before_it_is_tried(kind):
    with pytest.raises(ModuleError, match=rf"has 0\.weight, .* in {str(kind)[6:]}, and a module is trained in float32"):
        PyTorchWrapper(mlp().to(kind)).initialize(ROWS)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda y: y.detach().numpy(), r"returned a numpy array, float32 \(6, 3\), .*: return the tensor itself"),
        (lambda y: y[:, 0], r"returned float32 \(6,\): return \(6, 1\), as y\.unsqueeze\(1\) is"),
        (lambda y: y.sum(), r"returned float32 \(\); expected 6 rows"),
    ],
)
def test_what_is_no_output_is_told_with_the_remedy(function, message):
    with pytest.raises(ModuleError, match=message):
        PyTorchWrapper(Ending(function)).initialize(ROWS)


@pytest.mark.parametrize("wrapped", [PyTorchWrapper, mirrored])
def test_a_module_with_the_old_weight_norm_is_copied(wrapped):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch has a new one
        module = nn.Sequential(
            nn.utils.weight_norm(nn.Linear(5, 4)), nn.Tanh(), nn.utils.spectral_norm(nn.Linear(4, 3))
        )
    model = wrapped(module).initialize(ROWS)
    pass_back(model)
    twin = model.copy()
    np.testing.assert_array_equal(twin.predict(ROWS), model.predict(ROWS))
    twin.store.values[...] *= 2
    assert not np.array_equal(twin.predict(ROWS), model.predict(ROWS))
    pass_back(twin)
    assert twin.store.gradients.any()


def test_batchnorm_of_one_row_is_told_with_the_remedy():
    model = PyTorchWrapper(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4))).initialize(ROWS)
    with pytest.raises(ModuleError, match="BatchNorm cannot where there is one: choose a batch_size that leaves no"):
        model.begin_update(ROWS[:1])


# What all of a process share


def draws_as_before(block):
    """Whether Python's, numpy's and PyTorch's generators go on after a block as if it had not been."""
    found = []
    for each in (block, nullcontext):
        random.seed(1), np.random.seed(1), torch.manual_seed(1)
        with each():
            if each is block:
                random.random(), np.random.random(), torch.rand(3)
        found.append((random.random(), np.random.random(), torch.rand(1).item()))
    return found[0] == found[1]


def test_generators_of_a_process_are_put_back():
    assert draws_as_before(lambda: seeded(3, "model"))


@pytest.mark.parametrize("owner", ["torch.set_rng_state", "random.setstate", "numpy.random.set_state"])
def test_the_check_sees_a_generator_that_is_not_put_back(monkeypatch, owner):
    monkeypatch.setattr(owner, lambda state: None)
    assert not draws_as_before(lambda: seeded(3, "model"))


def test_before_a_sample_shows_how_it_ends_a_module_is_asked_for_logits():
    asked = "let it end in logits, and set from_logits = true"
    assert mismatch(PyTorchWrapper(mlp()), OF_PROBABILITIES).endswith(f"all of PyTorchWrapper.v1: {asked}")


def test_the_part_of_a_module_that_raises_is_named():
    inner = nn.Sequential(nn.ReLU(), nn.Linear(64, 3))
    with pytest.raises(
        ModuleError, match=r"PyTorch module Sequential raised RuntimeError: .* in its part 1\.1 \(Linear\); its"
    ):
        PyTorchWrapper(nn.Sequential(nn.LazyLinear(16), inner)).initialize(ROWS)
    with pytest.raises(ModuleError, match=r"PyTorch module Linear raised RuntimeError: [^;]*\); its input"):
        PyTorchWrapper(nn.Linear(64, 3)).initialize(ROWS)
