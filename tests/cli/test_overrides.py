import pytest

from trainer_cli.cli.overrides import split


@pytest.mark.parametrize(
    ("words", "overrides", "rest"),
    [
        (["run.cfg", "-o", "out.d"], [], ["run.cfg", "-o", "out.d"]),
        (["--a.b", "1", "run.cfg"], ["--a.b", "1"], ["run.cfg"]),
        (["--a.b=1", "run.cfg"], ["--a.b=1"], ["run.cfg"]),
        (["run.cfg", "--a.b"], ["--a.b"], ["run.cfg"]),
        (["--a.b", "--c.d", "2"], ["--a.b", "--c.d", "2"], []),
        (["--a.b", "-1", "--c.d", "-.5", "--e.f", "-"], ["--a.b", "-1", "--c.d", "-.5", "--e.f", "-"], []),
        (["--a.b", "-o", "out"], ["--a.b"], ["-o", "out"]),
        (["--a.b", "--output", "out"], ["--a.b"], ["--output", "out"]),
        (["--a.b=", "run.cfg"], ["--a.b="], ["run.cfg"]),
        (["--output=out.dir", "--code=a.py"], [], ["--output=out.dir", "--code=a.py"]),
        (["--a.b=x=y.z"], ["--a.b=x=y.z"], []),
        (["--", "--a.b", "1"], [], ["--", "--a.b", "1"]),
    ],
)
def test_overrides_are_told_from_other_words(words, overrides, rest):
    assert split(words) == (overrides, rest)
