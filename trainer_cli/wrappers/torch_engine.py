"""A PyTorch module as what is called for a layer: on which arrays, in which mode, with which draws."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from trainer_cli.arrays import Array, Ragged, n_rows
from trainer_cli.wrappers.engine import PREFIX, Engine, ModuleError, WrongOutputError, in_words, is_sparse, raised
from trainer_cli.wrappers.global_seed import torch_threads
from trainer_cli.wrappers.ragged_sample import ragged_of
from trainer_cli.wrappers.torch_state import COMPILED, Contents, Mirrored, Shared, State, uncompiled
from trainer_cli.wrappers.torch_tensors import Arguments, Layout, from_layout

if TYPE_CHECKING:
    import torch


# What PyTorch's normalisation of batches says where it gets one row.
ONE_VALUE = "Expected more than 1 value per channel when training"


class TorchEngine(Engine):
    """`per_token`: the module gives one output a token of ragged rows, not one a row; a sample has shown which.

    `flows`: on the way back it has reached what is to be trained. `is_mirrored` has the module's tensors apart from the
    store's also where both are on the CPU.
    """

    library = "PyTorch"

    def __init__(self, module: Any, layout: Layout, device: str, *, is_mirrored: bool = False):
        super().__init__(module.to(device))
        self.layout: Layout = layout
        self.device = device
        self.is_mirrored = is_mirrored or device != "cpu"
        self.per_token = False
        self.flows = False
        self.is_train: bool | None = None
        self.look()

    def look(self) -> None:
        """Find out what the module holds."""
        self.contents = Contents(self.module)
        self.state: State = (Mirrored if self.is_mirrored else Shared)(self.contents, PREFIX)

    def twin(self) -> Self:
        try:
            module = copied(self.module)
        except Exception as err:
            raise ModuleError(f"PyTorch module {self.name} cannot be copied: {raised(err)}") from err
        twin = type(self)(module, self.layout, self.device, is_mirrored=self.is_mirrored)
        twin.per_token, twin.first = self.per_token, self.first
        return twin

    @property
    def name(self) -> str:
        inner = getattr(self.module, COMPILED.removesuffix("."), self.module)
        return str(getattr(inner, "original_name", type(inner).__name__))  # TorchScript has classes of its own

    @contextmanager
    def computing(self, threads: int) -> Iterator[None]:
        with torch_threads(threads):
            yield

    def state_names(self, held: Sequence[str]) -> dict[str, str]:
        """The names in the module's state dict; what is tied has several, all of one parameter."""
        names: dict[int, str] = {}
        tensors = [(uncompiled(name), tensor) for name, tensor in self.module.named_parameters(remove_duplicate=False)]
        for name, tensor in tensors:
            names.setdefault(id(tensor), name)
        found = {name: PREFIX + names[id(tensor)] for name, tensor in tensors}
        places = {id(held): prefix for prefix, module in self.module.named_modules() for held in [module._buffers]}
        for name, hung in self.contents.places.items():
            for owner, key in hung:
                prefix = places[id(owner)]
                found[uncompiled(f"{prefix}.{key}" if prefix else key)] = PREFIX + name
        return found

    def arguments(self, X: Any, dtype: np.dtype[np.generic], wants_gradient: bool = False) -> Arguments:
        return Arguments(self.layout, self.device, dtype, wants_gradient).add(X)

    def set_mode(self, is_train: bool) -> None:
        if self.is_train is not is_train:
            self.module.train(is_train)
            self.is_train = is_train

    def seed(self, seed: int) -> None:
        """Let the module draw what the seed gives, whatever was drawn before."""
        import torch

        if self.device == "cpu":
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def call(self, where: str, arguments: Arguments, X: Any) -> Any:
        """What the module returns. ModuleError: it raises, or writes to its input."""
        with self.failing(where, X):
            try:
                found = self.module(*arguments.positional, **arguments.keywords)
            except (ValueError, RuntimeError) as err:
                if known := self.known(err, arguments.dtype):
                    raise WrongOutputError(known) from err
                raise
        if fault := self.contents.fault():
            raise self.failure(where, fault, X)
        if arguments.changed():
            raise self.failure(where, "changes its input in place, which others read: let it work on a copy", X)
        return found

    def part_of(self, err: BaseException) -> str:
        """The innermost submodule in whose call it was raised: `2 (Linear)`."""
        names = {id(part): name for name, part in self.module.named_modules() if name}
        callers = (frame.f_locals.get("self") for frame, _ in traceback.walk_tb(err.__traceback__))
        found = [part for part in callers if id(part) in names]
        return f"{uncompiled(names[id(found[-1])])} ({type(found[-1]).__name__})" if found else ""

    def known(self, err: Exception, dtype: np.dtype[np.generic]) -> str:
        """What PyTorch means by an error, with the remedy; "" if it is one of the module's own."""
        if ONE_VALUE in str(err):
            what = "normalises over the rows of a batch, which BatchNorm cannot where there is one: choose a"
            return f"{what} batch_size that leaves no batch of one row"
        if "dtype" in str(err) and (others := self.contents.others(dtype)):
            return f"computes with {others}, but its rows and parameters are {dtype}: return module.float()"
        return ""

    def go_back(self, where: str, output: torch.Tensor, gradient: torch.Tensor, X: Any) -> None:
        """Add what the output's gradient gives to those of the parameters. ModuleError: the module raises."""
        try:
            output.backward(gradient)
        except (Exception, SystemExit) as err:
            raise self.failure(where, f"raised {raised(err)} on the way back", X) from err
        self.state.collect()

    def checked(self, where: str, found: Any, X: Any, dtype: np.dtype[np.generic]) -> Any:
        """The module's output, a tensor of floats with the rows first, images as (B, H, W, C), in the type of the
        parameters. ModuleError: it is none, or is of another form than the first."""
        import torch

        wanted = self.n_outputs(X)
        is_dense = isinstance(found, torch.Tensor) and found.layout is torch.strided and not found.is_nested
        is_floats = is_dense and found.is_floating_point()
        if not is_floats or found.dim() < 2 or found.shape[0] != wanted:
            raise self.failure(where, f"returned {self.refused(found, wanted, is_floats)}", X)
        kind = torch.float64 if dtype.itemsize == 8 else torch.float32
        output = from_layout(found, self.layout)
        with self.failing(where, X):
            self.check_form(tuple(output.shape))
        return output if output.dtype is kind else output.to(kind)

    def refused(self, found: Any, wanted: int, is_floats: bool) -> str:
        """What a module returned that is no output, and what it should be."""
        if isinstance(found, np.ndarray):
            return f"a numpy array, {in_words(found)}, through which no gradient flows: return the tensor itself"
        if getattr(found, "is_nested", False):
            return "a nested tensor, whose rows differ: of ragged rows return one tensor with those of all tokens"
        if is_sparse(found):
            return f"{in_words(found)}, which no layer takes: return y.to_dense()"
        if not is_floats:
            return f"{in_words(found)}; a layer returns one tensor of floats, its first axis the rows"
        if found.dim() == 1 and found.shape[0] == wanted:
            return f"{in_words(found)}: return ({wanted}, 1), as y.unsqueeze(1) is"
        what = "tokens" if self.per_token else "rows"
        return f"{in_words(found)}; expected {wanted} {what} with one or more numbers each, that is ({wanted}, ...)"

    def n_outputs(self, X: Any) -> int:
        """How many rows, or tokens, the output has."""
        ragged = ragged_of(X)
        return len(ragged.data) if self.per_token and ragged is not None else n_rows(X)

    def rows_of(self, X: Any, Y: Array) -> Array | Ragged:
        """The output as the next layer takes it."""
        ragged = ragged_of(X)
        return ragged.like(Y) if self.per_token and ragged is not None else Y


def copied(module: Any) -> Any:
    """A deep copy. Without autograd, which would record that a module of TorchScript copies its parameters; there they
    forget whether they are trained."""
    import torch

    with torch.no_grad():
        found = copy.deepcopy(module, made_anew(module))
    are_trained = {name: param.requires_grad for name, param in module.named_parameters(remove_duplicate=False)}
    for name, param in found.named_parameters(remove_duplicate=False):
        param.requires_grad_(are_trained[name])
    return found


def made_anew(module: Any) -> dict[int, Any]:
    """For a deep copy: what parts of a module compute from parameters and keep as an attribute, as
    `torch.nn.utils.weight_norm` does, which PyTorch does not copy. They compute it anew at each pass."""
    import torch

    kept = (value for part in module.modules() for value in vars(part).values() if isinstance(value, torch.Tensor))
    return {id(value): value.detach().clone() for value in kept if not value.is_leaf}
