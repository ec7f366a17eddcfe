"""From any config to objects."""

from __future__ import annotations

import copy
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import catalogue
import pytest

from trainer_cli.config import Config, load_text, registry
from trainer_cli.config.annotations import plain_type
from trainer_cli.config.parameters import signature_of
from trainer_cli.config.plan import Planner
from trainer_cli.errors import ArgumentError, ConfigError, DataError
from trainer_cli.registry import Registry
from trainer_cli.registry import registry as ground
from trainer_cli.schedules.schedule import Schedule
from trainer_cli.trained import KINDS as MODEL_PARTS

from .conftest import Colour, Layer, Made, Optimizer, Window, everything

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]

MODEL = """
[model]
@layers = "test_chain.v1"
[model.*.first]
@layers = "test_residual.v1"
[model.*.first.layer]
@layers = "test_dense.v1"
[model.*.second]
@layers = "test_dense.v1"
nO = 3
"""


def register(monkeypatch: pytest.MonkeyPatch, kind: str, name: str, part: Any) -> None:
    monkeypatch.setitem(catalogue.REGISTRY, ("trainer_cli", kind, name), part)


def resolve(text: str, **options: Any) -> dict[str, Any]:
    return registry.resolve(load_text(text, "x.cfg"), **options)


def mistakes(text: str, **options: Any) -> list[str]:
    with pytest.raises(ConfigError) as err:
        resolve(text, **options)
    return [line.removeprefix("x.cfg:") for line in str(err.value).split("\n")]


def test_a_fragment_resolves_to_a_dict_of_objects_nested_as_it_is() -> None:
    found = resolve('[a]\nx = 1\n[a.b]\n@losses = "test_loss.v1"\nsmoothing = 1\n[c]\nd = {"e": [null]}\n')
    assert found == {"a": {"x": 1, "b": Made({"smoothing": 1.0})}, "c": {"d": {"e": [None]}}}
    assert type(found["a"]["b"].given["smoothing"]) is float


def test_the_pages_example_resolves() -> None:
    config = Config().from_str('[batch_size]\n@schedules = "test_rise.v1"\ninitial_rate = 1.0\nwarmup_steps = 2\n')
    assert next(registry.resolve(config)["batch_size"]) == 0.0


def test_layers_get_the_names_of_their_blocks() -> None:
    model = resolve(MODEL)["model"]
    assert [layer.name for layer in model.layers] == ["first", "second"]
    assert [layer.name for layer in model.layers[0].layers] == ["layer"]
    assert model.name == ""


def test_a_plain_generator_becomes_a_schedule_where_one_is_expected() -> None:
    text = '[o]\n@optimizers = "test_adam.v1"\n[o.learn_rate]\n@schedules = "test_user.v1"\nvalues = [1.0, 2.0]\n'
    rate = resolve(text)["o"].learn_rate
    assert isinstance(rate, Schedule)
    assert [rate(step) for step in (0, 1, 2, 0)] == [1.0, 2.0, 1.0, 1.0]


def test_a_copied_section_makes_an_object_for_each_use() -> None:
    block = '[s]\n@schedules = "test_rise.v1"\ninitial_rate = 1\nwarmup_steps = 1\n'
    found = resolve(f"{block}[a]\none = ${{s}}\ntwo = ${{s}}\n")["a"]
    assert found["one"] is not found["two"]


def test_blocks_inside_lists_and_values_are_called() -> None:
    text = """
[x]
@encoders = "test_everything.v1"
layers = [{"@layers": "test_dense.v1", "nO": 2}, ${dense}]
window = {"width": 3.0}
windows = [{"width": 1}, {"width": 2, "stride": 2}]
[dense]
@layers = "test_dense.v1"
"""
    given = resolve(text)["x"].given
    assert given["layers"] == [Layer(2), Layer(None)]
    assert given["window"] == Window(3, 1)
    assert given["windows"] == [Window(1), Window(2, 2)]


def test_a_dataclass_can_be_a_section() -> None:
    text = '[x]\n@encoders = "test_everything.v1"\n[x.window]\nwidth = 2\nstride = 3\n'
    assert resolve(text)["x"].given["window"] == Window(2, 3)


def test_values_arrive_with_their_annotated_types() -> None:
    text = """
[x]
@encoders = "test_everything.v1"
whole = 3.0
real = 1
path = "a/b"
pair = [1, 2]
words = ["a", "b"]
table = {"a": 1}
rate = [0.1, 0.2]
colour = "green"
function = null
extra = 4
"""
    wrong = mistakes(text)
    assert wrong == ["12: x.function: expected a function, got null"]
    given = resolve(text.replace("function = null\n", ""))["x"].given
    assert (given["whole"], given["path"], given["pair"]) == (3, Path("a/b"), (1, 2.0))
    assert (given["words"], given["table"], given["colour"], given["extra"]) == (
        {"a", "b"},
        {"a": 1.0},
        Colour.GREEN,
        4,
    )
    assert [type(given[name]) for name in ("whole", "real", "rate")] == [int, float, Schedule]


EVERYTHING = '[x]\n@encoders = "test_everything.v1"\n'
WIDTH = '3: x.windows[0].width: expected a whole number, got the text "3". Did you mean 3, without the quotes?'
DENSE = '[x]\n@layers = "test_dense.v1"\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{EVERYTHING}[x.window]\nwidht = 2\n", "4: x.window.widht: [x.window] has no key widht. Did you mean width?"),
        (f'{EVERYTHING}windows = [{{"width": "3"}}]\n', WIDTH),
        (f"{EVERYTHING}[x.window]\nstride = 2\n", "3: x.window.width: is missing: [x.window] needs it"),
        (f'{EVERYTHING}extra = "x"\n', '3: x.extra: expected a whole number, got the text "x"'),
        (f"{EVERYTHING}words = [1]\n", '3: x.words[0]: expected a text, got 1. Did you mean "1", in quotes?'),
        (
            f'{EVERYTHING}layers = [\n  {{"@layers": "test_dens.v1"}}]\n',
            "3: x.layers[0].@layers: no layers function is called 'test_dens.v1'. Did you mean test_dense.v1?",
        ),
        (f"{DENSE}* = [1, 2, 3]\n", "3: x.*[1]: test_dense.v1 takes at most 1 positional sections"),
        (f"{DENSE}* = 3\n", "3: x.*: expected a list or sections [x.*.name], got 3"),
        ('[x]\n@losses = "test_fails.v1"\nvalue = 1\n', "1: x: test_fails.v1 raised KeyError: 'inside'"),
    ],
)
def test_a_mistake_in_a_fragment_is_refused_at_its_line(text: str, line: str) -> None:
    assert mistakes(text) == [line]


def test_what_stands_in_a_block_of_an_unknown_function_is_checked_as_well() -> None:
    found = mistakes('[x]\n@layers = "yyy.v1"\n[x.y]\n@losses = "zzz.v1"\n')
    assert found[0].startswith("2: x.@layers: no layers function is called 'yyy.v1'")
    assert found[1].startswith("4: x.y.@losses: no losses function is called 'zzz.v1'")
    assert all(line.endswith("If it is your own, give its file with --code") for line in found)


def test_what_a_constructor_refuses_keeps_its_class_and_gets_the_line_of_the_argument() -> None:
    with pytest.raises(ArgumentError, match=r"^x.cfg:3: o.beta1: beta1 must be below 1, got 1.0$"):
        resolve('[o]\n@optimizers = "test_adam.v1"\nbeta1 = 1\n')
    with pytest.raises(DataError, match=r"^x.cfg:3: r.path: no file is there: gone.csv$"):
        resolve('[r]\n@readers = "test_reader.v1"\npath = gone.csv\n')


def test_what_several_constructors_refuse_comes_in_one_error() -> None:
    text = '[o]\n@optimizers = "test_adam.v1"\nbeta1 = 1\n[r]\n@readers = "test_reader.v1"\npath = gone.csv\n'
    assert mistakes(text) == ["3: o.beta1: beta1 must be below 1, got 1.0", "6: r.path: no file is there: gone.csv"]


def test_an_error_of_a_class_that_is_made_differently_is_placed_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    class OddError(DataError):
        def __init__(self, number: int):
            super().__init__(f"value is {number}")

    def odd(value: int) -> None:
        raise OddError(value)

    register(monkeypatch, "losses", "test_odd.v1", odd)
    with pytest.raises(DataError, match=r"^x.cfg:3: a.value: value is 7$"):
        resolve('[a]\n@losses = "test_odd.v1"\nvalue = 7\n')


def test_what_a_function_returns_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "schedules", "test_text.v1", lambda: "high")
    text = '[o]\n@optimizers = "test_adam.v1"\n[o.learn_rate]\n@schedules = "test_text.v1"\n'
    expected = 'test_text.v1 returned what does not fit: expected a number or a Schedule, got the text "high"'
    assert mistakes(text) == [f"3: o.learn_rate: {expected}"]


def test_a_dict_without_lines_is_checked_as_well_and_stays_as_it_is() -> None:
    config = {"o": {"@optimizers": "test_adam.v1", "learn_rate": {"@schedules": "test_user.v1", "values": [1]}}}
    before = copy.deepcopy(config)
    assert isinstance(registry.resolve(config)["o"], Optimizer)
    assert config == before
    with pytest.raises(ConfigError, match=r"^o.beta_1: test_adam.v1 has no argument beta_1. Did you mean beta1\?$"):
        registry.resolve({"o": {"@optimizers": "test_adam.v1", "beta_1": 1}})


def test_a_dict_may_hold_objects() -> None:
    def values():  # type: ignore[no-untyped-def]
        yield 0.5

    rate = registry.resolve({"o": {"@optimizers": "test_adam.v1", "learn_rate": values()}})["o"].learn_rate
    assert rate(0) == rate(9) == 0.5


def test_overrides_of_a_resolve_change_a_copy() -> None:
    config = Config().from_str('[o]\n@optimizers = "test_adam.v1"\nbeta1 = 0.5\n')
    assert registry.resolve(config, overrides={"o.beta1": 0.25})["o"].beta1 == 0.25
    assert config["o"]["beta1"] == 0.5
    with pytest.raises(
        ConfigError, match=r"^override: o.beta_1: test_adam.v1 has no argument beta_1. Did you mean beta1\?$"
    ):
        registry.resolve(config, overrides={"o.beta_1": 1})


def test_a_config_that_is_not_interpolated_is_filled_in_first() -> None:
    text = '[p]\nrate = 0.5\n[o]\n@optimizers = "test_adam.v1"\nbeta1 = ${p.rate}\n'
    assert registry.resolve(Config().from_str(text, interpolate=False))["o"].beta1 == 0.5


def test_a_function_cannot_stand_at_the_top() -> None:
    with pytest.raises(ConfigError, match="the top of a config holds sections, not a function"):
        registry.resolve({"@losses": "test_loss.v1"})


def test_a_saved_model_can_name_only_what_belongs_to_a_model() -> None:
    assert isinstance(resolve(MODEL, kinds=MODEL_PARTS)["model"], Layer)
    for kind, name in [("readers", "test_reader.v1"), ("loggers", "test_logger.v1"), ("optimizers", "test_adam.v1")]:
        text = f'[x]\n@losses = "test_fails.v1"\n[x.value]\n@{kind} = "{name}"\npath = x\n'
        [line] = mistakes(text, kinds=MODEL_PARTS)
        assert line.startswith("4: x.value.@")
        assert line.endswith(f"not @{kind}")


def test_a_saved_model_that_could_name_anything_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Planner.__init__

    def careless(planner: Planner, *args: Any) -> None:
        made(planner, *args[:2])

    monkeypatch.setattr(Planner, "__init__", careless)
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        test_a_saved_model_can_name_only_what_belongs_to_a_model()


def test_functions_of_every_shape_can_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        def __init__(self, x: int, /, y: float = 2, *rest: float, **more: float):
            self.given = (x, y, rest, more)

    class Callable_:  # noqa: N801
        def __call__(self, x: float) -> float:
            return x

    register(monkeypatch, "losses", "test_class.v1", Plain)
    register(monkeypatch, "losses", "test_object.v1", Callable_())
    register(monkeypatch, "losses", "test_partial.v1", functools.partial(Plain, 1))
    register(monkeypatch, "losses", "test_builtin.v1", dict)
    found = resolve(
        '[a]\n@losses = "test_class.v1"\nx = 1.0\n* = [1, 2]\nz = 3\n'
        '[b]\n@losses = "test_object.v1"\nx = 1\n'
        '[c]\n@losses = "test_partial.v1"\ny = 5\n'
        '[d]\n@losses = "test_builtin.v1"\nk = 1\n'
        '[e]\n@losses = "test_class.v1"\nx = 1\ny = 7\n* = [8]\n'
    )
    assert found["a"].given == (1, 1.0, (2.0,), {"z": 3.0})
    assert type(found["a"].given[0]) is int
    assert (found["b"], type(found["b"])) == (1.0, float)
    assert found["c"].given == (1, 5.0, (), {})
    assert found["d"] == {"k": 1}
    assert found["e"].given == (1, 7.0, (8.0,), {})


def test_annotations_that_cannot_be_evaluated_take_anything() -> None:
    def strange(x: Unknown, y: int = 1) -> Unknown:
        return x

    signature = signature_of(strange)
    assert plain_type(signature.named["x"].annotation) is Any
    assert signature.named["y"].annotation is int
    assert signature.returns is Any


def test_a_users_kind_of_parts_is_seen_by_both_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "kinds", dict(ground.kinds))
    monkeypatch.setattr(registry, "kinds", ground.kinds)
    ground.create("test_kind")

    @registry.test_kind("test_part.v1")
    def part(x: int) -> int:
        return x + 1

    assert resolve('[a]\n@test_kind = "test_part.v1"\nx = 1\n') == {"a": 2}
    assert ground.get("test_kind", "test_part.v1") is part
    with pytest.raises(AttributeError, match="no registry is called 'nothing'"):
        _ = registry.nothing


def test_a_base_registry_names_unknown_kinds_and_functions() -> None:
    with pytest.raises(ConfigError, match=r"no registry is called 'layer'. Did you mean layers\?"):
        Registry().get("layer", "x")
    assert not ground.has("nothing", "x")
    assert ground.layers.names() == ["test_chain.v1", "test_dense.v1", "test_residual.v1"]
    assert not ground.layers.is_built_in("test_dense.v1")


def test_filling_writes_every_default_that_a_config_can_hold() -> None:
    filled = registry.fill(Config().from_str('[x]\n@encoders = "test_everything.v1"\nwhole = 2\n'))
    assert filled == {
        "x": {
            "@encoders": "test_everything.v1",
            "whole": 2,
            "real": 1e-8,
            "flag": False,
            "word": "x",
            "path": "a/b",
            "pair": [1, 0.5],
            "words": None,
            "table": None,
            "rate": 0.1,
            "colour": "red",
            "window": None,
            "windows": None,
            "activation": "relu",
            "layers": None,
        }
    }
    assert registry.resolve(filled)["x"] == Made(everything(whole=2).given)
