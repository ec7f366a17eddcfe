"""What `${...}` stands for."""

from __future__ import annotations

import pytest

from trainer_cli.config.loaded import load_text
from trainer_cli.config.variables import MAX_SIZE, Filler
from trainer_cli.errors import ConfigError


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as err:
        load_text(text, "x.cfg")
    return [line.removeprefix("x.cfg:") for line in str(err.value).split("\n")]


def test_a_variable_takes_the_value_with_its_type() -> None:
    config = load_text(
        '[a]\nx = 1\ny = [1, "b"]\nz = "1"\n[b]\nx = ${a.x}\ny = ${a:y}\nz = ${a.z}\ns = "${a.x}"\n'
    ).config
    assert config["b"] == {"x": 1, "y": [1, "b"], "z": "1", "s": "1"}


def test_a_text_is_joined_from_texts_and_numbers_however_often() -> None:
    text = """\
[p]
root = "data"
set = "${p.root}/x"
train = "${p.set}/t-${p.n}.csv"
files = [${p.train}, "${p.set}"]
n = 2
last = ${p.files}
"""
    assert load_text(text).config["p"] == {
        "root": "data",
        "set": "data/x",
        "train": "data/x/t-2.csv",
        "files": ["data/x/t-2.csv", "data/x"],
        "n": 2,
        "last": ["data/x/t-2.csv", "data/x"],
    }


def test_signs_that_break_confection_are_kept() -> None:
    text = (
        '[a]\nquote = "say \\"x\\""\nback = "a\\\\b"\nsign = "5$$ $${x.y}"\n[b]\nx = "<${a.quote}${a.back}${a.sign}>"\n'
    )
    assert load_text(text).config["b"] == {"x": '<say "x"a\\b5$ ${x.y}>'}


def test_a_name_without_a_dot_is_a_key_of_the_section_or_else_a_section() -> None:
    config = load_text("[a]\nx = 1\ny = ${x}\nz = ${b}\n[b]\nk = 2\n").config
    assert config["a"] == {"x": 1, "y": 1, "z": {"k": 2}}


def test_a_section_is_copied_with_all_below_it() -> None:
    config = load_text('[s]\nx = 1\n[s.t]\ny = ${s.x}\n[a]\nb = ${s}\nc = [${s.t}]\nd = "${s.t}"\n').config
    assert config["a"] == {"b": {"x": 1, "t": {"y": 1}}, "c": [{"y": 1}], "d": {"y": 1}}


def test_what_variables_pointed_at_is_listed() -> None:
    assert load_text("[a]\nx = 1\n[b]\ny = ${a.x}\nz = 3\n").variables == {"a.x": 1}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[a]\nx = ${b.y}\n", "2: a.x: nothing is called b.y"),
        ("[a]\nx = ${a.wodth}\nwidth = 1\n", "2: a.x: nothing is called a.wodth. Did you mean a.width?"),
        ("[a]\nx = ${a.y}\ny = ${a.x}\n", "3: a.y: the variables go round in a circle: a.x -> a.y -> a.x"),
        ("[a]\nx = ${a}\n", "2: a.x: the variables go round in a circle: a -> a.x -> a"),
        ("[a.b]\nx = ${a}\n", "2: a.b.x: the variables go round in a circle: a -> a.b -> a.b.x -> a"),
        (
            '[a]\nx = "${b}/y"\n[b]\nz = 1\n',
            "2: a.x: only a text or a number can stand inside a text, got the section [b]",
        ),
        ('[a]\nx = "${a.y}/y"\ny = [1]\n', "2: a.x: only a text or a number can stand inside a text, got the list [1]"),
        (
            '[a]\nx = [1,\n  "${a.y}/y"]\ny = null\n',
            "3: a.x: only a text or a number can stand inside a text, got null",
        ),
        ('[a]\nx = "__SECTION__:b"\n', "2: a.x: a text may not hold __SECTION__:"),
        ('[a]\nx = "__SECTION"\ny = "${a.x}__:b"\n', "3: a.y: a text may not hold __SECTION__:"),
    ],
)
def test_a_variable_that_cannot_be_filled_in_is_refused_at_its_line(text: str, line: str) -> None:
    assert mistakes(text) == [line]


def test_a_chain_of_32_variables_is_filled_in_and_one_without_end_is_refused() -> None:
    def chain(n: int) -> str:
        return "[a]\n" + "".join(f"x{i} = ${{a.x{i + 1}}}\n" for i in range(n)) + f"x{n} = 1\n"

    assert load_text(chain(32)).config["a"]["x0"] == 1
    assert mistakes(chain(500))[0].endswith("more than 32 variables point at one another")


def test_texts_that_double_at_each_step_are_refused_before_they_fill_the_memory() -> None:
    lines = [f'x{i} = "{f"${{a.x{i + 1}}}" * 9}"' for i in range(30)]
    text = "[a]\n" + "\n".join(lines) + '\nx30 = "ha"\n'
    assert f"more than {MAX_SIZE} characters" in mistakes(text)[0]


def test_sections_that_double_at_each_step_are_refused() -> None:
    four = "".join(f"{key} = ${{{{s{{0}}}}}}\n" for key in "abcd")
    text = "".join(f"[s{i}]\n{four.format(i + 1)}" for i in range(14)) + "[s14]\nz = 1\n"
    assert f"more than {MAX_SIZE} characters" in mistakes(text)[0]


def test_copies_nested_deeper_than_any_config_are_refused() -> None:
    text = "".join(f"[s{i}]\nx = {'[' * 30}${{s{i + 1}}}{']' * 30}\n" for i in range(30)) + "[s30]\nz = 1\n"
    assert "nested deeper than 64" in mistakes(text)[0]


def test_a_circle_that_is_not_looked_for_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(list[str]):
        def __contains__(self, name: object) -> bool:
            return False

    made = Filler.__init__

    def init(filler: Filler, document: object) -> None:
        made(filler, document)  # type: ignore[arg-type]
        filler.open = Forgetful()

    monkeypatch.setattr(Filler, "__init__", init)
    with pytest.raises(AssertionError):
        assert "circle" in mistakes("[a]\nx = ${a.y}\ny = ${a.x}\n")[0]
