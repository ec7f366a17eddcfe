import pytest

from trainer_cli.config.loaded import read_text
from trainer_cli.errors import DataError
from trainer_cli.proposal.text import Reference, Section, write


def test_a_config_that_fits_has_its_comments():
    text = write(["Why."], [Section("a", {"x": 1}, "First."), Section("b", {"y": [0.5, "c"]}, joined=True)])
    assert text == '# Why.\n\n# First.\n[a]\nx = 1\n[b]\ny = [0.5, "c"]\n'


@pytest.mark.parametrize("n_sections", [5, 17, 24])
def test_what_is_too_long_loses_comments_first(n_sections):
    heading = ["word " * 300]
    sections = [Section(f"s{i}", {"x": i}, "Why so.") for i in range(n_sections)]
    lines = write(heading, sections).splitlines()
    assert len(lines) < 60
    assert [line for line in lines if line.startswith("[")] == [f"[s{i}]" for i in range(n_sections)]
    assert ("# Why so." in lines) == (n_sections == 5)


def test_names_come_back_as_they_were():
    for name in ["${a.x}", "$$", 'qu"ote', "new\nline", "\x1b[2J", "größe", "a]"]:
        text = write([f"Predicts {name}."], [Section("a", {"x": name, "y": Reference("a.x")})])
        loaded = read_text(text, "a.cfg")
        assert loaded.config == {"a": {"x": name, "y": name}}


def test_what_a_config_cannot_hold_is_told():
    with pytest.raises(DataError, match="cannot be named in a config"):
        write([], [Section("a", {"x": "__SECTION__:b"})])
