"""First numbers of a model from a file, a run or a model folder."""

import json
import re
import shutil

import numpy as np
import pytest
from run_fakes import Silent, config_of, outcome_of, train, train_until

from trainer_cli import tensors, weights
from trainer_cli.api import Linear, Model, chain
from trainer_cli.assembly import assemble
from trainer_cli.config.sections import InitFrom
from trainer_cli.errors import ArgumentError, ConfigError
from trainer_cli.lookup import find
from trainer_cli.signals import StopFlag
from trainer_cli.wrappers.engine import Engine


@pytest.fixture
def first(data):
    """A run of 20 steps, whose folder is `first`."""
    train_until(20, config_of(data), data / "first")
    return data / "first"


def params(folder):
    return tensors.from_bytes(find(folder).files["params.safetensors"])


def begun(data, *overrides):
    """The numbers that a run begins with."""
    return assemble(config_of(data, *overrides), StopFlag()).model.store.learnt()


def same(one, other):
    assert one.keys() == other.keys()
    return all(np.array_equal(one[name], other[name]) for name in one)


def test_a_run_begins_with_the_numbers_of_another(data, first):
    assert same(begun(data, "--training.init_from", first), params(first))
    assert same(begun(data, "--training.init_from", first / "model-last"), params(first / "model-last"))
    assert not same(begun(data), params(first))


def test_a_run_begins_with_the_numbers_of_a_file(data, first):
    (data / "w.safetensors").write_bytes(tensors.to_bytes(params(first)))
    assert same(begun(data, "--training.init_from", data / "w.safetensors"), params(first))


def test_only_some_layers_take_their_numbers(data, first):
    drawn, given = begun(data), params(first)
    found = begun(data, "--training.init_from", json.dumps({"path": str(first), "only": ["hidden"]}))
    assert np.array_equal(found["hidden.W"], given["hidden.W"])
    assert np.array_equal(found["output.W"], drawn["output.W"])
    assert not np.array_equal(found["output.W"], given["output.W"])


def test_of_a_part_the_rest_of_the_file_may_be_anything(data, first):
    arrays = params(first) | {"output.W": np.zeros((9, 9), np.float32), "more": np.zeros(1)}
    (data / "w.safetensors").write_bytes(tensors.to_bytes(arrays))
    section = json.dumps({"path": str(data / "w.safetensors"), "only": ["hidden.W"]})
    assert np.array_equal(begun(data, "--training.init_from", section)["hidden.W"], arrays["hidden.W"])


def refused(data, arrays, match, **section):
    (data / "w.safetensors").write_bytes(tensors.to_bytes(arrays))
    given = {"path": str(data / "w.safetensors"), **section}
    with pytest.raises(ConfigError, match=match) as caught:
        begun(data, "--training.init_from", json.dumps(given))
    assert all(problem.where.startswith("--training.init_from") for problem in caught.value.problems)
    return str(caught.value)


def test_what_is_missing_and_superfluous_is_told_with_the_nearest(data, first):
    arrays = params(first)
    arrays["hiden.W"] = arrays.pop("hidden.W")
    found = refused(data, arrays, "the model's hidden.W is not in it. The nearest there is hiden.W")
    assert "it has hiden.W, which is no parameter of the model. The nearest is hidden.W" in found


def test_many_names_that_do_not_fit_are_counted(data, first):
    arrays = {f"other{i}": np.zeros(1, np.float32) for i in range(20)}
    assert "it has 15 more names that are none of the model" in refused(data, params(first) | arrays, "other0")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda W: W[:, :1], r"hidden.W has shape \(5, 1\), the model needs \(5, 2\)"),
        (lambda W: W.astype(np.int64), "hidden.W is int64, the model needs floats"),
        (lambda W: W * np.float32(np.nan), "hidden.W has numbers that are not finite"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(data, first, change, match):
    arrays = params(first)
    refused(data, arrays | {"hidden.W": change(arrays["hidden.W"])}, match)


def test_only_names_layers_of_the_model(data, first):
    refused(
        data, params(first), "only: the model has no layer or parameter 'hiden'. Did you mean hidden", only=["hiden"]
    )


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("absent.safetensors", "absent.safetensors: cannot be read: No such file"),
        ("w.pt", "w.pt: reading such a file could run code in it"),
        ("train.csv", "train.csv: a header of"),
    ],
)
def test_what_is_no_file_of_numbers_is_told_at_its_line(data, name, match):
    text = re.sub(r"(max_steps = 60)", rf'\1\ninit_from = "{data / name}"', config_text())
    with pytest.raises(ConfigError, match=match) as caught:
        assemble(config_of(data, text=text), StopFlag())
    assert caught.value.problems[0].line == text.splitlines().index(f'init_from = "{data / name}"') + 1 + ADDED


def config_text():
    from run_fakes import CONFIG

    return CONFIG


# The optimizer's section takes so many lines more than the braces that stand for it.
ADDED = __import__("run_fakes").ADAM.count("\n")


def test_a_resumed_run_needs_the_file_no_more(data, first):
    (data / "w.safetensors").write_bytes(tensors.to_bytes(params(first)))
    overrides = "--training.init_from", data / "w.safetensors"
    train(config_of(data, *overrides), data / "whole")
    train_until(30, config_of(data, *overrides), data / "run")
    (data / "w.safetensors").unlink()
    train(config_of(data, *overrides), data / "run", resume=True)
    assert outcome_of(data / "run") == outcome_of(data / "whole")
    facts = json.loads((data / "run" / "run.json").read_text())
    assert facts["init_from"]["path"] == str(data / "w.safetensors")
    assert facts["changes"] == []


def test_a_run_that_began_elsewhere_has_other_bits(data, first):
    train(config_of(data, "--training.init_from", first), data / "whole")
    train(config_of(data), data / "plain")
    assert outcome_of(data / "plain")["rows"] != outcome_of(data / "whole")["rows"]


def test_a_resume_sees_that_the_file_has_changed(data, first):
    arrays = params(first)
    (data / "w.safetensors").write_bytes(tensors.to_bytes(arrays))
    overrides = "--training.init_from", data / "w.safetensors"
    train_until(30, config_of(data, *overrides), data / "run")
    (data / "w.safetensors").write_bytes(tensors.to_bytes(arrays | {"hidden.W": arrays["hidden.W"] * 2}))
    with pytest.raises(ConfigError, match=r"training.init_from: its content has changed"):
        train(config_of(data, *overrides), data / "run", resume=True)
    with pytest.raises(ConfigError, match=r"training.init_from: is gone"):
        train(config_of(data), data / "run", resume=True)
    progress = Silent()
    train(config_of(data, *overrides), data / "run", resume=True, allow_changed=["data"], progress=progress)
    assert progress.warnings == ["other bits may follow: training.init_from: its content has changed"]


def test_the_same_file_elsewhere_is_no_change(data, first):
    shutil.copytree(first, data / "moved", symlinks=True)
    train_until(30, config_of(data, "--training.init_from", first), data / "run")
    shutil.rmtree(first)
    train(config_of(data, "--training.init_from", data / "moved"), data / "run", resume=True)


def test_other_layers_than_at_the_beginning_are_a_change_of_the_config(data, first):
    train_until(30, config_of(data, "--training.init_from", first), data / "run")
    section = json.dumps({"path": str(first), "only": ["hidden"]})
    with pytest.raises(ConfigError, match=r"training.init_from"):
        train(config_of(data, "--training.init_from", section), data / "run", resume=True)


# A wrapped module, without a library


class Tied(Engine):
    """A module whose state has `decoder.weight` as another name of `encoder.weight`, and not `cache`."""

    library = "A"

    def twin(self):
        return self

    def state_names(self, held):
        names = super().state_names([name for name in held if name != "module.cache"])
        return names | {"decoder.weight": "module.encoder.weight"}


def wrapped(n_before=0):
    def init(model, X, Y):
        model.set_param("module.encoder.weight", np.arange(4, dtype=np.float32))
        model.set_buffer("module.count", np.array(3, np.int64))
        model.set_buffer("module.cache", np.array(5, np.int64))

    module = Model(
        "wrapper",
        lambda model, X, is_train: (X, lambda dY: dY),
        init=init,
        params=("module.encoder.weight",),
        buffers=("module.count", "module.cache"),
        exact=("module.count", "module.cache"),
        attrs={"engine": Tied(None)},
    )
    layers = [Linear(2, 2).named(f"before{i}") for i in range(n_before)]
    model = chain(*layers, module.named("net"))
    return model.initialize(np.zeros((1, 2), np.float32))


def state(value=1.0):
    return {"encoder.weight": np.full(4, value, np.float32), "count": np.array(7, np.int64)}


def filled(model, arrays, only=()):
    weights.fill(model, arrays, InitFrom("w.safetensors", list(only)))
    return model.store.learnt()


def test_one_wrapped_module_is_written_with_the_names_of_its_state():
    found = weights.exported(wrapped())
    assert {name: (array.dtype.str, array.tolist()) for name, array in found.items()} == {
        "encoder.weight": ("<f4", [0, 1, 2, 3]),
        "decoder.weight": ("<f4", [0, 1, 2, 3]),
        "count": ("<i8", 3),
    }


def test_a_module_beside_other_layers_keeps_the_names_of_the_model():
    assert "net.module.encoder.weight" in weights.exported(wrapped(1))
    assert "before0.W" in weights.exported(wrapped(1))


@pytest.mark.parametrize("before", ["", "module.", "net.", "net.module."])
def test_a_wrapped_module_takes_its_state_with_and_without_prefix(before):
    found = filled(wrapped(), {f"{before}{name}": array for name, array in state().items()})
    assert found["net.module.encoder.weight"].tolist() == [1, 1, 1, 1]
    assert found["net.module.count"] == 7
    assert found["net.module.cache"] == 5  # the state of the module has none


def test_a_wrapped_module_takes_what_was_written():
    model = wrapped()
    model.store.values[:] = 9
    assert filled(wrapped(), weights.exported(model))["net.module.encoder.weight"].tolist() == [9, 9, 9, 9]


def test_tied_weights_may_come_under_any_of_their_names():
    arrays = state()
    arrays["decoder.weight"] = arrays.pop("encoder.weight")
    assert filled(wrapped(), arrays)["net.module.encoder.weight"].tolist() == [1, 1, 1, 1]


def test_tied_weights_that_differ_are_refused():
    with pytest.raises(ArgumentError, match=r"decoder.weight and encoder.weight are one parameter of the model"):
        filled(wrapped(), state() | {"decoder.weight": np.zeros(4, np.float32)})


def test_counts_keep_their_kind():
    with pytest.raises(ArgumentError, match="count is float32, the model needs int64"):
        filled(wrapped(), state() | {"count": np.array(7, np.float32)})


def test_a_module_in_a_model_takes_a_file_of_its_own():
    found = filled(wrapped(1), state() | {"head.weight": np.zeros(3, np.float32)}, only=["net"])
    assert found["net.module.encoder.weight"].tolist() == [1, 1, 1, 1]
    with pytest.raises(ArgumentError, match=r"the model's before0.W is not in it"):
        filled(wrapped(1), state())


def test_a_file_that_changes_nothing_leaves_the_model_as_it_is_after_a_mistake():
    model = wrapped()
    before = {name: array.copy() for name, array in model.store.learnt().items()}
    with pytest.raises(ArgumentError):
        filled(model, state() | {"other": np.zeros(1, np.float32)})
    assert same(model.store.learnt(), before)
