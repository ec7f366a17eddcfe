"""Planted mistakes in the config of a run: each is refused at its very line, by one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trainer_cli.config import read_run_config
from trainer_cli.config.plan import Planner
from trainer_cli.config.text import Scanner
from trainer_cli.errors import ConfigError

from .conftest import TEXT

Mistakes = Callable[..., list[str]]

# What is replaced in the good config, by what, and the lines of the error.
PLANTED = [
    # Names.
    (
        "max_epochs = 20",
        "max_epochs = 20\nseed = 3",
        "44: training.seed: [training] has no key seed. It belongs into [system]",
    ),
    (
        "max_epochs = 20",
        "max_epochs = 0",
        "43: training.max_epochs: needs a limit: set max_epochs, max_steps or max_time (seconds)",
    ),
    (
        "test_adam.v1",
        "test_odum.v1",
        "30: optimizer.@optimizers: no optimizers function is called 'test_odum.v1'. Did you mean test_adam.v1?",
    ),
    (
        "test_adam.v1",
        "tastes.v1",
        "30: optimizer.@optimizers: no optimizers function is called 'tastes.v1'. There is test_adam.v1. "
        "If it is your own, give its file with --code",
    ),
    ("nO = 64", "nO == 64", "19: model.*.hidden.nO: one = is enough. Did you mean 64?"),
    (
        '"test_adam.v1"',
        "\u201ctest_adam.v1\u201d",
        '30: optimizer.@optimizers: a text stands in straight double quotes. Did you mean "test_adam.v1"?',
    ),
    (
        '"data/train.csv"',
        "C:\\data\\train.csv",
        '3: paths.train: a path is written with /, got C:\\data\\train.csv. Did you mean "C:/data/train.csv"?',
    ),
    (
        "initial_rate = 0.01",
        "initial_rate = 0.0l",
        "35: optimizer.learn_rate.initial_rate: expected a number or a quoted text, got 0.0l. Did you mean 0.01?",
    ),
    (
        "max_epochs =",
        "max_epoch =",
        "43: training.max_epoch: [training] has no key max_epoch. Did you mean max_epochs?",
    ),
    ("beta1", "beta_1", "31: optimizer.beta_1: test_adam.v1 has no argument beta_1. Did you mean beta1?"),
    (
        "initial_rate",
        "initial_rat",
        "35: optimizer.learn_rate.initial_rat: test_rise.v1 has no argument initial_rat. Did you mean initial_rate?",
    ),
    (
        "test_adam",
        "test_adm",
        "30: optimizer.@optimizers: no optimizers function is called 'test_adm.v1'. Did you mean test_adam.v1?",
    ),
    ("@losses", "@loses", "26: loss.@loses: no registry is called @loses. Did you mean @losses?"),
    (
        '@losses = "test_loss.v1"',
        '@encoders = "test_loss.v1"',
        "26: loss.@encoders: expected a function of @losses, got @encoders",
    ),
    ("[optimizer]", "[optimzer]", "29: optimzer: nothing reads the section [optimzer]. Did you mean [optimizer]?"),
    ("[data.train]", "[data.trian]", "6: data.trian: [data] has no trian. Did you mean train?"),
    ("[data.dev]", "[data.deb]", "10: data.deb: [data] has no deb. Did you mean dev?"),
    (
        "[model.*.hidden]",
        "[model.hidden]",
        "17: model.hidden: test_chain.v1 has no argument hidden. It takes sections like [model.*.hidden]",
    ),
    ('"test_loss.v1"', "3", "26: loss.@losses: expected the name of a function, got 3"),
    (
        '@losses = "test_loss.v1"',
        "smoothing = 0.1",
        '25: loss: expected a line @losses = "...", got a section without one',
    ),
    (
        '"test_loss.v1"',
        '"test_loss.v1"\n@layers = "test_dense.v1"',
        "27: loss.@layers: a section can name one function, this one has @losses or @layers",
    ),
    # Missing.
    ("initial_rate = 0.01\n", "", "33: optimizer.learn_rate.initial_rate: is missing: test_rise.v1 needs it"),
    ('[loss]\n@losses = "test_loss.v1"\n', "", "42: loss: the section [loss] is missing"),
    ("path = ${paths.train}\n", "", "6: data.train.path: is missing: test_reader.v1 needs it"),
    ("max_epochs = 20\n", "", "41: training: needs a limit: set max_epochs, max_steps or max_time (seconds)"),
    # Types.
    (
        "= 0.01",
        '= "0.00l1"',
        '35: optimizer.learn_rate.initial_rate: expected a number, got the text "0.00l1". Did you mean 0.001?',
    ),
    (
        "= 0.8",
        '= "0.8"',
        '31: optimizer.beta1: expected a number, got the text "0.8". Did you mean 0.8, without the quotes?',
    ),
    ("nO = 64", "nO = 6.5", "19: model.*.hidden.nO: expected a whole number or null, got 6.5"),
    ("nO = 64", "nO = true", "19: model.*.hidden.nO: expected a whole number or null, got true"),
    ("nO = 64", "nO = [64]", "19: model.*.hidden.nO: expected a whole number or null, got the list [64]"),
    (
        "nO = 64",
        'nO = {"@schedules": "test_rise.v1", "initial_rate": 1, "warmup_steps": 1}',
        "19: model.*.hidden.nO: expected a whole number or null, but test_rise.v1 returns a Schedule",
    ),
    (
        'hidden]\n@layers = "test_dense.v1"\nnO = 64',
        'hidden]\n@schedules = "test_user.v1"\nvalues = [1]\n\n[model.*.wrong]\n@losses = "test_loss.v1"',
        "21: model.*.wrong: expected a Layer, but test_loss.v1 returns a Made",
    ),
    (
        '"test_accuracy.v1"',
        '"test_accuracy.v1"\nkind = "tap"',
        '40: metrics.accuracy.kind: expected "top" or "mean", got the text "tap". Did you mean "top"?',
    ),
    ("20", "20\nmonitor = 3", '44: training.monitor: expected a text or null, got 3. Did you mean "3", in quotes?'),
    # Rules.
    ("= 20", "= -1", "43: training.max_epochs: must be 0 or more, got -1. Write 0, or leave it out, for no limit"),
    ("= 20", "= 20\neval_frequency = 0", "44: training.eval_frequency: must be 1 or more, got 0"),
    ("= 20", "= 20\ndropout = 1.0", "44: training.dropout: must be 0 or more and less than 1, got 1.0"),
    ("= 20", "= 20\nmonitor = acuracy", "44: training.monitor: no metric is called acuracy. Did you mean accuracy?"),
    (
        "= 20",
        '= 20\nscore_weights = {"acuracy": 1}',
        "44: training.score_weights.acuracy: no metric is called acuracy. Did you mean accuracy?",
    ),
    ("[training]", "[checkpoints]\nkeep = 0\n\n[training]", "42: checkpoints.keep: must be 1 or more, got 0"),
    ("[training]", "[system]\nthreads = 0\n\n[training]", "42: system.threads: must be 1 or more, got 0"),
    (
        "patience = 1600",
        'batch_size = 3\n\n[batch_size]\n@schedules = "test_user.v1"\nvalues = [8]',
        "44: training.batch_size: there is a section [batch_size] as well: keep one of them",
    ),
    # Text.
    (
        "= 20",
        "= 20 # note",
        "43: training.max_epochs: expected a number, got 20 # note. Did you mean 20? A comment needs a line of its own",
    ),
    ("= 20", "= 2_0", "43: training.max_epochs: expected a number or a quoted text, got 2_0. Did you mean 20?"),
    ("= 0.01", "= NaN", "35: optimizer.learn_rate.initial_rate: expected a finite number, got NaN"),
    (
        "= 0.01",
        "= 1e999",
        "35: optimizer.learn_rate.initial_rate: 1e999 is too large for a number: it would become infinite",
    ),
    ("= 20", "= 20\nmax_epochs = 30", "44: training.max_epochs: is already set on line 43"),
    ("[training]", "[loss]\n\n[training]", "41: the section [loss] is already on line 25"),
    (
        "${paths.train}",
        "${paths.trian}",
        "8: data.train.path: nothing is called paths.trian. Did you mean paths.train?",
    ),
    (
        "${paths.train}",
        "${paths.train",
        "8: data.train.path: a variable is written ${section.key}, the sign itself $$, got ${paths.train",
    ),
    ("data/dev.csv", "${paths.dev}", "4: paths.dev: the variables go round in a circle: paths.dev -> paths.dev"),
    ("beta1 = 0.8", "learn_rate = 0.8", "33: optimizer.learn_rate: is already set on line 31"),
    (
        "max_epochs = 20",
        "max_epochs: 20",
        "43: expected [section] or key = value, got max_epochs: 20. Did you mean max_epochs = 20?",
    ),
    (
        "patience = 1600",
        "  patience = 1600",
        "44: training.max_epochs: the line is indented, so it belongs to the value above: patience = 1600. "
        "Begin it at the margin",
    ),
    (
        "beta1 = 0.8",
        "  beta1 = 0.8",
        "31: optimizer.@optimizers: the line is indented, so it belongs to the value above: beta1 = 0.8. "
        "Begin it at the margin",
    ),
    ("[loss]", " [loss]", "25: the section [loss] is indented: begin the line at the margin"),
    # What was meant.
    ("beta1 = 0.8", "lr = 0.8", "31: optimizer.lr: test_adam.v1 has no argument lr. Did you mean learn_rate?"),
    ("= 20", "= 20%", "43: training.max_epochs: expected a number or a quoted text, got 20%. Did you mean 0.2?"),
    (
        "patience = 1600",
        "monitor = ['noise']",
        '44: training.monitor: a text inside brackets stands in double quotes. Did you mean "noise"?',
    ),
    (
        "patience = 1600",
        "monitor = sepal length, noise",
        "44: training.monitor: expected JSON or one unquoted word, got sepal length, noise. "
        'Did you mean ["sepal length", "noise"]?',
    ),
    (
        "[metrics.accuracy]",
        "[metrics]",
        "39: metrics.@metrics: stands in a section of its own: write [metrics.NAME] instead of [metrics]",
    ),
    (
        "[data.train]\n",
        "[data]\n",
        "7: data.@readers: stands in a section of its own: write [data.train] or [data.dev] instead of [data]",
    ),
    (
        "hidden]\n@layers",
        "hidden]\nlayers",
        "18: model.*.hidden.layers: the name of a function stands after @: write @layers",
    ),
    ("[loss]\n@losses", "[loss]\nlosses", "26: loss.losses: the name of a function stands after @: write @losses"),
    (
        "test_loss.v1",
        "focal.v1",
        "26: loss.@losses: no losses function is called 'focal.v1'. There are test_fails.v1, test_loss.v1. "
        "If it is your own, give its file with --code",
    ),
]


def replaced(text: str, before: str, after: str) -> str:
    assert before in text, before
    return text.replace(before, after, 1)


@pytest.mark.parametrize(("before", "after", "line"), PLANTED, ids=[after[:40] for _, after, _ in PLANTED])
def test_a_planted_mistake_is_refused_at_its_line(mistakes_of: Mistakes, before: str, after: str, line: str) -> None:
    assert mistakes_of(replaced(TEXT, before, after)) == [line]


def test_the_config_without_a_mistake_is_accepted(mistakes_of: Mistakes) -> None:
    assert mistakes_of(TEXT) == []


SIX = """\
[data.train]
@readers = "test_reader.v1"
path = ${paths.train}

[model]
@layers = "test_dens.v1"

[loss]
@losses = "test_loss.v1"
smoothing = "much"

[optimizer]
@optimizers = "test_adam.v1"
beta_1 = 0.8

[training]
max_step = 100
max_epochs = 1
max_epochs = 2
"""


def test_six_mistakes_of_six_kinds_are_reported_in_one_run_sorted_by_line(mistakes_of: Mistakes) -> None:
    assert mistakes_of(SIX) == [
        "3: data.train.path: nothing is called paths.train: the section [paths] with train = ... is missing",
        "6: model.@layers: no layers function is called 'test_dens.v1'. Did you mean test_dense.v1?",
        '10: loss.smoothing: expected a number, got the text "much"',
        "14: optimizer.beta_1: test_adam.v1 has no argument beta_1. Did you mean beta1?",
        "17: training.max_step: [training] has no key max_step. Did you mean max_steps?",
        "19: training.max_epochs: is already set on line 18",
    ]


def test_a_check_that_stops_at_the_first_mistake_would_be_noticed(
    mistakes_of: Mistakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    complain = Planner.complain

    def first_only(planner: Planner, where: str, message: str) -> None:
        if not planner.document.problems:
            complain(planner, where, message)

    monkeypatch.setattr(Planner, "complain", first_only)
    with pytest.raises(AssertionError):
        test_six_mistakes_of_six_kinds_are_reported_in_one_run_sorted_by_line(mistakes_of)


def test_a_line_counted_from_0_would_be_noticed(mistakes_of: Mistakes, monkeypatch: pytest.MonkeyPatch) -> None:
    take = Scanner.take
    monkeypatch.setattr(Scanner, "take", lambda scanner, number, line: take(scanner, number - 1, line))
    with pytest.raises(AssertionError):
        test_a_planted_mistake_is_refused_at_its_line(mistakes_of, *PLANTED[0])


def test_a_mistake_in_a_copied_section_is_reported_once_where_it_stands(mistakes_of: Mistakes) -> None:
    copied = replaced(TEXT, "[optimizer.learn_rate]", "[rate]")
    text = replaced(copied, "beta1 = 0.8", "learn_rate = ${rate}\nbeta1 = ${rate}").replace("= 0.01", '= "high"')
    assert mistakes_of(text) == [
        "32: optimizer.beta1: expected a number, but test_rise.v1 returns a Schedule",
        '36: optimizer.learn_rate.initial_rate: expected a number, got the text "high"',
    ]


def test_a_broken_header_or_key_is_one_mistake_and_nothing_follows_from_it(mistakes_of: Mistakes) -> None:
    for before, after in [
        ("[optimizer]", "[optimizer"),
        ("[optimizer]", "[ optimizer ]"),
        ("[optimizer]", "[[optimizer]]"),
        ("[optimizer]", "[optimizer] # the steps"),
        ("[optimizer]", "[opti mizer]"),
        ("[optimizer]", "[???]"),
        ("initial_rate = 0.01", "initial_rate: 0.01"),
        ("initial_rate = 0.01", "initial_rate 0.01"),
        ("initial_rate = 0.01", "initial_rate ="),
        ("initial_rate = 0.01", "initial_rate = [0.01"),
        ("initial_rate = 0.01", "initial_rate = ${rate}"),
    ]:
        assert len(mistakes_of(replaced(TEXT, before, after))) == 1, after


def test_a_long_list_of_mistakes_is_cut_to_twenty_lines(mistakes_of: Mistakes) -> None:
    lines = mistakes_of(TEXT + "".join(f"wrong{i} = 1\n" for i in range(40)))
    assert len(lines) == 20
    assert lines[-1] == "and 21 more mistakes"


def test_a_missing_file_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^no/such\.cfg: cannot be read: No such file or directory$"):
        read_run_config("no/such.cfg")


def test_what_is_not_there_cannot_be_a_limit_of_best_without_dev_data(mistakes_of: Mistakes) -> None:
    text = TEXT.replace('[data.dev]\n@readers = "test_reader.v1"\npath = "${paths.dev}"\n', "")
    assert mistakes_of(text) == ["41: training.patience: needs dev data: add a section [data.dev] or [data.split]"]


SPLIT = TEXT.replace(
    '[data.dev]\n@readers = "test_reader.v1"\npath = "${paths.dev}"\n', '[data.split]\n@splits = "test_split.v1"\n'
)


def test_a_split_stands_for_dev_data(mistakes_of: Mistakes) -> None:
    assert mistakes_of(SPLIT) == []


@pytest.mark.parametrize(
    ("good", "bad", "line"),
    [
        ("@splits", "@readers", "11: data.split.@readers: expected a function of @splits, got @readers"),
        (
            "test_split.v1",
            "test_spilt.v1",
            "11: data.split.@splits: no splits function is called 'test_spilt.v1'. Did you mean test_split.v1?",
        ),
        ("[data.split]", "[data.spilt]", "10: data.spilt: [data] has no spilt. Did you mean split?"),
        (
            '@splits = "test_split.v1"',
            "dev = 0.1",
            '10: data.split: expected a line @splits = "...", got a section without one',
        ),
        (
            '@splits = "test_split.v1"',
            '@splits = "test_split.v1"\ndve = 0.2',
            "12: data.split.dve: test_split.v1 has no argument dve. Did you mean dev?",
        ),
    ],
)
def test_a_mistake_in_a_split_is_told(mistakes_of: Mistakes, good: str, bad: str, line: str) -> None:
    assert mistakes_of(SPLIT.replace(good, bad)) == [line]


def test_a_split_and_dev_data_are_one_too_many(mistakes_of: Mistakes) -> None:
    text = TEXT.replace("[model]", '[data.split]\n@splits = "test_split.v1"\n\n[model]')
    assert mistakes_of(text) == ["14: data.split: there is a section [data.dev] as well: keep one of them"]


NAMED = TEXT.replace("[data.dev]", "[data.dev.easy]").replace(
    "[model]", '[data.dev.hard]\n@readers = "test_reader.v1"\npath = "b.csv"\n\n[model]'
)


def test_dev_data_may_be_several_sets(mistakes_of: Mistakes) -> None:
    assert mistakes_of(NAMED) == []


@pytest.mark.parametrize(
    ("good", "bad", "lines"),
    [
        (
            "[data.dev.easy]",
            "[data.dev]",
            ["14: data.dev.hard: [data.dev] has a line @readers itself: make it [data.dev.NAME], or leave it alone"],
        ),
        (
            '[data.dev.hard]\n@readers = "test_reader.v1"\n',
            "[data.dev.hard]\n",
            ['14: data.dev.hard: expected a line @readers = "...", got a section without one'],
        ),
        (
            '[data.dev.easy]\n@readers = "test_reader.v1"',
            '[data.dev.easy]\n@splits = "test_reader.v1"',
            ["11: data.dev.easy.@splits: expected a function of @readers, got @splits"],
        ),
    ],
)
def test_a_mistake_in_one_of_several_dev_sets_is_told(
    mistakes_of: Mistakes, good: str, bad: str, lines: list[str]
) -> None:
    assert mistakes_of(NAMED.replace(good, bad)) == lines


def test_dev_data_without_a_reader_are_told_as_before(mistakes_of: Mistakes) -> None:
    text = TEXT.replace('[data.dev]\n@readers = "test_reader.v1"', "[data.dev]")
    assert mistakes_of(text) == ['10: data.dev: expected a line @readers = "...", got a section without one']
