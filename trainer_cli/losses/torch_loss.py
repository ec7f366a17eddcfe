"""The losses of PyTorch, by name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.extras import required
from trainer_cli.library_parts import check_name, check_settings, refusal
from trainer_cli.losses.loss import Link, Loss, Takes, Truths
from trainer_cli.losses.mean import rows_mass
from trainer_cli.losses.tokens import of_tokens, repeated
from trainer_cli.losses.truths import ROUNDING, as_alike, as_classes, as_guesses, as_outputs, as_weights
from trainer_cli.losses.unknown import without_unknown
from trainer_cli.registry import registry
from trainer_cli.wrappers.engine import raised

if TYPE_CHECKING:
    import torch

NAME = "TorchLoss.v1"
# What the truths of each are, and what turns its guesses into probabilities. Those of classes take their numbers.
OF_CLASSES = ("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss")
OF_LOGITS = ("BCEWithLogitsLoss", "MultiLabelSoftMarginLoss")
OF_NUMBERS = ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "PoissonNLLLoss")
REFUSED = {
    "LinearCrossEntropyLoss": "has parameters of its own",
    "MultiLabelMarginLoss": "takes lists of class numbers, which no target of ours gives",
    "NLLLoss2d": "is another name of NLLLoss",
}
# What to write for truths of another kind.
REMEDIES: dict[Truths, str] = {
    "classes": 'name = "CrossEntropyLoss" with a model that ends in logits',
    "flags": 'name = "BCEWithLogitsLoss" with a model that ends in logits',
    "numbers": 'name = "MSELoss" with one number a row',
}
OLD = ("size_average", "reduce")  # which PyTorch itself has replaced by `reduction`
REDUCTIONS = ("mean", "sum")
# PyTorch's "mean" of this loss is about to change, and tells so.
REDUCTIONS_OF = {"KLDivLoss": ("batchmean", "sum")}


@registry.losses(NAME)
class TorchLoss(Loss):
    """A loss of `torch.nn` by its name, `CrossEntropyLoss` say; its gradient is that of autograd.

    `settings` are that class's own; a list, as in `weight = [1.0, 2.0]`, becomes a tensor. Guesses are (B, n), or
    Ragged of such rows: each token counts as a row, by the weight of its row. `CrossEntropyLoss`, `NLLLoss` and
    `MultiMarginLoss` take class numbers (B,), the first also distributions (B, n), and a row of number -1, whose class
    training never had, does not count; all others take truths like the guesses.

    With `reduction = "mean"`, as by default, the loss is the mean over the rows by their weights, each row's the mean
    of its numbers; class weights count as in PyTorch. With "sum" it is the sum. `KLDivLoss` has "batchmean", also by
    default, the mean over the rows of their sums, and no "mean". Without weights the computation is PyTorch's own, to
    the bit.

    Errors: no such class, one that takes more than guesses and truths, settings that it refuses; guesses for `BCELoss`
    that are no probabilities, or for `NLLLoss` no log-probabilities; anything that PyTorch raises (ArgumentError); a
    list of class weights that is not one number a class (ShapeError).
    """

    remedies = REMEDIES

    def __init__(self, name: str, **settings: Any):
        library: Any = required("torch", NAME)
        self.name = name
        self.kind = kind_of(library, name)
        self.reduction = checked_reduction(name, settings.pop("reduction", None))
        takes = [key for key in inspect.signature(self.kind).parameters if key not in OLD]
        check_settings(NAME, name, settings, takes, {}, ())
        self.settings = {key: tensor_of(library, value) for key, value in settings.items()}
        self.whole = self.made(self.reduction)
        self.each = self.made("none")
        self.skips_unknown = name in OF_CLASSES
        self.truths: Truths = truths_of(name)
        self.link: Link = "softmax" if name in OF_CLASSES else "sigmoid" if name in OF_LOGITS else "none"
        self.takes: Takes = takes_of(name, self.link)

    def made(self, reduction: str) -> Any:
        try:
            return self.kind(**self.settings, reduction=reduction)
        except Exception as err:
            raise refusal(NAME, self.name, err) from err

    def __call__(self, guesses: Array | Ragged, truths: Any, weights: Array | None = None) -> tuple[Any, float]:
        if isinstance(guesses, Ragged):
            P, y, token_weights = of_tokens(NAME, guesses, truths, weights)
            grad, value = self.of_rows(P, y, token_weights) if len(P) else (P, 0.0)
            return guesses.like(grad), value
        return self.of_rows(guesses, truths, weights)

    def of_rows(self, guesses: Array, truths: Any, weights: Array | None) -> tuple[Array, float]:
        import torch

        guesses = as_guesses(NAME, guesses) if self.skips_unknown else as_outputs(NAME, guesses)
        truths, weights = self.counted(truths, as_weights(NAME, weights, len(guesses)))
        if self.skips_unknown:
            truths = as_classes(NAME, truths, guesses.shape)
            truths = truths.astype(np.int64 if truths.ndim == 1 else guesses.dtype)
        else:
            truths = as_alike(NAME, truths, guesses)
        self.check(guesses)
        if self.name == "BCELoss" and np.isnan(guesses).any():  # which PyTorch refuses
            return guesses * np.nan, np.nan
        leaf = torch.tensor(guesses, requires_grad=True)
        try:
            with torch.enable_grad():
                value = self.value(leaf, torch.tensor(truths), truths, weights)
            value.backward()
        except Exception as err:
            raise ArgumentError(f"{NAME}: {self.name} raised {raised(err)}") from err
        grad = leaf.grad
        return (np.zeros_like(guesses) if grad is None else grad.numpy()), float(value.detach())

    def check(self, guesses: Array) -> None:
        """ArgumentError: the guesses are not what this loss is for, or its class weights are for other classes. NaN
        goes through, for the caller to stop at."""
        classes = self.settings.get("weight") if self.skips_unknown else None
        if classes is not None and len(classes) != guesses.shape[1]:
            message = f"weight of {self.name} must have one number a class, {guesses.shape[1]}, got {len(classes)}"
            raise ShapeError(f"{NAME}: {message}")
        low, high = guesses.min(), guesses.max()
        if self.name == "BCELoss" and (low < 0 or high > 1):
            rule, remedy = "probabilities in [0, 1]", "end the model in a sigmoid, or use BCEWithLogitsLoss"
        elif self.name == "NLLLoss" and high > ROUNDING:
            rule, remedy = "log-probabilities, none above 0", "end the model in log_softmax, or use CrossEntropyLoss"
        else:
            return
        raise ArgumentError(f"{NAME}: {self.name} takes {rule}, got values from {low:.6g} to {high:.6g}: {remedy}")

    def value(self, leaf: torch.Tensor, target: torch.Tensor, truths: Any, weights: Array | None) -> torch.Tensor:
        """The loss as a tensor of no axes."""
        import torch

        mass = self.mass_of(truths, weights)
        for module in (self.whole, self.each):
            module.to(leaf.dtype)
        if weights is None and mass != 0:
            found: torch.Tensor = self.whole(leaf, target)
            return found
        rows = self.each(leaf, target).reshape(len(leaf), -1)
        rows = rows.mean(1) if self.reduction == "mean" else rows.sum(1)
        shares = np.ones(len(leaf)) if weights is None else weights.astype(np.float64)
        shares = shares / (mass or 1.0) if mass is not None else shares
        return (rows * torch.tensor(shares, dtype=leaf.dtype)).sum()

    def counted(self, truths: Any, weights: Array | None) -> tuple[Any, Array | None]:
        """Truths and weights, in which rows of unknown classes weigh nothing."""
        return without_unknown(truths, weights) if self.skips_unknown else (truths, weights)

    def mass(self, truths: Any, weights: Array | None = None) -> float | None:
        """The number of rows, of ragged ones of tokens, or the sum of their weights, times those of their classes; None
        for a sum."""
        if isinstance(truths, Ragged):
            truths, weights = truths.data, repeated(NAME, weights, truths)
        return self.mass_of(*self.counted(truths, weights))

    def mass_of(self, truths: Any, weights: Array | None) -> float | None:
        if self.reduction == "sum":
            return None
        if self.name not in ("CrossEntropyLoss", "NLLLoss") or np.ndim(truths) != 1:
            return rows_mass(truths, weights)
        # PyTorch's mean of class numbers is one by the classes' weights, without those that are to be ignored.
        counts = np.where(truths == self.settings.get("ignore_index", -100), 0.0, 1.0)
        classes = self.settings.get("weight")
        if classes is not None:
            counts *= classes.detach().numpy().astype(np.float64)[truths]
        return float(counts.sum() if weights is None else counts @ weights)


def takes_of(name: str, link: Link) -> Takes:
    if name == "NLLLoss":
        return "log-probabilities"
    return "any" if link == "none" else "logits"


def truths_of(name: str) -> Truths:
    if name in OF_CLASSES:
        return "classes"
    return "flags" if name in (*OF_LOGITS, "BCELoss") else "numbers" if name in OF_NUMBERS else "any"


def kind_of(library: Any, name: str) -> Any:
    """The class of this name. ArgumentError: there is none, or one that cannot be used."""
    base = library.nn.modules.loss._Loss
    known = {key for key, kind in vars(library.nn).items() if isinstance(kind, type) and issubclass(kind, base)}
    usable = sorted(key for key in known if key not in REFUSED and takes_two(getattr(library.nn, key)))
    others = dict.fromkeys(known.difference(usable), "takes more than guesses and truths")
    check_name(NAME, name, "torch.nn", "loss", usable, others | {key: REFUSED[key] for key in known & REFUSED.keys()})
    return getattr(library.nn, name)


def takes_two(kind: Any) -> bool:
    """Whether a loss is one of guesses and truths and nothing else."""
    return len(inspect.signature(kind.forward).parameters) == 3


def checked_reduction(name: str, reduction: object) -> str:
    known = REDUCTIONS_OF.get(name, REDUCTIONS)
    if reduction is None:
        return known[0]
    if reduction not in known:
        raise ArgumentError(f"{NAME}: reduction of {name} must be one of {', '.join(known)}, got {reduction!r}")
    return str(reduction)


def tensor_of(library: Any, value: Any) -> Any:
    """A list of numbers as a tensor; other settings as they are."""
    if not isinstance(value, list | tuple):
        return value
    try:
        return library.tensor([float(number) for number in value])
    except (TypeError, ValueError) as err:
        raise ArgumentError(f"{NAME}: a list must be one of numbers, got {value!r:.60}") from err
