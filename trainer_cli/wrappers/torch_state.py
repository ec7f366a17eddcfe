"""Where the parameters and buffers of a PyTorch module lie: in the arrays of the store, or on a device beside them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from operator import is_
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.model import Model
from trainer_cli.wrappers.engine import first_names
from trainer_cli.wrappers.torch_tensors import array_of, tensor_of

if TYPE_CHECKING:
    import torch

# Numbers that numpy has no type for.
FOREIGN = ("bfloat16", "float8", "complex", "quint", "qint")
# What torch.compile puts before the names of a module.
COMPILED = "_orig_mod."


class Contents:
    """What a module holds, by its name in the module; in one that torch.compile made, as in the module it was made of.

    `trained` and `frozen` are its parameters, each once. `homes` says where in the module each hangs, under which key,
    and whether it is trained; `places` says for each buffer of its state dict where it hangs: a tied one in several
    places. Buffers that are not persistent are the module's own business.
    """

    def __init__(self, module: Any):
        self.trained: dict[str, torch.nn.Parameter] = {}
        self.frozen: dict[str, torch.nn.Parameter] = {}
        self.places: dict[str, list[tuple[dict[str, Any], str]]] = {}
        self.homes: dict[str, tuple[dict[str, Any], str, torch.nn.Parameter, bool]] = {}
        owners = dict(module.named_modules())
        for path, param in module.named_parameters():
            name, (owner, _, key) = uncompiled(path), path.rpartition(".")
            (self.trained if param.requires_grad else self.frozen)[name] = param
            self.homes[name] = (owners[owner]._parameters, key, param, param.requires_grad)
        names: dict[int, str] = {}
        for prefix, owner in owners.items():
            for key, buffer in owner._buffers.items():
                if buffer is not None and key not in owner._non_persistent_buffers_set:
                    name = names.setdefault(id(buffer), uncompiled(f"{prefix}.{key}" if prefix else key))
                    self.places.setdefault(name, []).append((owner._buffers, key))

    def fault(self) -> str:
        """What the module did to a parameter that a layer cannot follow, in words; empty if nothing."""
        for name, (home, key, param, is_trained) in self.homes.items():
            if key not in home or not is_(home[key], param):  # a module of TorchScript has no dict here
                return f"put another parameter in the place of {name}: change it in place, under torch.no_grad()"
            if param.requires_grad is not is_trained:
                return f"set requires_grad of {name} while it runs: freeze it where the module is made"
        return ""

    def buffer(self, name: str) -> torch.Tensor:
        held, key = self.places[name][0]
        tensor: torch.Tensor = held[key]
        return tensor

    def hang(self, name: str, tensor: torch.Tensor) -> None:
        """Make a tensor the buffer of this name."""
        for held, key in self.places[name]:
            held[key] = tensor

    def unfit(self, dtype: np.dtype[np.generic]) -> Iterator[tuple[str, str]]:
        """What cannot be kept, with its type: a parameter to be trained of another type than the store's, or what numpy
        has no numbers for."""
        for name, param in self.trained.items():
            if type_of(param) != dtype.name:
                yield name, type_of(param)
        for name, tensor in self.kept().items():
            if type_of(tensor).startswith(FOREIGN):
                yield name, type_of(tensor)

    def kept(self) -> dict[str, torch.Tensor]:
        """What is saved and not trained."""
        return self.frozen | {name: self.buffer(name) for name in self.places}

    def others(self, dtype: np.dtype[np.generic]) -> str:
        """The floats among these that are of another type than the store's: `fixed.weight, fixed.bias in float64`."""
        found = {name: type_of(tensor) for name, tensor in self.kept().items() if tensor.is_floating_point()}
        others = [name for name, kind in found.items() if kind != dtype.name]
        return f"{first_names(others)} in {found[others[0]]}" if others else ""


def uncompiled(name: str) -> str:
    """The name of a tensor in a module without what torch.compile put in it.

    >>> uncompiled("_orig_mod.hidden._orig_mod.weight")
    'hidden.weight'
    """
    return name.replace(COMPILED, "")


def type_of(tensor: torch.Tensor) -> str:
    """What a tensor's numbers are, as numpy calls it: `float32`."""
    return str(tensor.dtype).removeprefix("torch.")


class State(ABC):
    """The tensors of one module, bound to the arrays that its layer holds. Packing a store moves these arrays."""

    def __init__(self, contents: Contents, prefix: str):
        self.contents = contents
        self.prefix = prefix
        self.held: list[Array] | None = None

    def follow(self, layer: Model) -> None:
        """Bind to the layer's arrays, if they are others than those of the last time."""
        held = [*layer._params.values(), *layer._grads.values()]
        held += [array for pair in layer._buffers.values() for array in pair]
        if self.held is None or len(held) != len(self.held) or not all(map(is_, held, self.held)):
            self.held = held
            self.bind(layer)

    @abstractmethod
    def bind(self, layer: Model) -> None:
        """Let the module use the arrays that the layer holds now."""

    @abstractmethod
    def enter(self, is_train: bool) -> None:
        """Before a forward pass: let the module have the numbers of now, and buffers to train or to predict with."""

    @abstractmethod
    def leave(self, is_train: bool) -> None:
        """After a forward pass: keep what the module made of its buffers in training."""

    @abstractmethod
    def collect(self) -> None:
        """After the way back: let the layer's gradients have the module's."""


class Shared(State):
    """On the CPU: tensors in the memory of the store's arrays, gradients included, to which autograd adds in place."""

    def bind(self, layer: Model) -> None:
        self.trained = []
        for name, param in self.contents.trained.items():
            ours = param.data = tensor_of(layer.get_param(self.prefix + name))
            self.trained.append((param, ours, ours.data_ptr(), tensor_of(layer.get_grad(self.prefix + name))))
        for name, param in self.contents.frozen.items():
            param.data = tensor_of(layer.get_buffer(self.prefix + name))
        self.buffers = []
        for name in self.contents.places:
            value, fresh = layer._buffers[self.prefix + name]
            self.buffers.append((name, tensor_of(value), tensor_of(fresh)))
        self.mode: bool | None = None

    def enter(self, is_train: bool) -> None:
        if self.mode is not is_train:
            for name, value, fresh in self.buffers:
                self.contents.hang(name, fresh if is_train else value)
            self.mode = is_train

    def attach(self) -> None:
        """Let parameters lie in the layer's arrays and autograd add to its gradients, wherever the module put them."""
        for param, ours, address, gradient in self.trained:
            if param.data_ptr() != address:
                ours.copy_(param.detach())
                param.data = ours
            if param.grad is not gradient:
                param.grad = gradient

    def leave(self, is_train: bool) -> None:
        if is_train:
            self.attach()
        for name, value, fresh in self.buffers:
            ours = fresh if is_train else value
            made = self.contents.buffer(name)
            if made is not ours:  # the module has assigned another tensor
                if is_train:
                    ours.copy_(made.detach())
                self.contents.hang(name, ours)

    def collect(self) -> None:
        pass


class Mirrored(State):
    """On a device: the store's numbers are copied there where they have changed, gradients and buffers back.

    What was copied is kept, so that whatever changes the store is seen: an update, averages, a checkpoint.
    """

    def bind(self, layer: Model) -> None:
        contents, prefix = self.contents, self.prefix
        self.pairs = [
            (param, layer.get_param(prefix + name), np.full(param.shape, np.nan, layer.dtype))
            for name, param in contents.trained.items()
        ]
        self.gradients = [(param, layer.get_grad(prefix + name)) for name, param in contents.trained.items()]
        self.frozen = [(param, layer.get_buffer(prefix + name)) for name, param in contents.frozen.items()]
        self.buffers = [(name, *layer._buffers[prefix + name]) for name in contents.places]
        self.tensors = {name: contents.buffer(name) for name in contents.places}
        self.layer = layer
        self.loads = -1

    def enter(self, is_train: bool) -> None:
        for param, array, copied in self.pairs:
            if not np.array_equal(array, copied):
                copied[...] = array
                param.data.copy_(tensor_of(array))
        store = self.layer.store_or_none
        loads = store.buffers.n_loads if store is not None else 0
        if loads != self.loads:
            self.loads = loads
            for param, array in self.frozen:
                param.data.copy_(tensor_of(array))
        for name, value, fresh in self.buffers:
            self.tensors[name].copy_(tensor_of(fresh if is_train else value))
        for param, _ in self.gradients:
            param.grad = None

    def leave(self, is_train: bool) -> None:
        for name, _, fresh in self.buffers:
            if is_train:
                fresh[...] = array_of(self.contents.buffer(name))
            self.contents.hang(name, self.tensors[name])

    def collect(self) -> None:
        for param, gradient in self.gradients:
            if param.grad is not None:
                gradient += array_of(param.grad)
                param.grad = None
