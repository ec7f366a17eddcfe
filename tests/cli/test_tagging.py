"""From a file of tagged words to a model that tags raw words, by the commands alone."""

import json

import pytest
from commands import call

CONFIG = """
[data.train]
@readers = "conll.v1"
path = "train.conll"

[data.dev]
@readers = "conll.v1"
path = "dev.conll"

[features]
@encoders = "tokens.v1"

[target]
@encoders = "tags.v1"

[model]
@layers = "tagger.v1"
width = 8
depth = 1
rows = [100, 50, 50, 50]

[loss]
@losses = "CategoricalCrossentropy.v4"

[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.03

[metrics.accuracy]
@metrics = "accuracy.v1"

[metrics.spans]
@metrics = "spans.v1"

[training]
max_steps = 60
batch_size = 4
eval_frequency = 30
accumulate_gradient = 2
"""
SENTENCES = [
    ("Anna saw Berlin", "B-PER O B-LOC"),
    ("Old Berlin sleeps", "B-LOC I-LOC O"),
    ("they met Anna Maria in Old Berlin", "O O B-PER I-PER O B-LOC I-LOC"),
    ("nobody sleeps", "O O"),
]


def conll(sentences):
    pairs = (zip(words.split(), tags.split(), strict=True) for words, tags in sentences)
    return "\n".join("".join(f"{word}\t{tag}\n" for word, tag in pair) for pair in pairs)


@pytest.fixture
def run(folder):
    (folder / "train.conll").write_text(conll(SENTENCES * 3))
    (folder / "dev.conll").write_text(conll(SENTENCES))
    (folder / "run.cfg").write_text(CONFIG)
    call("train", "run.cfg", "--output", "run", "--quiet")
    return folder / "run"


def test_a_tagger_learns_by_heart_and_is_scored_on_raw_files(run, folder):
    scores = json.loads(call("evaluate", "run", "dev.conll", "--json").stdout)
    assert (scores["n"], scores["accuracy"]) == (4, 1.0)
    assert {name: value for name, value in scores.items() if name.startswith("spans")} == {
        "spans_f_score": 1.0,
        "spans_precision": 1.0,
        "spans_recall": 1.0,
    }


def test_words_come_out_as_they_went_in_with_a_tag_behind(run, folder):
    (folder / "new.conll").write_text("".join(f"{word}\n" for word in ["nobody", "saw", "Old", "Berlin"]) + "\nAnna\n")
    out = call("predict", "run", "new.conll").stdout
    assert [line.split("\t")[0] for line in out.splitlines()] == ["nobody", "saw", "Old", "Berlin", "", "Anna", ""]
    assert call("predict", "run", "dev.conll").stdout == "".join(
        "".join(f"{word}\t{tag}\t{tag}\n" for word, tag in zip(words.split(), tags.split(), strict=True)) + "\n"
        for words, tags in SENTENCES
    )


def test_a_predicted_tag_stands_behind_all_columns_of_a_file(folder):
    def lines(n):
        pairs = (zip(words.split(), tags.split(), strict=True) for words, tags in SENTENCES)
        tokens = ("".join(" ".join([word, "POS", "I-NP", tag][:n]) + "\n" for word, tag in pair) for pair in pairs)
        return " ".join(["-DOCSTART-", "-X-", "O", "O"][:n]) + "\n\n" + "\n".join(tokens)

    (folder / "train.conll").write_text(lines(4) * 3)
    (folder / "dev.conll").write_text(lines(4))
    at = '.conll"\ncolumns_at = {"token": 0, "tag": -1}'
    (folder / "run.cfg").write_text(CONFIG.replace('.conll"', at))
    call("train", "run.cfg", "--output", "run", "--quiet")
    tags = [tag for _, each in SENTENCES for tag in each.split()]
    for n in (4, 3, 1):
        (folder / "new.conll").write_text(lines(n))
        written = [line.split("\t") for line in call("predict", "run", "new.conll").stdout.splitlines()]
        assert [columns[:-1] for columns in written if columns != [""]] == [
            line.split() for line in lines(n).splitlines() if line
        ]
        assert [columns[-1] for columns in written if columns != [""]] == ["O", *tags]
        record = json.loads(call("predict", "run", "new.conll", "--format", "jsonl").stdout.splitlines()[0])
        assert set(record) == ({"token", "tag", "prediction"} if n == 4 else {"token", "prediction"})


def test_json_for_a_tagger_of_lines_is_told(run):
    said = call("predict", "run", "-", input='{"token": ["Anna"]}\n', code=2).output
    assert 'the file looks like JSON, an object a line: take @readers = "jsonl.v1"' in said


def test_tags_in_json_are_a_list(run):
    found = [json.loads(line) for line in call("predict", "run", "dev.conll", "--format", "jsonl").stdout.splitlines()]
    assert [record["prediction"] for record in found] == [tags.split() for _, tags in SENTENCES]
    assert [record["token"] for record in found] == [words.split() for words, _ in SENTENCES]
    assert set(found[0]) == {"token", "tag", "prediction"}


def test_tags_in_csv_stand_in_one_cell(run):
    assert call("predict", "run", "dev.conll", "--format", "csv").stdout.splitlines()[:2] == [
        "token,tag,prediction",
        "Anna saw Berlin,B-PER O B-LOC,B-PER O B-LOC",
    ]


def test_labels_of_records_are_no_tags(folder):
    (folder / "train.jsonl").write_text('{"text": "good film", "label": "p"}\n{"text": "bad film", "label": "n"}\n' * 4)
    data, _, rest = CONFIG.replace("conll", "jsonl").replace("dev.jsonl", "train.jsonl").partition("[model]")
    data = data.replace("tokens.v1", "text.v1").replace("tags.v1", "labels.v1")
    rest = rest.replace('[metrics.spans]\n@metrics = "spans.v1"\n', "")
    model = '[model]\n@layers = "text_bow.v1"\n\n[loss]'
    (folder / "bag.cfg").write_text(data + model + rest.partition("[loss]")[2])
    call("train", "bag.cfg", "--output", "bag", "--quiet")
    records = [json.loads(line) for line in call("predict", "bag", "train.jsonl").stdout.splitlines()]
    assert [record["prediction"] for record in records] == ["p", "n"] * 4
    said = call("predict", "bag", "train.jsonl", "--format", "conll", code=2).output
    assert "--format conll has a token and its tag a line, but the model" in said


def test_what_tags_cannot_be_is_told(run):
    said = call("predict", "run", "dev.conll", "--top", "2", code=2).output
    assert "--top ranks the labels of a record; this model gives each word a tag" in said


def test_a_broken_scheme_is_told_with_its_line(run, folder):
    (folder / "dev.conll").write_text("Anna\tO\n\nBerlin\tI-LOC\n")
    said = call("evaluate", "run", "dev.conll", code=2).output
    assert 'dev.conll:3: tag: "I-LOC" (token 1) stands after the beginning, which BIO does not allow' in said


def test_debug_config_shows_the_layers_of_a_ready_made_model(folder, run):
    out = call("debug-config", "run.cfg").stdout
    for name in ("words.words.tables.column0", "HashEmbed.v1", "block1", "expand_window.v1", "output"):
        assert name in out


def test_a_tagger_leans_on_its_words_though_each_sentence_has_a_length_of_its_own(folder):
    """Sentences that change places among those of their length would stay where they are."""
    words = ["Anna", "Berlin", "sleeps"] * 9
    lengths = range(4, 16)
    sentences = [(" ".join(words[:n]), " ".join(["B-PER", "B-LOC", "O"] * 9).rsplit(" ", 27 - n)[0]) for n in lengths]
    for name in ("train", "dev"):
        (folder / f"{name}.conll").write_text(conll(sentences))
    (folder / "tags.cfg").write_text(CONFIG)
    call("train", "tags.cfg", "-o", "tagged", "-q")
    found = json.loads(call("evaluate", "tagged", "--importance", "--json").stdout)
    assert found["accuracy"] > 0.95
    assert found["importance"]["columns"][0]["fall"] > 0.3
