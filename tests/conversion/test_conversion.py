"""What our config has of one of spaCy's, and what is told of the rest."""

import copy
import json
from contextlib import suppress

import pytest

from trainer_cli.config.loaded import load_text
from trainer_cli.config.registry import registry
from trainer_cli.config.run_config import check_run
from trainer_cli.config.writer import write
from trainer_cli.conversion.conversion import converted
from trainer_cli.errors import ConfigError

TRAINING = """
[paths]
train = "corpus/train.spacy"
dev = "corpus/dev.spacy"

[system]
seed = 7

[nlp]
lang = "en"
pipeline = ["tok2vec", "NAME"]
batch_size = 500

[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.train}
limit = 100

[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.dev}

[training]
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"
seed = ${system.seed}
dropout = 0.2
accumulate_gradient = 2
patience = 900
max_epochs = 3
max_steps = 5000
eval_frequency = 50

[training.batcher]
@batchers = "spacy.batch_by_words.v1"
tolerance = 0.3
get_length = null

[training.batcher.size]
@schedules = "compounding.v1"
start = 50
stop = 600
compound = 1.01

[training.optimizer]
@optimizers = "Adam.v1"
L2 = 0.02
grad_clip = 0.5

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.005
warmup_steps = 250
total_steps = 4000
"""

TOK2VEC = """
[components.tok2vec]
factory = "tok2vec"

[components.tok2vec.model]
@architectures = "spacy.Tok2Vec.v2"

[components.tok2vec.model.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = ${components.tok2vec.model.encode.width}
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
rows = [2000, 500, 1000, 900]
include_static_vectors = false

[components.tok2vec.model.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 64
depth = 3
window_size = 2
maxout_pieces = 4
"""

LISTENER = """
[components.NAME.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode.width}
"""

COMPONENTS = {
    "textcat": """
[components.textcat]
factory = "textcat"
threshold = 0.0

[components.textcat.model]
@architectures = "spacy.TextCatBOW.v3"
exclusive_classes = true
ngram_size = 2
length = 262144

[training.score_weights]
cats_score = 1.0
cats_micro_f = 0.5
cats_f_per_type = null
""",
    "textcat_multilabel": """
[components.textcat_multilabel]
factory = "textcat_multilabel"
threshold = 0.3

[components.textcat_multilabel.model]
@architectures = "spacy.TextCatReduce.v1"
exclusive_classes = false
"""
    + LISTENER
    + TOK2VEC,
    "tagger": """
[components.tagger]
factory = "tagger"
label_smoothing = 0.05
overwrite = true

[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[training.score_weights]
tag_acc = 1.0
"""
    + LISTENER
    + TOK2VEC,
    "ner": """
[components.ner]
factory = "ner"
update_with_oracle_cut_size = 100

[components.ner.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
hidden_width = 64

[training.score_weights]
ents_f = 1.0
ents_p = 0.0
"""
    + LISTENER
    + TOK2VEC,
}


def config_of(name, text=None):
    return ((TRAINING if text is None else text) + COMPONENTS[name]).replace("NAME", name)


def made(name, text=None, **more):
    """Our config as a dict, and the lines; it passes the checks of a run's config."""
    found, lines = converted(load_text(config_of(name, text), "spacy.cfg"), **more)
    return check_run(load_text(found, "ours.cfg"), registry).config, lines


def written(name, text=None):
    return converted(load_text(config_of(name, text), "corpus/spacy.cfg"))[0]


@pytest.mark.parametrize("name", COMPONENTS)
def test_how_a_run_goes_is_taken_over(name):
    found, _ = made(name)
    assert found["paths"] == {"train": "corpus/train.spacy", "dev": "corpus/dev.spacy"}
    assert found["data"]["train"] == {"@readers": "docbin.v1", "path": "corpus/train.spacy", "limit": 100}
    assert found["data"]["dev"] == {"@readers": "docbin.v1", "path": "corpus/dev.spacy"}
    assert found["system"] == {"seed": 7}
    training = found["training"]
    assert {
        key: training[key] for key in ("dropout", "accumulate_gradient", "patience", "max_epochs", "max_steps")
    } == {
        "dropout": 0.2,
        "accumulate_gradient": 2,
        "patience": 900,
        "max_epochs": 3,
        "max_steps": 5000,
    }
    assert (training["eval_frequency"], training["eval_batch_size"]) == (50, 500)
    assert training["batcher"] == {
        "@batchers": "words.v1",
        "tolerance": 0.3,
        "size": {"@schedules": "compounding.v1", "start": 50, "stop": 600, "compound": 1.01},
    }
    assert found["optimizer"] == {
        "@optimizers": "Adam.v1",
        "use_averages": False,
        "L2_is_weight_decay": True,
        "L2": 0.02,
        "grad_clip": 0.5,
        "learn_rate": {
            "@schedules": "warmup_linear.v1",
            "initial_rate": 0.005,
            "warmup_steps": 250,
            "total_steps": 4000,
        },
    }


def test_a_classifier_of_words():
    found, lines = made("textcat")
    assert found["features"] == {"@encoders": "text.v1", "column": "text", "min_count": 1, "word_ngrams": 2}
    assert found["target"] == {"@encoders": "labels.v1", "column": "label", "unknown": "miss", "missing": "skip"}
    assert found["model"] == {"@layers": "text_bow.v1", "output": "softmax"}
    assert found["loss"] == {"@losses": "CategoricalCrossentropy.v4"}
    assert found["metrics"] == {"f": {"@metrics": "f_score.v1"}}
    assert found["training"]["score_weights"] == {"f_macro": 1.0, "f_micro": 0.5}
    told = "\n".join(lines)
    assert "components.textcat.model.length: absent: text.v1 has buckets" in told
    assert "cats_f_per_type" not in told
    assert "#   [training.score_weights] cats_f_per_type: null is no weight" in written("textcat")
    assert "training.score_weights.odd: absent: no metric gives it" in "\n".join(
        converted(load_text(config_of("textcat").replace("cats_f_per_type = null", "odd = 1.0")))[1]
    )


def test_weights_of_two_scores_that_are_one_here_add_up():
    text = config_of("textcat").replace("cats_f_per_type = null", "cats_macro_f = 0.25")
    found = load_text(converted(load_text(text))[0]).config
    assert found["training"]["score_weights"] == {"f_macro": 1.25, "f_micro": 0.5}


def test_a_classifier_by_phrases_of_several_labels():
    found, lines = made("textcat_multilabel")
    assert found["model"] == {"@layers": "text_cnn.v1", "output": "linear", "width": 64, "filters": 64}
    assert found["target"] == {"@encoders": "multilabel.v1", "column": "label", "unknown": "miss"}
    assert found["loss"] == {"@losses": "BinaryCrossentropy.v1"}
    assert found["metrics"] == {"auc": {"@metrics": "auc.v1"}}
    assert any("threshold: absent: labels are taken from 0.5 on" in line for line in lines)


def test_a_tagger():
    found, lines = made("tagger")
    sizes = {"width": 64, "depth": 3, "window_size": 2, "nP": 4, "rows": [2000, 500, 1000, 900]}
    assert found["model"] == {"@layers": "tagger.v1", **sizes}
    assert found["target"]["column"] == "tag"
    assert found["loss"] == {"@losses": "CategoricalCrossentropy.v4", "label_smoothing": 0.05}
    assert found["training"]["score_weights"] == {"accuracy": 1.0}
    assert any("components.tagger.overwrite: absent" in line for line in lines)


def with_attributes(names):
    text = config_of("tagger").replace('["NORM", "PREFIX", "SUFFIX", "SHAPE"]', json.dumps(names))
    found, lines = converted(load_text(text, "spacy.cfg"))
    return check_run(load_text(found, "ours.cfg"), registry).config, "\n".join(lines)


def test_a_tagger_of_other_attributes_keeps_them_where_tokens_v1_has_them():
    assert "attributes" not in made("tagger")[0]["features"]
    found, _ = with_attributes(["ORTH", "SHAPE"])
    assert found["features"]["attributes"] == ["ORTH", "SHAPE"]
    assert found["model"]["rows"] == [2000, 500, 1000, 900]
    found, lines = with_attributes(["ORTH", "IS_SPACE"])
    assert "attributes" not in found["features"]
    assert "rows" not in found["model"]
    assert "attrs: absent: words are embedded by the hashes of NORM, ORTH, SHAPE, PREFIX and SUFFIX alone" in lines


def test_a_recognizer_of_entities():
    found, lines = made("ner")
    assert (found["model"]["width"], found["target"]["column"]) == (64, "ner")
    assert found["training"]["score_weights"] == {"spans_f_score": 1.0}
    told = [line for line in lines if "there are no transitions" in line]
    assert [line.split(": ")[1].rpartition(".")[2] for line in told] == [
        "update_with_oracle_cut_size",
        "state_type",
        "hidden_width",
    ]


@pytest.mark.parametrize("name", COMPONENTS)
def test_each_key_is_taken_over_or_told_at_its_line(name):
    """Every key of the config changes what is written, or stands in a line."""
    text = config_of(name)
    _, lines = converted(load_text(text, "spacy.cfg"))
    told = "\n".join(lines)
    for extra, line in (("odd_key = 3", "training.odd_key: absent"), ("odd_null = null", "#   [training] odd_null")):
        changed = text.replace("[training]\n", f"[training]\n{extra}\n")
        config, lines = converted(load_text(changed, "spacy.cfg"))
        assert line in "\n".join([config, *lines]).splitlines() or line in "\n".join(lines)
        assert line not in told
    number = 1 + text.splitlines().index('lang = "en"')
    assert f"spacy.cfg:{number}: nlp.lang: absent" in told


def test_keys_without_a_counterpart_are_comments_at_the_end():
    """Those that are set and those that are not, the keys of a section with one sentence together, and narrow."""
    text = TRAINING.replace('lang = "en"', 'lang = "en"\nbefore_creation = null\nafter_creation = null\ndisabled = []')
    config, _, block = written("tagger", text).partition("# Keys of spacy.cfg without a counterpart:\n")
    assert "#" not in config
    there, _, unset = block.partition("# Not set there, and left out:\n")
    assert "#   [nlp] lang: Words are parted by rules of no one language" in there
    assert "#   [nlp] before_creation, after_creation: Nothing is called when a model is made\n" in unset
    assert "#   [training.batcher] get_length: words.v1 counts the words of a row by itself\n" in unset
    assert all(line.startswith("#   ") and len(line) <= 120 for line in (there + unset).splitlines())
    _, lines = made("tagger", text)
    assert lines[-1] == (
        "spacy.cfg: 4 keys are not set and have no counterpart: comments at the end of the config name them"
    )


TRANSFORMER = """
[components.transformer]
factory = "transformer"
max_batch_items = 4096

[components.transformer.model]
@architectures = "spacy-transformers.TransformerModel.v3"
name = "roberta-base"
"""


def test_a_transformer_has_no_counterpart_and_is_told():
    text = config_of("ner", TRAINING + TRANSFORMER).replace(
        "spacy.Tok2VecListener", "spacy-transformers.TransformerListener"
    )
    text = text.replace(TOK2VEC, "").replace("${components.tok2vec.model.encode.width}", "768")
    found, lines = converted(load_text(text, "spacy.cfg"))
    assert "width = 96" in found
    assert any("components.transformer.model.name: absent: a run trains one model" in line for line in lines)


def test_what_a_config_leaves_out_is_as_spacy_has_it():
    found, _ = made("textcat", '[nlp]\npipeline = ["textcat"]\n')
    assert found["paths"] == {"train": "train.spacy", "dev": "dev.spacy"}
    assert found["training"]["max_steps"] == 20000
    assert found["training"]["patience"] == 1600
    assert found["training"]["batcher"]["size"]["start"] == 100
    assert found["optimizer"]["L2"] == 0.01


def test_a_missing_path_is_told_with_how_to_set_it():
    text = TRAINING.replace('"corpus/train.spacy"', "null")
    found, lines = made("tagger", text)
    assert found["paths"]["train"] == "train.spacy"
    assert "spacy.cfg:3: paths.train: names no file: train.spacy is written; --paths.train FILE sets it" in lines


def test_a_folder_is_all_files_in_it(tmp_path):
    found, _ = made("tagger", TRAINING.replace("corpus/train.spacy", str(tmp_path)))
    assert found["data"]["train"]["path"] == f"{tmp_path}/**/*.spacy"


@pytest.mark.parametrize(
    ("change", "written", "line"),
    [
        (("max_epochs = 3", "max_epochs = -1"), ("max_epochs", 0), "training.max_epochs: absent: data are no endless"),
        (("spacy.batch_by_words.v1", "mine.v1"), ("batch_size", {"@schedules": "compounding.v1"}), "batcher.@batchers"),
        (("spacy.batch_by_words.v1", "spacy.batch_by_sequence.v1"), ("batch_size", {}), "training.batcher.tolerance"),
        (("spacy.batch_by_words.v1", "spacy.batch_by_padded.v1"), ("batch_size", 128), "training.batcher.size.start"),
    ],
)
def test_what_goes_otherwise_is_written_as_near_as_may_be_and_told(change, written, line):
    found, lines = made("tagger", TRAINING.replace(*change))
    value = found.get(written[0]) or found["training"][written[0]]
    assert value == written[1] or written[1].items() <= value.items()
    assert any(line in each for each in lines)


def test_other_optimizers_and_schedules_are_told():
    text = TRAINING.replace('"Adam.v1"', '"mine.v1"')
    found, lines = made("tagger", text)
    assert found["optimizer"] == {"@optimizers": "Adam.v1"}
    assert any("training.optimizer.@optimizers: absent: Adam.v1" in line for line in lines)
    found, lines = made("tagger", TRAINING.replace('"warmup_linear.v1"', '"mine.v1"'))
    assert any("training.optimizer.learn_rate.@schedules: absent: the usual value" in line for line in lines)
    assert "learn_rate" not in found["optimizer"]


TWO = """
[nlp]
pipeline = ["ner", "tagger"]

[components.tagger]
factory = "tagger"
"""
PARSER = """
[nlp]
pipeline = ["parser"]

[components.parser]
factory = "parser"
"""


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('[model]\n@layers = "mlp.v1"\n', r"is no config of spaCy's: it has no section \[nlp\] or \[components\]"),
        (PARSER, "no component that can be converted: its factory is one of textcat, textcat_multilabel, tagger, ner"),
        (config_of("ner", TWO), "a run trains one model: choose it, as --component ner does"),
    ],
)
def test_what_cannot_be_converted_is_told(text, match):
    with pytest.raises(ConfigError, match=match):
        converted(load_text(text, "spacy.cfg"))


def test_one_of_several_components_is_chosen():
    text = config_of("ner", TWO)
    found, lines = converted(load_text(text, "spacy.cfg"), "ner")
    assert 'column = "ner"' in found
    assert any("components.tagger.factory: absent: a run trains one model, here ner" in line for line in lines)
    with pytest.raises(ConfigError, match="--component parser: what can be converted are ner, tagger"):
        converted(load_text(text, "spacy.cfg"), "parser")


def places(node, above=()):
    """The names of all keys and sections of a config."""
    for key, value in node.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))


GONE = object()


@pytest.mark.parametrize("name", COMPONENTS)
def test_any_value_in_any_place_is_taken_or_told(name):
    """Whatever stands in a config of spaCy's, there is a config or an error that says why not."""
    base = load_text(config_of(name), "spacy.cfg").config
    for *above, last in list(places(base)):
        for value in (None, 3, "x", [1], {}, {"a": 1}, True, GONE):
            config = node = copy.deepcopy(base)
            for part in above:
                node = node[part]
            node[last] = value
            if value is GONE:
                del node[last]
            with suppress(ConfigError):
                converted(load_text(write(config), "spacy.cfg"))
