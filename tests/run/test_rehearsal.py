"""A rehearsal finds what does not fit before anything is written, and leaves no trace in the run."""

import sys

import numpy as np
import pytest
from run_fakes import CONFIG, config_of, outcome_of, rows, train

from trainer_cli import assembly, rehearsal, user_code
from trainer_cli.assembly import assemble
from trainer_cli.config.registry import registry
from trainer_cli.errors import ConfigError, DataError
from trainer_cli.inspection import inspect
from trainer_cli.losses.categorical_crossentropy_v4 import CategoricalCrossentropyV4
from trainer_cli.model import Model
from trainer_cli.signals import StopFlag

BOTH = pytest.mark.parametrize(
    "check", [inspect, lambda config: assemble(config, StopFlag())], ids=["inspect", "train"]
)


def test_a_run_has_the_bits_of_one_without_a_rehearsal(data, monkeypatch):
    train(config_of(data), data / "with")
    monkeypatch.setattr(assembly, "rehearse", lambda *args: {"accuracy": ["accuracy"]})
    train(config_of(data), data / "without")
    assert outcome_of(data / "with") == outcome_of(data / "without")


def test_a_rehearsal_that_leaves_its_gradient_is_found_out(data, monkeypatch):
    train(config_of(data), data / "with")
    good = assembly.rehearse

    def leaving(config, model, *args):
        found = good(config, model, *args)
        model.store.gradients += 1
        return found

    monkeypatch.setattr(assembly, "rehearse", leaving)
    train(config_of(data), data / "bad")
    assert outcome_of(data / "with") != outcome_of(data / "bad")


def test_what_a_rehearsal_may_change_is_as_before():
    def forward(model, X, is_train):
        model.attrs["seen"] += 1
        model.attrs["n"] = model.attrs["n"] + 1
        model.get_param("b")[...] += 1
        return X + model.random("noise").random(), lambda dY: dY

    model = Model("counting", forward, params={"b": np.zeros(2)}, attrs={"seen": np.zeros(1), "n": 0}).initialize()
    store, moment = model.store, model.store.moment
    with rehearsal.unchanged(model):
        model.begin_update(np.zeros((1, 2)))
        store.gradients += 1
        assert (model.attrs["n"], store.values.tolist()) == (1, [1, 1])
    assert (model.attrs["seen"].tolist(), model.attrs["n"]) == ([0], 0)
    assert (store.values.tolist(), store.gradients.tolist()) == ([0, 0], [0, 0])
    assert (store.moment, len(store.draws)) == (moment, 0)


CROSSENTROPY = '@losses = "CategoricalCrossentropy.v4"'
NUMBERS = ('@encoders = "labels.v1"\ncolumn = "label"', '@encoders = "numbers.v1"\ncolumn = "b"')
FEATURES = '\n[features]\n@encoders = "columns.v1"\ncolumns = ["a"]\n'


@BOTH
@pytest.mark.parametrize("loss", ["L2Distance.v1", "MeanSquaredError.v1"])
def test_a_loss_of_numbers_on_classes_is_refused_with_its_remedy(data, check, loss):
    text = CONFIG.replace(CROSSENTROPY, f'@losses = "{loss}"').replace("Softmax.v1", "Linear.v1")
    with pytest.raises(ConfigError, match=r"run\.cfg:\d+: loss: takes numbers, .*use CategoricalCrossentropy\.v4 with"):
        check(config_of(data, text=text))


@BOTH
def test_what_is_for_classes_is_refused_on_numbers(data, check):
    with pytest.raises(ConfigError) as caught:
        check(config_of(data, text=CONFIG.replace(*NUMBERS) + FEATURES))
    loss, metric = str(caught.value).splitlines()
    assert "loss: takes classes, the target is numbers.v1: use MeanSquaredError.v1 with Linear.v1" in loss
    assert "metrics.accuracy: counts classes, the target is numbers.v1" in metric


@BOTH
def test_what_is_for_one_class_a_row_is_refused_where_a_row_may_have_several(data, check):
    with pytest.raises(ConfigError) as caught:
        check(config_of(data, text=CONFIG.replace('"labels.v1"', '"multilabel.v1"')))
    loss, metric = str(caught.value).splitlines()
    remedy = "use BinaryCrossentropy.v1 with Linear.v1 at the end, or [target] @encoders = "
    assert f'loss: takes classes, the target is multilabel.v1: {remedy}"labels.v1"' in loss
    assert "metrics.accuracy: counts classes, the target is multilabel.v1: take this section away" in metric


MISS = ('column = "label"', 'column = "label"\nunknown = "miss"')


def test_a_label_of_the_dev_data_alone_may_count_as_wrong(data):
    path = data / "dev.csv"
    header, *lines = path.read_text().splitlines()
    config = config_of(data, text=CONFIG.replace(*MISS))
    known = assemble(config, StopFlag()).dev["dev"]
    path.write_text("\n".join([header, *lines, *[f"{line.rpartition(',')[0]},never" for line in lines]]) + "\n")
    job = assemble(config, StopFlag())
    assert (job.dev["dev"].n, (job.dev["dev"].Y == -1).sum()) == (2 * known.n, known.n)
    loss = job.trained.loss
    Yh = job.trained.model.predict(job.dev["dev"].X)
    assert loss.get_loss(Yh, job.dev["dev"].Y) == pytest.approx(loss.get_loss(Yh[: known.n], known.Y), rel=1e-12)
    assert loss.mass(job.dev["dev"].Y) == known.n
    accuracy = job.trained.metrics["accuracy"]
    accuracy.update(np.eye(2)[known.Y.tolist() * 2], job.dev["dev"].Y)
    assert accuracy.result() == 0.5
    with pytest.raises(DataError, match='the label "never" is not in the training data'):
        assemble(config_of(data, text=CONFIG), StopFlag())


@BOTH
def test_a_loss_that_cannot_skip_unknown_labels_is_refused(data, check):
    text = CONFIG.replace(*MISS).replace(CROSSENTROPY, '@losses = "CategoricalCrossentropy.v3"')
    with pytest.raises(
        ConfigError, match=r"run\.cfg:\d+: target\.unknown: the loss has no way to skip rows of unknown"
    ):
        check(config_of(data, text=text))


class Twin:
    """Two scores of the rows so far, and none of no rows."""

    higher_is_better = True

    def __init__(self):
        self.n = self.total = 0

    def update(self, probabilities, truths, weights=None):
        self.n += len(probabilities)
        self.total += float(probabilities.sum())

    def merge(self, other):
        self.n += other.n
        self.total += other.total

    def result(self):
        return {"mean": self.total / self.n, "n_rows": self.n}


class NoWeights(Twin):
    def update(self, probabilities, truths):
        pass


class Raising(Twin):
    def update(self, probabilities, truths, weights=None):
        raise RuntimeError("no such rows")


class Nothing(Twin):
    def result(self):
        return None


class NoDirection:
    update, merge, result = Twin.update, Twin.merge, Twin.result
    n = total = 0


def with_metric(folder, monkeypatch, metric):
    """The config with one more metric, known for one test."""
    known(monkeypatch, "metrics", "own.v1", metric)
    return config_of(folder, text=CONFIG + '\n[metrics.own]\n@metrics = "own.v1"\n')


def test_a_metric_whose_empty_result_fails_gives_its_scores(data, monkeypatch):
    job = assemble(with_metric(data, monkeypatch, Twin), StopFlag())
    assert job.monitor.names == ("accuracy", "own_mean", "own_n_rows")
    assert job.trained.metrics["own"].n == 0


@BOTH
@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (NoWeights, r"update must take \(probabilities, truths, weights\), but too many positional"),
        (Raising, "RuntimeError: no such rows"),
        (Nothing, "the metric own must give a number, .*not None"),
        (NoDirection, "a metric needs higher_is_better, which NoDirection has not"),
    ],
)
def test_a_metric_that_does_not_work_is_told_at_its_section(data, monkeypatch, check, metric, said):
    with pytest.raises(ConfigError, match=rf"run\.cfg:\d+: metrics\.own: {said}"):
        check(with_metric(data, monkeypatch, metric))


def known(monkeypatch, kind, name, function):
    """Register a part of a user's own for one test."""
    import catalogue

    for each in registry.kinds.values():
        each.names()
    monkeypatch.setattr(catalogue, "REGISTRY", dict(catalogue.REGISTRY))
    getattr(registry, kind)(name)(function)


class Own(CategoricalCrossentropyV4):
    """A loss whose numbers a test changes."""

    value, gradient, mean_of = staticmethod(lambda loss: loss), staticmethod(lambda dY: dY), None

    def __call__(self, guesses, truths, weights=None):
        dY, loss = super().__call__(guesses, truths, weights)
        return self.gradient(dY), self.value(loss)

    def get_loss(self, guesses, truths, weights=None):
        return self.value(super().get_loss(guesses, truths, weights))

    def mass(self, truths, weights=None):
        return super().mass(truths, weights) if self.mean_of is None else self.mean_of


def with_loss(folder, monkeypatch, **changes):
    known(monkeypatch, "losses", "own.v1", type("Changed", (Own,), changes))
    return config_of(folder, text=CONFIG.replace("CategoricalCrossentropy.v4", "own.v1"))


def test_a_loss_may_give_numbers_of_numpy(data, monkeypatch):
    train(config_of(data), data / "plain")
    config = with_loss(data, monkeypatch, value=staticmethod(np.float64))
    assert train(config, data / "numpy").cause is None
    assert rows(data / "numpy") == rows(data / "plain")


def test_a_loss_may_give_a_gradient_that_nobody_may_write_to(data, monkeypatch):
    def frozen(dY):
        dY.flags.writeable = False
        return dY

    train(config_of(data), data / "plain")
    train(with_loss(data, monkeypatch, gradient=staticmethod(frozen)), data / "frozen")
    assert rows(data / "frozen") == rows(data / "plain")


@BOTH
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": staticmethod(str)}, "number"),
        ({"gradient": staticmethod(lambda dY: dY.astype(int))}, "must be floats, got int64"),
        ({"gradient": staticmethod(lambda dY: dY[:, :1])}, "must have the shape"),
        ({"mean_of": "all"}, "the mass of a loss must be None or a number of at least 0, not str"),
        ({"mean_of": 1j}, "the mass of a loss must be None or a number"),
        ({"mean_of": float("nan")}, "the mass of a loss must be None or a number of at least 0, not nan"),
        ({"value": staticmethod(complex)}, "the value must be a number, not complex"),
    ],
)
def test_a_loss_that_gives_what_no_update_can_take_is_told_at_its_section(data, monkeypatch, check, changes, said):
    with pytest.raises(ConfigError, match=rf"run\.cfg:\d+: loss: .*{said}"):
        check(with_loss(data, monkeypatch, **changes))


@BOTH
def test_a_layer_that_returns_no_model_is_told(data, monkeypatch, check):
    known(monkeypatch, "layers", "own.v1", lambda: 3)
    before, _, after = CONFIG.partition("[model]")
    text = f'{before}[model]\n@layers = "own.v1"\n\n[loss]{after.partition("[loss]")[2]}'
    with pytest.raises(ConfigError, match=r"run\.cfg:\d+: model: .*its function must return a Model, not 3"):
        check(config_of(data, text=text))


@BOTH
def test_an_optimizer_that_is_none_is_told_with_all_else(data, monkeypatch, check):
    known(monkeypatch, "optimizers", "own.v1", lambda: 3)
    text = CONFIG.replace('column = "label"', 'column = "lable"')
    with pytest.raises(ConfigError) as caught:
        check(config_of(data, text=text, optimizer='[optimizer]\n@optimizers = "own.v1"\n'))
    target, optimizer = str(caught.value).splitlines()
    assert "target.column" in target
    assert optimizer.endswith("optimizer: its function must return an Optimizer, not 3")


@BOTH
def test_a_gradient_of_whole_numbers_is_told_at_its_layer(data, monkeypatch, check):
    def forward(model, X, is_train):
        return X, lambda dY: dY.astype(int)

    known(monkeypatch, "layers", "own.v1", lambda: Model("own", forward))
    middle = '[model.*.own]\n@layers = "own.v1"\n\n[model.*.output]'
    with pytest.raises(ConfigError, match=r"run\.cfg:\d+: model\.\*\.own.*must be floats, got int64"):
        check(config_of(data, text=CONFIG.replace("[model.*.output]", middle)))


FIRST = """
from trainer_cli.api import registry


@registry.metrics("{name}")
class First:
    pass
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    import catalogue

    user_code.parts()
    monkeypatch.setattr(catalogue, "REGISTRY", dict(catalogue.REGISTRY))
    monkeypatch.chdir(tmp_path)
    yield lambda name, text: (tmp_path / name).write_text(text) and tmp_path / name
    for name in [name for name in sys.modules if name.startswith(user_code.PREFIX)]:
        del sys.modules[name]


def test_two_files_with_one_name_are_both_named(files):
    a, b = files("a.py", FIRST.format(name="mine.v1")), files("b.py", "\n" + FIRST.format(name="mine.v1"))
    with pytest.raises(ConfigError, match=r"b\.py:6: @registry\.metrics has 'mine\.v1' already, .* at a\.py:5: choose"):
        user_code.import_files([a, b])
    user_code.import_files([a])
    user_code.import_files([b])  # another call's


def test_a_built_in_part_cannot_be_replaced(files):
    before = registry.metrics.get("accuracy.v1")
    with pytest.raises(ConfigError, match=r"a\.py:5: .*the built-in part at .*accuracy\.py:\d+: choose another name"):
        user_code.import_files([files("a.py", FIRST.format(name="accuracy.v1"))])
    assert registry.metrics.get("accuracy.v1") is before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n\nx = 1 / 0\n", r"own\.py:3: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", r"own\.py:1: SystemExit: 3"),
    ],
)
def test_a_file_that_fails_has_its_line(files, text, said):
    with pytest.raises(ConfigError, match=said):
        user_code.import_files([files("own.py", text)])


def test_the_files_of_an_earlier_call_are_forgotten(files):
    user_code.import_files([files("a.py", "\n")])
    user_code.import_files([files("b.py", "\n")])
    assert [user_code.short_path(path) for path in user_code.imported()] == ["b.py"]


def test_a_model_that_has_nothing_to_train_is_refused(data):
    bare = CONFIG[: CONFIG.index("[model.*.hidden]")] + '[model.*.none]\n@layers = "Dropout.v1"\nrate = 0.1\n\n'
    text = (bare + CONFIG[CONFIG.index("[loss]") :]).replace("[loss]", "[loss]\nfrom_logits = true")
    with pytest.raises(
        ConfigError, match=r"run\.cfg:\d+: model: no layer has any parameters: nothing would be trained$"
    ):
        inspect(config_of(data, text=text))
