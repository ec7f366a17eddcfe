"""Runs of a PyTorch module: trained, killed, resumed, scored, and what is said when the module fails."""

import json
import re
import shutil
import signal
import sys

import pytest

pytest.importorskip("torch")

import engine_runs
from engine_runs import CODE, call, command, killed, last_row
from run_fakes import outcome_of

from trainer_cli.wrappers.torch_engine import TorchEngine


@pytest.fixture
def folder(torch_folder):
    return torch_folder


def train(run, *words, code=0):
    return engine_runs.train(run, "-q", *words, code=code)


def test_a_run_learns_and_is_scored_and_predicts_in_a_fresh_process(folder):
    train("run", "--training.max_steps=60")
    score = last_row(folder)["accuracy"]
    assert score > 0.8
    assert command("evaluate", "run", "dev.csv", "--json", folder=folder)[0] == 2  # nobody knows net.v1
    code, out, err = command("evaluate", "run", "dev.csv", "--json", *CODE, folder=folder)
    assert code == 0, err
    assert json.loads(out)["accuracy"] >= score
    code, out, err = command("predict", "run", "dev.csv", *CODE, folder=folder)
    assert code == 0, err
    assert out.count("\n") >= 20


def same_bits(folder, *words):
    train("whole", *words)
    kill = killed("train", "run.cfg", "-o", "run", *CODE, *words, "--training.max_steps=100000", folder=folder, rows=2)
    assert kill == -signal.SIGKILL
    rows = (folder / "run" / "metrics.jsonl").read_text().count("\n")
    assert rows >= 2
    n_steps = f"--training.max_steps={max(30, 7 * rows + 5)}"
    train("run", *words, n_steps, "--resume")
    shutil.rmtree(folder / "whole")
    train("whole", *words, n_steps)
    return outcome_of(folder / "run") == outcome_of(folder / "whole")


NADAM = ("--optimizer.@optimizers=TorchOptimizer.v1", "--optimizer.name=NAdam")


@pytest.mark.parametrize("words", [(), ("--optimizer.use_averages=false",), NADAM], ids=["", "plain", "NAdam"])
def test_a_run_that_was_killed_goes_on_to_the_same_bits(folder, words):
    assert same_bits(folder, *words)


def test_stops_after_each_step_come_to_the_same_bits(folder):
    train("whole", "--training.max_steps=6")
    for n in range(1, 7):
        train("run", f"--training.max_steps={n}", *(["--resume"] if n > 1 else []))
    assert outcome_of(folder / "run")["model"] == outcome_of(folder / "whole")["model"]


def test_the_check_sees_draws_that_go_on_from_where_they_were(folder, monkeypatch):
    monkeypatch.setattr(TorchEngine, "seed", lambda self, seed: None)
    train("whole", "--training.max_steps=6")
    train("run", "--training.max_steps=3")
    train("run", "--training.max_steps=6", "--resume")
    assert outcome_of(folder / "run")["model"] != outcome_of(folder / "whole")["model"]


# What is said

WHERE = r"^run\.cfg:\d+: model\.module: "
INPUT = r"; its input was float32 \(\d+, 2\)"
AT_START = {
    "as_tuple": WHERE + r"PyTorch module Net returned a tuple of 2: float32 \(\d+, 2\), .*one tensor of floats",
    "as_whole": WHERE + r"PyTorch module Net returned int64 \(\d+,\); a layer returns one tensor of floats.*" + INPUT,
    "wrong_width": WHERE + r"PyTorch module Net returned \(\d+, 4\), the targets need a width of 2" + INPUT,
    "wrong_rows": WHERE + r"PyTorch module Net returned float32 \(\d+, 2\); expected \d+ rows.*" + INPUT,
    "raises": WHERE + r"PyTorch module Net raised KeyError: 'no such thing'" + INPUT + r" \(parts\.py:\d+\)",
    "raises_back": WHERE + r"PyTorch module Net raised RuntimeError: no way back on the way back" + INPUT,
    "detached": WHERE
    + r"PyTorch module Net returned an output that depends on none of its parameters \(hidden\.weight, hidden\.bias, "
    + r"norm\.weight, norm\.bias and 2 more\): is it made under torch\.no_grad\(\) or \.detach\(\)\?"
    + INPUT,
    "sparse": WHERE
    + r"PyTorch module Net returned sparse float32 \(\d+, 2\), which no layer takes: return y\.to_dense\(\)"
    + INPUT,
    "nested": WHERE + r"PyTorch module Net returned a nested tensor, whose rows differ: .*" + INPUT,
    "empty": WHERE + r"PyTorch module Net returned \(\d+, 0\), which has no numbers: .*" + INPUT,
    "exits": WHERE + r"PyTorch module Net raised SystemExit: 3" + INPUT + r" \(parts\.py:\d+\)",
    "exits_back": WHERE + r"PyTorch module Net raised SystemExit: gone on the way back" + INPUT,
    "nan_predicting": WHERE + r"PyTorch module Net returned NaN or infinite numbers" + INPUT,
    "not_finite": WHERE + r"PyTorch module Net returned NaN or infinite numbers" + INPUT,
}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("fault", AT_START)
def test_a_module_that_fails_is_told_at_its_section_before_the_first_update(folder, fault):
    for words in (["debug-config", "run.cfg"], ["train", "run.cfg", "-o", "run", "-q"]):
        said = call(*words, *CODE, f"--model.module.fault={fault}", code=2)
        assert re.match(AT_START[fault], said), said
        assert said.count("\n") == 1
    line = int(said.split(":")[1])
    assert "[model.module]" in (folder / "run.cfg").read_text().splitlines()[line - 1]


def test_a_module_that_ends_in_a_softmax_is_told_at_the_loss_of_logits(folder):
    rule = "takes logits, but the PyTorch module Net ends in a softmax: let it return what comes before"
    for words in (["debug-config", "run.cfg"], ["train", "run.cfg", "-o", "run", "-q"]):
        said = call(*words, *CODE, "--model.module.fault=softmax", code=2)
        assert re.fullmatch(rf"run\.cfg:\d+: loss: {rule}\n", said), said


@pytest.mark.parametrize(("batch_size", "accumulate"), [(23, 1), (2, 1), (7, 4)])
def test_batchnorm_that_would_meet_one_row_is_told_before_the_first_update(folder, batch_size, accumulate):
    sizes = (f"--training.batch_size={batch_size}", f"--training.accumulate_gradient={accumulate}")
    for words in (["debug-config", "run.cfg"], ["train", "run.cfg", "-o", "run", "-q"]):
        said = call(*words, *CODE, *sizes, code=2)
        assert re.match(r"command line: --training\.batch_size: of 47 training rows a batch or micro-batch has "
                        r"one row, and there .*BatchNorm cannot", said), said  # fmt: skip
        assert said.count("\n") == 1
    assert "the config is valid" in call(
        "debug-config", "run.cfg", *CODE, *sizes, "--training.max_steps=1", "--training.batch_size=12"
    )


def test_a_module_in_a_chain_is_told_at_its_own_section(folder):
    text = (folder / "run.cfg").read_text().replace("[model.module]", "[model.*.net.module]")
    wrapper = '[model]\n@layers = "chain.v1"\n\n[model.*.net]\n@layers = "PyTorchWrapper.v1"'
    text = text.replace('[model]\n@layers = "PyTorchWrapper.v1"', wrapper)
    (folder / "run.cfg").write_text(text)
    said = call("debug-config", "run.cfg", *CODE, "--model.net.module.fault=raises", code=2)
    assert re.match(r"run\.cfg:\d+: model\.\*\.net\.module: PyTorch module Net raised KeyError", said), said
    assert "no such" in call("debug-config", "run.cfg", *CODE, "--model.net.module.fault=raises", code=2)
    assert "the config is valid" in call("debug-config", "run.cfg", *CODE)


def test_a_module_that_fails_in_a_run_is_told_with_the_step_and_the_rows(folder):
    said = train("run", "--model.module.fault=raises_late", "--training.accumulate_gradient=1", code=2)
    assert re.match(
        r"in update \d+: pytorch: PyTorch module Net raised KeyError: 'no such thing'; its input was float32 \(\d, 2\)"
        r"\. Its batch: train\.csv:\d+, train\.csv:\d+.* \(parts\.py:\d+\)\. The traceback is in \S+\n$",
        said,
    ), said
    said = train("run", "--model.module.fault=raises_dev", "--overwrite", code=2)
    assert re.search(r"^pytorch: PyTorch module Net raised RuntimeError: not now.*Its batch: dev\.csv:2, ", said, re.M)


@pytest.mark.parametrize(("fault", "shape"), [("wide_late", "4"), ("axes_late", "1, 2")])
def test_an_output_of_another_form_than_the_first_is_told_with_the_step_and_the_rows(folder, fault, shape):
    said = train("run", f"--model.module.fault={fault}", "--training.accumulate_gradient=1", code=2)
    assert re.match(
        rf"in update \d: pytorch: PyTorch module Net returned \(7, {shape}\), where it returned \(\d+, 2\) before: "
        r"the width and the number of axes must stay the same; its input was float32 \(7, 2\)\. Its batch: train\.csv:",
        said,
    ), said


def test_what_trains_nothing_or_cannot_be_kept_is_told_before_the_first_update(folder):
    kept = r"Counting keeps a state of its own \(get_extra_state\), which is in no checkpoint"
    wanted = {
        "identity.v1": r"run\.cfg:\d+: model: no layer has any parameters: nothing would be trained\n",
        "counting.v1": rf"run\.cfg:\d+: model: PyTorchWrapper\.v1: {kept}: keep it as tensors, in buffers .*\n",
    }
    for name, message in wanted.items():
        for words in (["debug-config", "run.cfg"], ["train", "run.cfg", "-o", "run", "-q"]):
            said = call(*words, *CODE, f"--model.module.@layers={name}", code=2)
            assert re.fullmatch(message, said), said


def test_verbose_shows_the_users_own_traceback_below(folder):
    said = call("train", "run.cfg", "-o", "run", *CODE, "--model.module.fault=raises", "--verbose", code=2)
    first, *rest = said.strip().splitlines()
    assert re.match(AT_START["raises"], first)
    assert rest[0] == "Traceback (most recent call last):"
    assert 'parts.py", line' in rest[1]
    assert rest[-1] == "KeyError: 'no such thing'"
    assert "torch_engine" not in said


OF_SIX_ROWS = "        if len(x) == 6 and x.any() and not self.training:\n            raise KeyError('six rows')\n"


def test_a_module_that_fails_where_it_is_scored_or_predicts_is_told_with_the_rows(folder):
    call("train", "run.cfg", "-o", "run", *CODE, "-q", "--training.max_steps=2", "--training.eval_batch_size=7")
    parts = folder / "parts.py"
    before = "        y = self.output("
    parts.write_text(parts.read_text().replace(before, f"{OF_SIX_ROWS}{before}"))
    sys.modules.pop("trainer_code_parts")
    batch = ", ".join(f"dev.csv:{line}" for line in range(16, 22))
    told = (
        f"PyTorch module Net raised KeyError: 'six rows'; its input was float32 (6, 2). Its batch: {batch} (parts.py:"
    )
    for name in ("evaluate", "predict"):
        said = call(name, "run", "dev.csv", *CODE, "-q", code=2)
        assert told in said
        assert "The traceback is in " in said
        said = call(name, "run", "dev.csv", *CODE, "-q", "--verbose", code=2)
        line, first, *_ = said[said.index("pytorch: ") :].splitlines()
        assert told in line
        assert first == "Traceback (most recent call last):"
        assert "\nKeyError: 'six rows'\n" in said


def test_numbers_that_are_not_finite_end_a_run_with_exit_3(folder):
    said = train("run", "--model.module.fault=nan_late", code=3)
    assert re.match(
        r"diverged in update \d+: pytorch: PyTorch module Net returned NaN or infinite numbers; its input was", said
    ), said
    assert "Its batch: train.csv:" in said


def test_what_predicts_may_need_a_first_pass(folder):
    assert "the config is valid" in call("debug-config", "run.cfg", *CODE, "--model.module.@layers=averaging.v1")
    assert "no scores" not in train("run", "--model.module.@layers=averaging.v1")


NO_NUMBERS = "pytorch: PyTorch module Net returned NaN or infinite numbers; its input was float32 (20, 2). The rows: "


def test_a_dev_set_with_numbers_that_are_not_finite_has_no_scores_and_nothing_is_predicted_of_it(folder):
    said = train("run", "--model.module.fault=nan_dev")
    assert said.count("no scores of dev: ") == 1
    assert f"no scores of dev: {NO_NUMBERS}dev.csv:6\n" in said
    rows = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) > 2
    assert all(row["loss"] is None and row["accuracy"] is None and row["train_loss"] < 1 for row in rows)
    assert not (folder / "run" / "model-best").exists()
    for words in (["evaluate", "run/model-last", "dev.csv"], ["predict", "run/model-last", "dev.csv", "-o", "p.csv"]):
        said = call(*words, *CODE, "-q", code=3)
        assert said == f"{NO_NUMBERS}dev.csv:6\n"
    assert not (folder / "p.csv").exists()
    lines = (folder / "dev.csv").read_text().splitlines()
    (folder / "dev.csv").write_text("\n".join(lines[:-1]) + "\n")  # 19 rows, of which the module gives numbers
    assert call("predict", "run/model-last", "dev.csv", *CODE, "-q").count("\n") == 20


def test_what_is_no_module_or_no_device_is_told_at_its_line(folder):
    said = call("debug-config", "run.cfg", *CODE, "--model.module.@layers=no_module.v1", code=2)
    assert re.match(
        r"run\.cfg:\d+: model\.module: PyTorchWrapper\.v1: module must be a torch\.nn\.Module .* an int", said
    )
    said = call("debug-config", "run.cfg", *CODE, "--model.device=cuda:77", code=2)
    assert re.search(r"model\.device: PyTorchWrapper\.v1: the device 'cuda:77' is not there: ", said), said
    said = call("debug-config", "run.cfg", *CODE, "--model.device=meta", code=2)
    assert re.search(r"model\.device: PyTorchWrapper\.v1: the device 'meta' is not there: ", said), said
