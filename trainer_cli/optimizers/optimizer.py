"""What all optimizers share: hyper-parameters on schedules, clipping, decay, averages, and flat state."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ModelFileError, ShapeError
from trainer_cli.ops import Ops
from trainer_cli.optimizers.clipping import clip
from trainer_cli.optimizers.hyper import Hyper, Rate
from trainer_cli.optimizers.rule import Rates, Rule
from trainer_cli.schedules.schedule import Schedule
from trainer_cli.store import Segment, Store, view

AVERAGE_DECAY_LIMIT = 0.9999


@dataclass
class State:
    """What an optimizer remembers about one flat array of weights. `store` is None for a tensor updated alone."""

    segments: tuple[Segment, ...]
    arrays: dict[str, Array]
    store: Store | None = None
    n_updates: int = 0

    def named(self, group: str) -> dict[str, Array]:
        return {segment.name: view(self.arrays[group], segment) for segment in self.segments}


class Optimizer:
    """Change weights by their gradients. `Adam`, `RAdam` and `SGD` make one; they differ in the `rule` alone.

    One update, in this order: `L2 * w` is added to the gradient (only if not `L2_is_weight_decay`); each tensor's
    gradient is scaled down to the norm `grad_clip` where it is longer (0: never); the rule moves the weights; they
    shrink by `learn_rate * L2 * w` (weight decay); the running averages move towards them by
    `1 - min((1 + t) / (10 + t), 0.9999)` in update t.

    Each of `learn_rate beta1 beta2 eps L2 grad_clip` is a number, a list, an iterator or a schedule. The first value
    holds from the start, `step_schedules` goes to the next; `position` is how often it was called.
    """

    learn_rate = Hyper()
    beta1 = Hyper(below=1)
    beta2 = Hyper(below=1)
    eps = Hyper()
    L2 = Hyper()
    grad_clip = Hyper()

    def __init__(
        self,
        learn_rate: Rate,
        *,
        rule: Rule,
        L2: Rate = 0.0,
        beta1: Rate = 0.0,
        beta2: Rate = 0.0,
        eps: Rate = 1e-8,
        grad_clip: Rate = 0.0,
        use_averages: bool = True,
        L2_is_weight_decay: bool = True,
    ):
        self.position = 0
        self.schedules: dict[str, Schedule] = {}
        self.rule = rule
        self.learn_rate = learn_rate
        self.L2 = L2
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.grad_clip = grad_clip
        self.use_averages = use_averages
        self.L2_is_weight_decay = L2_is_weight_decay
        self._ops = Ops()
        self._states: dict[Hashable, State] = {}

    def __call__(self, key: Hashable, weights: Array, gradient: Array, *, lr_scale: float = 1.0) -> tuple[Array, Array]:
        """Update one tensor in place, remembered under `key`, and set its gradient to zero; return both."""
        if weights.shape != gradient.shape:
            raise ShapeError(f"weights {weights.shape} and gradient {gradient.shape} must have one shape")
        if key not in self._states:
            self._states[key] = self._new_state((Segment(str(key), 0, weights.shape),), weights.dtype)
        # Non-contiguous arrays come back from reshape as copies, hence the copies back.
        flat_weights, flat_gradient = weights.reshape(-1), gradient.reshape(-1)
        self._update(self._ops, self._states[key], flat_weights, flat_gradient, lr_scale)
        weights[...] = flat_weights.reshape(weights.shape)
        gradient[...] = 0
        return weights, gradient

    def update(self, store: Store, ops: Ops) -> None:
        """Update every parameter of a store in place and set its gradients to zero.

        DivergedError: a gradient is not finite. Nothing has been changed then.
        """
        self._update(ops, self.state(store), store.values, store.gradients, 1.0)

    def step_schedules(self) -> None:
        """Go to the next value of every schedule."""
        self.position += 1

    @property
    def averages(self) -> dict[str, Array]:
        """The running averages of the parameters, by name."""
        return {
            name: a
            for state in self._states.values()
            if self.use_averages
            for name, a in state.named("averages").items()
        }

    def state(self, store: Store) -> State:
        """What is remembered about this store; zeros at first."""
        if id(store) not in self._states:
            self._states[id(store)] = self._new_state(store.segments, store.dtype)
            self._states[id(store)].store = store  # held, so that its id is not given to another
        return self._states[id(store)]

    def to_arrays(self, store: Store) -> dict[str, Array]:
        """The state of a store as named arrays: `m.hidden.W`, `averages.hidden.W`, ..."""
        state = self.state(store)
        return {f"{group}.{name}": array for group in state.arrays for name, array in state.named(group).items()}

    def from_arrays(self, store: Store, arrays: dict[str, Array], *, n_updates: int) -> None:
        """Take over what `to_arrays` gave. ModelFileError: it belongs to another model or optimizer."""
        state = self.state(store)
        state.n_updates = n_updates
        groups: dict[str, dict[str, Array]] = {group: {} for group in state.arrays}
        for name, array in arrays.items():
            group, _, param = name.partition(".")
            if group not in groups:
                raise ModelFileError(f"{name}: this optimizer keeps only {', '.join(groups) or 'nothing'}")
            groups[group][param] = array
        for group, flat in state.arrays.items():
            store.load(groups[group], flat)

    def _new_state(self, segments: tuple[Segment, ...], dtype: np.dtype[np.generic]) -> State:
        size = max((segment.stop for segment in segments), default=0)
        groups = (*self.rule.moments, "averages") if self.use_averages else self.rule.moments
        return State(segments, {group: np.zeros(size, dtype) for group in groups})

    def _update(self, ops: Ops, state: State, weights: Array, gradient: Array, lr_scale: float) -> None:
        L2, learn_rate = self.L2, self.learn_rate * lr_scale
        if L2 and not self.L2_is_weight_decay:
            ops.add_scaled(gradient, weights, scale=L2)
        clip(gradient, state.segments, self.grad_clip)
        state.n_updates += 1
        rates = Rates(learn_rate, self.beta1, self.beta2, self.eps)
        self.rule(ops, weights, gradient, state.arrays, rates, state.n_updates)
        gradient.fill(0)
        if L2 and self.L2_is_weight_decay:
            ops.add_scaled(weights, weights, scale=-learn_rate * L2)
        if self.use_averages:
            t = state.n_updates
            ops.average(state.arrays["averages"], weights, decay=min((1 + t) / (10 + t), AVERAGE_DECAY_LIMIT))
