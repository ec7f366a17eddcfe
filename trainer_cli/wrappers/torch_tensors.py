"""What goes into a PyTorch module and comes out of it: rows as tensors, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainer_cli.arrays import Array, Ragged

if TYPE_CHECKING:
    import torch

Layout = Literal["NCHW", "NHWC"]
IMAGE_AXES = 4


def tensor_of(array: Array) -> torch.Tensor:
    """A tensor in the memory of an array; in that of a copy where PyTorch has no such strides, or would write to what
    is read-only."""
    import torch

    if not (array.flags.writeable and array.flags.c_contiguous):
        array = array.copy(order="C")
    return torch.from_numpy(array)


def array_of(tensor: torch.Tensor) -> Array:
    """The numbers of a tensor in C order, without a copy where they lie so on the CPU."""
    tensor = tensor.detach()
    return np.ascontiguousarray((tensor if tensor.is_cpu else tensor.cpu()).numpy())


@dataclass
class Arguments:
    """What a module is called with, and the leaves of it whose gradients are those of the layer's input.

    An array is one argument, a Ragged two (its data, its lengths); a tuple gives positional arguments, and a dict those
    of its names, with the lengths of a ragged `text` as `text_lengths`. Floats come in the type of the parameters.
    """

    layout: Layout
    device: str
    dtype: np.dtype[np.generic]
    wants_gradient: bool
    positional: list[torch.Tensor] = field(default_factory=list)
    keywords: dict[str, torch.Tensor] = field(default_factory=dict)
    leaves: dict[int, list[torch.Tensor]] = field(default_factory=dict)  # an array may come several times

    def add(self, X: Any) -> Arguments:
        """Take in the layer's input."""
        if isinstance(X, dict):
            for name, part in X.items():
                self.add_named(name, part)
        elif isinstance(X, tuple):
            for part in X:
                self.add(part)
        elif isinstance(X, Ragged):
            self.positional += [self.rows(X.data), self.numbers(X.lengths)]
        else:
            self.positional.append(self.rows(X))
        return self

    def add_named(self, name: str, part: Any) -> None:
        if isinstance(part, tuple):  # words and their weights
            part, weights = part
            self.add_named(f"{name}_weights", weights.data)
        if isinstance(part, Ragged):
            self.keywords[f"{name}_lengths"] = self.numbers(part.lengths)
            part = part.data
        self.keywords[name] = self.rows(part)

    def rows(self, array: Array) -> torch.Tensor:
        """One array as a tensor, a leaf of the graph if its gradient is wanted; images as the layout has them."""
        if array.dtype.kind != "f":
            return self.numbers(array)
        tensor = self.placed(array if array.dtype is self.dtype else array.astype(self.dtype, copy=False))
        if self.wants_gradient:
            self.leaves.setdefault(id(array), []).append(tensor.requires_grad_())
        return as_layout(tensor, self.layout)

    def numbers(self, array: Array) -> torch.Tensor:
        return self.placed(array)

    def placed(self, array: Array) -> torch.Tensor:
        tensor = tensor_of(array)
        return tensor if self.device == "cpu" else tensor.to(self.device)

    def followed(self) -> Arguments:
        """The same, of whose floats autograd records what becomes of them."""
        self.positional = [recorded(tensor) for tensor in self.positional]
        self.keywords = {name: recorded(tensor) for name, tensor in self.keywords.items()}
        return self

    def changed(self) -> bool:
        """Whether the module wrote to its input, which may be somebody else's too."""
        return any(tensor._version for tensor in (*self.positional, *self.keywords.values()))

    def gradient(self, X: Any) -> Any:
        """The gradient of the input, in its structure; zeros for whole numbers and for what the module did not use."""
        if isinstance(X, dict):
            return {name: self.gradient(part) for name, part in X.items()}
        if isinstance(X, tuple):
            return tuple(self.gradient(part) for part in X)
        if isinstance(X, Ragged):
            return X.like(self.gradient(X.data))
        leaves = self.leaves.get(id(X), [None])
        leaves.append(leaf := leaves.pop(0))  # where the array comes again it is the next one's turn
        if leaf is None or leaf.grad is None:
            return np.zeros(X.shape, self.dtype)
        return array_of(leaf.grad)


def recorded(tensor: torch.Tensor) -> torch.Tensor:
    """A copy of floats, which autograd follows though it may be written to; others as they are."""
    return tensor.detach().requires_grad_().clone() if tensor.is_floating_point() else tensor


def as_layout(images: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Images (B, H, W, C) as a module of this layout takes them, in the same memory; other rows as they are."""
    if layout == "NHWC" or images.dim() != IMAGE_AXES:
        return images
    if images.shape[3] == 1:  # a permutation of one channel looks like "channels last", which `view` cannot take
        n, height, width, _ = images.shape
        return images.reshape(n, 1, height, width)
    return images.permute(0, 3, 1, 2)


def from_layout(images: torch.Tensor, layout: Layout) -> torch.Tensor:
    """What `as_layout` made, of the module's outputs, taken back."""
    return images if layout == "NHWC" or images.dim() != IMAGE_AXES else images.permute(0, 2, 3, 1)
