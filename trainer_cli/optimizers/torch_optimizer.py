"""The optimizers of PyTorch, by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer_cli import json_text
from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.extras import required
from trainer_cli.library_parts import check_name, check_settings, refusal
from trainer_cli.ops import Ops
from trainer_cli.optimizers.clipping import clip
from trainer_cli.optimizers.hyper import Rate
from trainer_cli.optimizers.torch_settings import as_written, is_like, wanted_like
from trainer_cli.optimizers.torch_state import FACTS, check_kept, dtype_of, others_of
from trainer_cli.optimizers.updater import Updater
from trainer_cli.registry import registry
from trainer_cli.store import Segment, Store, view

if TYPE_CHECKING:
    import torch

NAME = "TorchOptimizer.v1"
# Their steps call the model again, or want gradients that hold some rows only, or no parameters but matrices.
REFUSED = {
    "LBFGS": "runs the model several times in one step",
    "SparseAdam": "takes sparse gradients alone, and here they are dense",
    "Muon": 'takes matrices alone, and no biases; @optimizers = "Muon.v1" updates these by AdamW',
}
# What sets these stands elsewhere in a config.
ELSEWHERE = {"lr": "learn_rate", "params": "the model"}


@registry.optimizers(NAME)
class TorchOptimizer(Updater):
    """An optimizer of `torch.optim` by its name, `AdamW` say, over the parameters as they lie in the store.

    `settings` are that class's own, `betas = [0.9, 0.98]`; `learn_rate` is its `lr`, on a schedule. `grad_clip` is the
    norm to which a longer gradient of a parameter is scaled down before (0: never, as in PyTorch). Biases and the
    parameters of normalisation do not decay, whatever its `weight_decay`. It keeps no averages. A sparse table is an
    array like any other: all of its rows are updated, each time.

    Errors: no such class, one whose step needs more than gradients, or settings that it refuses (ArgumentError).
    """

    __slots__ = ("_inner", "_segments", "_tensors", "_values", "kind", "name", "settings")

    def __init__(self, name: str, learn_rate: Rate, *, grad_clip: Rate = 0.0, **settings: Any):
        super().__init__(learn_rate, grad_clip)
        library: Any = required("torch", NAME)
        self.name = name
        self.kind = kind_of(library, name)
        self.settings = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
        check_settings(NAME, name, self.settings, takes(self.kind), ELSEWHERE, ("learn_rate", "grad_clip"))
        check_kinds(self.kind, self.settings)
        self._inner: Any = None
        self._segments: tuple[Segment, ...] = ()
        self._values: Array | None = None
        self._tensors: list[torch.Tensor] = []
        self.try_out(library.zeros(2, 2, requires_grad=True))

    def try_out(self, tensor: torch.Tensor) -> None:
        """Update a tensor once. ArgumentError: the settings do not do here, where updates are plain ones on the CPU."""
        tensor.grad = tensor.detach().clone()
        inner = self.made([tensor], [False])
        try:
            inner.step()
        except Exception as err:
            raise ArgumentError(f"{NAME}: {self.name} cannot update with this: {' '.join(str(err).split())}") from err

    def made(self, tensors: list[torch.Tensor], no_decay: list[bool]) -> Any:
        """PyTorch's optimizer over some tensors. ArgumentError: it refuses its settings, or a tensor."""
        decaying = [tensor for tensor, free in zip(tensors, no_decay, strict=True) if not free]
        free = [tensor for tensor, free in zip(tensors, no_decay, strict=True) if free]
        groups: list[dict[str, Any]] = [{"params": decaying}]
        if free:
            groups.append({"params": free} | ({"weight_decay": 0.0} if "weight_decay" in takes(self.kind) else {}))
        try:
            return self.kind([group for group in groups if group["params"]], lr=self.learn_rate, **self.settings)
        except Exception as err:
            raise refusal(NAME, self.name, err) from err

    def check(self, store: Store) -> None:
        self.of(store)

    def update(self, store: Store, ops: Ops) -> None:
        clip(store.gradients, store.segments, self.grad_clip)
        inner = self.of(store)
        for group in inner.param_groups:
            group["lr"] = self.learn_rate
        inner.step()
        store.clear_gradients()

    def of(self, store: Store) -> Any:
        """PyTorch's optimizer of this store's parameters; what is known of those of another store moves along."""
        if self._values is store.values:
            return self._inner
        import torch

        known = self.remembered()
        tensors = []
        for segment in store.segments:
            tensor = torch.from_numpy(view(store.values, segment)).requires_grad_()
            tensor.grad = torch.from_numpy(view(store.gradients, segment))
            tensors.append(tensor)
        self._inner = self.made(tensors, [segment.no_decay for segment in store.segments])
        self._segments, self._values, self._tensors = store.segments, store.values, tensors
        for segment, tensor in zip(store.segments, tensors, strict=True):
            if segment.key in known and known[segment.key][0].shape == segment.shape:
                self._inner.state[tensor] = known[segment.key][1]
        return self._inner

    def states(self, store: Store) -> dict[Any, tuple[Segment, dict[str, Any]]]:
        """What PyTorch's optimizer remembers of each parameter, by the parameter's key."""
        self.of(store)
        return self.remembered()

    def remembered(self) -> dict[Any, tuple[Segment, dict[str, Any]]]:
        """The same of the parameters that it knows."""
        pairs = zip(self._segments, self._tensors, strict=True)
        return {segment.key: (segment, self._inner.state[tensor]) for segment, tensor in pairs}

    def to_arrays(self, store: Store) -> dict[str, Array]:
        """The tensors that PyTorch remembers, `exp_avg.hidden.W`, and under `facts` the rest as JSON."""
        import torch

        arrays: dict[str, Array] = {}
        others: dict[str, Any] = {}
        for segment, state in self.states(store).values():
            for key, value in state.items():
                if isinstance(value, torch.Tensor):
                    arrays[f"{key}.{segment.name}"] = value.detach().numpy()
                else:
                    others[f"{key}.{segment.name}"] = value
        facts = json_text.encode({"optimizer": f"torch.optim.{self.name}", "others": others})
        return arrays | {FACTS: np.frombuffer(json_text.dumps(facts), np.uint8)}

    def from_arrays(self, store: Store, arrays: dict[str, Array], *, n_updates: int) -> None:
        import torch

        arrays = dict(arrays)
        others = others_of(arrays, f"torch.optim.{self.name}")
        expected = self.expected(store) if n_updates else {}
        check_kept(arrays | others, expected, {segment.name for segment in store.segments}, self.name)
        states = {segment.name: state for segment, state in self.states(store).values()}
        for state in states.values():
            state.clear()
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        for full, value in (tensors | others).items():
            key, _, name = full.partition(".")
            states[name][key] = value

    def expected(self, store: Store) -> dict[str, Any]:
        """What PyTorch remembers of parameters of these shapes after an update, by full name."""
        import torch

        tensors = [torch.zeros(segment.shape, dtype=dtype_of(store)).requires_grad_() for segment in store.segments]
        for tensor in tensors:
            tensor.grad = torch.zeros_like(tensor)
        inner = self.made(tensors, [segment.no_decay for segment in store.segments])
        inner.step()
        pairs = zip(store.segments, tensors, strict=True)
        return {f"{key}.{each.name}": value for each, tensor in pairs for key, value in inner.state[tensor].items()}


def kind_of(torch: Any, name: str) -> Any:
    """The class of this name. ArgumentError: there is none, or one that cannot be used."""
    base = torch.optim.Optimizer
    known = {key for key, kind in vars(torch.optim).items() if isinstance(kind, type) and issubclass(kind, base)}
    check_name(NAME, name, "torch.optim", "optimizer", sorted(known - {"Optimizer", *REFUSED}), REFUSED)
    return getattr(torch.optim, name)


def takes(kind: Any) -> list[str]:
    """The arguments of an optimizer's class."""
    return list(inspect.signature(kind).parameters)


def check_kinds(kind: Any, settings: dict[str, Any]) -> None:
    """ArgumentError: a setting is of another kind than its default."""
    for key, value in settings.items():
        default = inspect.signature(kind).parameters[key].default
        if (wanted := wanted_like(default)) and not is_like(value, default):
            usual = f"as {as_written(default)} by default"
            message = f"{key} of {kind.__name__} must be {wanted}, {usual}, got {as_written(value)}"
            raise ArgumentError(f"{NAME}: {message}")
