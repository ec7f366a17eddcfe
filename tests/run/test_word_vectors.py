"""Tables that start from word vectors, through the commands."""

import json

import numpy as np
import pytest
from run_fakes import train

from trainer_cli import word_vectors
from trainer_cli.assembly import assemble
from trainer_cli.config.run_config import read_run_config
from trainer_cli.data import vectors
from trainer_cli.errors import TrainerError
from trainer_cli.lookup import find
from trainer_cli.signals import StopFlag
from trainer_cli.trained import from_files

CONFIG = """
[data.train]
@readers = "jsonl.v1"
path = "{folder}/texts.jsonl"

[target]
@encoders = "labels.v1"
column = "label"

[features]
@encoders = "{encoder}"
column = "text"
min_count = 1

[model]
@layers = "chain.v1"

[model.*.words]
@layers = "Embed.v1"
nO = {width}
vectors = "{folder}/{name}"

[model.*.mean]
@layers = "reduce_mean.v1"

[model.*.output]
@layers = "Softmax.v1"

[loss]
@losses = "CategoricalCrossentropy.v4"

[optimizer]
@optimizers = "Adam.v1"

[training]
max_steps = 3
"""

VECTORS = "Cat 1 2 3\ncat 9 9 9\nzebra 7 7 7\nsat -1 -2 -3\n"


@pytest.fixture
def config(tmp_path):
    rows = [("The cat sat", "a"), ("a dog ran", "b")] * 10
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    (tmp_path / "words.vec").write_text(VECTORS)

    def make(width=3, name="words.vec", encoder="text.v1"):
        text = CONFIG.format(folder=tmp_path, width=width, name=name, encoder=encoder)
        return read_run_config("-", stdin=text)

    return make


def rows_of(job, *words):
    [node] = word_vectors.asking(job.model)
    return node.E[job.trained.features[1].word_ids(words)]


def test_words_of_the_file_start_from_their_vectors_and_others_as_ever(config):
    job = assemble(config(), StopFlag())
    np.testing.assert_array_equal(rows_of(job, "cat", "sat"), [[1, 2, 3], [-1, -2, -3]])
    assert np.abs(rows_of(job, "dog", "ran", "the")).max() < 0.2
    assert rows_of(job, "zebra").tolist() == job.model.layers[0].E[:1].tolist()  # a word that no text has


def test_of_a_word_that_comes_twice_the_first_vector_counts_however_far_they_are_apart(config, monkeypatch):
    for n_words in (1, 2, 4096):
        monkeypatch.setattr(vectors, "BLOCK_WORDS", n_words)
        job = assemble(config(), StopFlag())
        assert rows_of(job, "cat").tolist() == [[1, 2, 3]]


def test_what_was_matched_is_counted_and_shown(config):
    assert word_vectors.told(assemble(config(), StopFlag()).model) == ["words: 2 of 6 words have a vector in words.vec"]


def test_the_model_needs_the_file_no_more(config, tmp_path):
    assert train(config(), tmp_path / "run").cause is None
    (tmp_path / "words.vec").unlink()
    saved = find(tmp_path / "run")
    loaded = from_files(saved.files, saved.folder)
    assert loaded.model.layers[0].E.shape[1] == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 4}, "are 3 wide, the table 4: set 3"),
        ({"name": "nowhere.vec"}, "no file is there"),
        ({"width": "null"}, "say how wide they are"),
    ],
)
def test_what_does_not_fit_is_told(config, change, message):
    with pytest.raises(TrainerError, match=message):
        assemble(config(**change), StopFlag())


def test_the_check_sees_a_table_that_is_not_filled(config, monkeypatch):
    monkeypatch.setattr(word_vectors, "fill", lambda model, features: None)
    with pytest.raises(AssertionError):
        test_words_of_the_file_start_from_their_vectors_and_others_as_ever(config)
