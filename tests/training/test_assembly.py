"""What assembling a run tells its loss, and what it refuses of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer_cli import trained
from trainer_cli.assembly import assemble
from trainer_cli.config import RunConfig, read_run_config
from trainer_cli.errors import ConfigError
from trainer_cli.inspection import inspect
from trainer_cli.losses import Loss
from trainer_cli.signals import StopFlag

TEXT = """
[data.train]
@readers = "csv.v1"
path = "{path}"

[target]
@encoders = "labels.v1"
column = "kind"

[model]
@layers = "chain.v1"

[model.*.output]
@layers = "{layer}"

[loss]
@losses = "{loss}"
{setting}

[optimizer]
@optimizers = "SGD.v1"
learn_rate = 0.1

[training]
max_steps = 1
batch_size = 2
"""
# Three rows of a class called so, one of the other.
ROWS = "x,kind\n1,often\n2,rare\n3,often\n4,often\n"


def config_of(
    folder: Path, setting: str, layer: str = "Softmax.v1", loss: str = "CategoricalCrossentropy.v4"
) -> RunConfig:
    path = folder / "rows.csv"
    path.write_text(ROWS)
    return read_run_config("-", stdin=TEXT.format(path=path, setting=setting, layer=layer, loss=loss))


def check_balanced(loss: Loss) -> None:
    assert loss.mass(np.array([0, 1])) == pytest.approx(4 / (2 * 3) + 4 / (2 * 1))


def test_a_loss_gets_the_classes_of_the_training_rows(tmp_path: Path) -> None:
    check_balanced(assemble(config_of(tmp_path, 'class_weights = "balanced"'), StopFlag()).trained.loss)


def test_a_loss_that_is_not_told_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer_cli.pairing.tell_classes", lambda loss, target: None)
    with pytest.raises(ConfigError, match=r"call fit\(names, counts\) first"):
        check_balanced(assemble(config_of(tmp_path, 'class_weights = "balanced"'), StopFlag()).trained.loss)


def test_a_model_folder_remembers_the_classes(tmp_path: Path) -> None:
    job = assemble(config_of(tmp_path, 'class_weights = "balanced"'), StopFlag())
    store = job.model.store
    files = trained.to_files(job.trained, store.named(store.values), {})
    check_balanced(trained.from_files(files, tmp_path).loss)


@pytest.mark.parametrize(
    "setting", ['class_weights = "balanced"', 'class_weights = {"rare": 3}', "class_weights = [1, 2]"]
)
def test_class_weights_can_be_inspected(tmp_path: Path, setting: str) -> None:
    assert np.isfinite(inspect(config_of(tmp_path, setting)).loss)


@pytest.mark.parametrize("run", [inspect, lambda config: assemble(config, StopFlag())], ids=["inspect", "assemble"])
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('class_weights = {"rear": 3}', r"stdin:18: loss.class_weights: .*got 'rear'\. Did you mean rare\?"),
        ("class_weights = [1, 2, 3]", r"stdin:18: loss.class_weights: .*3 class_weights do not fit 2 classes"),
        (
            'names = ["rare", "often"]',
            r"stdin:18: loss.names: .*in their order, \['often', 'rare'\], got \['rare', 'often'\]",
        ),
    ],
)
def test_weights_of_other_classes_are_refused_at_their_section(
    tmp_path: Path, run: Any, setting: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(config_of(tmp_path, setting))


@pytest.mark.parametrize(
    ("layer", "loss", "message"),
    [
        ("Sigmoid.v1", "BinaryCrossentropy.v1", r"takes logits, but the model ends in Sigmoid.v1: end it in Linear.v1"),
        ("Softmax.v1", "BinaryCrossentropy.v1", r"cannot follow Softmax.v1"),
        ("Linear.v1", "CategoricalCrossentropy.v3", r"ends in Linear.v1: end it in Softmax.v1$"),
        ("Linear.v1", "Focal.v1", r"ends in Linear.v1: end it in Softmax.v1, or set from_logits = true$"),
    ],
)
def test_a_loss_that_does_not_fit_the_outputs_is_refused(tmp_path: Path, layer: str, loss: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        assemble(config_of(tmp_path, "", layer, loss), StopFlag())


def test_rows_of_one_class_are_refused(tmp_path: Path) -> None:
    config = config_of(tmp_path, "")
    (tmp_path / "rows.csv").write_text("x,kind\n1,often\n2,often\n")
    for look in (inspect, lambda config: assemble(config, StopFlag())):
        with pytest.raises(ConfigError, match=r"target\.column: every training row has the label 'often': there is"):
            look(config)


def test_the_first_of_several_metrics_decides_which_model_is_best(tmp_path: Path) -> None:
    metrics = "".join(f'\n[metrics.{name}]\n@metrics = "accuracy.v1"\n' for name in ("second", "first"))
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    text = TEXT.format(path=path, setting="", layer="Softmax.v1", loss="CategoricalCrossentropy.v4")
    job = assemble(read_run_config("-", stdin=text + metrics), StopFlag())
    assert job.monitor.weights == {"second": 1.0}
    assert job.monitor.names == ("second", "first")
