"""Configs that spaCy writes, converted: they pass all checks and train on files that it wrote."""

import importlib
import json

import pytest
from commands import call

spacy = pytest.importorskip("spacy")
init_config = importlib.import_module("spacy.cli.init_config").init_config

NLP = spacy.blank("en")
TEXTS = [
    ("The cat sat in New York.", "animal", [(15, 23, "PLACE")]),
    ("Berlin is cold, Anna says!", "place", [(0, 6, "PLACE"), (16, 20, "WHO")]),
    ("Anna's dog can't swim :)", "animal", [(0, 4, "WHO")]),
    ("Oslo and Bergen are towns", "place", [(0, 4, "PLACE"), (9, 15, "PLACE")]),
]


def save(path, n):
    documents = spacy.tokens.DocBin()
    for text, label, spans in TEXTS * n:
        doc = NLP.make_doc(text)
        doc.ents = [doc.char_span(*span[:2], label=span[2]) for span in spans]
        doc.cats = {name: float(name == label) for name in ("animal", "place")}
        for token in doc:
            token.tag_ = "UP" if token.text[:1].isupper() else "LOW"
        documents.add(doc)
    documents.to_disk(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "train.spacy", 8)
    save(tmp_path / "dev.spacy", 2)
    return tmp_path


@pytest.mark.filterwarnings("ignore")  # spaCy's own, of packages it could use
@pytest.mark.parametrize(
    ("name", "optimize"),
    [
        ("textcat", "efficiency"),
        ("textcat", "accuracy"),
        ("textcat_multilabel", "efficiency"),
        ("tagger", "efficiency"),
        ("ner", "efficiency"),
    ],
)
def test_a_config_that_spacy_writes_is_converted_and_trains(folder, name, optimize):
    config = init_config(pipeline=[name], optimize=optimize)
    config["paths"]["vectors"] = None
    config["paths"] |= {"train": "train.spacy", "dev": "dev.spacy"}
    config.to_disk(folder / "spacy.cfg")
    told = call("convert-config", "spacy.cfg", "--output", "ours.cfg").stderr
    assert "have no counterpart: comments at the end of the config name them" in told
    assert "components" in told
    assert told.endswith("ours.cfg is written.\nNext: trainer train ours.cfg --output out/ours\n")
    block = (folder / "ours.cfg").read_text().replace("\n#     ", " ")
    assert all(": " in line for line in block.splitlines() if line.startswith("#   "))
    assert call("debug-config", "ours.cfg").stdout.endswith("ours.cfg: the config is valid\n")
    limits = ("--training.max_steps", "40", "--training.eval_frequency", "20", "--optimizer.learn_rate", "0.01")
    small = ("--model.width", "16", "--model.depth", "1") if name in ("tagger", "ner") else ()
    call("train", "ours.cfg", "--output", "run", "--quiet", *limits, *small)
    rows = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    score = {"textcat": "f_macro", "textcat_multilabel": "auc", "tagger": "accuracy", "ner": "spans_f_score"}[name]
    assert rows[-1][score] > 0.9


@pytest.mark.filterwarnings("ignore")
def test_documents_without_a_category_are_left_out_as_spacy_does(folder):
    documents = list(spacy.tokens.DocBin().from_disk("train.spacy").get_docs(NLP.vocab))
    documents += [NLP.make_doc("Nobody has said what this is") for _ in range(3)]
    spacy.tokens.DocBin(docs=documents).to_disk("train.spacy")
    config = init_config(pipeline=["textcat"], optimize="efficiency")
    config["paths"] |= {"vectors": None, "train": "train.spacy", "dev": "dev.spacy"}
    config.to_disk(folder / "spacy.cfg")
    call("convert-config", "spacy.cfg", "--output", "ours.cfg")
    said = call("train", "ours.cfg", "--output", "run", "--training.max_steps", "2", "--training.eval_frequency", "2")
    assert "3 rows" in said.stderr
    without = call("debug-config", "ours.cfg", "--target.missing", "error", code=2).stderr
    assert 'missing = "skip" in [target] leaves such rows out' in without


# Of what spaCy writes, the keys that are ours as well.
WORKS = ["dropout", "accumulate_gradient", "patience", "max_epochs", "max_steps", "eval_frequency"]
AS_HERE = [f"training.{key}" for key in WORKS] + ["system.seed", "paths"]
# Told by a sentence about the section, in whose place they stand as they are.
MOVED = ["training.optimizer", "training.batcher", "training.logger"]


def leaves(node, above=""):
    for key, value in node.items():
        name = f"{above}.{key}".removeprefix(".")
        yield from leaves(value, name) if isinstance(value, dict) and value else [name]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("optimize", ["efficiency", "accuracy"])
@pytest.mark.parametrize("name", ["textcat", "textcat_multilabel", "tagger", "ner", "parser"])
def test_each_key_of_a_config_that_spacy_writes_works_or_is_told_with_its_replacement(folder, name, optimize):
    config = init_config(pipeline=[name], optimize=optimize)
    config.to_disk(folder / "spacy.cfg")
    command = ("debug-config", "spacy.cfg") if optimize == "efficiency" else ("train", "spacy.cfg", "--output", "run")
    first, *lines = call(*command, code=2).stderr.splitlines()
    assert first.startswith("spacy.cfg: this is a config of spaCy's: trainer convert-config spacy.cfg writes ours")
    assert not any("more mistakes" in line or "is missing" in line for line in lines)
    for key in leaves(config):
        section, _, last = key.rpartition(".")
        if any(key.startswith(each) for each in AS_HERE):
            assert not any(f": {key}: " in line for line in lines)
        elif not any(key.startswith(each) for each in MOVED):
            assert any(
                line.split(": ")[1] == key
                or (f" of [{section}]. " in line and last in line)
                or f"nothing reads the section [{key}]. " in line
                for line in lines
            ), key
    for each in MOVED:
        assert any(line.split(": ")[1].startswith(each) for line in lines)
    assert all(". " in line or "null is no weight: leave the score out" in line for line in lines)


def test_scores_of_another_component_leave_their_weight_to_those_that_there_are(folder):
    config = init_config(pipeline=["tagger", "ner"])
    assert config["training"]["score_weights"]["tag_acc"] == 0.5
    config.to_disk(folder / "spacy.cfg")
    call("convert-config", "spacy.cfg", "--output", "ours.cfg", "--component", "tagger")
    assert "[training.score_weights]\naccuracy = 1.0\n" in (folder / "ours.cfg").read_text()
