"""The pictures of docs/ are what scripts/make_pictures.py draws, to the byte where matplotlib is the same."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from trainer_cli import picture

matplotlib = pytest.importorskip("matplotlib")

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_pictures", ROOT / "scripts" / "make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(folder: Path) -> None:
    script().main(folder)
    assert {path.name for path in folder.iterdir()} == {path.name for path in IMAGES.iterdir()}
    for path in sorted(folder.iterdir()):
        found, kept = path.read_text(encoding="utf-8"), (IMAGES / path.name).read_text(encoding="utf-8")
        assert titles(found) == titles(kept)
        # Another version of matplotlib may set the same picture otherwise.
        if f"Matplotlib v{matplotlib.__version__}," in kept:
            assert found == kept, "the pictures differ: run scripts/make_pictures.py"


def titles(svg: str) -> list[str]:
    """The lines above the panels, and what their axes count."""
    return [text for text in re.findall(r">([^<>\n]+)</text>", svg) if re.search("[a-z]{3}", text)]


def test_the_pictures_are_those_of_the_script(tmp_path: Path) -> None:
    check(tmp_path)


def test_they_show_the_two_schedules_of_the_page() -> None:
    found = [title for path in sorted(IMAGES.glob("*.svg")) for title in titles(path.read_text(encoding="utf-8"))]
    assert "batch_size = compounding(1.0, 16.0, 1.001)" in found
    assert "first 1, last 16, largest 16 at step 2,774" in found
    assert "optimizer.learn_rate = my_schedule()" in found
    assert "first 0.001, last 0.001, largest 0.1 at step 2" in found


def test_a_picture_that_differs_from_run_to_run_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = (IMAGES / "schedules_custom1.svg").read_text(encoding="utf-8")
    if f"Matplotlib v{matplotlib.__version__}," not in kept:
        pytest.skip("bytes are compared under the same matplotlib alone")
    monkeypatch.setitem(picture.SETTINGS, "svg.hashsalt", None)
    with pytest.raises(AssertionError, match="the pictures differ"):
        check(tmp_path)


def test_the_users_own_style_changes_nothing(tmp_path: Path) -> None:
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "path"}):
        check(tmp_path)
        assert matplotlib.rcParams["font.size"] == 30
