"""What is trained: from a component of spaCy's pipeline to [features], [target], [model], [loss] and [metrics]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trainer_cli.config import foreign
from trainer_cli.conversion.source import Source
from trainer_cli.data.encoders.gaps import SKIP
from trainer_cli.data.encoders.tokens import ATTRIBUTES, is_attribute

# Score names of spaCy's with ours, and the metric that gives each, by task.
F, PRECISION, RECALL = ("f", "f_score.v1"), ("precision", "precision.v1"), ("recall", "recall.v1")
LABELS_F, AUC = ("f", "multilabel_f.v1"), ("auc", "auc.v1")
ACCURACY, SPANS = ("accuracy", "accuracy.v1"), ("spans", "spans.v1")

Metric = tuple[str, str]
SCORES: Mapping[str, Mapping[str, tuple[str, Metric]]] = {
    "textcat": {
        "cats_score": ("f_macro", F),
        "cats_macro_f": ("f_macro", F),
        "cats_micro_f": ("f_micro", F),
        "cats_micro_p": ("precision_micro", PRECISION),
        "cats_macro_p": ("precision_macro", PRECISION),
        "cats_micro_r": ("recall_micro", RECALL),
        "cats_macro_r": ("recall_macro", RECALL),
        "cats_macro_auc": ("auc", AUC),
    },
    "textcat_multilabel": {
        "cats_score": ("auc", AUC),
        "cats_macro_auc": ("auc", AUC),
        "cats_macro_f": ("f_macro", LABELS_F),
        "cats_micro_f": ("f_micro", LABELS_F),
    },
    "tagger": {"tag_acc": ("accuracy", ACCURACY), "tag_micro_f": ("accuracy", ACCURACY)},
    "ner": {
        "ents_f": ("spans_f_score", SPANS),
        "ents_p": ("spans_precision", SPANS),
        "ents_r": ("spans_recall", SPANS),
    },
}
FACTORIES = tuple(SCORES)
CROSSENTROPY = "CategoricalCrossentropy.v4"
NO_VECTORS = f"absent: {foreign.NO_VECTORS}"


@dataclass(frozen=True)
class Words:
    """The network that gives each word a vector: its sizes, and the attributes of words that have `rows`."""

    width: int = 96
    depth: int = 4
    window_size: int = 1
    pieces: int = 3
    rows: list[int] | None = None
    attributes: list[str] | None = None


def chosen(source: Source, asked: str | None) -> tuple[str, str]:
    """The name of the component that is to be trained, and its factory. ConfigError: there is none, or several."""
    components = source.section("components")
    known = {name: str(part.get("factory", "")) for name, part in components.items() if isinstance(part, Mapping)}
    pipeline = source.take("nlp.pipeline", list(known))
    if not isinstance(pipeline, list) or not all(isinstance(each, str) for each in pipeline):
        raise source.error("nlp.pipeline", "expected a list of the names of components")
    order = [each for each in pipeline if known.get(each) in FACTORIES]
    if asked is not None and asked not in order:
        raise source.error("components", f"--component {asked}: what can be converted are {', '.join(order) or 'none'}")
    if not order:
        kinds = ", ".join(FACTORIES)
        raise source.error("components", f"has no component that can be converted: its factory is one of {kinds}")
    if asked is None and len(order) > 1:
        raise source.error("nlp.pipeline", f"a run trains one model: choose it, as --component {order[0]} does")
    name = asked or order[0]
    for other in components:
        if other != name:
            source.say(f"components.{other}", f"absent: a run trains one model, here {name}")
    return name, str(source.take(f"components.{name}.factory"))


def sections(source: Source, name: str, factory: str) -> dict[str, Any]:
    """[features], [target], [model] and [loss] of a component."""
    source.say(f"components.{name}.scorer", "absent: [metrics] says what is scored")
    return KINDS[factory](source, f"components.{name}")


def textcat(source: Source, where: str) -> dict[str, Any]:
    target = {"@encoders": "labels.v1", "column": "label", "unknown": "miss", "missing": SKIP}  # as spaCy skips them
    return texts(source, where, target, "softmax", CROSSENTROPY)


def textcat_multilabel(source: Source, where: str) -> dict[str, Any]:
    target = {"@encoders": "multilabel.v1", "column": "label", "unknown": "miss"}
    return texts(source, where, target, "linear", "BinaryCrossentropy.v1")


def texts(source: Source, where: str, target: dict[str, Any], output: str, loss: str) -> dict[str, Any]:
    """A classifier of texts, by its words alone or by their order too."""
    model, features = f"{where}.model", {"@encoders": "text.v1", "column": "text", "min_count": 1}
    name = str(source.take(f"{model}.@architectures", "spacy.TextCatBOW.v3"))
    source.take(f"{model}.exclusive_classes")
    if source.look(f"{where}.threshold") not in (0.0, 0.5):  # 0.0 is for classes, of which one is taken anyhow
        source.say(
            f"{where}.threshold", 'absent: labels are taken from 0.5 on; threshold = "best" in [metrics.f] finds it'
        )
    else:
        source.take(f"{where}.threshold")
    source.say(f"{model}.length", "absent: text.v1 has buckets")
    if "BOW" in name or "LowData" in name:
        features["word_ngrams"] = source.take(f"{model}.ngram_size", 1)
        built: dict[str, Any] = {"@layers": "text_bow.v1", "output": output}
    else:
        if "Ensemble" in name:
            source.say(f"{model}.linear_model", "absent: text_bow.v1 is such a model by itself")
        words = words_of(source, f"{model}.tok2vec")
        built = {"@layers": "text_cnn.v1", "output": output, "width": words.width, "filters": words.width}
    return {"features": features, "target": target, "model": built, "loss": {"@losses": loss}}


def tagger(source: Source, where: str) -> dict[str, Any]:
    name = source.take(f"{where}.model.@architectures", "spacy.Tagger.v2")
    loss = {"@losses": CROSSENTROPY}
    if smoothing := source.take(f"{where}.label_smoothing", 0.0):
        loss["label_smoothing"] = smoothing
    source.say(f"{where}.overwrite", "absent: predict writes its tags beside those of the data")
    return tags(source, where, "tag", str(name)) | {"loss": loss}


def ner(source: Source, where: str) -> dict[str, Any]:
    name = source.take(f"{where}.model.@architectures", "spacy.TransitionBasedParser.v2")
    by_tags = "absent: entities are BILUO tags, of which whole ones alone are predicted; there are no transitions"
    source.say(where, by_tags)
    return tags(source, where, "ner", str(name)) | {"loss": {"@losses": CROSSENTROPY}}


def tags(source: Source, where: str, column: str, name: str) -> dict[str, Any]:
    """A tag for each word."""
    words = words_of(source, f"{where}.model.tok2vec")
    sizes = {"width": words.width, "depth": words.depth, "window_size": words.window_size, "nP": words.pieces}
    is_usual = words.attributes in (None, list(ATTRIBUTES))
    return {
        "features": {"@encoders": "tokens.v1", "column": "token"}
        | ({} if is_usual else {"attributes": words.attributes}),
        "target": {"@encoders": "tags.v1", "column": column, "unknown": "miss"},
        "model": {"@layers": "tagger.v1", **sizes} | ({} if words.rows is None else {"rows": words.rows}),
    }


KINDS: Mapping[str, Callable[[Source, str], dict[str, Any]]] = {
    "textcat": textcat,
    "textcat_multilabel": textcat_multilabel,
    "tagger": tagger,
    "ner": ner,
}


def words_of(source: Source, where: str) -> Words:
    """The sizes of the network of words that a model has, or that it listens to."""
    name = str(source.look(f"{where}.@architectures", ""))
    if "Listener" in name:
        source.take(where)
        where = f"{upstream(source)}.model"
        source.take(f"{where.removesuffix('.model')}.factory")
        name = str(source.look(f"{where}.@architectures", ""))
    if name.startswith("spacy.Tok2Vec"):
        return of_parts(source, where)
    if name.startswith("spacy.HashEmbedCNN"):
        return of_cnn(source, where)
    source.say(where, "absent: the words' network has its usual sizes instead")
    return Words()


def upstream(source: Source) -> str:
    """The component that others listen to."""
    components = source.section("components")
    found = [
        name for name, part in components.items() if isinstance(part, Mapping) and part.get("factory") == "tok2vec"
    ]
    return f"components.{found[0]}" if found else "components.tok2vec"


def of_parts(source: Source, where: str) -> Words:
    """The sizes of an embedding and an encoder of it."""
    source.take(f"{where}.@architectures")
    embed, encode = f"{where}.embed", f"{where}.encode"
    source.say(embed, "absent: words are embedded by the hashes of NORM, ORTH, SHAPE, PREFIX and SUFFIX alone")
    source.say(f"{embed}.include_static_vectors", NO_VECTORS)
    source.say(encode, "absent: words are encoded by layers of Maxout over a window")
    if "MaxoutWindowEncoder" not in str(source.look(f"{encode}.@architectures")):
        return Words()
    source.take(f"{encode}.@architectures")
    rows = attributes = None
    if "MultiHashEmbed" in str(source.look(f"{embed}.@architectures")):
        source.take(f"{embed}.@architectures")
        names = source.look(f"{embed}.attrs")
        if isinstance(names, list) and names and all(map(is_attribute, names)):
            attributes = source.take(f"{embed}.attrs")
            rows = source.take(f"{embed}.rows")
    source.take(f"{embed}.width")
    if source.look(f"{embed}.include_static_vectors") is False:
        source.take(f"{embed}.include_static_vectors")
    return Words(
        source.take(f"{encode}.width", 96),
        source.take(f"{encode}.depth", 4),
        source.take(f"{encode}.window_size", 1),
        source.take(f"{encode}.maxout_pieces", 3),
        rows,
        attributes,
    )


def of_cnn(source: Source, where: str) -> Words:
    """The sizes of both in one."""
    source.take(f"{where}.@architectures")
    source.say(f"{where}.pretrained_vectors", NO_VECTORS)
    n_rows = source.take(f"{where}.embed_size", 2000)
    if source.look(f"{where}.subword_features", True) is True:
        source.take(f"{where}.subword_features")
    return Words(
        source.take(f"{where}.width", 96),
        source.take(f"{where}.depth", 4),
        source.take(f"{where}.window_size", 1),
        source.take(f"{where}.maxout_pieces", 3),
        [n_rows, n_rows // 2, n_rows // 2, n_rows // 2],
    )


def scores(source: Source, factory: str) -> tuple[dict[str, Any], dict[str, float]]:
    """[metrics], and the weights of the scores that count: where some have no counterpart, the others share theirs."""
    known = SCORES[factory]
    given = source.section("training.score_weights")
    metrics: dict[str, Any] = {}
    weights: dict[str, float] = {}
    lost = 0.0
    for name in given:
        weight = source.look(f"training.score_weights.{name}")
        if weight is None:
            continue  # it does not count, and is told with what is not set
        if name in known:
            source.take(f"training.score_weights.{name}")
            score, (metric, function) = known[name]
            if isinstance(weight, int | float) and weight:
                metrics[metric] = {"@metrics": function}
                weights[score] = weights.get(score, 0.0) + weight
        else:
            source.say(f"training.score_weights.{name}", "absent: no metric gives it for this target")
            lost += weight if isinstance(weight, int | float) else 0.0
    score, (metric, function) = next(iter(known.values()))
    return metrics or {metric: {"@metrics": function}}, shared(weights, lost) or {score: 1.0}


def shared(weights: dict[str, float], lost: float) -> dict[str, float]:
    """The weights of scores, with those that are lost dealt out to them in proportion.

    >>> shared({"accuracy": 0.5, "f": 0.25}, 0.25)
    {'accuracy': 0.6667, 'f': 0.3333}
    """
    total = sum(weights.values())
    return {score: round(weight * (1 + lost / total), 4) for score, weight in weights.items()} if lost else weights
