"""Spaces as they are typed, and what is said of those that are none."""

import doctest
import importlib
import pkgutil

import pytest

from trainer_cli import sweep
from trainer_cli.errors import ConfigError
from trainer_cli.sweep.grammar import parts, read_space
from trainer_cli.sweep.space import Choice, Range


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-4..1e-1:log", Range("a.b", 1e-4, 1e-1, log=True)),
        ("0.5..1", Range("a.b", 0.5, 1.0)),
        ("-1..1", Range("a.b", -1.0, 1.0)),
        ("2..8:int", Range("a.b", 2, 8, whole=True)),
        ("1..1000:int:log", Range("a.b", 1, 1000, log=True, whole=True)),
        ("1e-4..1e-1:log:4", Choice("a.b", (1e-4, 1e-3, 1e-2, 1e-1))),
        ("0..1:3", Choice("a.b", (0.0, 0.5, 1.0))),
        ("1..4:int:3", Choice("a.b", (1, 2, 4))),
        ("64,128,256", Choice("a.b", (64, 128, 256))),
        ("0.1,true,null,relu", Choice("a.b", (0.1, True, None, "relu"))),
        ('[32],[64,64],"a,b"', Choice("a.b", ([32], [64, 64], "a,b"))),
        ("../one/a.csv,../two/b.csv", Choice("a.b", ("../one/a.csv", "../two/b.csv"))),
    ],
)
def test_each_form_is_read(text, expected):
    assert read_space([f"a.b={text}"]) == [expected]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.b"], r"command line: a\.b: a key to sweep is written section\.key=VALUES: write LOW\.\.HIGH"),
        (["b=1,2"], r"a key to sweep is written section\.key=VALUES"),
        (["a.b="], "nothing stands before or after a comma"),
        (["a.b=1"], r"needs two values of a key or more.*set the one by --a\.b=1"),
        (["a.b=1..1"], r"from less to more, got 1\.\.1"),
        (["a.b=2..1"], r"from less to more, got 2\.\.1: write 1\.\.2"),
        (["a.b=0..1:log"], "begins above 0, got 0: leave :log out"),
        (["a.b=0.5..2:int"], r"has whole ends, got 0\.5\.\.2: leave :int out"),
        (["a.b=1..2:lgo"], "comes :log, :int or how many values, not :lgo"),
        (["a.b=1..2:"], "comes :log, :int or how many values, not :"),
        (["a.b=1..2:log:log"], "says the same of a range twice"),
        (["a.b=1..2:1"], "two values or more are tried, got 1"),
        (["a.b=1..x"], r"a number on each side of its two dots, got 1\.\.x"),
        (["a.b=1..1e999"], "1e999 is more than a number can be"),
        (["a.b=1,1"], "has 1 twice: name each value once"),
        (["a.b=1,,2"], "nothing stands before or after a comma"),
        (["a.b=1,nan"], "nan"),
        (["a.h.b=1,2", "a.*.h.b=3,4"], r"a\.\*\.h\.b=3,4: is there twice: name a key once"),
        (["a.c=1,2"], "--a.c sets it as well: a key is swept or set"),
    ],
)
def test_what_is_no_space_is_told_with_its_remedy(words, message):
    with pytest.raises(ConfigError, match=message):
        read_space(words, fixed=["a.c"])


def test_all_mistakes_come_at_once():
    with pytest.raises(ConfigError) as caught:
        read_space(["a.b=1", "a.c=2..1", "a.d=1,2"])
    assert len(caught.value.problems) == 2


def test_commas_in_brackets_and_quotes_part_nothing():
    assert list(parts(r'{"a": [1, 2]},"x\",y",z')) == ['{"a": [1, 2]}', r'"x\",y"', "z"]


MODULES = [module.name for module in pkgutil.iter_modules(sweep.__path__) if module.name != "worker"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    assert doctest.testmod(importlib.import_module(f"trainer_cli.sweep.{name}")).failed == 0
