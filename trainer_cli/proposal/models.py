"""The sections of a config that say what goes into a model and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trainer_cli.errors import DataError
from trainer_cli.proposal.recipe import FEW, Recipe, plain
from trainer_cli.proposal.target import Target
from trainer_cli.proposal.text import Section
from trainer_cli.proposal.uses import LEFT_OUT, TARGET, Use

Settings = tuple[tuple[str, str | bool], ...]

# The parts of [features.*.NAME] by use: the section's name, the encoder, and what it does that is not plain.
PARTS = {
    "number": ("numbers", "numbers.v1", "a gap in numbers becomes the mean, with a flag"),
    "category": ("categories", "categories.v1", "rare and new categories are unknown"),
    "date": ("dates", "dates.v1", ""),
}
# With more values than this a category has a vector that is learnt, not a flag for each; categories.v1 says so.
MAX_FLAGS = 32
# So many columns that are left out are named where none is used.
MAX_WHYS = 10
OUTPUTS = {"classification": "softmax", "regression": "linear", "multilabel": "linear"}
# Training texts of so many words in all have their runs of characters counted too, which takes several times as long.
MAX_WORDS = 1_000_000
FEW_WORDS = 5_000
# Of more texts than this a word counts that two of them have, as is usual.
MANY_TEXTS = 50_000
# What is looked up of each word in a text that has tags, and how large a table is. The sizes below are the widest that
# tag three times as fast as spaCy's HashEmbedCNN.
ATTRIBUTES = {
    "NORM": 4000,
    "ORTH": 4000,
    "SHAPE": 2500,
    "PREFIX": 1000,
    "PREFIX3": 2500,
    "SUFFIX": 2500,
    "SUFFIX2": 1000,
    "SUFFIX4": 3000,
}
SMALL_TAGGER, LARGE_TAGGER = {"width": 64, "depth": 2}, {"width": 104, "depth": 4}
# The first learning rates for texts, of Adam and of plain steps. Adam's steps are as long for words that come once as
# for words that tell, and where texts are few it is left at that.
TEXT_RATE, PLAIN_RATE = 0.005, 5.0
FEW_TEXTS = 5_000
# How weights shrink where rows are few. Numbers need large weights where classes need but signs.
CAREFUL = {"classification": 1.0, "multilabel": 1.0, "regression": 0.1}


@dataclass(frozen=True)
class Design:
    """What a model is made of, the sections [features] and [model], and the optimizer that suits it."""

    features: tuple[Section, ...]
    model: tuple[Section, ...]
    learn_rate: float
    optimizer: Mapping[str, Any] = field(default_factory=lambda: {"@optimizers": "AdamW.v1"})


def design(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """The features and the model for the columns that are used. Without any it is a DataError."""
    roles = {use.role for use in found} - {TARGET, LEFT_OUT}
    if not roles:
        whys = [f"{use.facts.name}: {use.why}" for use in found if use.role == LEFT_OUT]
        more = [f"and {len(whys) - MAX_WHYS} more"] if len(whys) > MAX_WHYS else []
        why = "; ".join(whys[:MAX_WHYS] + more)
        raise DataError(f"no column is left to predict from{f' ({why})' if why else ''}")
    if target.task == "tagging":
        return of_tokens(found, target, recipe)
    if "image" in roles:
        return of_images(found, target, recipe)
    if "text" in roles:
        return of_text(found, target, recipe) if is_text_alone(found) else of_table(found, target, recipe)
    return of_table(found, target, recipe) if roles & PARTS.keys() else of_arrays(found, target, recipe)


def is_text_alone(found: Sequence[Use]) -> bool:
    """Whether one column of texts is all there is to predict from."""
    return [use.role for use in found if use.is_input] == ["text"]


def of_images(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """A convolutional network on one column of images; for what is no class, layers on their pixels."""
    (use,) = [use for use in found if use.role == "image"]
    features = Section("features", {"@encoders": "images.v1", "column": use.facts.name}, "Pixels, standardised.")
    if target.task != "classification":
        return Design((features,), flat(target, recipe), 0.002)
    depth = 2 if min(use.facts.shape[:2]) < 48 else 3
    values = {"@layers": "image_cnn.v1", "width": recipe.width // 4, "depth": depth, "hidden": recipe.width}
    return Design((features,), (Section("model", values | {"dropout": 0.3}),), 0.002)


def of_arrays(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """Layers on one column of arrays, laid out flat."""
    (use,) = [use for use in found if use.role == "array"]
    features = Section("features", {"@encoders": "arrays.v1", "column": use.facts.name}, "Arrays as they are.")
    return Design((features,), flat(target, recipe), 0.002)


def flat(target: Target, recipe: Recipe) -> tuple[Section, ...]:
    """Arrays laid out flat, and layers over them."""
    return (
        Section("model", {"@layers": "chain.v1"}),
        Section("model.*.flat", {"@layers": "Flatten.v1"}, joined=True),
        replace(layers("mlp.v1", target, recipe), name="model.*.layers", joined=True),
    )


def of_text(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """A linear model on the words and runs of words of one text column, and of characters where texts are few."""
    (use,) = [use for use in found if use.role == "text"]
    features = Section(
        "features", text_values(use, recipe), "Words, runs of them and of letters, by how rare they are."
    )
    values = {"@layers": "text_bow.v1", "dropout": 0.3}
    model = Section("model", with_output(values, target))
    if target.task == "multilabel" or (target.task == "classification" and recipe.n_training_rows < FEW_TEXTS):
        # The loss of several labels is their mean.
        rate = float(plain(PLAIN_RATE * (n_labels(target) if target.task == "multilabel" else 1)))
        return Design((features,), (model,), rate, {"@optimizers": "SGD.v1"})
    return Design((features,), (model,), TEXT_RATE, {"@optimizers": "Adam.v1"})


def n_labels(target: Target) -> int:
    """How many labels a target has in all."""
    if target.separator is None:
        return target.facts.distinct
    return len({part.strip() for text in target.facts.counts for part in text.split(target.separator)} - {""})


def text_values(use: Use, recipe: Recipe) -> dict[str, Any]:
    values: dict[str, Any] = {"@encoders": "text.v1", "column": use.facts.name, "word_ngrams": 3}
    if recipe.n_training_rows * use.facts.words <= MAX_WORDS:
        values["char_ngrams"] = [2, 6]
    return values | {"weights": "tfidf"} | ({"min_count": 1} if recipe.n_training_rows <= MANY_TEXTS else {})


def min_count(use: Use, recipe: Recipe) -> dict[str, int]:
    """Of few words each counts, though it be in one text alone; else those that two texts have, as is usual."""
    return {"min_count": 1} if recipe.n_training_rows * use.facts.words < FEW_WORDS else {}


def of_tokens(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """A tag for each word, from the words around it."""
    (tokens,) = [use.facts for use in found if use.role == "tokens"]
    words: dict[str, Any] = {"@encoders": "tokens.v1", "column": tokens.name, "attributes": list(ATTRIBUTES)}
    features = Section("features", words, "Words, how they are written, and how they begin and end.")
    size = LARGE_TAGGER if recipe.n_training_rows >= FEW else SMALL_TAGGER
    values: dict[str, Any] = {"@layers": "tagger.v1", **size, "nP": 2, "rows": list(ATTRIBUTES.values())}
    values["dropout"] = 0.2
    return Design((features,), (Section("model", values),), 0.002)


def of_table(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """Numbers, categories, dates and texts side by side, and layers over them."""
    texts = [use for use in found if use.role == "text"]
    parts, notes = [], []
    for role, (name, encoder, note) in PARTS.items():
        alike = columns_by_settings([use for use in found if use.role == role])
        for index, (settings, columns) in enumerate(alike.items()):
            section = f"features.*.{name}{index + 1 if index else ''}"
            parts.append(Section(section, {"@encoders": encoder, "columns": columns, **dict(settings)}, joined=True))
        notes += [note] if note and alike else []
    for index, use in enumerate(texts, 1):
        name = "text" if len(texts) == 1 else f"text{index}"
        values = {"@encoders": "text.v1", "column": use.facts.name, **min_count(use, recipe)}
        parts.append(Section(f"features.*.{name}", values, joined=True))
    features = Section("features", {"@encoders": "columns.v1"}, f"Inputs{': ' if notes else ''}{'; '.join(notes)}.")
    has_vectors = bool(texts) or any(use.facts.distinct > MAX_FLAGS for use in found if use.role == "category")
    model = layers("tabular.v1" if has_vectors else "mlp.v1", target, recipe)
    design = Design((features, *parts), (model,), 0.003)
    if not recipe.is_careful:
        return design
    return replace(design, optimizer={"@optimizers": "AdamW.v1", "weight_decay": CAREFUL[target.task]})


def columns_by_settings(found: Sequence[Use]) -> dict[Settings, list[str]]:
    """The columns that are written alike, plain ones first, by what their encoder must be told."""
    columns: dict[Settings, list[str]] = {}
    for use in sorted(found, key=lambda use: settings_of(use) != ()):
        columns.setdefault(settings_of(use), []).append(use.facts.name)
    return columns


def settings_of(use: Use) -> Settings:
    """How a column's numbers or dates are written, where an encoder must be told."""
    if use.role == "number" and use.facts.kind == "mixed":
        return (("invalid", "missing"),)
    if use.role == "number" and use.facts.notation is not None:
        return tuple(use.facts.notation.settings().items())
    return (("order", use.facts.order),) if use.role == "date" and use.facts.order is not None else ()


def layers(name: str, target: Target, recipe: Recipe) -> Section:
    values = {"@layers": name, "hidden": [recipe.width] * recipe.depth, "dropout": recipe.dropout}
    return Section("model", with_output(values, target))


def with_output(values: dict[str, Any], target: Target) -> dict[str, Any]:
    output = OUTPUTS[target.task]
    return values if output == "softmax" else values | {"output": output}
