"""The strict reading of a config's text."""

from __future__ import annotations

import pytest

from trainer_cli.config.document import MAX_BYTES, MAX_SECTIONS
from trainer_cli.config.loaded import load_text
from trainer_cli.config.tree import parse_tree
from trainer_cli.errors import ConfigError


def mistakes(data: str | bytes) -> list[str]:
    try:
        load_text(data, "x.cfg")
    except ConfigError as err:
        return [line.removeprefix("x.cfg:") for line in str(err).split("\n")]
    return []


def values(text: str) -> object:
    return load_text(text).config


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1", "1: the key x stands before the first [section]"),
        ("[a]\nwords", "2: expected [section] or key = value, got words"),
        ("[a]\nx y = 1", "2: expected a key of letters, digits, _ and - before =, got x y"),
        ("[a]\n= 1", "2: expected a key of letters, digits, _ and - before =, got nothing"),
        ('[a]\n"x" = 1', '2: expected a key of letters, digits, _ and - before =, got "x"'),
        ("[a]\nx: y = 1", "2: expected a key of letters, digits, _ and - before =, got x: y. Did you mean x = y = 1?"),
        ("[a]\nb.c = 1", "2: a key has no dots. Did you mean c in the section [a.b]?"),
        ("[DEFAULT]\nx = 1", "1: [DEFAULT] has no meaning here: what sections share is written ${section.key}"),
        ("[a] # note", "1: a section stands alone on its line. Did you mean [a]? A comment needs a line of its own"),
        ("[a", "1: expected a section like [optimizer.learn_rate], got [a. Did you mean [a]?"),
        ("[a b]", "1: expected a section like [optimizer.learn_rate], got [a b]. Did you mean [ab]?"),
        ("[a..b]", "1: expected a section like [optimizer.learn_rate], got [a..b]"),
        ("[]", "1: expected a section like [optimizer.learn_rate], got []"),
        ("[a]\n[b]\n[a]", "3: the section [a] is already on line 1"),
        ("[a]\nx = 1\n\n[b]\n[a]\nx = 2", "5: the section [a] is already on line 1"),
        ("[a]\nx = 1\n[a.x]\ny = 1", "3: a.x: is already set on line 2"),
        ("[a]\nx = [\n  1\n]", "4: indent the line, so that ] belongs to the value above"),
        (
            "[a]\nx = 1\n  y = 2",
            "3: a.x: the line is indented, so it belongs to the value above: y = 2. Begin it at the margin",
        ),
        (
            '[a]\nx = [1,\n  2,\n  "b\n  ]',
            "4: a.x: a text is not closed: its second double quote is missing on this line",
        ),
        ('[a]\nx = {"k": 1,\n  # one more\n  "k": 2}', '4: a.x: the key "k" appears twice'),
        ("[a]\nx = 1\0", "2: the file holds the control character U+0000. Is it a text file?"),
        ("[a]\nx = \x0b1", "2: the file holds the control character U+000B. Is it a text file?"),
        ("[" + "a." * 70 + "b]", "1: sections are nested deeper than 64"),
    ],
)
def test_a_mistake_in_a_line_is_refused_there(text: str, line: str) -> None:
    assert line in mistakes(text)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"[a]\nx = 1\ny = \xe9\n", "3: byte 0xe9 is not UTF-8. Save the file as UTF-8"),
        ("[a]\nx = 1\n".encode("utf-16"), "1: the file is written in UTF-16. Save it as UTF-8"),
        ("[a]\nx = 1\n".encode("utf-32"), "1: the file is written in UTF-32. Save it as UTF-8"),
        ("[a]\nx = \udc80\n", "2: byte 0xed is not UTF-8. Save the file as UTF-8"),
    ],
)
def test_a_file_of_another_encoding_is_refused(data: str | bytes, line: str) -> None:
    assert mistakes(data) == [line]


def test_a_file_larger_than_any_config_is_refused_before_it_is_parsed() -> None:
    assert mistakes(b"#" * (MAX_BYTES + 1)) == [f" a config may have {MAX_BYTES} bytes, this file has {MAX_BYTES + 1}"]


def test_more_sections_than_any_config_has_are_refused() -> None:
    text = "".join(f"[a{i}]\n" for i in range(MAX_SECTIONS + 1))
    assert mistakes(text) == [f" a config may have {MAX_SECTIONS} sections, this one has {MAX_SECTIONS + 1}"]


@pytest.mark.parametrize(
    "text", ["\ufeff[a]\nx = 1\n", "[a]\r\nx = 1\r\n", "[a]\rx = 1", "[a]\n\tx=1", "[a]\n\n  x   =   1  \n"]
)
def test_marks_line_ends_and_blanks_change_nothing(text: str) -> None:
    assert values(text) == {"a": {"x": 1}}
    assert values(text.encode()) == {"a": {"x": 1}}


def test_a_value_goes_on_over_lines_that_are_indented_deeper_than_its_key() -> None:
    text = '[a]\nx = [\n    1,\n\n    # two\n    2\n  ]\ny = {"k":\n ["v"]}\n'
    assert values(text) == {"a": {"x": [1, 2], "y": {"k": ["v"]}}}


def test_whole_sections_may_be_indented() -> None:
    assert values("  [a]\n  x = 1\n  y = 2\n  [a.b]\n    z = 3\n") == {"a": {"x": 1, "y": 2, "b": {"z": 3}}}


def test_missing_parents_are_put_in() -> None:
    assert values("[data.train]\nx = 1\n[model.*.hidden]\ny = 2\n[data]\n") == {
        "data": {"train": {"x": 1}},
        "model": {"*": {"hidden": {"y": 2}}},
    }


def test_keys_and_sections_keep_the_order_of_the_file() -> None:
    config = load_text("[m.*.b]\n[m.*.a]\n[m]\nz = 1\n[m.*.c]\n[k]\nb = 1\na = 2\n").config
    assert list(config) == ["m", "k"]
    assert list(config["m"]["*"]) == ["b", "a", "c"]
    assert list(config["k"]) == ["b", "a"]


def test_an_empty_text_is_an_empty_config() -> None:
    assert values("") == values("\n# nothing\n") == {}


def test_every_key_and_section_has_its_line() -> None:
    loaded = load_text("# c\n[a]\nx = 1\n\n[a.b]\ny = [\n  1]\nz = 2\n", "x.cfg")
    places = {name: loaded.place(name)[1] for name in ("a", "a.x", "a.b", "a.b.y", "a.b.y[0]", "a.b.z")}
    assert places == {"a": 2, "a.x": 3, "a.b": 5, "a.b.y": 6, "a.b.y[0]": 6, "a.b.z": 8}
    assert loaded.place("a.b.missing") == ("x.cfg", 5)
    assert loaded.place("missing") == ("x.cfg", 8)


def test_a_file_of_many_keys_is_read_in_linear_time() -> None:
    # A quadratic reading of 10,000 keys would take minutes.
    text = "[a]\n" + "".join(f"key_{i} = {i}\n" for i in range(10_000))
    assert len(load_text(text).config["a"]) == 10_000


def test_what_confection_alone_accepts_is_refused() -> None:
    accepted = [
        "x = NaN",
        "x = 1e999",
        "x = 1 # c",
        "x = 0.00l1",
        "x = [1, 2",
        'x = {"k": 1, "k": 2}',
        "x =",
        "x = 'q'",
    ]
    assert all(mistakes(f"[a]\n{line}") for line in accepted)


def test_without_the_strict_reading_they_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def lenient(document, filler):  # type: ignore[no-untyped-def]
        import confection

        document.problems.clear()
        return confection.Config().from_str(document.text)

    assert parse_tree is not lenient
    monkeypatch.setattr("trainer_cli.config.loaded.parse_tree", lenient)
    with pytest.raises(AssertionError):
        test_what_confection_alone_accepts_is_refused()


@pytest.mark.parametrize("text", ["a,b,label\n1,2,x\n3,4,y\n", '{"a": 1}\n{"a": 2}\n', "# only words\nsome words\n"])
def test_a_file_of_another_kind_is_one_mistake(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "data.csv")
    assert (
        str(caught.value)
        == "data.csv:1: no line is a [section]; is this file a config? For a data file, trainer init-config writes one"
    )
