"""What goes wrong in a worker is told as it is without workers, and what is wrong with workers by name."""

import os
import platform
import re
import sys
import time

import pytest
from cluster_runs import trained, workers
from killing import kill, workers_of
from run_fakes import CONFIG, PARTS, Silent, config_of, import_parts, train, write_data

from trainer_cli.cli.outcome import told
from trainer_cli.cluster import driver
from trainer_cli.cluster.failure import Failure
from trainer_cli.errors import ArgumentError, ClusterError, ConfigError, MissingModuleError, Problem
from trainer_cli.user_code import place
from trainer_cli.wrappers.engine import ModuleError

pytest.importorskip("ray")

# A layer that fails at a row of its own: the line of the file whose first number is the largest.
FAULTY = """

class OddError(Exception):
    def __init__(self, row, *, why):
        super().__init__(row)
        self.row, self.why = row, why

    def __str__(self):
        return f"row {self.row} is odd, {self.why}"


@registry.layers("faulty.v1")
def faulty(fault: str, is_train: bool = True):
    def forward(model, X, train):
        if train == is_train and len(X) < 10 and (X[:, 0] > 1.5).any():
            raise_it(fault)
            return X * np.float32("nan"), lambda dY: dY
        return X, lambda dY: dY

    return Model("faulty", forward)


def raise_it(fault):
    if fault == "odd":
        raise OddError(7, why="as ever")
    if fault == "exit":
        raise SystemExit("enough")
"""

TORCH = """

@registry.layers("odd_net.v1")
def odd_net(fault: str):
    import torch

    class OddNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(2, 2)

        def forward(self, x):
            y = self.linear(x)
            if self.training and len(x) < 10 and (x[:, 0] > 1.5).any():
                return y[1:] if fault == "shape" else fall(y)
            return y

    return OddNet()


def fall(y):
    raise KeyError("no such thing")
"""


@pytest.fixture
def folder(tmp_path):
    write_data(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS + FAULTY + TORCH)
    import_parts(tmp_path)
    return tmp_path


def failure(folder, n_workers, text, *overrides):
    """What a run ends with: its words, the place in the user's code, and the first lines of the traceback."""
    try:
        ending = trained_ending(folder, n_workers, text, *overrides)
    except (Exception, SystemExit) as err:
        return type(err).__name__, str(err), place(err), verbose(err)
    return type(ending.cause).__name__, str(ending.cause), ending.saved and ending.saved.name, ""


def verbose(err):
    return told(err, verbose=True) if isinstance(err, ModuleError) else ""


def trained_ending(folder, n_workers, text, *overrides):
    config = config_of(folder, "--training.accumulate_gradient", 5, *overrides, *workers(n_workers), text=text)
    return train(config, folder / f"failed-{n_workers}", overwrite=True, code=[folder / "parts.py"])


FAULTS = {
    "nan": "DivergedError",
    "odd": "OddError",
    "exit": "SystemExit",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_layer_that_fails_is_told_as_without_workers(cluster, folder, fault):
    section = f'[model.*.faulty]\n@layers = "faulty.v1"\nfault = "{fault}"\n\n[model.*.hidden]'
    text = CONFIG.replace("[model.*.hidden]", section)
    alone = failure(folder, 0, text)
    assert alone[0] == FAULTS[fault]
    assert failure(folder, 3, text) == alone
    if fault == "nan":
        assert re.search(r"diverged in update \d+: the loss is nan. Its batch: .*train\.csv:\d+", alone[1])
    else:
        assert alone[2].endswith("parts.py:" + str(line_of(folder, f'fault == "{fault}"') + 1))


def test_an_evaluation_that_fails_is_told_as_without_workers(cluster, folder):
    section = '[model.*.faulty]\n@layers = "faulty.v1"\nfault = "odd"\nis_train = false\n\n[model.*.hidden]'
    text = CONFIG.replace("[model.*.hidden]", section)
    # The first rows are tried out before the run begins, and have no such number.
    (folder / "dev.csv").write_text("a,b,label\n" + "0.1,0.2,yes\n-0.1,0.2,no\n" * 400 + "1.9,0.2,yes\n")
    more = ("--training.eval_batch_size", 7)
    alone = failure(folder, 0, text, *more)
    assert alone[:2] == ("OddError", "row 7 is odd, as ever")
    assert failure(folder, 3, text, *more) == alone


@pytest.mark.parametrize("fault", ["shape", "raises"])
def test_a_module_that_fails_is_told_as_without_workers(cluster, folder, fault):
    """With the rows of the batch, and for those who ask the traceback through the user's lines."""
    pytest.importorskip("torch")
    model = f'[model]\n@layers = "PyTorchWrapper.v1"\n\n[model.module]\n@layers = "odd_net.v1"\nfault = "{fault}"\n\n'
    text = CONFIG.replace(CONFIG[CONFIG.index("[model]") : CONFIG.index("[loss]")], model)
    text = text.replace('"CategoricalCrossentropy.v4"', '"CategoricalCrossentropy.v4"\nfrom_logits = true')
    alone = failure(folder, 0, text)
    assert alone[0] == "ModuleError"
    assert re.search(r"Its batch: .*train\.csv:\d+", alone[1])
    assert ("in fall\n    raise KeyError" in alone[3]) == (fault == "raises")
    assert failure(folder, 3, text) == alone


def line_of(folder, words):
    return next(n for n, line in enumerate((folder / "parts.py").read_text().splitlines(), 1) if words in line)


@pytest.mark.parametrize(("name", "more"), [("dev.csv", "0,0,yes\n"), ("parts.py", "\n# another one\n")])
def test_a_file_that_has_changed_before_a_worker_reads_it_is_told_with_its_machine(
    cluster, folder, monkeypatch, name, more
):
    order_of = driver.order_of

    def ordered(*given):
        order = order_of(*given)
        (folder / name).write_text((folder / name).read_text() + more)
        return order

    monkeypatch.setattr(driver, "order_of", ordered)
    with pytest.raises(ConfigError) as caught:
        trained(folder, 2)
    place = rf"the worker \d+ on {re.escape(platform.node())}: \S*{re.escape(name)}"
    pattern = rf"{place}: is another file than the driver's: its sha256"
    assert re.match(pattern, str(caught.value))
    assert caught.value.exit_code == 2
    assert not (folder / "of-2" / "checkpoints").exists()


class Editing(Silent):
    """After some steps edits the code, kills a worker, and gives the next one time to come."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def step(self, step, state):
        if step.position.step == 10:
            self.path.write_text(self.path.read_text().replace("1.5", "1.4"))
            kill(workers_of(os.getpid())[0])
        if step.position.step >= 10:
            time.sleep(0.5)


def test_a_worker_that_is_started_anew_does_not_take_code_that_was_edited_meanwhile(cluster, folder):
    path = folder / "parts.py"
    config = config_of(folder, "--training.accumulate_gradient", 5, *workers(3))
    ending = train(config, folder / "run", code=[path], progress=Editing(path))
    assert (type(ending.cause), ending.cause.exit_code) == (ClusterError, 4)
    assert ending.saved is not None
    pattern = (
        rf"no other worker can be started; the worker \d+ on {re.escape(platform.node())}: \S*parts\.py: is another"
    )
    assert re.match(pattern, str(ending.cause))


def test_code_that_a_worker_cannot_import_is_told_with_its_machine(cluster, folder):
    path = folder / "parts.py"
    path.write_text(path.read_text() + f"\nimport os\nif os.getpid() != {os.getpid()}:\n    import no_such_module\n")
    with pytest.raises(ConfigError) as caught:
        trained(folder, 2)
    n_lines = len(path.read_text().splitlines())
    assert f"on {platform.node()}: {path}:{n_lines}: ModuleNotFoundError: No module named 'no_such_m" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "err",
    [
        MissingModuleError("ray", problems=[Problem("needs ray", "run.cfg", 3)]),
        ModuleError("raised it", where="net", rows=[1, 2]),
        ArgumentError("wrong"),
        OSError(2, "not there", "file"),
    ],
)
def test_errors_come_as_they_were(err):
    back = Failure.of(err).error()
    assert (type(back), str(back), vars(back)) == (type(err), str(err), vars(err))


def test_an_error_that_cannot_travel_keeps_its_name_its_words_its_places_and_its_cause():
    class LocalError(Exception):
        pass

    try:
        try:
            raise KeyError("first")
        except KeyError as err:
            raise LocalError("second", lambda: None) from err
    except LocalError as err:
        line, back = sys.exc_info()[2].tb_lineno, Failure.of(err).error()
    assert type(back).__name__ == "LocalError"
    assert str(back).startswith("('second', <function")
    assert (back.__traceback__.tb_lineno, back.__traceback__.tb_frame.f_code.co_filename) == (line, __file__)
    assert isinstance(back.__cause__, KeyError)
    assert back.__cause__.args == ("first",)
