"""trainer schedule: every schedule of a config drawn over the run, in any terminal and as a picture."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import call
from typer.testing import CliRunner, Result

from trainer_cli.cli import app
from trainer_cli.cli.schedule import takes_unicode

ROOT = Path(__file__).parent.parent.parent
DIGITS = str(ROOT / "configs" / "digits.cfg")
CODE = """
from trainer_cli.api import registry

@registry.schedules("up_and_down.v1")
def up_and_down(values: list):
    while True:
        yield from values
        yield from reversed(values)

@registry.schedules("wrong.v1")
def wrong():
    yield 1.0
    yield "x"
"""


def schedule(*words: str) -> Result:
    return CliRunner().invoke(app, ["schedule", *words])


def edited(folder: Path, *changes: tuple[str, str]) -> str:
    """The digits config with some of its text replaced."""
    text = Path(DIGITS).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "edited.cfg").write_text(text, encoding="utf-8")
    return str(folder / "edited.cfg")


def panels(result: Result) -> list[str]:
    """The names of the panels."""
    assert result.exit_code == 0, result.output
    return re.findall(r"^(\S+) = ", result.stdout, re.MULTILINE)


def test_each_schedule_has_a_panel_with_its_first_last_and_largest_value() -> None:
    result = schedule(DIGITS)
    assert panels(result) == ["optimizer.learn_rate", "batch_size"]
    assert result.stdout.startswith("2,000 steps\n")
    assert "first 0, last 5.263e-06, largest 0.01 at step 100\n" in result.stdout
    assert "first 16, last 64, largest 64 at step 694\n" in result.stdout


def test_steps_and_overrides_decide_what_is_drawn() -> None:
    assert schedule(DIGITS, "--steps", "101").stdout.count("largest 0.01 at step 100\n") == 1
    assert schedule(DIGITS, "--training.max_steps", "51").stdout.count("last 0.005,") == 1
    result = schedule(DIGITS, "--training.max_steps", "0", "--training.max_epochs=3")
    assert result.stdout.startswith("2,000 steps (the config has no max_steps; --steps N shows N)\n")


def test_numbers_are_no_schedules(tmp_path: Path) -> None:
    config = edited(
        tmp_path,
        ('[optimizer.learn_rate]\n@schedules = "warmup_linear.v1"\n', ""),
        ("initial_rate = 0.01\nwarmup_steps = 100\ntotal_steps = 2000\n", ""),
        ('[batch_size]\n@schedules = "compounding.v1"\nstart = 16.0\nstop = 64.0\ncompound = 1.002\n', ""),
    )
    result = schedule(config)
    assert (result.exit_code, result.stdout) == (0, f"{config}: there is no schedule; every setting is a number\n")


def test_schedules_of_layers_and_training_are_drawn_once(tmp_path: Path) -> None:
    up = '@schedules = "cyclic_triangular.v1"\nmin_lr = 0.0\nmax_lr = 0.5\nperiod = 9\n'
    own = edited(tmp_path, ("dropout = 0.2\n", f"\n[model.*.hidden.dropout]\n{up}"))
    assert panels(schedule(own)) == ["optimizer.learn_rate", "batch_size", "model.*.hidden.dropout"]
    shared = edited(
        tmp_path, ("dropout = 0.2\n", ""), ("[metrics.accuracy]", f"[training.dropout]\n{up}\n[metrics.accuracy]")
    )
    assert panels(schedule(shared)) == ["optimizer.learn_rate", "batch_size", "training.dropout"]


def test_a_generator_of_the_users_is_drawn_and_its_mistake_has_a_place(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE, encoding="utf-8")
    words = ("--code", str(tmp_path / "code.py"), "--steps", "12")
    rate = ("initial_rate = 0.01\nwarmup_steps = 100\ntotal_steps = 2000\n", "values = [0.1, 0.2, 0.3]\n")
    config = edited(tmp_path, ("warmup_linear.v1", "up_and_down.v1"), rate)
    assert "first 0.1, last 0.1, largest 0.3 at step 2\n" in schedule(config, *words).stdout
    config = edited(tmp_path, ("warmup_linear.v1", "wrong.v1"), (rate[0], ""))
    result = schedule(config, *words)
    assert result.exit_code == 2
    assert re.fullmatch(
        rf"{re.escape(config)}:\d+: optimizer.learn_rate: schedule wrong\(\) must give finite numbers, "
        r"got 'x' at step 1\n",
        result.stderr,
    )


def test_one_that_follows_the_score_is_drawn_as_if_that_never_got_better(tmp_path: Path) -> None:
    settings = "initial_rate = 0.01\nfactor = 0.5\npatience = 3\n"
    config = edited(
        tmp_path,
        ("warmup_linear.v1", "plateau.v1"),
        ("initial_rate = 0.01\nwarmup_steps = 100\ntotal_steps = 2000\n", settings),
    )
    # Scores after 100, 200, ... updates, the first of which is the best: it falls after 400, 700, ..., 1900.
    out = " ".join(schedule(config).stdout.split())
    assert f"first 0.01, last {0.01 / 2**6:.4g}, largest 0.01 at step 0" in out
    assert "it follows the dev score, and is drawn as if that never got better" in out


# Terminals


def run(words: list[str], env: dict[str, str]) -> bytes:
    """What the command writes into a pipe."""
    command = [sys.executable, "-m", "trainer_cli", *words]
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "FORCE", "PYTHON"))
    }
    return subprocess.run(command, env={**kept, **env}, cwd=ROOT, capture_output=True, check=True).stdout


def test_in_the_locale_c_and_a_pipe_it_is_plain_ascii() -> None:
    out = run(["schedule", "configs/digits.cfg"], {"LANG": "C"})
    assert out.isascii()
    assert b"\x1b" not in out
    assert b"largest 64 at step 694" in out


def on_terminal(words: list[str], n_columns: int) -> str:
    """What the command writes on a terminal that wide."""
    import pty

    master, slave = pty.openpty()
    env = {**os.environ, "COLUMNS": str(n_columns), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "trainer_cli", *words]
    with subprocess.Popen(command, env=env, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave):
        os.close(slave)
        found = b""
        try:
            while chunk := os.read(master, 65536):
                found += chunk
        except OSError:  # a closed terminal
            pass
    os.close(master)
    return found.decode()


@pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX")
def test_on_a_narrow_terminal_no_line_is_wider() -> None:
    lines = re.sub(r"\x1b\[[\d;]*m", "", on_terminal(["schedule", "configs/digits.cfg"], 60)).splitlines()
    widths = [len(line) for line in lines]
    assert max(widths) == 60
    assert any("⠉" in line for line in lines)


@pytest.mark.parametrize(
    ("encoding", "environ", "expected"),
    [
        ("utf-8", {"LANG": "de_CH.UTF-8"}, True),
        ("utf-8", {"LANG": "C.UTF-8", "LC_CTYPE": "C.UTF-8"}, True),
        ("utf-8", {"LC_CTYPE": "UTF-8"}, True),
        ("ascii", {"LANG": "de_CH.UTF-8"}, False),
        ("utf-8", {"LANG": "C"}, False),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ("utf-8", {"LANG": "de_CH.UTF-8", "LC_ALL": "C"}, False),
        ("utf-8", {}, False),
    ],
)
def test_unicode_where_stream_and_locale_have_it(encoding: str, environ: dict[str, str], expected: bool) -> None:
    assert takes_unicode(encoding, environ) is expected


# Pictures


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("b.PNG", b"\x89PNG")])
def test_a_picture_is_written_where_it_was_asked_for(name: str, start: bytes, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = schedule(DIGITS, "--output", str(tmp_path / name))
    assert (result.exit_code, result.stdout) == (
        0,
        f"{tmp_path / name}: optimizer.learn_rate, batch_size; 2,000 steps\n",
    )
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_picture_of_another_kind_is_refused_before_the_config_is_read() -> None:
    result = schedule("missing.cfg", "--output", "a.pdf")
    assert (result.exit_code, result.stderr) == (2, "--output a.pdf: name a file that ends in .svg or .png\n")


def test_without_matplotlib_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = schedule(DIGITS, "--output", str(tmp_path / "a.svg"))
    assert result.exit_code == 2
    assert re.fullmatch(
        r"a picture needs matplotlib, .*\. Install it with: pip install 'trainer-cli\[report\]'\n", result.stderr
    )
    assert not list(tmp_path.iterdir())


def test_a_picture_that_cannot_be_written_is_a_failure_of_storage(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = schedule(DIGITS, "--output", str(tmp_path / "missing" / "a.svg"))
    assert result.exit_code == 4
    assert result.stderr.endswith("a.svg: could not be written: No such file or directory (ENOENT)\n")


PAGE = """
[batch_size]
@schedules = "compounding.v1"
start = 1.0
stop = 16.0
compound = 1.001

[optimizer]
@optimizers = "Adam.v1"

[optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.01
warmup_steps = 10
total_steps = 100
"""


def test_a_piece_of_a_config_is_drawn_as_well(folder):
    (folder / "piece.cfg").write_text(PAGE)
    shown = call("schedule", "piece.cfg", "--steps", "5000", "--batch_size.stop=8").stdout
    assert "batch_size = compounding(1.0, 8.0, 1.001)" in shown
    assert "first 1, last 8, largest 8 at step 2,081" in shown
    assert "optimizer.learn_rate = warmup_linear(0.01, 10, 100)" in shown
    (folder / "piece.cfg").write_text(PAGE.replace("stop = 16.0", "stop = much"))
    assert "batch_size.stop: expected a number" in call("schedule", "piece.cfg", code=2).stderr


def test_a_piece_takes_settings_of_the_environment(folder):
    (folder / "piece.cfg").write_text(PAGE)
    env = {"TRAINER_CONFIG_OVERRIDES": "--batch_size.stop 8 --batch_size.start=2"}
    assert (
        "batch_size = compounding(2.0, 4.0, 1.001)"
        in call("schedule", "piece.cfg", "--batch_size.stop=4", env=env).stdout
    )
    env = {"TRAINER_CONFIG_OVERRIDES": "--batch_size.stpo 8"}
    assert "batch_size.stpo" in call("schedule", "piece.cfg", code=2, env=env).stderr


@pytest.mark.parametrize(("text", "said"), [("", "missing"), ("[trainng]\nmax_steps = 3\n", "Did you mean [training]")])
def test_a_file_in_which_nothing_is_known_is_no_piece(folder, text, said):
    (folder / "piece.cfg").write_text(text)
    assert said in call("schedule", "piece.cfg", code=2).stderr


def test_a_picture_needs_no_logger(folder):
    lines = [
        "from trainer_cli.api import registry",
        "",
        '@registry.loggers("own.v1")',
        "def own():",
        "    return 1 / 0",
    ]
    (folder / "own.py").write_text("\n".join(lines))
    (folder / "piece.cfg").write_text(PAGE + '\n[loggers.own]\n@loggers = "own.v1"\n')
    assert "batch_size = " in call("schedule", "piece.cfg", "--code", "own.py").stdout


def test_a_picture_of_nothing_is_refused(folder):
    (folder / "piece.cfg").write_text('[optimizer]\n@optimizers = "Adam.v1"\n')
    said = call("schedule", "piece.cfg", "--output", "x.svg", code=2).stderr
    assert said == "piece.cfg: there is no schedule to draw; every setting is a number\n"
    assert "piece.cfg: there is no schedule; every setting is a number" in call("schedule", "piece.cfg").stdout


def test_one_step_is_one_step(folder):
    assert call("schedule", "run.cfg", "--steps", "1").stdout.startswith("1 step\n")
