"""A config that names a part of a library that is not installed: one line, with its place and what to type."""

import re
import sys

import pytest
from commands import call

MODEL = """[model]
@layers = "{wrapper}.v1"

[model.module]
@layers = "mine.v1"

[loss]"""

CODE = """{above}
from trainer_cli.api import registry


@registry.layers("mine.v1")
def mine():
    {within}
"""

LIBRARIES = [("PyTorchWrapper", "torch"), ("JAXWrapper", "jax"), ("ThincWrapper", "thinc")]


@pytest.fixture(params=LIBRARIES, ids=[wrapper for wrapper, _ in LIBRARIES])
def missing(request, folder, monkeypatch):
    """A config of a wrapped module whose library is not there; the wrapper and the library."""
    wrapper, library = request.param
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    text = (folder / "run.cfg").read_text()
    (folder / "run.cfg").write_text(re.sub(r"\[model\].*?\[loss\]", MODEL.format(wrapper=wrapper), text, flags=re.S))
    return wrapper, library


def told(folder, command, above="", within="return None"):
    (folder / "mine.py").write_text(CODE.format(above=above, within=within))
    words = ("--output", "run") if command == "train" else ()
    return call(command, "run.cfg", "--code", "mine.py", *words, code=2).stderr


def line_of(folder, text):
    return (folder / "run.cfg").read_text().splitlines().index(text) + 1


@pytest.mark.parametrize("command", ["debug-config", "train"])
def test_a_file_that_imports_it_is_told_at_the_line_of_the_wrapper(folder, missing, command):
    wrapper, library = missing
    line = line_of(folder, f'@layers = "{wrapper}.v1"')
    said = told(folder, command, above=f"import {library}")
    assert (
        said == f"run.cfg:{line}: model.@layers: {wrapper}.v1 needs {library}: pip install 'trainer-cli[{library}]'\n"
    )


def test_a_function_that_imports_it_is_told_at_its_section(folder, missing):
    library = missing[1]
    line = line_of(folder, "[model.module]")
    said = told(folder, "debug-config", within=f"import {library}")
    assert said == f"run.cfg:{line}: model.module: mine.v1 needs {library}: pip install 'trainer-cli[{library}]'\n"


def test_a_wrapper_alone_is_told_at_its_section(folder, missing):
    wrapper, library = missing
    said = told(folder, "debug-config")
    assert said.startswith(f"run.cfg:{line_of(folder, '[model]')}: model: ")
    assert said.endswith(f"{wrapper}.v1 needs {library}: pip install 'trainer-cli[{library}]'\n")


@pytest.mark.parametrize("command", ["debug-config", "train"])
def test_a_file_that_imports_it_beside_a_config_that_names_nothing_of_it_is_told_at_its_own_line(
    folder, monkeypatch, command
):
    monkeypatch.setitem(sys.modules, "torch", None)
    said = told(folder, command, above="import torch")
    assert said == "mine.py:1: needs torch: pip install 'trainer-cli[torch]'\n"
