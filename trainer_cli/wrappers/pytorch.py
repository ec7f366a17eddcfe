"""A PyTorch module as a layer."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer_cli.arrays import n_rows
from trainer_cli.errors import ArgumentError
from trainer_cli.extras import required
from trainer_cli.model import Backprop, Model, width
from trainer_cli.registry import registry
from trainer_cli.wrappers.engine import PREFIX, ModuleError, first_names, is_fed, raised
from trainer_cli.wrappers.given import told
from trainer_cli.wrappers.outputs import gradient_of
from trainer_cli.wrappers.ragged_sample import ragged_of, with_more_tokens
from trainer_cli.wrappers.torch_endings import ending
from trainer_cli.wrappers.torch_engine import TorchEngine
from trainer_cli.wrappers.torch_flow import proved
from trainer_cli.wrappers.torch_products import largest_matrix, products
from trainer_cli.wrappers.torch_state import type_of
from trainer_cli.wrappers.torch_tensors import Arguments, Layout, array_of, tensor_of

if TYPE_CHECKING:
    import torch

NAME = "PyTorchWrapper.v1"


@registry.layers(NAME)
def PyTorchWrapper(module: Any, layout: Layout = "NCHW", device: str = "cpu") -> Model:
    """Run a `torch.nn.Module`; its parameters are this layer's, called `module.` and their name in the module.

    The module is called with one tensor for an array, with data and lengths for ragged rows, with several arguments
    for a tuple, and for a dict with the names of its parts (and `text_lengths` for a ragged `text`). It returns one
    tensor of floats, whose first axis is the rows, or for ragged rows the tokens. Images (B, H, W, C) come to it as
    `layout` says, NCHW as a view of the same memory, and its outputs of four axes go back the same way.

    On the CPU the module's tensors are the memory of the model's arrays: parameters, gradients and buffers. With
    another `device`, as "cuda", they lie there, and what has changed is copied at each pass. Buffers are kept as they
    are, those of whole numbers or flags too; those that are not persistent stay in the module. What has
    `requires_grad = False` is saved, and left as it is. Biases and all parameters of one axis do not decay.

    Before each pass in training PyTorch's generator is seeded from the run's seed, the step, the micro-batch and the
    layer, and before one that predicts with 0: no draw depends on what was drawn before.

    Errors: no module, one with an extra state, or a device that is not there (ArgumentError); parameters that are not
    float32, a module that raises, returns anything else, or returns what depends on none of its parameters or, where
    layers before it have some, not on its input (ModuleError); numbers that are not finite, in training and where it
    is scored (DivergedError).
    """
    torch = required("torch", NAME)
    if not isinstance(module, torch.nn.Module):
        rule = "module must be a torch.nn.Module that a function of yours makes"
        raise ArgumentError(f"{NAME}: {rule}, got {told(module)}")
    if keepers := [part for part in module.modules() if keeps_more(torch, part)]:
        what = f"{type(keepers[0]).__name__} keeps a state of its own (get_extra_state), which is in no checkpoint"
        raise ArgumentError(f"{NAME}: {what}: keep it as tensors, in buffers (register_buffer)")
    check_device(torch, device)
    return layer_of(TorchEngine(module, layout, device))


def keeps_more(torch: Any, part: Any) -> bool:
    """Whether a part of a module has something in its state dict besides parameters and buffers."""
    return type(part).get_extra_state is not torch.nn.Module.get_extra_state


def check_device(torch: Any, device: str) -> None:
    """ArgumentError: there is no such device, or it cannot compute."""
    try:
        one = torch.ones(1, 1, device=device, requires_grad=True)
        with warnings.catch_warnings():  # the thread that goes back on a GPU tells that it is new there
            warnings.simplefilter("ignore")
            (one @ one).sum().backward()
        one.cpu()  # which "meta" has no numbers for
    except Exception as err:
        raise ArgumentError(f"{NAME}: the device {device!r} is not there: {raised(err)}") from err


def layer_of(engine: TorchEngine) -> Model:
    """The layer that runs an engine's module."""
    contents = engine.contents
    mean = [name for name in contents.places if type_of(contents.buffer(name)) == "float32"]
    exact = [name for name in contents.places if name not in mean] + list(contents.frozen)
    return Model(
        "pytorch",
        forward,
        init=init,
        dims={"nO": None} if contents.trained else {},
        params=tuple(PREFIX + name for name in contents.trained),
        buffers=tuple(PREFIX + name for name in (*mean, *exact)),
        exact=tuple(PREFIX + name for name in exact),
        attrs={"layer": NAME, "engine": engine},
    )


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    engine: TorchEngine = model.attrs["engine"]
    arguments = entered(model, engine, X, is_train)
    output = called(model, engine, arguments, X, is_train)
    Y = engine.rows_of(X, array_of(output))
    if is_train or engine.is_scored:
        engine.check_finite(model.where, Y, X)
    fed = arguments if is_fed(model) else None

    def backprop(dY: Any) -> Any:
        if not is_train:
            raise ArgumentError(f"{model.where}: a PyTorch module goes back only after a forward pass in training")
        gradient = tensor_of(gradient_of(model, dY, Y)).to(output.device)
        with nullcontext() if engine.flows else proved(engine, model, X, fed):
            if output.requires_grad:
                engine.go_back(model.where, output, gradient, X)
        return arguments.gradient(X) if arguments.wants_gradient else None

    return Y, backprop


def entered(model: Model, engine: TorchEngine, X: Any, is_train: bool) -> Arguments:
    """What the module is called with, when it has the numbers of now, its mode, and the seed of its draws."""
    engine.state.follow(model)
    engine.state.enter(is_train)
    engine.set_mode(is_train)
    engine.seed(model.random_seed("torch") if is_train else 0)
    return engine.arguments(X, model.dtype, model.input_gradient and is_train)


def called(model: Model, engine: TorchEngine, arguments: Arguments, X: Any, is_train: bool) -> torch.Tensor:
    """The module's output, with a graph in training; what became of its buffers is kept."""
    import torch

    with torch.set_grad_enabled(is_train):
        found = engine.call(model.where, arguments, X)
        output: torch.Tensor = engine.checked(model.where, found, X, model.dtype)
    engine.state.leave(is_train)
    return output


def init(model: Model, X: Any, Y: Any) -> None:
    """Take over the module's numbers, which it drew itself; a sample shows what it returns and how it computes."""
    engine: TorchEngine = model.attrs["engine"]
    if model.dtype == np.float64:
        engine.module.double()
    check_types(model, engine)
    if X is not None:
        try_out(model, engine, X, Y)
        check_types(model, engine)  # of what the sample has given its size
    contents = engine.contents
    for name, param in contents.trained.items():
        model.set_param(PREFIX + name, param.detach().cpu().numpy())
    for name, param in contents.frozen.items():
        model.set_constant(PREFIX + name, np.array(param.detach().cpu().numpy(), order="C"))
    for name in contents.places:
        model.set_buffer(PREFIX + name, contents.buffer(name).detach().cpu().numpy())
    flat = (name for name, param in contents.trained.items() if param.dim() < 2 or "bias" in name.split(".")[-1])
    model.no_decay = frozenset(PREFIX + name for name in flat)


def check_types(model: Model, engine: TorchEngine) -> None:
    """ModuleError: parameters or buffers have numbers of another type than the model's."""
    unfit = dict(engine.contents.unfit(model.dtype))
    for kind in unfit.values():
        names = first_names(name for name, each in unfit.items() if each == kind)
        what = f"has {names} in {kind}, and a module is trained in {model.dtype}: return module.float()"
        raise ModuleError(f"{model.where}: PyTorch module {engine.name} {what}", where=model.where)


def try_out(model: Model, engine: TorchEngine, X: Any, Y: Any) -> None:
    """Let the module predict a sample. ShapeError: its output is not as wide as the targets."""
    import torch

    X = with_more_tokens(X)
    engine.first = None
    engine.set_mode(False)
    engine.seed(0)
    arguments = engine.arguments(X, model.dtype).followed()
    with torch.enable_grad(), products(engine.module) as found:
        output = engine.call(model.where, arguments, X)
    ragged = ragged_of(X)
    if ragged is not None and hasattr(output, "shape") and output.dim():
        engine.per_token = output.shape[0] == len(ragged.data)
    output = engine.checked(model.where, output, X, model.dtype)
    if ends_in := ending(output):
        model.attrs["output"] = ends_in
    largest = max(found.values(), default=0) / n_rows(X)
    model.attrs["largest_product"] = max(int(largest), largest_matrix(engine.module))
    if Y is not None and width(Y) != output.shape[-1]:
        raise engine.failure(model.where, f"returned {tuple(output.shape)}, the targets need a width of {width(Y)}", X)
    if model.has_dim("nO") is not False:
        model.set_dim("nO", int(output.shape[-1]), force=True)
