"""Settings from the command line and the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trainer_cli.config import RunConfig
from trainer_cli.config.overrides import read_arguments, read_environment

from .conftest import TEXT

Run = Callable[..., RunConfig]
Mistakes = Callable[..., list[str]]


def settings(*tokens: str) -> dict[str, Any]:
    overrides, problems = read_arguments(tokens)
    assert not problems
    return {override.name: override.value for override in overrides}


def test_both_spellings_and_bare_flags_are_read() -> None:
    assert settings("--a.b", "1", "--a.c=x=y", "--a.d", "--a.e", "-1", "--a.f=", "--a.g") == {
        "a.b": 1,
        "a.c": "x=y",
        "a.d": True,
        "a.e": -1,
        "a.f": "",
        "a.g": True,
    }


def test_values_are_json_or_else_text() -> None:
    assert settings("--a.b", "[1, 2]", "--a.c", "null", "--a.d", '"1"', "--a.e", "my file.csv") == {
        "a.b": [1, 2],
        "a.c": None,
        "a.d": "1",
        "a.e": "my file.csv",
    }


def test_the_environment_is_split_as_a_shell_does() -> None:
    overrides, problems = read_environment("--a.b 'x y' --a.c='[1, 2]'")
    assert not problems
    assert [(override.name, override.value) for override in overrides] == [("a.b", "x y"), ("a.c", [1, 2])]


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (["--foo", "1"], "--foo: no such option. A setting of the config is written --section.key VALUE"),
        (["x"], "x: expected --section.key VALUE"),
        (["\u2014a.b", "1"], "\u2014a.b: begins with a long dash; write two hyphens: --"),
        (["--a..b", "1"], "--a..b: is no name of the form --section.key"),
        (["--a.b", "NaN"], "--a.b: expected a finite number, got NaN"),
        (["--a.b=[1, 2"], "--a.b: expected , or ], got the end"),
        (["--a.b", "1_000"], "--a.b: expected a number or a quoted text, got 1_000. Did you mean 1000?"),
    ],
)
def test_a_word_that_is_no_override_is_refused(tokens: list[str], line: str) -> None:
    assert f"command line: {line}" in [str(problem) for problem in read_arguments(tokens)[1]]


def test_an_environment_that_no_shell_would_take_is_refused() -> None:
    problems = read_environment("--a.b 'x")[1]
    assert [str(problem) for problem in problems] == ["TRAINER_CONFIG_OVERRIDES: No closing quotation, in --a.b 'x"]


def test_the_command_line_outranks_the_environment_and_that_the_file(run_of: Run) -> None:
    run = run_of(TEXT, "--training.max_steps", "3", environment="--training.max_steps 2 --training.patience 7")
    assert (run.training.max_steps, run.training.patience, run.training.max_epochs) == (3, 7, 20)
    origins = [run.origin(f"training.{key}") for key in ("max_steps", "patience", "max_epochs", "eval_frequency")]
    assert origins == ["command line", "environment", "file", "default"]


def test_the_last_of_two_words_holds(run_of: Run) -> None:
    assert run_of(TEXT, "--training.max_steps", "3", "--training.max_steps", "4").training.max_steps == 4


def test_any_key_and_argument_can_be_set_spelled_in_the_file_or_not(run_of: Run) -> None:
    run = run_of(
        TEXT,
        "--optimizer.use_averages=false",
        "--checkpoints.keep=5",
        "--training.score_weights.accuracy=0.5",
        "--loss.smoothing",
        "0.1",
        "--metrics.accuracy.kind",
        "mean",
    )
    assert run.build("optimizer").use_averages is False
    assert run.checkpoints.keep == 5
    assert run.training.score_weights == {"accuracy": 0.5}
    assert run.build("loss").given == {"smoothing": 0.1}
    assert run.build("metrics")["accuracy"].given == {"kind": "mean"}


@pytest.mark.parametrize("name", ["--model.hidden.nO", "--model.*.hidden.nO"])
def test_a_positional_block_is_named_with_or_without_its_star(run_of: Run, name: str) -> None:
    model = run_of(TEXT, name, "32").build("model")
    assert [(layer.name, layer.nO) for layer in model.layers] == [("hidden", 32), ("output", None)]


def test_a_block_is_replaced_by_a_value(run_of: Run) -> None:
    assert run_of(TEXT, "--optimizer.learn_rate", "0.1").build("optimizer").learn_rate == 0.1


def test_a_value_is_replaced_by_a_block(run_of: Run) -> None:
    block = '{"@schedules": "test_rise.v1", "initial_rate": 1.0, "warmup_steps": 2}'
    run = run_of(TEXT, "--training.dropout", block.replace("1.0", "0.5"))
    assert [run.training.dropout(step) for step in (1, 9)] == [0.25, 0.5]  # type: ignore[operator,misc]


def test_a_replaced_positional_block_keeps_its_place(run_of: Run) -> None:
    run = run_of(TEXT, "--model.hidden", '{"@layers": "test_residual.v1", "layer": {"@layers": "test_dense.v1"}}')
    assert [layer.name for layer in run.build("model").layers] == ["hidden", "output"]


def test_a_key_inside_an_inline_block_can_be_set(run_of: Run) -> None:
    block = '{"@schedules": "test_rise.v1", "initial_rate": 1.0, "warmup_steps": 2}'
    start, end = TEXT.index("[optimizer.learn_rate]"), TEXT.index("[metrics")
    text = TEXT[:start].rstrip() + f"\nlearn_rate = {block}\n\n" + TEXT[end:]
    run = run_of(text, "--optimizer.learn_rate.initial_rate", "0.5")
    assert run.build("optimizer").learn_rate(5) == 0.5
    assert run.origin("optimizer.learn_rate.initial_rate") == "command line"
    assert run.origin("optimizer.learn_rate.warmup_steps") == "file"


def test_overrides_take_part_in_variables(run_of: Run) -> None:
    run = run_of(TEXT, "--paths.train", "other.csv", "--data.dev.path", "${paths.train}")
    assert str(run.build("data.train").path) == str(run.build("data.dev").path) == "other.csv"


@pytest.mark.parametrize(
    ("tokens", "line"),
    [
        (
            ["--optimizer.learn_rat", "0.1"],
            "--optimizer.learn_rat: test_adam.v1 has no argument learn_rat. Did you mean learn_rate?",
        ),
        (
            ["--optimzer.beta1", "0.1"],
            "--optimzer.beta1: nothing reads the section [optimzer]. Did you mean [optimizer]?",
        ),
        (["--training.max_step=1"], "--training.max_step: [training] has no key max_step. Did you mean max_steps?"),
        (
            ["--training.max-epochs", "2"],
            "--training.max-epochs: [training] has no key max-epochs. Did you mean max_epochs?",
        ),
        (["--training.max_epochs"], "--training.max_epochs: needs a value"),
        (
            ["--training.max_time", "5m"],
            "--training.max_time: expected a number or a quoted text, got 5m. Did you mean 300?",
        ),
        (["--system.sead=1"], "--system.sead: [system] has no key sead. Did you mean seed?"),
        (["--model.hiden.nO", "3"], "--model.hiden.nO: test_chain.v1 has no argument hiden. Did you mean hidden?"),
        (["--model.hidden.n0", "3"], "--model.hidden.n0: test_dense.v1 has no argument n0. Did you mean nO?"),
        (["--paths.trian", "x"], "--paths.trian: nothing reads paths.trian. Did you mean paths.train?"),
        (
            ["--optimizer.beta1.x", "1"],
            "--optimizer.beta1.x: optimizer.beta1 is 0.8, which has no keys to set. To make it a block, set optimizer.beta1.@schedules or the like first",  # noqa: E501
        ),
        (
            ["--optimizer.beta1", "0.1l"],
            "--optimizer.beta1: expected a number or a quoted text, got 0.1l. Did you mean 0.1?",
        ),
        (["--optimizer.beta1", "high"], '--optimizer.beta1: expected a number, got the text "high"'),
        (
            ["--optimizer.beta1", "${paths.tran}"],
            "--optimizer.beta1: nothing is called paths.tran. Did you mean paths.train?",
        ),
        (
            ["--training.patience", "-1"],
            "--training.patience: must be 0 or more, got -1. Write 0, or leave it out, for no limit",
        ),
    ],
)
def test_a_wrong_override_is_named_as_it_was_typed(mistakes_of: Mistakes, tokens: list[str], line: str) -> None:
    assert mistakes_of(TEXT, *tokens) == [f"command line: {line}"]


def test_a_key_of_a_copied_section_is_set_where_it_stands(mistakes_of: Mistakes) -> None:
    text = TEXT.replace("[optimizer.learn_rate]", "[rate]").replace("beta1 = 0.8", "learn_rate = ${rate}")
    wrong = "--optimizer.learn_rate.initial_rate: optimizer.learn_rate is a copy of ${rate}: set rate instead"
    assert mistakes_of(text, "--optimizer.learn_rate.initial_rate", "1") == [f"command line: {wrong}"]
    assert mistakes_of(text, "--rate.initial_rate", "1") == []


def test_mistakes_of_file_environment_and_command_line_come_together(mistakes_of: Mistakes) -> None:
    text = TEXT.replace("max_epochs", "max_epoch")
    keys = (
        "It has max_epochs, max_steps, max_time, patience, eval_frequency, accumulate_gradient, batch_size, "
        "eval_batch_size, dropout, score_weights, monitor, weight_column and 3 more"
    )
    assert mistakes_of(
        text, "--training.a", "1", environment="--training.b 1 --training.c NaN --training.max_steps 1"
    ) == [
        "43: training.max_epoch: [training] has no key max_epoch. Did you mean max_epochs?",
        f"TRAINER_CONFIG_OVERRIDES: --training.b: [training] has no key b. {keys}",
        f"TRAINER_CONFIG_OVERRIDES: --training.c: [training] has no key c. {keys}",
        "TRAINER_CONFIG_OVERRIDES: --training.c: expected a finite number, got NaN",
        f"command line: --training.a: [training] has no key a. {keys}",
    ]


def test_an_override_that_is_dropped_would_be_noticed(run_of: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer_cli.config.loaded.apply", lambda document, override: None)
    with pytest.raises(AssertionError):
        test_overrides_take_part_in_variables(run_of)


BLOCK = """
[batch_size]
@schedules = "test_user.v1"
values = [8]
"""


def test_a_batch_size_of_the_command_line_takes_the_place_of_a_section_of_the_file(mistakes_of, run_of):
    assert run_of(TEXT + BLOCK, "--training.batch_size", "32").training.batch_size == 32
    assert not run_of(TEXT + BLOCK, "--training.batch_size", "32").has("batch_size")
    words = ["--batch_size.@schedules=test_user.v1", "--batch_size.values=[8]"]
    assert run_of(TEXT + "batch_size = 3\n", *words).has("batch_size")
    both = mistakes_of(TEXT, *words, "--training.batch_size", "32")
    assert both == [
        "command line: --training.batch_size: there is a section [batch_size] as well: keep one of them",
    ]


def test_a_number_of_the_file_becomes_the_block_that_overrides_name(run_of):
    words = ["rate.@schedules=test_rise.v1", "rate.initial_rate=1", "rate.warmup_steps=2"]
    text = TEXT[: TEXT.index("[optimizer.learn_rate]")] + TEXT[TEXT.index("[metrics.accuracy]") :]
    text = text.replace("beta1 = 0.8", "learn_rate = 0.01")
    run = run_of(text, *(f"--optimizer.learn_{word}" for word in words))
    assert run.build("optimizer").learn_rate(2) == 1
