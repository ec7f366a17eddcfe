"""PyTorch modules as layers: on the memory of the model's arrays, and to the bit what PyTorch itself computes."""

import copy

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from trainer_cli.api import Linear, Relu, chain, concatenate
from trainer_cli.arrays import Ragged
from trainer_cli.gradient_sum import GradientSum
from trainer_cli.randomness import Moment
from trainer_cli.threads import computing
from trainer_cli.wrappers import torch_state
from trainer_cli.wrappers.engine import ModuleError
from trainer_cli.wrappers.pytorch import PyTorchWrapper, layer_of
from trainer_cli.wrappers.torch_engine import TorchEngine

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(6, 5)).astype(np.float32)
IMAGES = RNG.normal(size=(6, 8, 7, 2)).astype(np.float32)
RAGGED = Ragged(ROWS, np.array([3, 0, 2, 1]))


def mlp(seed=0, **more):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 4, **more), nn.Tanh(), nn.Linear(4, 3, **more))


def cnn(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24, 3)
    )


def mirrored(module, **more):
    """The layer with the module's tensors beside the model's, as on a device."""
    return layer_of(TorchEngine(module, "NCHW", "cpu", is_mirrored=True), **more)


KINDS = pytest.mark.parametrize("wrapped", [PyTorchWrapper, mirrored])


def module_of(model) -> nn.Module:
    return next(node.attrs["engine"] for node in model.walk() if "engine" in node.attrs).module


def step(model, X, rate=0.1):
    """One update by the sum of the squares of the outputs; the outputs and the gradient."""
    Y, backprop = model.begin_update(X)
    backprop(Y)
    gradient = model.store.gradients.copy()
    model.finish_update(lambda key, weights, slope: (weights - rate * slope, slope * 0))
    return Y, gradient


def plain_step(module, x, rate=0.1):
    module.train()
    y = module(x)
    y.backward(y.detach().clone())
    gradient = torch.cat([param.grad.reshape(-1) for param in module.parameters()]).numpy()
    with torch.no_grad():
        for param in module.parameters():
            param -= rate * param.grad
            param.grad = None
    return y.detach().numpy(), gradient


# Memory


def shares(model):
    """Whether the module's parameters, gradients and buffers are the memory of the model's arrays."""
    module, store = module_of(model), model.store
    model.begin_update(ROWS)[1](np.ones((6, 3), np.float32))
    names = {segment.name.removeprefix("module."): segment for segment in store.segments}
    for name, param in module.named_parameters():
        at = names[name].start * 4
        if (
            param.data_ptr() != store.values.ctypes.data + at
            or param.grad.data_ptr() != store.gradients.ctypes.data + at
        ):
            return False
    return True


def test_parameters_and_gradients_are_one_memory_with_the_store():
    assert shares(PyTorchWrapper(mlp()).initialize(ROWS))


def test_the_check_sees_copies(monkeypatch):
    monkeypatch.setattr(torch_state, "tensor_of", lambda array: torch.from_numpy(array.copy()))
    assert not shares(PyTorchWrapper(mlp()).initialize(ROWS))


def test_what_one_side_writes_the_other_reads():
    model = PyTorchWrapper(mlp()).initialize(ROWS)
    model.predict(ROWS)
    model.store.values[0] = 7.0
    assert module_of(model)[0].weight[0, 0] == 7.0
    with torch.no_grad():
        module_of(model)[2].bias[2] = -3.0
    assert model.store.values[-1] == -3.0


def test_other_arrays_are_followed_when_the_model_is_nested_or_copied():
    inner = PyTorchWrapper(mlp()).initialize(ROWS)
    before = inner.predict(ROWS)
    outer = chain(inner, Relu(nO=2)).initialize(ROWS)
    np.testing.assert_array_equal(outer.layers[0].predict(ROWS), before)
    outer.store.values[:] = 0
    assert not outer.layers[0].predict(ROWS).any()
    twin = outer.copy()
    twin.store.values[:] = 1
    assert twin.layers[0].predict(ROWS).any()
    assert not outer.layers[0].predict(ROWS).any()


# Bits


@pytest.mark.parametrize(("made", "X"), [(mlp, ROWS), (cnn, IMAGES)])
@KINDS
def test_updates_are_those_of_plain_pytorch_to_the_bit(wrapped, made, X):
    model, plain = wrapped(made()).initialize(X), made()
    for _ in range(4):
        x = torch.from_numpy(X if X.ndim == 2 else X.copy()).requires_grad_()
        expected = plain_step(plain, x if X.ndim == 2 else x.permute(0, 3, 1, 2))
        for found, wanted in zip(step(model, X), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
    for name, tensor in plain.state_dict().items():
        held = model.store.learnt()[f"module.{name}"]
        np.testing.assert_array_equal(held, tensor.numpy(), err_msg=name)
        assert held.dtype == tensor.numpy().dtype
    plain.eval()
    x = torch.from_numpy(X)
    np.testing.assert_array_equal(model.predict(X), plain(x if X.ndim == 2 else x.permute(0, 3, 1, 2)).detach())


def test_the_gradient_of_the_input_is_plain_pytorchs():
    model, plain = PyTorchWrapper(mlp()).initialize(ROWS), mlp()
    Y, backprop = model.begin_update(ROWS)
    x = torch.from_numpy(ROWS.copy()).requires_grad_()
    plain(x).backward(torch.from_numpy(Y))
    np.testing.assert_array_equal(backprop(Y), x.grad)
    assert model.begin_update(ROWS, input_gradient=False)[1](Y) is None


def differences(model, X, dY, at, eps=1e-6):
    """The gradient of `(Y * dY).sum()` with respect to an array, by central differences."""
    found = np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        kept, values = at[index], []
        for sign in (1, -1):
            at[index] = kept + sign * eps
            model.store.draws.clear()
            Y = model(X, True)[0]
            values.append((getattr(Y, "data", Y) * dY).sum())
        at[index] = kept
        found[index] = (values[0] - values[1]) / (2 * eps)
    return found


class OfEither(nn.Module):
    """Takes rows, or the tokens of ragged ones with the lengths, which it does not need."""

    def __init__(self):
        super().__init__()
        self.inner = mlp()

    def forward(self, x, lengths=None):
        return self.inner(x)


def between_layers():
    return chain(Linear(nO=5), PyTorchWrapper(OfEither()), Relu(nO=4), Linear(nO=2))


def beside_layers():
    return chain(Linear(nO=5), concatenate(PyTorchWrapper(OfEither()), Relu(nO=2)), Linear(nO=2))


@pytest.mark.parametrize("made", [between_layers, beside_layers])
@pytest.mark.parametrize("X", [ROWS, RAGGED], ids=["rows", "ragged"])
def test_gradients_through_a_module_among_built_in_layers_are_those_of_differences(made, X):
    data = ROWS.astype(np.float64)
    X = X.like(data) if isinstance(X, Ragged) else data
    model = made().initialize(X, dtype=np.float64)
    dY = RNG.normal(size=(6, 2))
    Y, backprop = model(X, True)
    dX = backprop(Y.like(dY) if isinstance(Y, Ragged) else dY)
    dX = dX.data if isinstance(dX, Ragged) else dX
    assert isinstance(Y, Ragged) == isinstance(X, Ragged)
    gradients = model.store.gradients.copy()
    np.testing.assert_allclose(dX, differences(model, X, dY, data), atol=1e-7)
    np.testing.assert_allclose(gradients, differences(model, X, dY, model.store.values), atol=1e-7)


# What a module holds


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 5, bias=False), nn.Linear(5, 5, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


@KINDS
def test_tied_weights_are_one_parameter_and_stay_tied(wrapped):
    torch.manual_seed(0)
    plain = Tied()
    model = wrapped(copy.deepcopy(plain)).initialize(ROWS)
    assert [segment.name for segment in model.store.segments] == ["module.first.weight"]
    for _ in range(3):
        np.testing.assert_array_equal(step(model, ROWS)[1], plain_step(plain, torch.from_numpy(ROWS))[1])
    module = module_of(model.copy())
    assert module.first.weight is module.second.weight
    names = model.attrs["engine"].state_names(["module.first.weight"])
    assert names == dict.fromkeys(["first.weight", "second.weight"], "module.first.weight")


class Counting(nn.Module):
    """Counts its passes in three ways: in place, by another tensor, and in one that is not kept."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 3)
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("seen", torch.zeros(2, dtype=torch.bool))
        self.register_buffer("mean", torch.zeros(5))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)

    def forward(self, x):
        if self.training:
            self.count += 1
            self.seen = torch.tensor([True, False])
            self.mean = 0.5 * self.mean + 0.5 * x.detach().mean(0)
            self.scratch += 1
        return self.linear(x) + self.mean.sum()


@KINDS
def test_buffers_are_made_fresh_in_training_and_predict_after_the_update(wrapped):
    model = wrapped(Counting()).initialize(ROWS)
    assert list(model.buffer_names) == ["module.mean", "module.count", "module.seen"]
    quiet = model.predict(ROWS)
    model.begin_update(ROWS)
    np.testing.assert_array_equal(model.predict(ROWS), quiet)
    assert model.get_buffer("module.count") == 0
    model.finish_update(lambda key, weights, slope: (weights, slope))
    assert model.get_buffer("module.count") == 1
    assert model.get_buffer("module.seen").tolist() == [True, False]
    np.testing.assert_array_equal(model.get_buffer("module.mean"), ROWS.mean(0, dtype=np.float32) * 0.5)
    assert not np.array_equal(model.predict(ROWS), quiet)
    for _ in range(2):  # what predicts is as it was
        model.predict(ROWS)
    assert model.get_buffer("module.count") == 1
    assert module_of(model).scratch == 1


@KINDS
def test_buffers_of_micro_batches_are_added_by_their_shares(wrapped):
    model, total = wrapped(Counting()).initialize(ROWS), GradientSum()
    for start, stop in ((0, 2), (2, 6)):
        model.begin_update(ROWS[start:stop])[1](np.ones((stop - start, 3), np.float32))
        total.add(model.store, (stop - start) / 6)
    total.finish(model.store)
    model.store.buffers.keep()
    np.testing.assert_allclose(model.get_buffer("module.mean"), ROWS.mean(0) * 0.5, rtol=1e-5, atol=1e-7)
    assert model.get_buffer("module.count") == 1


@KINDS
def test_frozen_parameters_are_saved_and_left_as_they_are(wrapped):
    module = mlp()
    module[0].requires_grad_(False)
    model = wrapped(module).initialize(ROWS)
    assert [segment.name for segment in model.store.segments] == ["module.2.weight", "module.2.bias"]
    kept = model.get_buffer("module.0.weight").copy()
    for _ in range(2):
        step(model, ROWS)
    np.testing.assert_array_equal(model.get_buffer("module.0.weight"), kept)
    other = mlp(1)
    other[0].requires_grad_(False)
    twin = wrapped(other).initialize(ROWS)
    assert not np.array_equal(twin.predict(ROWS), model.predict(ROWS))
    np.testing.assert_array_equal(twin.from_bytes(model.to_bytes()).predict(ROWS), model.predict(ROWS))


def test_a_lazy_module_gets_its_sizes_from_the_sample():
    torch.manual_seed(0)
    model = PyTorchWrapper(nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(3))).initialize(ROWS)
    assert [segment.shape for segment in model.store.segments] == [(4, 5), (4,), (3, 4), (3,)]


def test_biases_and_norms_do_not_decay():
    model = PyTorchWrapper(cnn()).initialize(IMAGES)
    decaying = [segment.name for segment in model.store.segments if not segment.no_decay]
    assert decaying == ["module.0.weight", "module.5.weight"]


class Attention(nn.Module):
    """Attention over one token a row, with biases of keys and values, which have three axes."""

    def __init__(self):
        super().__init__()
        self.inner = nn.MultiheadAttention(5, 1, bias=False, add_bias_kv=True)

    def forward(self, x):
        return self.inner(x[None], x[None], x[None])[0][0]


def test_a_bias_of_several_axes_does_not_decay():
    model = PyTorchWrapper(Attention()).initialize(ROWS)
    flags = {segment.name: segment.no_decay for segment in model.store.segments}
    assert flags["module.inner.bias_k"]
    assert flags["module.inner.bias_v"]
    assert not flags["module.inner.in_proj_weight"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_module_of_torchscript_is_trained_as_that_it_was_made_of():
    def normed():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3))

    model, other = (PyTorchWrapper(made).initialize(ROWS) for made in (torch.jit.script(normed()), normed()))
    assert model.store.named(model.store.values).keys() == other.store.named(other.store.values).keys()
    for _ in range(4):
        np.testing.assert_array_equal(step(model, ROWS)[0], step(other, ROWS)[0])
    found, expected = model.store.learnt(), other.store.learnt()
    assert found["module.1.num_batches_tracked"] == 4
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    np.testing.assert_array_equal(model.copy().predict(ROWS), other.predict(ROWS))
    engine = model.attrs["engine"]
    assert engine.state_names(list(found)).keys() == engine.module.state_dict().keys()
    assert shares(model)


def test_the_largest_product_counts_the_places_of_a_kernel():
    model = PyTorchWrapper(cnn()).initialize(IMAGES)
    assert model.attrs["largest_product"] == 4 * 2 * 3 * 3 * 6 * 5
    assert PyTorchWrapper(mlp()).initialize(ROWS).attrs["largest_product"] == 20
    table = nn.Sequential(nn.Embedding(1000, 5), nn.Flatten(), nn.Linear(10, 3))
    assert PyTorchWrapper(table).initialize(np.zeros((4, 2), np.int64)).attrs["largest_product"] == 30


def test_parameters_that_are_not_float32_are_named():
    message = r"^pytorch: PyTorch module Sequential has 0\.weight, .* in float64, and a module is trained in float32"
    with pytest.raises(ModuleError, match=message):
        PyTorchWrapper(mlp(dtype=torch.float64)).initialize()
    module = mlp()
    module[2].half()
    with pytest.raises(ModuleError, match=r"has 2\.weight, 2\.bias in float16, .*: return module\.float\(\)"):
        PyTorchWrapper(module).initialize()
    module = mlp()
    module[2].double().requires_grad_(False)  # kept as it is, and PyTorch does not multiply float32 with it
    message = r"computes with 2\.weight, 2\.bias in float64, but its rows and parameters are float32: return module\.f"
    with pytest.raises(ModuleError, match=message) as caught:
        PyTorchWrapper(module).initialize(ROWS)
    assert "RuntimeError" not in str(caught.value)


# Inputs and outputs


class Pooled(nn.Module):
    """One output a row, of the means of ragged ones."""

    def forward(self, data, lengths):
        rows = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        return torch.zeros(len(lengths), data.shape[1]).index_add(0, rows, data)


class Tokens(nn.Module):
    def forward(self, data, lengths):
        return data * 2


@pytest.mark.parametrize("X", [RAGGED, Ragged(ROWS[:4], np.ones(4, np.int64))], ids=["ragged", "one token a row"])
def test_ragged_rows_give_one_output_a_row_or_one_a_token(X):
    pooled, tokens = (PyTorchWrapper(module).initialize(X) for module in (Pooled(), Tokens()))
    for each in (X, RAGGED, Ragged(ROWS, np.ones(6, np.int64))):
        assert pooled.predict(each).shape == (len(each.lengths), 5)
        found = tokens.predict(each)
        np.testing.assert_array_equal(found.lengths, each.lengths)
        np.testing.assert_array_equal(found.data, each.data * 2)
    Y, backprop = tokens.begin_update(RAGGED)
    np.testing.assert_array_equal(backprop(Y).data, RAGGED.data * 4)
    np.testing.assert_array_equal(tokens.copy().predict(RAGGED).data, RAGGED.data * 2)


def test_a_module_that_writes_to_its_input_is_refused():
    class Writing(nn.Module):
        def forward(self, X):
            return X.mul_(2)

    with pytest.raises(ModuleError, match="changes its input in place"):
        PyTorchWrapper(Writing()).initialize(ROWS.copy())


class Several(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.linear = nn.Embedding(9, 5), nn.Linear(5, 3)

    def forward(self, numbers, kinds, words, words_lengths):
        assert words_lengths.tolist() == [3, 0, 2, 1]
        return self.linear(numbers) + self.table(kinds)[:, :3] + words.sum()


def test_several_inputs_come_by_name_or_in_order():
    kinds, numbers = np.array([1, 8, 0, 3]), ROWS[:4]
    X = {"kinds": kinds, "words": RAGGED, "numbers": numbers}
    model = PyTorchWrapper(Several()).initialize(X)
    Y, backprop = model.begin_update(X)
    dX = backprop(np.ones_like(Y))
    assert list(dX) == list(X)
    assert dX["kinds"].shape == kinds.shape
    assert not dX["kinds"].any()
    np.testing.assert_allclose(dX["words"].data, np.full((6, 5), 12))
    np.testing.assert_allclose(dX["numbers"][0], module_of(model).linear.weight.detach().numpy().sum(0), rtol=1e-6)
    in_order = PyTorchWrapper(module_of(model.copy())).initialize((numbers, kinds, RAGGED))
    np.testing.assert_array_equal(in_order.predict((numbers, kinds, RAGGED)), model.predict(X))


class Shapes(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append((tuple(x.shape), x.data_ptr(), x.is_contiguous()))
        return x * 2


@pytest.mark.parametrize(("layout", "shape"), [("NCHW", (6, 2, 8, 7)), ("NHWC", (6, 8, 7, 2))])
def test_images_come_as_the_layout_says_without_a_copy_and_go_back(layout, shape):
    model = PyTorchWrapper(Shapes(), layout=layout).initialize(IMAGES)
    np.testing.assert_array_equal(model.predict(IMAGES), IMAGES * 2)
    seen, address, _ = module_of(model).seen[-1]
    assert seen == shape
    assert address == IMAGES.ctypes.data
    Y, backprop = model.begin_update(IMAGES)
    np.testing.assert_array_equal(backprop(Y), IMAGES * 4)


def test_grey_images_are_contiguous_for_modules_that_take_views():
    model = PyTorchWrapper(Shapes()).initialize(IMAGES[:, :, :, :1].copy())
    grey = np.ascontiguousarray(IMAGES[:, :, :, :1])
    model.predict(grey)
    assert module_of(model).seen[-1] == ((6, 1, 8, 7), grey.ctypes.data, True)


def test_read_only_and_strided_inputs_raise_no_warning():
    model = PyTorchWrapper(mlp()).initialize(ROWS)
    locked, expected = ROWS.copy(), model.predict(ROWS)
    locked.flags.writeable = False
    wide = np.repeat(ROWS, 2, axis=1)[:, ::2]
    for X in (locked, wide, ROWS[::-1][::-1], np.broadcast_to(ROWS, ROWS.shape)):
        np.testing.assert_array_equal(model.predict(X), expected)


# Draws


def noisy():
    torch.manual_seed(0)
    return nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 3))


@KINDS
def test_draws_are_of_the_moment_whatever_was_drawn_before(wrapped):
    model = wrapped(noisy()).initialize(ROWS)
    found = {}
    for step in (3, 4, 3):
        torch.rand(step)
        model.store.moment = Moment(5, step)
        first, second = model.begin_update(ROWS)[0], model.begin_update(ROWS)[0]
        assert not np.array_equal(first, second), "micro-batches draw alike"
        if step in found:
            np.testing.assert_array_equal(first, found[step])
        found[step] = first
    assert not np.array_equal(found[3], found[4])


def test_a_module_that_draws_when_it_predicts_gives_the_same_each_time():
    class Guess(nn.Module):
        def forward(self, x):
            return x + torch.rand_like(x)

    model = PyTorchWrapper(Guess()).initialize(ROWS)
    first = model.predict(ROWS)
    model.begin_update(ROWS)
    np.testing.assert_array_equal(model.predict(ROWS), first)


def test_the_check_sees_draws_that_depend_on_history(monkeypatch):
    monkeypatch.setattr(TorchEngine, "seed", lambda self, seed: None)
    model = PyTorchWrapper(noisy()).initialize(ROWS)
    outputs = []
    for _ in range(2):
        model.store.moment = Moment(5, 3)
        outputs.append(model.begin_update(ROWS)[0])
    assert not np.array_equal(*outputs)


def test_the_mode_is_switched_only_when_it_changes():
    class Switched(nn.Linear):
        n = 0

        def train(self, mode=True):
            Switched.n += 1
            return super().train(mode)

    model = PyTorchWrapper(Switched(5, 3)).initialize(ROWS)
    Switched.n = 0
    for _ in range(3):
        model.begin_update(ROWS)
    for _ in range(3):
        model.predict(ROWS)
    assert Switched.n == 2


def test_threads_are_given_to_pytorch_and_taken_back():
    before = torch.get_num_threads()
    with computing(2, PyTorchWrapper(mlp())):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_learns_what_the_cpu_does():
    models = [PyTorchWrapper(cnn(), device=device).initialize(IMAGES) for device in ("cpu", "cuda")]
    assert next(module_of(models[1]).parameters()).is_cuda
    for _ in range(5):
        (Y, gradient), (Y_there, gradient_there) = (step(model, IMAGES, rate=0.01) for model in models)
        np.testing.assert_allclose(Y_there, Y, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(gradient_there, gradient, rtol=2e-2, atol=2e-3)
    np.testing.assert_allclose(models[1].predict(IMAGES), models[0].predict(IMAGES), rtol=1e-3, atol=1e-4)
    assert models[1].get_buffer("module.1.num_batches_tracked") == 5


def is_copied(model):
    """Whether what changes in the store reaches a module beside it."""
    before = model.predict(ROWS)
    model.store.values[...] *= 2
    return not np.array_equal(model.predict(ROWS), before)


def test_what_changes_in_the_store_is_copied_to_a_module_beside_it():
    model = mirrored(mlp()).initialize(ROWS)
    assert is_copied(model)
    module = module_of(model)
    assert module[0].weight.data_ptr() != model.store.values.ctypes.data
    averages = {segment.name: np.zeros(segment.shape, np.float32) for segment in model.store.segments}
    with model.use_params(averages):
        assert not model.predict(ROWS).any()
    assert model.predict(ROWS).any()


def test_the_check_sees_a_store_that_is_not_looked_at(monkeypatch):
    model = mirrored(mlp()).initialize(ROWS)
    model.predict(ROWS)
    monkeypatch.setattr(torch_state.Mirrored, "enter", lambda self, is_train: None)
    assert not is_copied(model)


class Assigning(nn.Module):
    """A module that changes its own weight in training, by way of `how`."""

    def __init__(self, how):
        super().__init__()
        self.linear, self.how = nn.Linear(5, 3), how

    def forward(self, X):
        if self.training:
            self.how(self.linear)
        return self.linear(X)


def shrink(linear):
    linear.weight.data = linear.weight.data * 0.5


def forget_gradient(linear):
    linear.weight.grad = None


@pytest.mark.parametrize("how", [shrink, forget_gradient])
def test_what_a_module_assigns_in_training_stays_in_the_store(how):
    X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    model = PyTorchWrapper(Assigning(how)).initialize(X, np.zeros((1, 3), np.float32))
    before = model.get_param("module.linear.weight").copy()
    Y, backprop = model.begin_update(X)
    backprop(np.ones_like(Y))
    factor = 0.5 if how is shrink else 1.0
    np.testing.assert_array_equal(model.get_param("module.linear.weight"), before * factor)
    weight = model.attrs["engine"].module.linear.weight
    assert weight.data_ptr() == model.get_param("module.linear.weight").ctypes.data
    np.testing.assert_allclose(model.get_grad("module.linear.weight"), np.tile(X.sum(axis=0), (3, 1)), rtol=1e-5)


def replace_weight(linear):
    linear.weight = nn.Parameter(linear.weight.detach() * 0.5)


def freeze(linear):
    linear.weight.requires_grad_(False)


@pytest.mark.parametrize(("how", "message"), [(replace_weight, "put another parameter"), (freeze, "set requires_grad")])
def test_what_a_layer_cannot_follow_is_told(how, message):
    X = np.zeros((6, 5), np.float32)
    model = PyTorchWrapper(Assigning(how)).initialize(X, np.zeros((1, 3), np.float32))
    with pytest.raises(ModuleError, match=message):
        model.begin_update(X)


class Twice(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)

    def forward(self, a, b):
        return self.linear(a) + 10 * b[:, :2]


def test_an_array_that_comes_twice_has_a_gradient_for_each_place():
    X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    model = PyTorchWrapper(Twice()).initialize((X, X.copy()), np.zeros((1, 2), np.float32))
    found = []
    for inputs in ((X, X), (X, X.copy())):
        _, backprop = model.begin_update(inputs)
        found.append(backprop(np.ones((4, 2), np.float32)))
    for same, apart in zip(*found, strict=True):
        np.testing.assert_array_equal(same, apart)
    assert not np.array_equal(*found[0])
