"""The examples in the docstrings of losses, metrics and schedules."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from trainer_cli import losses, metrics, schedules

MODULES = [f"{p.__name__}.{m.name}" for p in (losses, metrics, schedules) for m in pkgutil.iter_modules(p.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
