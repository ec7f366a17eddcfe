"""From texts, alone or beside other columns, to labels and numbers, by the commands alone."""

import json

import pytest
from commands import call

DATA = """
[data.train]
@readers = "jsonl.v1"
path = "train.jsonl"

[data.dev]
@readers = "jsonl.v1"
path = "train.jsonl"
"""
TRAINING = """
[optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.05

[training]
max_steps = 60
batch_size = 4
eval_frequency = 30
accumulate_gradient = 2
"""
LABELS = """
[target]
@encoders = "labels.v1"
column = "label"

[loss]
@losses = "CategoricalCrossentropy.v4"

[metrics.accuracy]
@metrics = "accuracy.v1"
"""
BOW = """
[features]
@encoders = "text.v1"
column = "text"
word_ngrams = 2
char_ngrams = [3, 4]
weights = "tfidf"

[model]
@layers = "text_bow.v1"
dropout = 0.1
"""
CNN = """
[features]
@encoders = "text.v1"
column = "text"
max_length = 20

[model]
@layers = "text_cnn.v1"
width = 8
filters = 4
windows = [1, 2]
"""
RECURRENT = """
[features]
@encoders = "text.v1"
column = "text"

[model]
@layers = "chain.v1"

[model.*.words]
@layers = "Embed.v1"
nO = 8

[model.*.sequence]
@layers = "GRU.v1"
nO = 8
bi = true

[model.*.last]
@layers = "reduce_last.v1"

[model.*.output]
@layers = "Softmax.v1"
"""
MIXED = """
[features]
@encoders = "columns.v1"

[features.*.text]
@encoders = "text.v1"
column = "text"
weights = "tfidf"

[features.*.stars]
@encoders = "numbers.v1"
columns = ["stars"]

[model]
@layers = "chain.v1"

[model.*.inputs]
@layers = "concatenate.v1"

[model.*.inputs.*.text]
@layers = "EmbedBag.v1"
nO = 4
mode = "sum"

[model.*.inputs.*.stars]
@layers = "Linear.v1"
nO = 2

[model.*.output]
@layers = "Softmax.v1"
"""
TOKENS = """
[features]
@encoders = "tokens.v1"
column = "text"

[model]
@layers = "chain.v1"

[model.*.words]
@layers = "MultiHashEmbed.v1"
width = 8

[model.*.mean]
@layers = "reduce_mean.v1"

[model.*.output]
@layers = "Softmax.v1"
"""
NUMBERS = """
[target]
@encoders = "numbers.v1"
column = "stars"

[loss]
@losses = "MeanSquaredError.v1"

[metrics.rmse]
@metrics = "rmse.v1"
"""
ROWS = [
    {"text": "a good film", "label": "p", "stars": 5},
    {"text": "a bad film", "label": "n", "stars": 1},
    {"text": "good, very good", "label": "p", "stars": 5},
    {"text": "really bad", "label": "n", "stars": 1},
]


@pytest.fixture
def data(folder):
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS * 3))
    return folder


def trained(data, *sections):
    (data / "run.cfg").write_text(DATA + "".join(sections) + TRAINING)
    call("train", "run.cfg", "--output", "run", "--quiet")
    return json.loads(call("evaluate", "run", "train.jsonl", "--json").stdout)


@pytest.mark.parametrize("model", [BOW, CNN, RECURRENT, MIXED], ids=["bag", "cnn", "recurrent", "mixed"])
def test_a_model_of_texts_learns_by_heart_and_reads_raw_ones(data, model):
    assert trained(data, model, LABELS)["accuracy"] == 1.0
    (data / "new.jsonl").write_text('{"text": "", "stars": 5}\n{"text": "bad and unseen words", "stars": 1}\n')
    found = [json.loads(line) for line in call("predict", "run", "new.jsonl").stdout.splitlines()]
    assert found[1]["prediction"] == "n"
    assert call("debug-config", "run.cfg").exit_code == 0


def test_a_number_is_predicted_from_a_text(data):
    scores = trained(data, BOW.replace("dropout = 0.1", 'output = "linear"'), NUMBERS)
    assert scores["rmse"] < 0.3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (BOW.replace('"tfidf"', '"idf"'), "features.weights"),
        (BOW.replace("[3, 4]", "[4, 3]"), "char_ngrams must be [shortest, longest]"),
        (BOW.replace('column = "text"', 'column = "txt"'), 'no column is called "txt". Did you mean "text"'),
        (BOW.replace('weights = "tfidf"', "min_count = 99"), "min_count: no word is in 99 training texts or more"),
        (MIXED.replace("inputs.*.stars]", "inputs.*.star]"), "no input is called 'star'. Did you mean stars?"),
        (CNN.replace("max_length = 20", 'weights = "tfidf"'), "Embed.v1 takes ids (whole numbers), an array or ragged"),
    ],
)
def test_a_wrong_config_is_told_before_training(data, wrong, said):
    (data / "run.cfg").write_text(DATA + wrong + LABELS + TRAINING)
    out = " ".join(call("train", "run.cfg", "--output", "run", code=2).output.split())
    assert said in out
    assert "run.cfg:" in out


@pytest.mark.parametrize("encoder", ["text.v1", "tokens.v1"])
def test_records_without_a_text_are_counted_but_not_quietly(data, encoder):
    layers = {"text.v1": BOW, "tokens.v1": TOKENS}
    trained(data, layers[encoder], LABELS)
    (data / "new.jsonl").write_text('{"text": "good"}\n{"txt": "a wrong key"}\n{"text": null}\n{"text": " "}\n')
    told = '3 rows had no text: "text" was missing or empty\n'
    assert call("predict", "run", "new.jsonl").stderr == told
    assert call("predict", "run", "new.jsonl", "-o", "p.csv").stderr.startswith(told)
    assert call("predict", "run", "new.jsonl", "--quiet").stderr == ""
    assert call("predict", "run", "train.jsonl").stderr == ""


def test_gaps_beside_other_columns_are_not_told(data):
    trained(data, MIXED, LABELS)
    (data / "new.jsonl").write_text('{"text": "good", "stars": 5}\n{"text": null, "stars": 1}\n')
    assert call("predict", "run", "new.jsonl").stderr == ""
