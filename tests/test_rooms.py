"""Who may import whom: only downwards, and an engine only when a config names it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "trainer_cli"

# The rooms from the ground up, finer than one would draw them: what need not know of each other is told apart.
# A package stands for all of its modules; a room may use itself and those below.
ROOMS = {
    "ground": "registry arrays errors extras library_parts randomness json_text names folder",
    "maths": "schedules prefetch batches batchers balance ops initializers tree",
    "parts": "buffers node store model trace layers losses optimizers metrics tensors wrappers",
    "training": "epochs gradient_sum gradient loop evaluate",
    "files": "storage journal lock manifest checkpoint retention pointers output lookup",
    "setup": "config data profile proposal conversion loggers user_code threads signals streams "
    "curve picture text_plot",
    "jobs": "state table progress trained job backend",
    "checks": "weights word_vectors layer_watch kinds rehearsal watched placing sources pairing run_schedules "
    "short_batches",
    "plans": "loading assembly inspection predictions records spacy_documents class_counts mistakes assessment "
    "importance",
    "runs": "cluster provenance changes refusal saver snapshot run session cross_validation scoring",
    "sweeps": "sweep",
    "edge": "cli __main__ api",
}
RANKS = {name: rank for rank, names in enumerate(ROOMS.values()) for name in names.split()}


def modules():
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }


def imports(source):
    """What a module imports of this package, by the line; what is for type checkers alone does not count."""
    tree = ast.parse(source)
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "trainer_cli" and rest and not rest.startswith("__"):
                yield node.lineno, rest.split(".")[0]


def upward(name, source):
    """The imports of a module that lead up."""
    room = name.split(".")[0]
    return [f"{name}:{line} imports {other}" for line, other in imports(source) if RANKS[other] > RANKS[room]]


def test_every_module_has_a_room():
    rooms = {name.split(".")[0] for name in modules()} - {"__init__"}
    assert rooms <= set(RANKS), sorted(rooms - set(RANKS))


def test_imports_lead_only_downwards():
    found = [line for name, path in modules().items() if name != "__init__" for line in upward(name, path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from trainer_cli.run import Run",
        "from trainer_cli import run",
        "import trainer_cli.run",
        "def later():\n    from trainer_cli import run",
    ],
)
def test_the_check_sees_an_import_that_leads_up(source):
    line = source.count("\n") + 1
    assert upward("loop", source) == [f"loop:{line} imports run"]
    assert upward("cli.train", source) == []
    assert (
        upward("loop", f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {source.splitlines()[-1].strip()}")
        == []
    )


def imported_by(code):
    """The modules that are loaded after running some code in a new process."""
    script = f"import sys\n{code}\nprint('\\n' + ' '.join(sys.modules), file=sys.__stdout__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {
    "numpy",
    "numba",
    "rich",
    "tqdm",
    "confection",
    "torch",
    "jax",
    "thinc",
    "spacy",
    "ray",
    "safetensors",
    "srsly",
    "matplotlib",
}
HELP = """
import runpy
sys.argv = ["trainer", *{words}]
try:
    runpy.run_module("trainer_cli", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"], ["debug-config", "--help"]])
def test_help_imports_nothing_heavy(words):
    assert imported_by(HELP.format(words=words)) & HEAVY == set()


def test_the_package_imports_nothing():
    loaded = imported_by("import trainer_cli")
    assert {name for name in loaded if name.startswith("trainer_cli")} == {"trainer_cli"}
    assert loaded & {*HEAVY, "typer"} == set()


def test_engines_are_not_imported_by_the_public_names():
    assert (
        imported_by("import trainer_cli.api")
        & {"numba", "torch", "jax", "optax", "thinc", "spacy", "ray", "rich", "tqdm", "srsly"}
        == set()
    )


@pytest.mark.parametrize("first", ["wrappers.jax", "wrappers.pytorch", "wrappers.thinc", "layers.relu", "model"])
def test_a_module_may_be_the_first_one_imported(first):
    names = (
        "print([n in registry.layers for n in ('JAXWrapper.v1', 'PyTorchWrapper.v1', 'ThincWrapper.v1', 'Relu.v1')])"
    )
    loaded = imported_by(f"import trainer_cli.{first}\nfrom trainer_cli.registry import registry\n{names}")
    assert {"trainer_cli.layers", "trainer_cli.wrappers"} <= loaded
    assert loaded & {"torch", "jax", "thinc"} == set()


def test_the_check_sees_a_heavy_import():
    assert "numpy" in imported_by("import trainer_cli.arrays")


# What Python on Windows has not, of all that the package could name while it is imported.
WITHOUT_POSIX = """
import os, signal
sys.modules["fcntl"] = sys.modules["resource"] = None
for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "sysconf", "sched_getaffinity"):
    delattr(os, name)
del signal.SIGHUP, signal.SIGKILL
{code}
import importlib
for name in {names}:
    importlib.import_module(name)
"""


def test_every_module_can_be_imported_where_there_is_no_posix():
    names = [f"trainer_cli.{name}" for name in modules() if not name.endswith("__main__")]
    assert "trainer_cli.lock" in imported_by(WITHOUT_POSIX.format(code="", names=names))


def test_the_check_sees_an_import_that_needs_posix():
    with pytest.raises(subprocess.CalledProcessError):
        imported_by(WITHOUT_POSIX.format(code="import fcntl", names=[]))
