"""The script that kills, which nobody else runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from killing import ENVIRONMENT

pytest.importorskip("ray")


def test_the_torture_kills_a_worker_and_a_driver_and_writes_down_that_the_bits_are_the_same(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- torture -->\nold\n<!-- end -->\nafter\n")
    script = Path(__file__).with_name("torture.py")
    words = [sys.executable, str(script), "--kills", "2", "--page", str(page)]
    done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found = page.read_text()
    assert found.startswith("before\n<!-- torture -->\n| what |")
    assert found.endswith("<!-- end -->\nafter\n")
    assert "| kills in all | 2 |" in found
    assert "| runs with the bits of an undisturbed one | 1 of 1 |" in found
