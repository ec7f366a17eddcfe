"""Wherever its output goes and whatever the machine is set to, a run has the same weights and the same exit code."""

import os
import pty
import re
import struct
import subprocess
import sys

import pytest
from commands import SHORT, finish, start
from run_fakes import outcome_of

if sys.platform != "win32":
    import fcntl
    import termios

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full and /proc")

PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def in_shell(redirection):
    """The command in a shell, so that a stream can be closed or cut off."""

    def command(run, out):
        words = ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-m", "trainer_cli", *train_words(run, out)]
        return subprocess.Popen(words, **PIPES)

    return command


def train_words(folder, out):
    return ["train", str(folder / "run.cfg"), "--output", str(out), *SHORT]


def with_environment(cwd=None, without=(), **env):
    def command(folder, out):
        kept = {name: value for name, value in os.environ.items() if name not in without}
        words = [sys.executable, "-m", "trainer_cli", *train_words(folder, out)]
        return subprocess.Popen(words, env={**kept, **env}, cwd=cwd, **PIPES)

    return command


def on_terminal(columns, **env):
    def command(folder, out):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = start(*train_words(folder, out), stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        process.terminal = ours
        return process

    return command


CELLS = {
    "plain": with_environment(),
    "into head": in_shell("| head -n 1"),
    "stdout closed": in_shell(">&-"),
    "stderr closed": in_shell("2>&-"),
    "all closed": in_shell("<&- >&- 2>&-"),
    "stdout full": in_shell(">/dev/full"),
    "both full": in_shell(">/dev/full 2>/dev/full"),
    "ASCII": with_environment(LC_ALL="C", LANG="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"),
    "German": with_environment(LC_ALL="de_DE.UTF-8", LC_NUMERIC="de_DE.UTF-8", TZ="Asia/Kolkata"),
    "other hashes": with_environment(PYTHONHASHSEED="12345", COLUMNS="3", TERM="dumb"),
    "no home": with_environment(without=["HOME", "USER", "LOGNAME", "TMPDIR"]),
    "nowhere to write": with_environment(cwd="/proc", HOME="/proc", TMPDIR="/proc"),
    "1 column": on_terminal(1),
    "120 columns": on_terminal(120),
    "no color": on_terminal(80, NO_COLOR="1"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The exit code and the output of each run, two at a time."""
    from run_fakes import config_of, write_data

    folder = write_data(tmp_path_factory.mktemp("surroundings"))
    config_of(folder)
    found, names = {}, list(CELLS)
    for pair in (names[i : i + 2] for i in range(0, len(names), 2)):
        processes = {name: CELLS[name](folder, folder / name) for name in pair}
        for name, process in processes.items():
            text = read_terminal(process) if hasattr(process, "terminal") else b""
            code, out, err = finish(process)
            found[name] = (code, (out or b"") + text, err or b"")
    return folder, found


def read_terminal(process):
    text = b""
    while True:
        try:
            part = os.read(process.terminal, 1 << 16)
        except OSError:  # what Linux gives when the other side is closed
            part = b""
        if not part:
            os.close(process.terminal)
            return text
        text += part


@pytest.mark.parametrize("name", CELLS)
def test_the_weights_and_the_exit_code_are_the_same(runs, name):
    folder, found = runs
    code, _, err = found[name]
    assert code == 0, err
    assert b"Traceback" not in err
    assert outcome_of(folder / name) == outcome_of(folder / "plain")


@pytest.mark.parametrize("name", ["plain", "ASCII", "German", "other hashes", "no home", "nowhere to write"])
def test_in_a_pipe_there_is_one_line_an_evaluation_and_no_carriage_return(runs, name):
    _, out, err = runs[1][name]
    assert b"\r" not in out + err
    assert b"\x1b" not in out + err
    assert len(out.splitlines()) == 1 + 2 + 1
    assert err == b""


def test_on_a_terminal_there_is_a_bar_with_what_one_wants_to_know(runs):
    text = runs[1]["120 columns"][1].decode()
    assert re.search(r"step \d+, loss \d\S*, epoch \d+, rate \d\S*, [\d,]+ samples/s +\d+%\|.*\| \d\d:\d\d<", text)
    assert "\x1b" in text
    assert "Finished (max_steps) after step 14." in text


def test_colors_are_for_those_who_want_them(runs):
    assert b"\x1b[32m" in runs[1]["120 columns"][1]
    assert b"\x1b[3" not in runs[1]["no color"][1]


def test_a_narrow_terminal_gets_fewer_columns_of_the_table(runs):
    wide, narrow = (runs[1][name][1].decode() for name in ("120 columns", "1 column"))
    assert "TRAIN LOSS" in wide
    assert "TRAIN LOSS" not in narrow
    assert "ACCURACY" in narrow


def test_head_gets_its_line(runs):
    assert runs[1]["into head"][1].startswith(b"EPOCH")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"]])
@pytest.mark.parametrize("redirection", ["| head -n 1", ">/dev/full", ">&-", ">/dev/full 2>/dev/full"])
def test_help_minds_no_output_that_fails(words, redirection):
    shell = ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-m", "trainer_cli", *words]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_error_keeps_its_exit_code_when_nobody_can_hear_it(tmp_path):
    for redirection in ("2>&-", ">/dev/full 2>/dev/full"):
        words = [
            "sh",
            "-c",
            f'"$@" {redirection}',
            "sh",
            sys.executable,
            "-m",
            "trainer_cli",
            "train",
            "nix",
            "-o",
            "x",
        ]
        assert subprocess.run(words, capture_output=True, check=False, cwd=tmp_path).returncode == 2


def test_a_user_who_prints_into_a_closed_pipe_ends_nothing(tmp_path):
    from run_fakes import config_of, write_data

    config_of(write_data(tmp_path))
    (tmp_path / "chatty.py").write_text("import sys\nprint('x' * 1_000_000, flush=True)\nprint('y', file=sys.stderr)\n")
    words = ["--code", str(tmp_path / "chatty.py")]
    process = in_shell(f"{' '.join(words)} >/dev/full 2>/dev/full")(tmp_path, tmp_path / "run")
    assert finish(process)[0] == 0


def test_the_installed_command_is_the_module():
    installed = os.path.join(os.path.dirname(sys.executable), "trainer")
    for words in (["--help"], ["train", "--help"]):
        first = subprocess.run([installed, *words], capture_output=True, check=True).stdout
        second = subprocess.run([sys.executable, "-m", "trainer_cli", *words], capture_output=True, check=True).stdout
        assert first == second


def test_closed_streams_leave_their_numbers_to_no_file(folder):
    """Else what a library writes to descriptor 2 would stand in a checkpoint."""
    (folder / "probe.py").write_text("open('number.txt', 'w').write(str(open('number.txt').fileno()))\n")
    (folder / "number.txt").write_text("")
    words = [sys.executable, "-m", "trainer_cli", "debug-config", "run.cfg", "--code", "probe.py"]
    assert subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *words]).returncode == 0
    assert int((folder / "number.txt").read_text()) > 2
