"""Each snippet of docs/seed-page.md as a doctest; a snippet goes on from those above it on the page."""

import doctest
import re
import sys
from functools import cache
from pathlib import Path

import catalogue
import pytest

PAGE = Path(__file__).parent.parent / "docs" / "seed-page.md"
PARTS = re.split(r"^(## .*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
SNIPPETS = [
    (heading.removeprefix("## "), code)
    for heading, text in zip(PARTS[1::2], PARTS[2::2], strict=True)
    for code in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
]
NAMES = [f"{index}-{heading}" for index, (heading, _) in enumerate(SNIPPETS)]


@pytest.fixture(autouse=True, scope="module")
def _registry_as_before():
    before = dict(catalogue.REGISTRY)
    yield
    catalogue.REGISTRY.clear()
    catalogue.REGISTRY.update(before)


@cache
def after(index):
    """What is defined once the snippets up to `index` have run, and what the last one printed that it should not."""
    names = dict(after(index - 1)[0]) if index else {}
    heading, code = SNIPPETS[index]
    test = doctest.DocTestParser().get_doctest(code, names, f"{heading} {index}", str(PAGE), 0)
    complaints = []
    doctest.DocTestRunner(verbose=False).run(test, out=complaints.append, clear_globs=False)
    return test.globs, "".join(complaints)


@pytest.mark.parametrize("index", range(len(SNIPPETS)), ids=NAMES)
def test_snippet_runs_as_the_page_says(index):
    assert after(index)[1] == ""


def test_a_wrong_snippet_is_seen(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SNIPPETS", [("planted", ">>> 1 + 1\n3\n")])
    assert "Expected:\n    3\nGot:\n    2" in after.__wrapped__(0)[1]
