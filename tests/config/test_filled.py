"""The config with every default written out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_cli.config import RunConfig, filled
from trainer_cli.config import run_config as module

from .conftest import TEXT

Run = Callable[..., RunConfig]

FILLED = """\
# A run of test parts.
[paths]
train = "data/train.csv"
dev = data/dev.csv

[data]

[data.train]
@readers = "test_reader.v1"
path = "data/train.csv"
limit = null

[data.dev]
@readers = "test_reader.v1"
path = "data/dev.csv"
limit = null

[model]
@layers = "test_chain.v1"

[model.*.hidden]
@layers = "test_dense.v1"
nO = 64
dropout = 0.0

[model.*.output]
@layers = "test_dense.v1"
dropout = 0.0
nO = null

[loss]
@losses = "test_loss.v1"
smoothing = 0.0

# The steps.
[optimizer]
@optimizers = "test_adam.v1"
beta1 = 0.8
use_averages = true

[optimizer.learn_rate]
@schedules = "test_rise.v1"
initial_rate = 0.01
warmup_steps = 100

[metrics]

[metrics.accuracy]
@metrics = "test_accuracy.v1"
kind = "top"

[training]
# Enough.
max_epochs = 20
patience = 1600
max_steps = 0
max_time = 0
eval_frequency = 200
accumulate_gradient = 1
batch_size = 128
eval_batch_size = 1024
dropout = null
score_weights = {}
monitor = null
weight_column = null
balance = false
batcher = null
init_from = null

[system]
seed = 0
threads = "auto"
ops = "auto"
data_memory = 256

[checkpoints]
keep = 2
max_seconds = 300
"""

FEATURES = '\n[features]\n@encoders = "test_everything.v1"\n'
SIZES = '\n[batch_size]\n@schedules = "test_user.v1"\nvalues = [8]\n'
COPIES = (
    TEXT.replace("[optimizer.learn_rate]", "# Copied.\n[rate]").replace(
        "beta1 = 0.8", "learn_rate = ${rate}\n# Odd.\nbeta1 = ${b.x}"
    )
    + "dropout = ${rate}\n\n[b]\nx = 1e-1\n"
)


def test_defaults_are_written_behind_what_the_file_says_and_comments_stay(run_of: Run) -> None:
    assert run_of(TEXT).filled_text() == FILLED


@pytest.mark.parametrize("text", [TEXT, COPIES, COPIES.replace("\n", "\r\n"), "\ufeff" + TEXT + SIZES])
def test_the_filled_text_reads_back_to_the_same_run(run_of: Run, text: str) -> None:
    run = run_of(text)
    again = run_of(run.filled_text())
    assert again.filled() == run.filled()
    assert again.filled_text() == run.filled_text()
    # Two schedules are never equal, but they are written alike.
    assert repr(again.build_all()) == repr(run.build_all())
    assert (again.system, again.checkpoints) == (run.system, run.checkpoints)


def test_copied_sections_become_sections_and_what_only_variables_read_is_left_out(run_of: Run) -> None:
    text = run_of(COPIES).filled_text()
    assert "[rate]" not in text
    assert "[b]" not in text
    assert "# Odd.\nbeta1 = 0.1\n" in text
    assert '[optimizer.learn_rate]\n@schedules = "test_rise.v1"\ninitial_rate = 0.01\n' in text
    assert '[model.*.hidden.dropout]\n@schedules = "test_rise.v1"\n' in text


def test_overrides_are_written_in_place_of_what_they_replace(run_of: Run) -> None:
    text = run_of(TEXT, "--optimizer.learn_rate", "0.3", "--model.hidden.nO=32", "--training.max_steps=7").filled_text()
    assert "learn_rate = 0.3\n" in text
    assert "[optimizer.learn_rate]" not in text
    assert "nO = 32\n" in text
    assert "# Enough.\nmax_epochs = 20\npatience = 1600\nmax_steps = 7\n" in text


def test_values_over_several_lines_and_texts_with_signs_are_kept(run_of: Run) -> None:
    text = (
        TEXT
        + '\n[features]\n@encoders = "test_everything.v1"\nwords = [\n  "a$$b",\n  "${paths.dev}"]\nword = "$${x}"\n'
    )
    run = run_of(text)
    again = run_of(run.filled_text())
    assert again.build("features") == run.build("features")
    assert again.build("features").given["words"] == {"a$b", "data/dev.csv"}
    assert again.build("features").given["word"] == "${x}"


def check_bits(run: RunConfig, again: Callable[[str], RunConfig], real: float, word: str) -> None:
    run.config["features"] |= {"real": real, "word": word, "table": {word: real}}
    found = again(run.filled_text()).build("features").given
    assert (found["real"].hex(), found["word"]) == (real.hex(), word)
    assert found["table"][word].hex() == real.hex()


@settings(max_examples=30)
@given(real=st.floats(allow_nan=False, allow_infinity=False), word=st.text())
def test_filled_values_are_the_same_to_the_bit(run_of: Run, real: float, word: str) -> None:
    check_bits(run_of(TEXT + FEATURES), run_of, real, word)


def test_a_value_that_is_rounded_would_be_noticed(run_of: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = filled.dump

    def rounding(value: object, where: str) -> str:
        return dump(round(value, 6) if isinstance(value, float) else value)

    monkeypatch.setattr(filled, "dump", rounding)
    with pytest.raises(AssertionError):
        check_bits(run_of(TEXT + FEATURES), run_of, 1 / 3, "x")


def test_a_default_that_is_left_out_would_be_noticed(run_of: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "fill", lambda value, registry, defaults: value)
    with pytest.raises(AssertionError):
        test_defaults_are_written_behind_what_the_file_says_and_comments_stay(run_of)
