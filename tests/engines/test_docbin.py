"""Files that spaCy wrote, and files that it reads."""

import json
import subprocess
import sys
import zlib
from contextlib import suppress

import numpy as np
import pytest
from commands import call

from trainer_cli.data.encoders.multilabel import Multilabel
from trainer_cli.data.readers.auto import AutoReader
from trainer_cli.data.readers.docbin import DocBinReader
from trainer_cli.errors import DataError

spacy = pytest.importorskip("spacy")
srsly = pytest.importorskip("srsly")
Doc, DocBin, Span = spacy.tokens.Doc, spacy.tokens.DocBin, spacy.tokens.Span
doc_to_biluo_tags = spacy.training.iob_utils.doc_to_biluo_tags

NLP = spacy.blank("en")

TEXTS = [
    ("The cat sat in New York.", "animal", [(15, 23, "PLACE")]),
    ("Berlin  is cold,\nAnna says!", "place", [(0, 6, "PLACE"), (17, 21, "WHO")]),
    ("Anna's dog can't swim :)", "animal", [(0, 4, "WHO")]),
    ("Oslo and Bergen are towns", "place", [(0, 4, "PLACE"), (9, 15, "PLACE")]),
]


def doc_of(text, label, spans):
    doc = NLP.make_doc(text)
    doc.ents = [doc.char_span(*span[:2], label=span[2]) for span in spans]
    doc.cats = {name: float(name == label) for name in ("animal", "place")}
    for token in doc:
        token.tag_ = "UP" if token.text[:1].isupper() else "LOW"
        token.pos_ = "PUNCT" if token.is_punct else "SPACE" if token.is_space else "NOUN"
    return doc


def docs(n=1):
    return [doc_of(*each) for each in TEXTS * n]


def save(path, documents, **settings):
    DocBin(docs=documents, **settings).to_disk(path)
    return path


def read(path, **arguments):
    blocks = list(DocBinReader(path, **arguments).blocks())
    return {name: [value for block in blocks for value in block.columns[name]] for name in blocks[0].columns}


def test_a_file_of_spacy_has_texts_tokens_and_annotations(tmp_path):
    written = docs()
    found = read(save(tmp_path / "a.spacy", written))
    assert list(found) == ["text", "token", "label", "tag", "pos", "ner"]
    assert found["text"] == [doc.text for doc in written]
    assert found["token"] == [[token.text for token in doc] for doc in written]
    assert found["label"] == [label for _, label, _ in TEXTS]
    assert found["tag"] == [[token.tag_ for token in doc] for doc in written]
    assert found["pos"] == [[token.pos_ for token in doc] for doc in written]
    assert found["ner"] == [doc_to_biluo_tags(doc) for doc in written]


def test_spacy_itself_converts_what_is_read(tmp_path):
    lines = "\n".join(f"{word}\t{tag}" for word, tag in [("In", "O"), ("New", "B-GPE"), ("York", "I-GPE"), ("!", "O")])
    (tmp_path / "a.conll").write_text(f"-DOCSTART- -X- O O\n\n{lines}\n\nAnna\tB-PER\n")
    command = [sys.executable, "-W", "ignore", "-m", "spacy", "convert", "a.conll", ".", "-c", "ner", "-n", "1"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    found = read(tmp_path / "a.spacy")
    assert found["token"] == [["In", "New", "York", "!", "Anna"]]
    assert found["ner"] == [["O", "B-GPE", "L-GPE", "O", "U-PER"]]


def test_columns_are_those_that_the_documents_are_annotated_with(tmp_path):
    plain = [NLP.make_doc("Only a text"), NLP.make_doc("")]
    assert read(save(tmp_path / "a.spacy", plain)) == {
        "text": ["Only a text", ""],
        "token": [["Only", "a", "text"], []],
    }
    assert read(save(tmp_path / "b.spacy", docs(), attrs=["TAG"])).keys() == {"text", "token", "label", "tag"}


def test_several_categories_are_one_text(tmp_path):
    doc = NLP.make_doc("x")
    doc.cats = {"red": 1.0, "round": 0.5, "old": 0.49}
    assert read(save(tmp_path / "a.spacy", [doc, NLP.make_doc("y")]))["label"] == ["red; round", ""]


@pytest.mark.parametrize("one", [np.float32(1), np.float64(1), np.int64(1), np.uint8(1), np.bool_(True), True, 1])
def test_values_of_categories_may_be_numbers_of_numpy(tmp_path, one):
    doc = NLP.make_doc("x")
    doc.cats = {"yes": one, "no": type(one)(0)}
    assert read(save(tmp_path / "a.spacy", [doc]))["label"] == ["yes"]


NAN = {b"nd": False, b"type": "<f4", b"data": b"1"}


@pytest.mark.parametrize("value", [None, "1", [1], {}, NAN, NAN | {b"type": "O8"}, NAN | {b"nd": True}])
def test_values_of_categories_that_are_no_numbers_are_told(tmp_path, value):
    path = message(tmp_path, cats=[{"a": value}] * 4)
    with pytest.raises(DataError, match="cats and flags are not those of the documents"):
        read(path)


def test_a_category_whose_name_has_the_separator_is_not_taken_apart(tmp_path):
    doc = NLP.make_doc("x")
    doc.cats = {"red; green": 1.0, "round": 1.0, "old": 0.0}
    path = save(tmp_path / "a.spacy", [doc, NLP.make_doc("y")])
    assert read(path)["label"] == [["red; green", "round"], []]
    (block,) = DocBinReader(path).blocks()
    several = Multilabel("label")
    several.choose(("label",))
    several.fit(block)
    several.finish_fit()
    assert several.names == ("red; green", "round")
    doc.cats = {"red, green": 1.0, "round": 1.0}
    assert read(save(tmp_path / "a.spacy", [doc]))["label"] == ["red, green; round"]


def test_classes_whose_names_have_the_separator_are_written_back(folder):
    named = docs(8)
    for doc in named:
        doc.cats = {f"{name}; {name}": value for name, value in doc.cats.items()}
    save(folder / "train.spacy", named)
    trained(folder, TEXT, of="label")
    assert all(doc.cats.keys() == {"animal; animal", "place; place"} for doc in predicted(folder))
    model = 'text_bow.v1"\noutput = "linear'
    more = {"target": "multilabel.v1", "loss": "BinaryCrossentropy.v1", "model": model, "metric": "multilabel_f.v1"}
    trained(folder, TEXT | more, of="label")
    assert all(doc.cats.keys() == {"animal; animal", "place; place"} for doc in predicted(folder))


def test_tokens_in_which_no_entity_may_be_are_outside(tmp_path):
    doc = NLP.make_doc("New York and Bergen")
    doc.set_ents([Span(doc, 0, 2, label="PLACE")], blocked=[doc[2:3]], missing=[doc[3:4]])
    assert read(save(tmp_path / "a.spacy", [doc]))["ner"] == [["B-PLACE", "L-PLACE", "O", "O"]]
    doc.set_ents([Span(doc, 0, 1, label="PLACE"), Span(doc, 1, 2, label="PLACE")], blocked=[doc[2:4]])
    assert read(save(tmp_path / "a.spacy", [doc]))["ner"] == [["U-PLACE", "U-PLACE", "O", "O"]]


def test_words_without_known_spaces_have_one_between_them(tmp_path):
    doc = Doc(NLP.vocab, words=["a", "b", "!"])
    assert read(save(tmp_path / "a.spacy", [doc]))["text"] == ["a b !"]


def test_columns_and_rows_are_chosen(tmp_path):
    path = save(tmp_path / "a.spacy", docs(3))
    assert read(path, columns=["ner", "token"], limit=5).keys() == {"ner", "token"}
    assert len(read(path, limit=5)["text"]) == 5
    with pytest.raises(DataError, match='the data have no column "cats"'):
        read(path, columns=["cats"])


def test_blocks_are_of_limited_size_and_know_file_and_number(tmp_path):
    path = save(tmp_path / "a.spacy", [NLP.make_doc(f"row {i}") for i in range(5000)])
    blocks = list(DocBinReader(path).blocks())
    assert [len(block) for block in blocks] == [4096, 904]
    assert blocks[1].columns["text"][0] == "row 4096"
    assert str(blocks[1].problem(1, "text", "odd")) == f"{path}: text[4097]: odd"


def test_files_that_fit_a_pattern_are_one_table(tmp_path):
    save(tmp_path / "1.spacy", docs())
    save(tmp_path / "2.spacy", docs())
    assert len(read(tmp_path / "?.spacy")["text"]) == 8
    assert AutoReader(tmp_path / "1.spacy").columns() == ("text", "token", "label", "tag", "pos", "ner")


# Files of other makers


def message(tmp_path, **changes):
    """A file whose message is changed."""
    data = zlib.decompress(save(tmp_path / "a.spacy", docs()).read_bytes())
    changed = srsly.msgpack_loads(data) | changes
    (tmp_path / "a.spacy").write_bytes(zlib.compress(srsly.msgpack_dumps(changed)))
    return tmp_path / "a.spacy"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"tokens": None}, "tokens is missing or of the wrong kind"),
        ({"tokens": b"1234567"}, "tokens: buffer size must be a multiple"),
        ({"tokens": b"12345678"}, "lengths tell of"),
        ({"lengths": np.array([-1, 2], np.int32).tobytes()}, "lengths tell of"),
        ({"spaces": b""}, "lengths tell of"),
        ({"attrs": ["TAG"]}, "attrs are not the numbers of attributes"),
        ({"attrs": [1, 2]}, "attrs are not the numbers of attributes"),
        ({"strings": [1]}, "strings has what is no text"),
        ({"strings": ["a"]}, "a token's ORTH is none of its strings"),
        ({"cats": [{}]}, "cats and flags are not those of the documents"),
        ({"cats": ["a", "b", "c", "d"]}, "cats and flags are not those of the documents"),
        ({"flags": [{}]}, "cats and flags are not those of the documents"),
    ],
)
def test_a_message_that_contradicts_itself_is_told(tmp_path, changes, match):
    path = message(tmp_path, **changes)
    with pytest.raises(DataError, match=match) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: the file is damaged or no DocBin: ")


@pytest.mark.parametrize(
    "data", [b"", b"text", zlib.compress(b""), zlib.compress(b"\xc1"), zlib.compress(b"\x91" * 9999)]
)
def test_what_is_no_docbin_is_told(tmp_path, data):
    (tmp_path / "a.spacy").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.spacy: the file is damaged or no DocBin"):
        read(tmp_path / "a.spacy")


def test_every_cut_and_every_changed_byte_is_read_or_told(tmp_path):
    data = save(tmp_path / "a.spacy", docs()).read_bytes()
    plain = zlib.decompress(data)
    cut = [data[:n] for n in range(0, len(data), 37)] + [zlib.compress(plain[:n]) for n in range(0, len(plain), 61)]
    changed = [zlib.compress(plain[:n] + bytes([plain[n] ^ 0x55]) + plain[n + 1 :]) for n in range(0, len(plain), 41)]
    for each in [*cut, *changed]:
        (tmp_path / "a.spacy").write_bytes(each)
        with suppress(DataError):
            read(tmp_path / "a.spacy")


def test_a_file_without_documents_is_told(tmp_path):
    with pytest.raises(DataError, match="the file has no documents"):
        read(save(tmp_path / "a.spacy", []))


def test_user_data_is_not_looked_at(tmp_path):
    path = message(tmp_path, user_data=[b"\xc1"] * 4, span_groups=[b"\xc1"] * 4)
    assert len(read(path)["text"]) == 4
    array = {b"nd": True, b"type": "<f4", b"kind": b"", b"shape": (1,), b"data": b"1234"}
    path = message(tmp_path, more=array)
    assert len(read(path)["text"]) == 4


# Through the commands


CONFIG = """
[data.train]
@readers = "docbin.v1"
path = "train.spacy"

[data.dev]
@readers = "docbin.v1"
path = "train.spacy"

[features]
@encoders = "{features}"
column = "{column}"

[target]
@encoders = "{target}"
column = "{of}"

[model]
@layers = "{model}"

[loss]
@losses = "{loss}"

[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.02

[metrics.score]
@metrics = "{metric}"

[training]
max_steps = 60
batch_size = 8
"""

TAGGER = {
    "features": "tokens.v1",
    "column": "token",
    "target": "tags.v1",
    "loss": "CategoricalCrossentropy.v4",
    "model": 'tagger.v1"\nwidth = 16\ndepth = 1\nnP = 2\n# "',
    "metric": "accuracy.v1",
}
TEXT = {
    "features": "text.v1",
    "column": "text",
    "target": "labels.v1",
    "loss": "CategoricalCrossentropy.v4",
    "model": "text_bow.v1",
    "metric": "accuracy.v1",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "train.spacy", docs(8))
    return tmp_path


def trained(folder, kind, **more):
    (folder / "run.cfg").write_text(CONFIG.format(**(kind | more)))
    call("train", "run.cfg", "--output", "run", "--quiet", "--overwrite")


def predicted(folder, data="train.spacy", output="out.spacy", *words):
    call("predict", "run", data, "--output", output, "--force", *words)
    return list(DocBin().from_disk(folder / output).get_docs(NLP.vocab))


def test_categories_are_written_back(folder):
    trained(folder, TEXT, of="label")
    found = predicted(folder)
    lines = [json.loads(line) for line in call("predict", "run", "train.spacy").stdout.splitlines()]
    assert [doc.text for doc in found] == [doc.text for doc in docs(8)] == [line["text"] for line in lines]
    assert [max(doc.cats, key=doc.cats.get) for doc in found] == [line["prediction"] for line in lines]
    np.testing.assert_allclose([max(doc.cats.values()) for doc in found], [line["score"] for line in lines], atol=1e-6)
    assert all(abs(sum(doc.cats.values()) - 1) < 1e-5 for doc in found)
    assert [doc_to_biluo_tags(doc) for doc in found] == [doc_to_biluo_tags(doc) for doc in docs(8)]
    assert [[token.tag_ for token in doc] for doc in found] == [[token.tag_ for token in doc] for doc in docs(8)]


@pytest.mark.parametrize("of", ["ner", "tag", "pos"])
def test_tags_and_entities_are_written_back(folder, of):
    trained(folder, TAGGER, of=of)
    found, given = predicted(folder), docs(8)
    tags = [json.loads(line)["prediction"] for line in call("predict", "run", "train.spacy").stdout.splitlines()]
    back = read(folder / "out.spacy")
    assert back[of] == tags == read(folder / "train.spacy")[of]
    assert back["text"] == [doc.text for doc in given]
    assert [doc.text for doc in found] == back["text"]


def annotations(documents):
    return {
        "cats": [doc.cats for doc in documents],
        "tag": [[token.tag_ for token in doc] for doc in documents],
        "pos": [[token.pos_ for token in doc] for doc in documents],
        "ner": [doc_to_biluo_tags(doc) for doc in documents],
    }


@pytest.mark.parametrize("of", ["ner", "tag", "pos"])
def test_what_is_not_predicted_stays(folder, of):
    others = docs(8)
    for row, doc in enumerate(others):
        doc.cats = {"animal": 0.25, "old": row / 8}
        for token in doc:
            token.tag_, token.pos_ = f"T{token.i % 3}", ("NOUN", "VERB")[token.i % 2]
        doc.ents = [Span(doc, 1, 3, label="WHO")]
    save(folder / "new.spacy", others)
    trained(folder, TAGGER, of=of)
    found, given = annotations(predicted(folder, "new.spacy")), annotations(others)
    assert [name for name in given if found[name] != given[name]] == [of]


def test_categories_that_the_model_does_not_know_stay_beside_those_it_predicts(folder):
    others = docs(2)
    for doc in others:
        doc.cats = {"animal": 1.0, "old": 0.5}
    save(folder / "new.spacy", [*others, NLP.make_doc("no category")])
    trained(folder, TEXT, of="label")
    *found, last = predicted(folder, "new.spacy")
    assert all(doc.cats["old"] == 0.5 and doc.cats["animal"] < 1 for doc in found)
    assert last.cats.keys() == {"animal", "place"}


def test_categories_are_those_of_their_rows_also_where_a_row_is_left_out(tmp_path):
    named = [NLP.make_doc(f"row {i}") for i in range(5)]
    for row, doc in enumerate(named):
        doc.cats = {"row": float(row)}
    (block,) = DocBinReader(save(tmp_path / "a.spacy", named), limit=4, columns=["text"]).blocks()
    assert block.categories == [{"row": float(row)} for row in range(4)]
    assert block.take(np.array([3, 1])).categories == [{"row": 3.0}, {"row": 1.0}]


def test_several_labels_have_a_probability_each(folder):
    model = 'text_bow.v1"\noutput = "linear'
    more = {"target": "multilabel.v1", "loss": "BinaryCrossentropy.v1", "model": model, "metric": "multilabel_f.v1"}
    trained(folder, TEXT | more, of="label")
    assert all(doc.cats.keys() == {"animal", "place"} for doc in predicted(folder))


def test_other_data_become_documents_as_well(folder):
    trained(folder, TEXT, of="label")
    (folder / "new.jsonl").write_text('{"text": "Anna can\'t swim!"}\n')
    (doc,) = predicted(folder, "new.jsonl")
    assert doc.text == "Anna can't swim!"
    assert len(doc) > 3
    (folder / "new.csv").write_text("text,label\nOslo is cold,place\nThe cat sat,animal\n")
    assert call("predict", "run", "new.csv").stdout.splitlines()[0] == "text,label,prediction,score"
    assert json.loads(call("evaluate", "run", "new.csv", "--json").stdout)["n"] == 2
    (folder / "new.txt").write_text("text\nOslo is cold\n")
    told = call("predict", "run", "new.txt", code=2).stderr
    assert "new.txt: the file is damaged or no DocBin: it is not packed. Texts are read from .jsonl and .csv" in told
    assert "On the command line: --read format=VALUE" in told
    assert call("predict", "run", "new.txt", "--read", "format=csv").stdout.count("\n") == 1


def test_words_of_other_data_are_tagged_and_texts_are_told_what_they_need(folder):
    trained(folder, TAGGER, of="ner")
    (folder / "new.conll").write_text("Anna\nis\nhere\n\nOslo\n\n")
    tags = call("predict", "run", "new.conll").stdout.split("\n\n")
    assert [line.split("\t")[0] for line in tags[0].splitlines()] == ["Anna", "is", "here"]
    (folder / "new.jsonl").write_text('{"token": ["Anna", "is", "here"]}\n')
    assert len(json.loads(call("predict", "run", "new.jsonl").stdout)["prediction"]) == 3
    (folder / "new.jsonl").write_text('{"text": "Anna is here"}\n')
    assert (
        'new.jsonl:1: token: the column is missing. The columns are "text". The words of each row are a list, as '
        '.spacy, .conll and JSON have them; a text called "token" is split into words'
    ) in call("predict", "run", "new.jsonl", code=2).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "docbin"], "--format docbin is no text: name a file, as --output FILE.spacy does"),
        (["--format", "docbin", "--output", "out.csv"], "a DocBin, and nothing else, is called .spacy"),
        (["--format", "csv", "--output", "out.spacy"], "a DocBin, and nothing else, is called .spacy"),
        (["--top", "2", "--output", "out.spacy"], "--top gives a list of labels, for which docbin has no place"),
    ],
)
def test_what_cannot_be_written_is_told(folder, words, message):
    trained(folder, TEXT, of="label")
    assert message in call("predict", "run", "train.spacy", *words, code=2).stderr


def test_a_data_file_is_described_and_a_config_written_for_it(folder):
    assert "ner" in call("describe", "train.spacy").stdout
    call("init-config", "train.spacy", "--target", "ner", "--output", "made.cfg")
    call("debug-config", "made.cfg")
