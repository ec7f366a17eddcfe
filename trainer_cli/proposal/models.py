"""The sections of a config that say what goes into a model and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainer_cli.errors import DataError
from trainer_cli.proposal.recipe import Recipe
from trainer_cli.proposal.target import Target, tokens_of
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
# Training texts of so many words in all have their runs of characters counted too, which takes several times as long.
MAX_WORDS = 1_000_000
# So many columns of texts are read.
MAX_TEXTS = 2


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
    if target.task == "tagging":
        return of_tokens(found, target, recipe)
    if "image" in roles:
        return of_images(found, target, recipe)
    if "text" in roles:
        is_one = [use.role for use in found if use.role in ("text", *PARTS)] == ["text"]
        return of_text(found, target, recipe) if is_one else of_both(found, target, recipe)
    return of_table(found, target, recipe) if roles & PARTS.keys() else of_arrays(found, target, recipe)


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


def of_text(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """A linear model on the words and word pairs of one text column, and on runs of characters where texts are few."""
    (use,) = [use for use in found if use.role == "text"][:1]
    features = Section(
        "features", text_values(use, recipe, with_pieces=True), "Words and pairs of them, weighed by how rare they are."
    )
    values = {"@layers": "text_bow.v1", "dropout": 0.3}
    return Design((features,), (Section("model", with_output(values, target)),), 0.003)


def text_values(use: Use, recipe: Recipe, *, with_pieces: bool) -> dict[str, Any]:
    values: dict[str, Any] = {"@encoders": "text.v1", "column": use.facts.name, "word_ngrams": 2}
    if with_pieces and recipe.n_training_rows * use.facts.words <= MAX_WORDS:
        values["char_ngrams"] = [2, 5]
    return values | {"weights": "tfidf", "min_count": 2}


def of_tokens(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """A tag for each word, from the words around it."""
    columns = [use.facts for use in found if use.role == "tokens"]
    tokens = tokens_of(target.facts, columns) or columns[0]
    features = Section(
        "features", {"@encoders": "tokens.v1", "column": tokens.name}, "Words, and how they begin and end."
    )
    values = {"@layers": "tagger.v1", "width": 64, "depth": 2, "dropout": 0.2}
    return Design((features,), (Section("model", values),), 0.002)


def of_both(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """Texts and a table: each text is a vector, the table's columns stand beside it, and layers over them."""
    texts = [use for use in found if use.role == "text"][:MAX_TEXTS]
    parts, inputs = [], []
    for index, use in enumerate(texts, 1):
        name = "text" if len(texts) == 1 else f"text{index}"
        parts.append(Section(f"features.*.{name}", text_values(use, recipe, with_pieces=False), joined=True))
        bag = {"@layers": "EmbedBag.v1", "nO": recipe.width, "mode": "sum"}
        inputs.append(Section(f"model.*.inputs.*.{name}", bag, joined=True))
    if table := table_parts(found, "features.*.table"):
        parts += [Section("features.*.table", {"@encoders": "columns.v1"}, joined=True), *table]
        inputs.append(Section("model.*.inputs.*.table", {"@layers": "EmbedColumns.v1"}, joined=True))
    model = (
        Section("model", {"@layers": "chain.v1"}),
        Section("model.*.inputs", {"@layers": "concatenate.v1"}, joined=True),
        *inputs,
        replace(layers("mlp.v1", target, recipe), name="model.*.layers", joined=True),
    )
    return Design((Section("features", {"@encoders": "columns.v1"}, "Inputs."), *parts), model, 0.003)


def of_table(found: Sequence[Use], target: Target, recipe: Recipe) -> Design:
    """Numbers, categories and dates side by side, and layers over them."""
    notes = [note for role, (_, _, note) in PARTS.items() if note and any(use.role == role for use in found)]
    features = Section("features", {"@encoders": "columns.v1"}, f"Inputs{': ' if notes else ''}{'; '.join(notes)}.")
    parts = table_parts(found, "features")
    has_vectors = any(use.facts.distinct > MAX_FLAGS for use in found if use.role == "category")
    return Design((features, *parts), (layers("tabular.v1" if has_vectors else "mlp.v1", target, recipe),), 0.003)


def table_parts(found: Sequence[Use], parent: str) -> list[Section]:
    """A section for each encoder of a table's columns."""
    columns = {role: [use.facts.name for use in found if use.role == role] for role in PARTS}
    return [
        Section(f"{parent}.*.{name}", {"@encoders": encoder, "columns": columns[role]}, joined=True)
        for role, (name, encoder, _) in PARTS.items()
        if columns[role]
    ]


def layers(name: str, target: Target, recipe: Recipe) -> Section:
    values = {"@layers": name, "hidden": [recipe.width] * recipe.depth, "dropout": recipe.dropout}
    return Section("model", with_output(values, target))


def with_output(values: dict[str, Any], target: Target) -> dict[str, Any]:
    output = OUTPUTS[target.task]
    return values if output == "softmax" else values | {"output": output}
