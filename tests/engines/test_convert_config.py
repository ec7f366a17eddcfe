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
    assert "spacy.cfg: not set, and without a counterpart: " in told
    assert "components" in told
    assert call("debug-config", "ours.cfg").stdout.endswith("ours.cfg: the config is valid\n")
    limits = ("--training.max_steps", "40", "--training.eval_frequency", "20", "--optimizer.learn_rate", "0.01")
    small = ("--model.width", "16", "--model.depth", "1") if name in ("tagger", "ner") else ()
    call("train", "ours.cfg", "--output", "run", "--quiet", *limits, *small)
    rows = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    score = {"textcat": "f_macro", "textcat_multilabel": "auc", "tagger": "accuracy", "ner": "spans_f_score"}[name]
    assert rows[-1][score] > 0.9
    assert call("train", "spacy.cfg", "--output", "no", code=2).stderr.count("trainer convert-config") >= 2
