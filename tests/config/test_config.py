"""The Config dict: read, written, merged, filled in."""

from __future__ import annotations

from pathlib import Path

import confection
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_cli.config import Config
from trainer_cli.config.writer import RESERVED
from trainer_cli.errors import ConfigError

from .test_values import JSON

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
SECTIONS = st.dictionaries(NAMES, st.dictionaries(NAMES, JSON, max_size=4), max_size=4)
PARTIAL = '[p]\nroot = "a"\n[q]\nx = "${p.root}/b"\ny = ${p.root}\nz = "5$$"\nw = [${p.root}]\nv = "$${x}"\n'


@settings(max_examples=40)
@given(SECTIONS)
def test_what_is_written_reads_back_to_the_same(tree: dict[str, dict[str, object]]) -> None:
    config = Config(tree)
    assert Config().from_str(config.to_str()) == config
    assert Config().from_bytes(config.to_bytes()) == config


@pytest.mark.parametrize("value", [RESERVED, ["a", {"b": f"{RESERVED}x"}], {RESERVED: 1}])
def test_a_text_that_would_not_read_back_is_not_written(value: object) -> None:
    with pytest.raises(ConfigError, match=r"a\.b: a text may not hold __SECTION__:"):
        Config({"a": {"b": value}}).to_str()


@settings(max_examples=40)
@given(SECTIONS.filter(lambda tree: "${" not in str(tree)))
def test_confection_reads_what_is_written_in_the_same_way(tree: dict[str, dict[str, object]]) -> None:
    assert confection.Config().from_str(Config(tree).to_str()) == tree


def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    config = Config({"a": {"x": 0.1, "b": {"y": [1]}}})
    config.to_disk(tmp_path / "x.cfg")
    assert Config().from_disk(tmp_path / "x.cfg") == config
    (tmp_path / "bad.cfg").write_text("[a]\nx = 1_0\n")
    with pytest.raises(ConfigError, match=r"bad\.cfg:2: a\.x: "):
        Config().from_disk(tmp_path / "bad.cfg")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        Config().from_disk(tmp_path)


def test_variables_can_stay_as_they_are_and_be_filled_in_later() -> None:
    partial = Config().from_str(PARTIAL, interpolate=False)
    assert not partial.is_interpolated
    assert partial["q"]["y"] == "${p.root}"
    filled = {"p": {"root": "a"}, "q": {"x": "a/b", "y": "a", "z": "5$", "w": ["a"], "v": "${x}"}}
    assert partial.interpolate() == filled
    assert partial.interpolate().is_interpolated
    assert Config().from_str(partial.to_str(interpolate=False)) == filled
    assert Config().from_str(partial.to_str()) == filled
    partial["p"]["root"] = "c"
    assert partial.interpolate()["q"]["x"] == "c/b"


def test_overrides_are_put_in_before_variables_are_filled_in() -> None:
    config = Config().from_str(PARTIAL, overrides={"p.root": "z", "q.z": None, "q.new": {"k": 1}})
    assert config["q"] == {"x": "z/b", "y": "z", "z": None, "w": ["z"], "v": "${x}", "new": {"k": 1}}
    assert Config().from_str(PARTIAL, interpolate=False, overrides={"p.root": "z"}).interpolate()["q"]["y"] == "z"


@pytest.mark.parametrize(("name", "value"), [("x", 1), ("a..b", 1), ("a.b", float("nan")), ("a.b", object())])
def test_an_override_that_a_config_cannot_hold_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=r"^override: "):
        Config().from_str("[a]\n", overrides={name: value})


def test_merging_prefers_the_updates() -> None:
    merged = Config({"a": {"x": 1, "y": 2}}).merge({"a": {"x": 3}, "b": {"z": 4}})
    assert merged == {"a": {"x": 3, "y": 2}, "b": {"z": 4}}
    assert isinstance(merged, Config)


def test_a_copy_shares_nothing() -> None:
    config = Config().from_str("[a]\nx = [1]\n")
    copied = config.copy()
    copied["a"]["x"].append(2)
    assert config["a"]["x"] == [1]
    assert isinstance(copied, Config)


@pytest.mark.parametrize("tree", [{"x": 1}, {"a": {"x": object()}}, {"a": {"x": float("nan")}}, {"a": {"x": "\ud800"}}])
def test_what_a_config_cannot_hold_is_not_written(tree: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Config(tree).to_str()
