"""What all optimizers share: hyper-parameters on schedules, clipping, decay, averages, and what is remembered."""

from __future__ import annotations

import copy
from collections.abc import Hashable

import numpy as np

from trainer_cli import json_text, tensors
from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ModelFileError, ShapeError
from trainer_cli.ops import Ops
from trainer_cli.optimizers.averages import average_decay
from trainer_cli.optimizers.clipping import clip
from trainer_cli.optimizers.hyper import Hyper, Rate
from trainer_cli.optimizers.memory import ByKey, Memory, State
from trainer_cli.optimizers.rule import Rates, Rule
from trainer_cli.optimizers.rules import AdamRule, RAdamRule, SGDRule
from trainer_cli.optimizers.touched import gather, scatter
from trainer_cli.optimizers.updater import Updater
from trainer_cli.schedules.arguments import is_number, require_flags
from trainer_cli.store import Segment, Store


class Optimizer(Updater):
    """Change weights by their gradients. The optimizers with names of their own differ in the `rule`.

    One update, in this order: `L2 * w` is added to the gradient (only if not `L2_is_weight_decay`); each tensor's
    gradient is scaled down to the norm `grad_clip` where it is longer (0: never); weights that decay (all but biases
    and normalisation) shrink by `learn_rate * weight_decay * w`; the rule moves the weights; all of them shrink by
    `learn_rate * L2 * w` (if `L2_is_weight_decay`); the running averages move towards the weights by
    `1 - min((1 + t) / (10 + t), 0.9999)` in update t.

    Each rate is a number, a list, an iterator or a schedule. The first value holds from the start, `step_schedules`
    goes to the next; `position` is how often it was called, and where every schedule is read. Without a `rule`, it is
    RAdam's if `use_radam`, else Adam's, or plain gradient descent if `beta2` is 0.

    >>> optimizer = Optimizer([0.5, 0.25], beta1=0.0, beta2=0.0)
    >>> weights, gradient = np.ones(2, np.float32), np.array([0.0, 0.5], np.float32)
    >>> optimizer((1, "W"), weights, gradient)
    (array([1.  , 0.75], dtype=float32), array([0., 0.], dtype=float32))
    >>> optimizer.step_schedules()
    >>> optimizer.learn_rate, optimizer.nr_update[1, "W"]
    (0.25, 1)
    """

    beta1 = Hyper(below=1)
    beta2 = Hyper(below=1)
    b1 = Hyper(below=1, of="beta1")
    b2 = Hyper(below=1, of="beta2")
    eps = Hyper(divided_by=True)
    L2 = Hyper()
    weight_decay = Hyper()
    momentum = Hyper(below=1)

    __slots__ = ("L2_is_weight_decay", "_memory", "_ops", "rule")

    def __init__(
        self,
        learn_rate: Rate,
        *,
        L2: Rate = 0.0,
        beta1: Rate = 0.9,
        beta2: Rate = 0.999,
        eps: Rate = 1e-8,
        grad_clip: Rate = 1.0,
        use_averages: bool = True,
        use_radam: bool = False,
        L2_is_weight_decay: bool = True,
        weight_decay: Rate = 0.0,
        momentum: Rate = 0.0,
        rule: Rule | None = None,
    ):
        require_flags("an optimizer", use_averages=use_averages, L2_is_weight_decay=L2_is_weight_decay)
        super().__init__(learn_rate, grad_clip, use_averages=use_averages)
        self.L2 = L2
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.L2_is_weight_decay = L2_is_weight_decay
        self.rule = rule or (RAdamRule() if use_radam else AdamRule() if self.beta2 > 0 else SGDRule())
        self._memory = Memory((*self.rule.moments, "averages") if use_averages else self.rule.moments)
        self._ops = Ops()

    def __call__(self, key: Hashable, weights: Array, gradient: Array, *, lr_scale: float = 1.0) -> tuple[Array, Array]:
        """Update one tensor in place, remembered under `key`, and set its gradient to zero; return both.

        An empty gradient changes nothing. Errors: weights that cannot be changed in place, two shapes, a shape or
        type that is not the one of before; DivergedError: the gradient is not finite.
        """
        check_arrays(key, weights, gradient)
        if not is_number(lr_scale) or lr_scale < 0:
            raise ArgumentError(f"lr_scale must be a finite number of at least 0, got {lr_scale!r}")
        if gradient.size == 0:
            return weights, gradient
        if weights.shape != gradient.shape:
            raise ShapeError(f"weights {weights.shape} and gradient {gradient.shape} must have one shape")
        state, index = self._memory.of_tensor(key, weights)
        # Arrays that are not contiguous come back from reshape as copies, hence the copy back.
        flat_weights, flat_gradient = weights.reshape(-1), gradient.astype(weights.dtype, copy=False).reshape(-1)
        self._update(self._ops, state, range(index, index + 1), flat_weights, flat_gradient, lr_scale)
        if not weights.flags.c_contiguous:
            weights[...] = flat_weights.reshape(weights.shape)
        gradient[...] = 0
        return weights, gradient

    def update(self, store: Store, ops: Ops) -> None:
        """Update every parameter of a store in place and set its gradients to zero.

        DivergedError: a gradient is not finite. Nothing has been changed then.
        """
        state = self._memory.of_store(store)
        n_tensors = len(state.segments) - len(store.tables)
        tables = [gather(store, state, index) for index in range(n_tensors, len(state.segments))]
        for table in tables:
            clip(table.gradient, table.state.segments, 0)  # only looks, before anything is changed
        self._update(ops, state, range(n_tensors), store.values[: store.n_dense], store.dense, 1.0)
        for table in tables:
            self._update(ops, table.state, range(1), table.weights, table.gradient, 1.0)
            scatter(ops, store, state, table)
        store.clear_gradients(dense=not self.rule.clears)

    # What is remembered, under the reference's names: by key, `(model.id, "W")` in a model, or by name, "hidden.W"

    @property
    def averages(self) -> ByKey[Array] | None:
        """The running averages of the weights; None without `use_averages`."""
        return self._memory.by_key("averages") if self.use_averages else None

    @property
    def mom1(self) -> dict[Hashable, Array]:
        """The running means of the gradients, flat."""
        return {key: array.reshape(-1) for key, array in self._memory.by_key("m").items()}

    @property
    def mom2(self) -> dict[Hashable, Array]:
        """The running means of the gradients' squares, flat."""
        return {key: array.reshape(-1) for key, array in self._memory.by_key("v").items()}

    @property
    def nr_update(self) -> ByKey[int]:
        """How often each tensor was updated."""
        return self._memory.counts()

    @property
    def use_radam(self) -> bool:
        return isinstance(self.rule, RAdamRule)

    # Keeping

    def state(self, store: Store) -> State:
        """What is remembered about this store; zeros at first."""
        return self._memory.of_store(store)

    def to_arrays(self, store: Store) -> dict[str, Array]:
        """The state of a store as named arrays: `m.hidden.W`, `averages.hidden.W`, `last.table.E`, ..."""
        state = self.state(store)
        last = {f"last.{state.segments[index].name}": array for index, array in state.last.items()}
        groups = {f"{g}.{name}": part for g, array in state.arrays.items() for name, part in store.named(array).items()}
        return groups | last

    def from_arrays(self, store: Store, arrays: dict[str, Array], *, n_updates: int) -> None:
        """Take over what `to_arrays` gave. ModelFileError: it belongs to another model or optimizer."""
        state = self.state(store)
        groups: dict[str, dict[str, Array]] = {group: {} for group in state.arrays}
        last = {state.segments[index].name: array for index, array in state.last.items()}
        for name, array in arrays.items():
            group, _, param = name.partition(".")
            if group == "last" and param in last and array.shape == last[param].shape:
                last.pop(param)[...] = array
                continue
            if group not in groups:
                raise ModelFileError(f"{name}: this optimizer keeps only {', '.join(groups) or 'nothing'}")
            groups[group][param] = array
        if last:
            raise ModelFileError(f"last.{min(last)}: is missing")
        for group, flat in state.arrays.items():
            store.load(groups[group], flat)
        state.n_updates[:] = [n_updates] * len(state.segments)

    def to_bytes(self) -> bytes:
        """All that is remembered, of scores too where a schedule follows them, and the position of the schedules.

        The rates themselves are not in it.
        """
        facts = {"rule": type(self.rule).__name__, "followers": {n: s.to_state() for n, s in self.followers.items()}}
        arrays: dict[str, Array] = {
            "position": np.asarray(self.position, np.int64),
            "facts": np.frombuffer(json_text.dumps(facts), np.uint8),
        }
        return tensors.to_bytes(arrays | self._memory.to_arrays())

    def from_bytes(self, data: bytes) -> Optimizer:
        """Take over what an optimizer made with the same arguments wrote by `to_bytes`.

        A model's parameters are told by their names, so the model may be another one of the same shape.
        ModelFileError: the bytes are damaged, or another kind of optimizer's.
        """
        arrays = tensors.from_bytes(data)
        if not {"position", "facts"} <= arrays.keys():
            held = ", ".join(sorted(arrays)[:3]) or "nothing"
            raise ModelFileError(f"these bytes are no optimizer's: they hold {held}")
        try:
            position, facts = int(arrays.pop("position")), json_text.loads(arrays.pop("facts").tobytes())
            rule, memories = facts["rule"], dict(facts["followers"])
        except (KeyError, TypeError, ValueError) as err:
            raise ModelFileError(f"these bytes are no optimizer's: {err!r}") from err
        if position < 0 or rule != type(self.rule).__name__ or memories.keys() != self.followers.keys():
            ours = f"{type(self.rule).__name__} with {sorted(self.followers)} following scores"
            theirs = f"{rule} with {sorted(memories)} at step {position}"
            raise ModelFileError(f"this optimizer is {ours}, the bytes are of {theirs}")
        for name, memory in memories.items():
            copy.deepcopy(self.followers[name]).load_state(memory)  # what is wrong with one is told before any is taken
        self._memory.from_arrays(arrays)
        for name, memory in memories.items():
            self.followers[name].load_state(memory)
        self._go_to(position)
        return self

    # The update

    def _update(self, ops: Ops, state: State, indexes: range, weights: Array, gradient: Array, lr_scale: float) -> None:
        L2, learn_rate, weight_decay = self.L2, self.learn_rate * lr_scale, self.weight_decay
        rates = Rates(learn_rate, self.beta1, self.beta2, self.eps, self.momentum)
        decaying = rates._replace(shrink=learn_rate * weight_decay) if weight_decay else rates
        segments = state.segments[indexes.start : indexes.stop]
        if L2 and not self.L2_is_weight_decay:
            clip(gradient, segments, 0)  # only looks: a gradient that is not finite is left as it is
            ops.add_scaled(gradient, weights, scale=L2)
        clip(gradient, segments, self.grad_clip)

        def alike(segment: Segment) -> Hashable:
            return self.rule.kind(segment), segment.no_decay and weight_decay > 0

        for part in state.parts(indexes, weights, gradient, alike):
            self.rule.move(ops, part, rates if part.segments[0].no_decay else decaying)
            if L2 and self.L2_is_weight_decay:
                ops.add_scaled(part.weights, part.weights, scale=-learn_rate * L2)
            if self.use_averages:
                ops.average(part.moments["averages"], part.weights, decay=average_decay(part.n_updates))


def check_arrays(key: Hashable, weights: object, gradient: object) -> None:
    if not isinstance(weights, np.ndarray) or weights.dtype not in (np.float32, np.float64):
        kind = weights.dtype if isinstance(weights, np.ndarray) else type(weights).__name__
        raise ArgumentError(f"the weights of {key!r} are changed in place, so they are float32 or float64, not {kind}")
    if not weights.flags.writeable:
        raise ArgumentError(f"the weights of {key!r} are changed in place, but this array is read-only: pass a copy")
    if not isinstance(gradient, np.ndarray) or gradient.dtype.kind not in "fiu":
        kind = gradient.dtype if isinstance(gradient, np.ndarray) else type(gradient).__name__
        raise ArgumentError(f"the gradient of {key!r} is an array of numbers, not {kind}")
    if not gradient.flags.writeable:
        raise ArgumentError(f"the gradient of {key!r} is set to zero, but this array is read-only: pass a copy")
