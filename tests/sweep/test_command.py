"""`trainer sweep` with processes: trials are ordinary runs, and any kill is made good by --resume."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import call, finish, start
from run_fakes import outcome_of
from typer.testing import CliRunner

from trainer_cli.cli import app
from trainer_cli.config.run_config import read_run_config
from trainer_cli.sweep import site

SPACE = "optimizer.learn_rate.initial_rate=1e-4..1e-1:log"
SHORT = ("--training.max_steps=14",)
ROOT = Path(__file__).parent.parent.parent


def sweep(*words, output="sweep", short=SHORT, **more):
    return call("sweep", "run.cfg", "--output", output, *short, *words, **more)


def trials(output="sweep"):
    return [json.loads(line) for line in Path(output, "trials.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A sweep of four trials, two at once, with one that diverges."""
    from run_fakes import config_of, write_data

    folder = tmp_path_factory.mktemp("done")
    before = Path.cwd()
    os.chdir(folder)
    try:
        config_of(write_data(folder))
        words = ("optimizer.learn_rate.initial_rate=0.001,0.01,1e300", "--search", "grid", "--workers", "2")
        return folder, sweep(*words, "--picture", "sweep.svg")
    finally:
        os.chdir(before)


@pytest.fixture
def at_done(done, monkeypatch):
    monkeypatch.chdir(done[0])
    return done[1]


def test_each_trial_is_one_row_and_an_ordinary_run(at_done):
    rows = trials()
    assert [row["trial"] for row in rows] == [1, 2, 3]
    assert [row["params"] for row in rows] == [
        {"optimizer.learn_rate.initial_rate": rate} for rate in (0.001, 0.01, 1e300)
    ]
    for row in rows[:2]:
        assert (row["state"], row["reason"], row["exit_code"], row["steps"]) == ("finished", "max_steps", 0, 14)
        found = json.loads(call("evaluate", f"sweep/{row['folder']}", "--json").stdout)
        assert found["accuracy"] == row["score"] == row["scores"]["accuracy"]


def test_a_trial_that_diverges_is_a_row_with_its_reason(at_done):
    row = trials()[2]
    assert (row["state"], row["exit_code"]) == ("diverged", 3)
    assert "not finite" in row["reason"] or "nan" in row["reason"] or "inf" in row["reason"]
    assert row["reason"] in Path("sweep/trial-0003.log").read_text()


def test_a_trial_has_the_bits_of_trainer_train(at_done):
    rate = trials()[1]["params"]["optimizer.learn_rate.initial_rate"]
    call("train", "run.cfg", "--output", "alone", *SHORT, f"--optimizer.learn_rate.initial_rate={rate}")
    assert outcome_of(Path("alone")) == outcome_of(Path("sweep/trial-0002"))


def test_another_value_has_other_bits(at_done):
    """The check sees a trial that was not given its value."""
    assert outcome_of(Path("sweep/trial-0001")) != outcome_of(Path("sweep/trial-0002"))


def test_best_cfg_trains_the_best_trial_again(at_done):
    best = max(trials()[:2], key=lambda row: row["score"])
    call("train", "sweep/best.cfg", "--output", "again")
    assert outcome_of(Path("again")) == outcome_of(Path("sweep", best["folder"]))
    assert Path("sweep/best.cfg").read_text().startswith(f"# Trial {best['trial']} of sweep: accuracy ")


def test_the_table_and_the_last_line_tell_what_came_of_it(at_done):
    best = max(trials()[:2], key=lambda row: row["score"])
    assert re.search(rf"(?m)^ +{best['trial']} +{best['score']:.4f} +finished +initial_rate=", at_done.stdout)
    last = at_done.stdout.splitlines()[-1]
    assert last.startswith("3 trials: 2 finished, 1 diverged in ")
    assert f"Best accuracy {best['score']:.4f}: trial {best['trial']}, sweep/best.cfg." in last
    assert f"Next: trainer evaluate sweep/{best['folder']}, or trainer train sweep/best.cfg --output DIR" in last


def test_a_picture_is_drawn(at_done):
    text = Path("sweep.svg").read_text()
    assert "initial_rate" in text
    assert "accuracy" in text


def test_a_finished_sweep_is_told_again_with_its_best_config(at_done):
    before = trials()
    config = Path("sweep/best.cfg").read_bytes()
    Path("sweep/best.cfg").unlink()  # as if a kill had come before it was written
    found = json.loads(call("sweep", "run.cfg", "--output", "sweep", *SHORT, "--resume", "--json").stdout)
    assert found["trials"] == before == trials()
    assert found["best"]["trial"] == max(before[:2], key=lambda row: row["score"])["trial"]
    assert found["metric"] == "accuracy"
    assert Path("sweep/best.cfg").read_bytes() == config


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["optimizer.L2=0,1"], r"the space: was optimizer\.learn_rate.*, is optimizer\.L2=0,1"),
        (["--search", "random"], "--search: was grid, is random"),
        (["--metric", "loss"], "--metric: was not given, is loss"),
        (["--system.seed=3"], "the seed: was 0, is 3"),
        (["--optimizer.L2=0.5"], r"optimizer\.L2: was 0\.01, is 0\.5"),
        (["--training.max_steps=21"], r"training\.max_steps: was 14, is 21"),
    ],
)
def test_a_sweep_that_began_otherwise_is_not_gone_on_with(at_done, words, told):
    result = call("sweep", "run.cfg", "--output", "sweep", *SHORT, "--resume", *words, code=2)
    assert re.search(told, result.stderr)
    assert "another --output keeps both" in result.stderr


def test_a_folder_with_a_sweep_is_left_alone_without_a_word(at_done):
    assert "use --resume to go on, --overwrite to set the sweep aside" in sweep(SPACE, code=5).stderr


def test_a_folder_of_others_is_left_alone(folder):
    (folder / "sweep").mkdir()
    (folder / "sweep" / "notes.txt").write_text("mine")
    for word in ("--resume", "--overwrite"):
        assert "holds no sweep" in sweep(SPACE, word, code=5).stderr
    assert os.listdir(folder / "sweep") == ["notes.txt"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is nothing to sweep: name a key with its values, optimizer.learn_rate=1e-4..1e-1:log"),
        (
            ["model.hidden.nO=4..8"],
            r"--model\.hidden\.nO: expected a whole number.*\. A range of whole numbers ends in :int",
        ),
        (["model.hiden.nO=4,8"], r"chain\.v1 has no argument hiden\. Did you mean hidden\?"),
        (["model.hidden.nO=4,x"], r'expected a whole number or null, got the text "x"'),
        (["training.monitor=loss,accuracy"], "trials are compared by one score: name it with --metric"),
        ([SPACE, "--metric=acuracy"], r"command line: --metric: no metric is called acuracy\. Did you mean accuracy\?"),
        (["loss.label_smoothing=0.1,1.5"], "label_smoothing must be at least 0 and below 1, got 1.5"),
        ([SPACE, "--search=grid"], "no end of them"),
        ([SPACE, "--budget=0"], "--budget takes a time such as 90s, 10m or 1h30m, got '0'"),
        ([SPACE, "--search=asha", "--prune=median"], "--search asha prunes by itself"),
        (
            ["--optimizer.L2=0..1"],
            r"--optimizer\.L2: a key that is swept is written without dashes: optimizer\.L2=0\.\.1",
        ),
        ([SPACE, "--picture=x.pdf"], r"--picture x\.pdf: name a file that ends in \.svg or \.png"),
        ([SPACE, "--training.max_stepz=3"], "max_stepz"),
        ([SPACE, "--ray", "--address=auto"], "--address is a Ray cluster that is there, --ray one of this machine"),
        (
            ["cluster.workers=1,2"],
            r"command line: cluster\.workers: a sweep shares out whole trials: take \[cluster\] away",
        ),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(folder, words, message):
    assert re.search(message, sweep(*words, code=2).stderr)
    assert not os.path.lexists("sweep")


def test_without_dev_data_there_is_nothing_to_compare(folder):
    text = Path("run.cfg").read_text()
    start, end = text.index("[data.dev]"), text.index("[target]")
    Path("run.cfg").write_text((text[:start] + text[end:]).replace("patience = 1000\n", ""))
    assert (
        "a sweep compares scores on dev data: add a section [data.dev] or [data.split]" in sweep(SPACE, code=2).stderr
    )


def test_a_config_whose_runs_are_shared_out_is_refused(folder):
    with open("run.cfg", "a", encoding="utf-8") as file:
        file.write('\n[cluster]\n@clusters = "ray.v1"\n')
    assert re.search(
        r"run\.cfg:\d+: cluster: a sweep shares out whole trials: take \[cluster\] away", sweep(SPACE, code=2).stderr
    )
    assert not os.path.lexists("sweep")


@pytest.mark.parametrize("words", [["--ray"], ["--address=auto"]])
def test_without_ray_it_is_told_how_to_get_it(folder, monkeypatch, words):
    monkeypatch.setattr("trainer_cli.sweep.site.find_spec", lambda name: None)
    told = "--ray and --address need ray: pip install 'trainer-cli[ray]'"
    assert told in sweep(SPACE, *words, code=2).stderr
    assert not os.path.lexists("sweep")


def test_trials_that_all_fail_give_their_reason_and_exit_code(folder):
    Path("dev.csv").write_text("a,b,label\n1,x,yes\n")
    result = sweep(SPACE, "--trials=2", code=2)
    assert [row["state"] for row in trials()] == ["failed", "failed"]
    assert "dev.csv:2" in trials()[0]["reason"]
    assert "No trial has a score: " in result.stderr
    assert "dev.csv:2" in result.stderr.splitlines()[-1]


def waiting(process, happened):
    while not happened():
        assert process.poll() is None, finish(process)
        time.sleep(0.01)


def has_trained(trial):
    """Whether a trial was evaluated, and so is past its first update."""
    path = Path(f"sweep/trial-{trial:04d}/metrics.jsonl")
    return path.is_file() and path.stat().st_size > 0


def saved(trial):
    """The names of a trial's checkpoints."""
    return [path.name for path in Path(f"sweep/trial-{trial:04d}/checkpoints").glob("step-*")]


LONG = ("--training.max_steps=100000", "--training.eval_frequency=7")


def begun(*words, more=LONG, **options):
    """A sweep of two long trials at once, both of which were evaluated."""
    words = ("sweep", "run.cfg", "--output", "sweep", SPACE, "--trials=2", "--workers=2", *more, *words)
    process = start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    waiting(process, lambda: has_trained(1) and has_trained(2))
    return process


def is_alive(folder):
    """The processes whose current folder this is, but for this one."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and entry.name != str(os.getpid()) and os.readlink(entry / "cwd") == str(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def gone(folder, seconds=30.0):
    """Wait until no process of a sweep is left."""
    end = time.monotonic() + seconds
    while is_alive(folder):
        assert time.monotonic() < end, "processes are left behind"
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_trials_with_their_states_saved(folder, number, code):
    process = begun()
    process.send_signal(number)
    found = finish(process)
    assert found[0] == code
    assert b"Traceback" not in found[1] + found[2]
    name = number.name
    assert f"Stopped ({name}): 2 trials: 2 stopped in ".encode() in found[2]
    assert found[2].strip().endswith(b"--resume")
    assert [(row["state"], row["reason"]) for row in trials()] == [("stopped", name)] * 2
    assert all(row["steps"] > 0 for row in trials())
    assert is_alive(folder) == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_second_ctrl_c_ends_all_at_once(folder):
    (folder / "slow.py").write_text(
        "import time\nfrom trainer_cli.api import registry\n\n\n"
        "@registry.loggers('slow.v1')\nclass Slow:\n"
        "    def log(self, row):\n        time.sleep(60)\n\n    def close(self):\n        pass\n"
    )
    with open("run.cfg", "a", encoding="utf-8") as file:
        file.write('\n[loggers.slow]\n@loggers = "slow.v1"\n')
    process = begun("--code", "slow.py")
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 130
    gone(folder, 10)
    assert time.monotonic() - begin < 30


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_killed_sweep_leaves_no_process_and_goes_on_to_the_same_bits(folder):
    steps = ("--training.max_steps=1400", "--training.eval_frequency=7", "--training.patience=0")
    steps += ("--checkpoints.max_seconds=0.1",)
    process = begun(more=steps)
    waiting(process, lambda: all(max(saved(n)) > "step-0000000000" for n in (1, 2)))
    process.kill()
    finish(process)
    assert {row["state"] for row in trials()} == {"running"}
    gone(folder)
    result = call("sweep", "run.cfg", "--output", "sweep", SPACE, "--trials=2", *steps, "--resume", "--json")
    found = json.loads(result.stdout)["trials"]
    assert [(row["state"], row["steps"]) for row in found] == [("finished", 1400)] * 2
    assert all("going on from step" in Path(f"sweep/trial-{n:04d}.log").read_text() for n in (1, 2))
    rate = found[0]["params"]["optimizer.learn_rate.initial_rate"]
    call("train", "run.cfg", "--output", "alone", *steps, f"--optimizer.learn_rate.initial_rate={rate}")
    assert outcome_of(Path("alone")) == outcome_of(Path("sweep/trial-0001"))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_killed_trial_is_a_row_and_the_others_go_on(folder):
    process = begun(more=("--training.max_steps=7000", "--training.eval_frequency=7"))
    os.kill(json.loads(Path("sweep/trial-0002/.lock").read_text())["pid"], signal.SIGKILL)
    code, _, err = finish(process)
    assert code == 0
    found = sorted(row["state"] for row in trials())
    assert found == ["finished", "killed"]
    killed = next(row for row in trials() if row["state"] == "killed")
    assert killed["reason"] == "its process was ended by SIGKILL: out of memory?"
    assert killed["exit_code"] == 137
    assert f"trial   {killed['trial']} killed".encode() in err


def test_the_budget_is_kept(folder):
    words = ["sweep", "run.cfg", "--output", "sweep", SPACE, "--budget=15s", "--workers=2", *LONG, "--json"]
    result = CliRunner().invoke(app, words)  # on a busy machine no trial may have come to an evaluation: exit code 2
    found = json.loads(result.stdout)
    assert 0.95 * 15 <= found["seconds"] <= 1.05 * 15
    assert {(row["state"], row["reason"]) for row in found["trials"]} <= {
        ("stopped", "budget"),
        ("finished", "patience"),
    }
    assert all(row["steps"] > 0 for row in found["trials"] if row["state"] == "finished")


def test_trials_at_once_share_the_cores_and_say_so(folder):
    result = sweep("model.hidden.nO=3,4", "--search=grid", "--workers=2")
    assert re.search(r"2 trials \(grid\), 2 at once, up to \d+ threads? each", result.stderr)
    for row in trials():
        facts = json.loads(Path("sweep", row["folder"], "run.json").read_text())
        assert row["threads"] == facts["threads"]


def test_best_cfg_has_the_threads_of_the_trial(folder):
    """Else it would train on as many as it is given alone, to other bits."""
    sweep("model.hidden.nO=3,4", "--search=grid", "--workers=2")
    assert all('threads = "auto"' in Path("sweep", row["folder"], "config.cfg").read_text() for row in trials())
    best = max(trials(), key=lambda row: (row["score"], -row["trial"]))
    assert read_run_config(Path("sweep/best.cfg")).system.threads == best["threads"] >= 1


def test_a_budget_counts_the_start_of_a_cluster(folder, monkeypatch):
    """Here one that takes a second to start."""

    @contextmanager
    def slow(ready, check, note):
        time.sleep(1.0)
        yield site.here(ready)

    monkeypatch.setattr(site, "check_ray", lambda: None)
    monkeypatch.setattr(site, "on_ray", slow)
    found = json.loads(sweep(SPACE, "--budget=1s", "--ray", "--json", code=2).stdout)
    assert found["seconds"] >= 1.0
    assert found["trials"] == []


def test_a_key_of_a_layer_is_named_without_its_star(folder):
    sweep("model.hidden.nO=3,4", "--search=grid", "--trials=1")
    assert trials()[0]["params"] == {"model.hidden.nO": 3}
    assert re.search(r"(?s)\[model\.\*\.hidden\][^\[]*nO = 3\n", Path("sweep/trial-0001/config.cfg").read_text())


def test_the_metric_asked_for_decides_and_stands_in_best_cfg(folder):
    sweep("model.hidden.nO=3,5", "--search=grid", "--metric=dev.loss")
    rows = trials()
    assert all(row["score"] == row["scores"]["loss"] for row in rows)
    best = min(rows, key=lambda row: row["score"])
    text = Path("sweep/best.cfg").read_text()
    assert text.startswith(f"# Trial {best['trial']} of sweep: loss {best['score']}")
    assert 'monitor = "dev.loss"' in text


def test_overwrite_sets_the_earlier_sweep_aside(folder):
    sweep("model.hidden.nO=3,4", "--search=grid", "--trials=1")
    before = trials()
    sweep("model.hidden.nO=5,6", "--search=grid", "--trials=1", "--overwrite")
    assert trials("sweep/.old-1") == before
    assert trials()[0]["params"] == {"model.hidden.nO": 5}


def test_trials_behind_are_pruned_after_an_evaluation(folder):
    pytest.importorskip("optuna")
    words = ("model.hidden.nO=2..9:int", "--search=asha", "--metric=loss", "--trials=4", "--training.max_steps=70")
    sweep(*words, short=())
    rows = trials()
    assert rows[0]["state"] == "finished"
    pruned = [row for row in rows if row["state"] == "pruned"]
    assert pruned
    assert all(row["steps"] < 70 and row["score"] is not None and row["exit_code"] == 0 for row in pruned)
    assert rows[0]["curve"][-1][1] == -rows[0]["score"]


def timeless(row):
    return {key: value for key, value in row.items() if key != "seconds"}


@pytest.mark.parametrize("how", ["--search=asha", "--search=tpe"])
def test_a_sweep_that_was_killed_goes_on_as_if_it_had_not_been(folder, how):
    """Here as a trial had saved itself, and its row was not yet written: it was to end, be it that it was behind."""
    pytest.importorskip("optuna")
    words = ("model.hidden.nO=2..9:int", how, "--metric=loss", "--trials=4", "--training.max_steps=70")
    sweep(*words, short=())
    whole = trials()
    ends = [row["trial"] for row in whole if row["state"] == "pruned"] if how == "--search=asha" else [3]
    assert ends
    for number in ends:
        kept = [*whole[: number - 1], {**whole[number - 1], "state": "running", "curve": None}]
        Path("sweep/trials.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
        for row in whole[number:]:
            shutil.rmtree(Path("sweep", row["folder"]))
        sweep(*words, "--resume", short=())
        assert trials()[: number - 1] == whole[: number - 1]
        assert list(map(timeless, trials())) == list(map(timeless, whole))
