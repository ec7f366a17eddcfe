"""A function that gives a module of another library where a layer stands."""

import re

import pytest
from engine_runs import CODE, call

from trainer_cli.api import flax_pair, registry
from trainer_cli.errors import ArgumentError
from trainer_cli.extras import bare


def torch_module():
    return pytest.importorskip("torch").nn.Linear(2, 2)


def flax_module():
    pytest.importorskip("flax")
    from flax import linen

    return linen.Dense(2)


def equinox_module():
    equinox = pytest.importorskip("equinox")
    return equinox.nn.Linear(2, 2, key=pytest.importorskip("jax").random.key(0))


def thinc_model():
    pytest.importorskip("thinc")
    from thinc.api import Linear

    return Linear()


def pair():
    return (lambda rng, X: {}, lambda params, X, is_train, rng: X)


@pytest.mark.parametrize(
    ("make", "what", "wrapper", "adapter"),
    [
        (torch_module, "the PyTorch module Linear", "PyTorchWrapper.v1", ""),
        (flax_module, "the Flax module Dense", "JAXWrapper.v1", ", whose function returns flax_pair(module)"),
        (equinox_module, "the Equinox module Linear", "JAXWrapper.v1", ", whose function returns equinox_pair(module)"),
        (thinc_model, "a thinc Model", "ThincWrapper.v1", ""),
        (pair, "a pair of functions", "JAXWrapper.v1", ""),
    ],
)
def test_it_is_told_its_wrapper(make, what, wrapper, adapter):
    told = f'returned {what}, which is no layer by itself: write @layers = "{wrapper}" here and '
    assert bare(make(), "net.v1", "model") == f'{told}@layers = "net.v1" in [model.module]{adapter}'


@pytest.mark.parametrize("made", [3, object, (1, 2), [pair, pair]])
def test_nothing_is_said_of_others(made):
    assert bare(made, "net.v1", "model") == ""


@pytest.mark.parametrize(
    ("library", "wrapper"), [("torch", "PyTorchWrapper.v1"), ("jax", "JAXWrapper.v1"), ("thinc", "ThincWrapper.v1")]
)
def test_a_slip_of_the_function_is_told_with_the_remedy(library, wrapper):
    pytest.importorskip(library)
    wrap = registry.get("layers", wrapper)
    for module, told in (
        (None, "got None: does the function return what it makes?"),
        (list, "got the class list: return one that is made, list(...)"),
        (3, "got an int"),
    ):
        with pytest.raises(ArgumentError, match=f"^{wrapper}: module must be .*{re.escape(told)}$"):
            wrap(module)


def test_a_module_of_flax_nnx_is_told_how_it_can_be_brought():
    nnx = pytest.importorskip("flax.nnx")
    with pytest.raises(
        ArgumentError, match=r"got a Linear of flax\.nnx: write it in flax\.linen, or the pair yourself"
    ):
        flax_pair(nnx.Linear(2, 2, rngs=nnx.Rngs(0)))


MODULE = '@layers = "PyTorchWrapper.v1"\n\n[model.module]\n@layers = "net.v1"\n'
ALONE = '@layers = "net.v1"\n'
CHAIN = '@layers = "chain.v1"\n\n[model.*.first]\n@layers = "net.v1"\n\n[model.*.last]\n@layers = "Linear.v1"\n'


@pytest.mark.parametrize(
    ("model", "place"), [(ALONE, "run.cfg:18: model: net.v1"), (CHAIN, r"run.cfg:21: model.*.first: net.v1")]
)
def test_a_run_is_told_at_the_section(torch_folder, model, place):
    pytest.importorskip("torch")
    config = torch_folder / "run.cfg"
    config.write_text(config.read_text().replace(MODULE, model))
    said = call("debug-config", "run.cfg", *CODE, code=2)
    assert said.startswith(f"{place} returned the PyTorch module Net, which is no layer by itself: write @layers = ")
    assert said.count("\n") == 1


def test_a_module_that_is_missing_is_asked_for_as_a_section(torch_folder):
    pytest.importorskip("torch")
    config = torch_folder / "run.cfg"
    config.write_text(config.read_text().replace(MODULE, '@layers = "PyTorchWrapper.v1"\n'))
    said = call("debug-config", "run.cfg", *CODE, code=2)
    assert "model.module: is missing: PyTorchWrapper.v1 needs it, as a section [model.module]" in said
