"""A model made for its data and its loss: sizes inferred, and whether the two fit each other."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

import numpy as np

from trainer_cli import weights, word_vectors
from trainer_cli.arrays import Rows, n_rows, slice_rows
from trainer_cli.config.engines import engines
from trainer_cli.config.run_config import RunConfig
from trainer_cli.data.encoder import Encoder, Target
from trainer_cli.data.gather import Gather
from trainer_cli.errors import ArgumentError, ConfigError
from trainer_cli.layer_watch import layer_problem, module_problem, watched_layers
from trainer_cli.losses.loss import Loss
from trainer_cli.model import Model
from trainer_cli.ops import get_ops
from trainer_cli.trained import sample, shapes_of, tell_classes
from trainer_cli.wrappers.engine import ModuleError
from trainer_cli.wrappers.global_seed import seeded

SAMPLE_ROWS = 16
# How a module of another library may end whose outputs are no logits.
ENDS = {
    "softmax": "a softmax",
    "softmax_activation": "a softmax",
    "log_softmax": "a log_softmax",
    "sigmoid": "a sigmoid",
}


def set_up(config: RunConfig, X: Rows, n_outputs: int, features: Encoder, *, begins: bool = True) -> Model:
    """Make the model, infer its sizes from rows of data and from how many ids the encoder gives, and fill its tables
    from the files of word vectors that it names; one that begins to be trained, from `[training] init_from` too."""
    n_ids = getattr(features, "n_ids", None)
    seed = config.system.seed
    model = new_model(config)
    model.use_ops(get_ops(config.system.ops, seed=seed))
    if not begins:
        forget_files(model)
    try:
        Y = np.zeros((1, n_outputs), np.float32)
        with watched_layers(config, model), seeded(seed, "initialize"):
            word_vectors.check_widths(model)
            model.initialize(with_largest(slice_rows(X, 0, SAMPLE_ROWS), n_ids), Y, seed=seed)
            word_vectors.fill(model, features)
    except ConfigError:
        raise
    except ArgumentError as err:
        raise ConfigError(problems=[layer_problem(config, str(err))]) from err
    except ModuleError as err:
        raise ConfigError(problems=[module_problem(config, err)]) from err
    if begins:
        weights.begin_with(config, model)
    return model


def new_model(config: RunConfig) -> Model:
    """The model of [model], made anew; what modules of other libraries draw while they are made is the seed's."""
    for module in engines(config.config.get("model", {})):
        if find_spec(module) is not None:
            importlib.import_module(module)  # so that its generator is there to be seeded
    with seeded(config.system.seed, "model"):
        model: Model = config.build("model")
    return model


def forget_files(model: Model) -> None:
    """Let layers of other libraries draw what a checkpoint will replace, not read it from the file of their settings,
    which may be gone."""
    for node in model.walk():
        node.attrs.pop("weights", None)


def with_largest(X: Rows, n_ids: Any) -> Rows:
    """The rows, and one more with the largest ids, so that no table is too small for an id that comes later."""
    if n_ids is None:
        return X
    rows = Gather(n_rows(X) + 1)
    rows.add(X)
    rows.add(sample(shapes_of(X, n_ids)))
    return rows.result()


def check_pair(config: RunConfig, model: Model, loss: Loss) -> None:
    """ConfigError: the model does not fit the loss."""
    if message := mismatch(model, loss):
        raise ConfigError(problems=[config.problem_in("loss", message)])


def mismatch(model: Model, loss: Loss) -> str:
    """Why the loss cannot take what the model gives, or take it there and then send its gradient back; "" if it can.

    A softmax layer passes on the gradient of its logits, which cross-entropies of probabilities alone give.
    """
    end = ending(model)
    gives, last = end.attrs.get("output"), end.attrs.get("layer", end.name)
    if "engine" in end.attrs and gives in ENDS and gives != "softmax":
        return mismatch_of_module(end, loss)
    if gives == "unnormalized":
        return f"has no probabilities to score: {last} without normalize_outputs gives none when it predicts"
    if loss.takes == "probabilities" and gives == "softmax_activation":
        return f"gives the gradient of logits, but {last} takes that of its probabilities: end the model in Softmax.v1"
    if "engine" in end.attrs and gives is None and loss.takes == "probabilities":
        return f"gives the gradient of logits, which goes back through all of {last}: {logits_asked(loss)}"
    if loss.takes == "probabilities" and gives != "softmax":
        or_logits = ", or set from_logits = true" if hasattr(loss, "from_logits") else ""
        return f"takes probabilities, but the model ends in {last}: end it in Softmax.v1{or_logits}"
    if gives == "softmax" and getattr(loss, "from_logits", False):
        return f"from_logits = true takes logits, but {end_told(end)}: leave from_logits out"
    if loss.takes != "probabilities" and gives == "softmax":
        return f"cannot follow {last}, whose gradient only a cross-entropy of probabilities gives: end in Linear.v1"
    if loss.takes == "logits" and gives in ("sigmoid", "softmax_activation"):
        return f"takes logits, but the model ends in {last}: end it in Linear.v1"
    if loss.takes == "log-probabilities" and gives is not None:
        return f"takes log-probabilities, but the model ends in {last}: use CrossEntropyLoss and end it in Linear.v1"
    return ""


def mismatch_of_module(layer: Model, loss: Loss) -> str:
    """The same of a module of another library whose sample has shown that its outputs are no logits; gradients go back
    through all of it."""
    gives, ends = layer.attrs["output"], end_told(layer)
    if loss.takes == "probabilities":
        return f"gives the gradient of logits, but {ends}: {logits_asked(loss)}"
    if gives == "log_softmax":  # the logits of its own probabilities
        return ""
    remedy = {"logits": "let it return what comes before", "log-probabilities": "let it end in log_softmax"}
    return f"takes {loss.takes}, but {ends}: {remedy[loss.takes]}" if loss.takes in remedy else ""


def logits_asked(loss: Loss) -> str:
    """What to do where a module ends in probabilities and a loss gives the gradient of logits."""
    if hasattr(loss, "from_logits"):
        return "let it end in logits, and set from_logits = true"
    return "let it end in logits, which CategoricalCrossentropy.v4 takes with from_logits = true"


def end_told(layer: Model) -> str:
    """What the model ends in, for messages: its last layer, or what a module of another library does at its end."""
    if "engine" not in layer.attrs:
        return f"the model ends in {layer.attrs.get('layer', layer.name)}"
    engine = layer.attrs["engine"]
    return f"the {engine.library} module {engine.name} ends in {ENDS[layer.attrs['output']]}"


def fit_loss(config: RunConfig, loss: Loss, target: Target) -> None:
    """Tell the loss the classes of the training rows; what it refuses of them stands at its section."""
    try:
        tell_classes(loss, target)
    except ArgumentError as err:
        raise ConfigError(problems=[config.problem_in("loss", str(err))]) from err


def ending(model: Model) -> Model:
    """The layer whose outputs are the model's: the last one, or the one before if that leaves them as they are."""
    for layer in reversed(model.layers):
        if layer.layers and not layer.param_names:
            return ending(layer)
        if "output" in layer.attrs or layer.param_names:
            return layer
    return model
