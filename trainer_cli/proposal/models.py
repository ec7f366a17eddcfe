"""The sections of a config that say what goes into a model and what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainer_cli.errors import DataError
from trainer_cli.proposal.recipe import Recipe
from trainer_cli.proposal.target import Target
from trainer_cli.proposal.text import Section
from trainer_cli.proposal.uses import LEFT_OUT, TARGET, Use

# The parts of [features.*.NAME] by use: the section's name, the encoder, and what it does that is not plain.
PARTS = {
    "number": ("numbers", "numbers.v1", "a gap in numbers becomes the mean, with a flag"),
    "category": ("categories", "categories.v1", "rare and new categories are unknown"),
    "date": ("dates", "dates.v1", ""),
}
# With more values than this a category has a vector that is learnt, not a flag for each; categories.v1 says so.
MAX_FLAGS = 32
OUTPUTS = {"classification": "softmax", "regression": "linear", "multilabel": "linear"}
# An image whose sides are shorter has nothing to fold.
MIN_SIDE = 8


@dataclass(frozen=True)
class Design:
    """What a model is made of: the sections [features] and [model], and the learning rate that suits it."""

    features: tuple[Section, ...]
    model: tuple[Section, ...]
    learn_rate: float


def design(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """The features and the model for the columns that are used. Without any it is a DataError."""
    roles = {use.role for use in found} - {TARGET, LEFT_OUT}
    if not roles:
        why = "; ".join(f"{use.facts.name}: {use.why}" for use in found if use.role == LEFT_OUT)
        raise DataError(f"no column is left to predict from{f' ({why})' if why else ''}")
    return next(make for role, make in MAKERS if role in roles)(found, target, recipe)


def of_images(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """A convolutional network on one column of images."""
    (use,) = [use for use in found if use.role == "image"][:1]
    features = Section("features", {"@encoders": "images.v1", "column": use.facts.name}, "Pixels, standardised.")
    depth = 2 if min(use.facts.shape[:2]) < 48 else 3
    values = {"@layers": "image_cnn.v1", "width": recipe.width // 4, "depth": depth, "hidden": recipe.width}
    return Design((features,), (Section("model", values | {"dropout": 0.3}),), 0.002)


def of_arrays(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """Layers on one column of arrays."""
    (use,) = [use for use in found if use.role == "array"][:1]
    features = Section("features", {"@encoders": "columns.v1", "columns": [use.facts.name]}, "Numbers, standardised.")
    return Design((features,), (layers("mlp.v1", target, recipe),), 0.003)


def of_table(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """Numbers, categories and dates side by side, and layers over them."""
    parts, notes = [], []
    for role, (name, encoder, note) in PARTS.items():
        if columns := [use.facts.name for use in found if use.role == role]:
            parts.append(Section(f"features.*.{name}", {"@encoders": encoder, "columns": columns}, joined=True))
            notes += [note] if note else []
    features = Section("features", {"@encoders": "columns.v1"}, f"Inputs{': ' if notes else ''}{'; '.join(notes)}.")
    has_vectors = any(use.facts.distinct > MAX_FLAGS for use in found if use.role == "category")
    return Design((features, *parts), (layers("tabular.v1" if has_vectors else "mlp.v1", target, recipe),), 0.003)


def layers(name: str, target: Target, recipe: Recipe) -> Section:
    values = {"@layers": name, "hidden": [recipe.width] * recipe.depth, "dropout": recipe.dropout}
    output = OUTPUTS[target.task]
    return Section("model", values if output == "softmax" else values | {"output": output})


# What decides which model it is, first come first served.
MAKERS: tuple[tuple[str, Callable[[Sequence[Use], Target, Recipe], Design]], ...] = (
    ("image", of_images),
    ("number", of_table),
    ("category", of_table),
    ("date", of_table),
    ("array", of_arrays),
)
