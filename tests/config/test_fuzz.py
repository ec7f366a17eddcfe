"""Configs that nobody would write."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer_cli.config import Config, RunConfig, read_run_config, registry
from trainer_cli.config.plan import Planner
from trainer_cli.errors import ConfigError

from .conftest import TEXT

Run = Callable[..., RunConfig]

LINES = st.lists(
    st.sampled_from(
        [
            *TEXT.split("\n"),
            "[a]",
            "[a.b]",
            "x = ${a}",
            "x = ${a.b.y}",
            'y = "${a.x}/z"',
            "  z",
            "* = [1]",
            "[*]",
            "@layers = 3",
            "[model]",
        ]
    )
    | st.text(max_size=12),
    max_size=40,
)


def attempt(read: Callable[[], object]) -> object:
    """What `read` gives, or its ConfigError; anything else it raises fails the test."""
    try:
        return read()
    except ConfigError as err:
        return err


@settings(max_examples=150)
@given(st.binary(max_size=200) | LINES.map("\n".join).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_run_or_a_config_error_of_at_most_twenty_lines(data: bytes) -> None:
    found = attempt(lambda: read_run_config("-", stdin=data))
    if isinstance(found, ConfigError):
        assert str(found)
        assert len(str(found).split("\n")) <= 20
        assert found.problems


@settings(max_examples=150)
@given(LINES.map("\n".join))
def test_any_text_resolves_or_is_a_config_error(text: str) -> None:
    for interpolate in (True, False):
        config = attempt(lambda interpolate=interpolate: Config().from_str(text, interpolate=interpolate))  # type: ignore[misc]
        if isinstance(config, Config):
            attempt(lambda config=config: registry.resolve(config))  # type: ignore[misc]
            attempt(lambda config=config: Config().from_str(config.to_str()))  # type: ignore[misc]


@settings(max_examples=150)
@given(
    st.lists(
        st.text(max_size=20)
        | st.sampled_from(["--model.hidden.nO", "--optimizer.learn_rate.x", "--a.b.c={}", "--model.*=1", "--paths=1"])
    )
)
@example(["--optimizer.learn_rate.x", "1", "--optimizer.learn_rate", "${paths.x}"])
def test_any_words_are_overrides_or_a_config_error(words: list[str]) -> None:
    attempt(lambda: read_run_config("-", stdin=TEXT, overrides=words, environment=" ".join(words)))


def one_letter_edits(line: str) -> st.SearchStrategy[str]:
    """`line` with one character of its key or section changed, dropped, doubled or put in."""
    end = line.index("=") if "=" in line else len(line)
    letters = string.ascii_letters + string.digits + "_.*@-[]:#; "
    change = st.tuples(st.integers(0, end - 1), st.sampled_from(letters), st.sampled_from(["change", "drop", "insert"]))
    cut = {"change": 1, "drop": 1, "insert": 0}
    return change.map(lambda at: line[: at[0]] + ("" if at[2] == "drop" else at[1]) + line[at[0] + cut[at[2]] :])


@st.composite
def edited(draw: st.DrawFn) -> str:
    lines = TEXT.split("\n")
    named = [i for i, line in enumerate(lines) if line.startswith("[") or "=" in line]
    at = draw(st.sampled_from(named))
    lines[at] = draw(one_letter_edits(lines[at]))
    return "\n".join(lines)


@settings(max_examples=500)
@given(edited())
def test_a_slip_of_one_letter_in_a_name_is_refused_or_changes_nothing_that_is_read(run_of: Run, text: str) -> None:
    found = attempt(lambda: run_of(text))
    # A line that became a comment is no slip in a name: it is meant.
    is_comment = any(line.startswith(("#", ";")) and line not in TEXT.split("\n") for line in text.split("\n"))
    if isinstance(found, RunConfig) and not is_comment:
        good = run_of(TEXT)
        assert meaning(found) == meaning(good)


def meaning(run: RunConfig) -> str:
    """All that a run is made of; the names of layers and metrics are free."""
    text = repr([run.build_all(), run.training, run.system, run.checkpoints])
    for name in names(run):
        text = text.replace(f"'{name}'", "'name'")
    return text


def names(run: RunConfig) -> list[str]:
    return [*run.config["model"].get("*", {}), *run.config.get("metrics", {})]


def test_a_check_that_drops_unknown_arguments_would_be_noticed(run_of: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    call = Planner.call

    def dropping(planner, planned, given_):  # type: ignore[no-untyped-def]
        known = {"test_adam.v1": {"learn_rate", "beta1", "use_averages"}}.get(planned.name)
        kept = {key: value for key, value in given_.items() if known is None or key in known}
        return call(planner, planned, kept)

    monkeypatch.setattr(Planner, "call", dropping)
    with pytest.raises(AssertionError):
        assert meaning(run_of(TEXT.replace("beta1", "beta_1"))) == meaning(run_of(TEXT))
