"""From what a data set holds to a whole config, with the reason for each choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from trainer_cli.data.block import listing
from trainer_cli.data.encoders.gaps import SKIP
from trainer_cli.data.faults import printable, shown
from trainer_cli.errors import DataError
from trainer_cli.metrics.threshold import BEST
from trainer_cli.proposal import target as targets
from trainer_cli.proposal.models import Design, design, is_text_alone
from trainer_cli.proposal.recipe import Optimize, Recipe, plain, recipe, tag_recipe, text_recipe
from trainer_cli.proposal.survey import Survey
from trainer_cli.proposal.target import Target
from trainer_cli.proposal.text import Reference, Section, write
from trainer_cli.proposal.uses import LEFT_OUT, Use

# Classes are lopsided where the commonest has more than this share of the rows.
LOPSIDED = 0.8
# Rows of a class with a smaller share are used more often then.
RARE = 0.1
# So many left-out columns are named, for so many reasons, that the config stays short.
MAX_NAMED, MAX_REASONS = 4, 5
SPAN_TAGS = ("B-", "I-", "L-", "U-", "E-", "S-", "M-")
# The share of rows that is held out: of few rows more, or they say little.
HELD_OUT, HELD_OUT_OF_FEW = 0.1, 0.2
FEW_ROWS = 2000
DECIDES = "The first metric decides which model is best."
# The share of all steps in which the learning rate rises.
WARMUP = 0.05


def config_text(found: Survey, optimize: Optimize = "accuracy", dev: Path | None = None) -> str:
    """The config for a data set, fewer than 60 lines. What nothing can be learnt from is a DataError."""
    if found.target is None:
        raise DataError(found.doubt)
    targets.check(found.target)
    n_rows = round(found.profile.n_rows * found.target.share_present * (1 if dev else 1 - share_held_out(found)))
    plan = recipe_of(found)(n_rows, optimize)
    model = design(found.uses, found.target, plan)
    return write(list(heading(found)), list(sections(found, found.target, plan, model, dev)))


def recipe_of(found: Survey) -> Callable[[int, Optimize], Recipe]:
    assert found.target is not None
    if found.target.task == "tagging":
        return tag_recipe
    return text_recipe if is_text_alone(found.uses) else recipe


def heading(found: Survey) -> Iterator[str]:
    """What the config is for, and which columns it leaves out."""
    assert found.target is not None
    n_rows = f"{'' if found.profile.is_whole else 'more than '}{found.profile.n_rows:,} rows"
    yield f"Predicts {shown(found.target.facts.name)} ({found.target.why}) from {n_rows} of {found.source.path}."
    if text := left_out(found.uses):
        yield f"Left out: {text}."


def left_out(uses: Sequence[Use]) -> str:
    """The columns that are left out, those of one reason together, what gives the target away first."""
    by_reason: dict[str, list[str]] = {}
    for use in sorted(uses, key=lambda use: not use.is_leak):
        if use.role == LEFT_OUT:
            by_reason.setdefault(use.why, []).append(use.facts.name)
    named = [f"{listing(names, MAX_NAMED)} ({printable(why, 90)})" for why, names in by_reason.items()]
    rest = sum(map(len, list(by_reason.values())[MAX_REASONS:]))
    return ", ".join(named[:MAX_REASONS]) + (f" and {rest} more" if rest else "")


def sections(found: Survey, target: Target, plan: Recipe, model: Design, dev: Path | None) -> Iterator[Section]:
    """The sections in their order."""
    yield Section("data.train", found.source.section())
    yield held_out(found, target, dev)
    yield target_section(target)
    yield from model.features
    yield from model.model
    yield Section("loss", {"@losses": LOSSES[target.task]}, joined=True)
    yield Section("optimizer", model.optimizer)
    rate = {
        "@schedules": "cosine.v1",
        "initial_rate": model.learn_rate,
        "warmup": WARMUP,
        "total_steps": Reference("training.max_steps"),
    }
    yield Section("optimizer.learn_rate", rate, joined=True)
    yield from metrics(target, "" if is_by_loss(found, target, plan) else DECIDES)
    why = f"About {rounded(plan.n_rows / max(1, plan.n_training_rows))} passes over the rows that are trained on."
    values = training(plan)
    if share := share_of_rare(target):
        why = f"The rarest class has {share:.2g} % of the rows: unless these are used more often it is never predicted."
        values["balance"] = True
    elif is_by_loss(found, target, plan):
        why += " The least loss on the rows held out makes the best model: it is finer than accuracy."
        values["monitor"] = "loss"
    yield Section("training", values, why)


def held_out(found: Survey, target: Target, dev: Path | None) -> Section:
    if dev is not None:
        return Section("data.dev", found.source.at(dev).section(), joined=True)
    is_classes = target.task == "classification"
    share = share_held_out(found)
    why = f"One row in {round(1 / share)} is held out to score on{', of every class its share' if is_classes else ''}."
    return Section("data.split", {"@splits": "stratified.v1" if is_classes else "random.v1", "dev": share}, why, True)


def share_held_out(found: Survey) -> float:
    return HELD_OUT if found.profile.n_rows >= FEW_ROWS else HELD_OUT_OF_FEW


def target_section(target: Target) -> Section:
    separator = {} if target.separator is None else {"separator": target.separator}
    # Of many tags some are so rare that the rows held out have one that training has not.
    unknown = {"unknown": "miss"} if target.task == "tagging" else {}
    gaps = {"missing": SKIP} if target.has_gaps else {}
    notation = target.facts.notation.settings() if target.task == "regression" and target.facts.notation else {}
    scheme = {"scheme": target.scheme} if target.scheme else {}
    more = {**separator, **scheme, **unknown, **gaps, **notation}
    values = {"@encoders": ENCODERS[target.task], "column": target.facts.name, **more}
    return Section("target", values, f"{said_of_gaps(target)}." if gaps else "")


def said_of_gaps(target: Target) -> str:
    """How many rows have no target, and what becomes of them."""
    facts = target.facts
    what = f"{facts.missing:,} of {facts.n:,} rows have nothing in it, or a word for that such as NA"
    return f"{what}: they are left out"


def metrics(target: Target, why: str = DECIDES) -> Iterator[Section]:
    """What is scored, and why: the first decides which model is best, unless the loss does."""
    names: Sequence[str] = METRICS[target.task]
    if target.task == "tagging" and is_spans(target.facts.counts):
        names = ("spans.v1", "accuracy.v1")
    if target.task == "classification" and is_lopsided(target):
        names = ("f_score.v1", "accuracy.v1")
        why = f"{share_of_commonest(target):.0%} of the rows are of one class: accuracy alone would flatter."
    if target.task == "multilabel":
        why = f"{why} The probability from which on a label is taken is found on the rows that are scored."
    for index, name in enumerate(names):
        more = {"threshold": BEST} if name == "multilabel_f.v1" else {}
        section = f"metrics.{name.partition('.')[0]}"
        yield Section(section, {"@metrics": name, **more}, "" if index else why, joined=index > 0)


def is_spans(tags: Iterable[str]) -> bool:
    """Whether tags mark stretches: `O` and such as `B-PER`."""
    return all(tag == "O" or (tag[:2] in SPAN_TAGS and len(tag) > 2) for tag in tags)


def share_of_commonest(target: Target) -> float:
    return max(target.facts.counts.values(), default=0) / max(1, target.facts.present)


def share_of_rare(target: Target) -> float:
    """How many of a hundred rows the rarest class has, where these are used more often; else 0."""
    if target.task != "classification" or not is_lopsided(target):
        return 0.0
    share = min(target.facts.counts.values()) / max(1, target.facts.present)
    return 100 * share if share < RARE else 0.0


def single_rows(target: Target) -> list[str]:
    """The classes that one row has."""
    if target.task != "classification" or not target.facts.is_exact:
        return []
    return [name for name, count in target.facts.counts.items() if count == 1]


def is_by_loss(found: Survey, target: Target, plan: Recipe) -> bool:
    """Whether the best model is that of the least loss: of few rows held out the accuracy is too coarse to tell."""
    is_other = any(use.role in ("image", "array", "tokens") for use in found.uses)
    return not is_other and plan.is_careful and target.task == "classification" and not is_lopsided(target)


def is_lopsided(target: Target) -> bool:
    return share_of_commonest(target) > LOPSIDED


def training(plan: Recipe) -> dict[str, Any]:
    return {
        "batch_size": plan.batch_size,
        "max_steps": plan.max_steps,
        "patience": plan.patience,
        "eval_frequency": plan.eval_frequency,
    }


def rounded(passes: float) -> str:
    """
    >>> rounded(19.84), rounded(2.437), rounded(133.2)
    ('20', '2.4', '130')
    """
    return f"{passes:.1f}" if passes < 3 else f"{plain(passes)}"


ENCODERS = {
    "classification": "labels.v1",
    "regression": "numbers.v1",
    "multilabel": "multilabel.v1",
    "tagging": "tags.v1",
}
LOSSES = {
    "classification": "CategoricalCrossentropy.v4",
    "regression": "MeanSquaredError.v1",
    "multilabel": "BinaryCrossentropy.v1",
    "tagging": "CategoricalCrossentropy.v4",
}
METRICS = {
    "classification": ("accuracy.v1",),
    "regression": ("rmse.v1", "r2.v1"),
    "multilabel": ("multilabel_f.v1",),
    "tagging": ("accuracy.v1",),
}
