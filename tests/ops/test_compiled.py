"""Where machine code is kept: in a folder of this user alone, or nowhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from trainer_cli.ops import compiled
from trainer_cli.ops.compiled import ForgivingCache, cache_folder, is_private


def environ(base: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(base), "HOME": "/nonexistent"}


def test_the_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    folder = cache_folder(environ(tmp_path / "cache"))
    assert folder == tmp_path / "cache" / "trainer-cli" / f"numba-{numba.__version__}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert cache_folder(environ(tmp_path / "cache")) == folder


def test_without_xdg_the_folder_is_in_the_home(tmp_path: Path) -> None:
    folder = cache_folder({"HOME": str(tmp_path)})
    assert folder is not None
    assert folder.parent == tmp_path / ".cache" / "trainer-cli"


@pytest.mark.parametrize(
    "variables", [{}, {"HOME": ""}, {"HOME": "relative"}, {"XDG_CACHE_HOME": "a/b", "HOME": "/tmp"}]
)
def test_without_an_absolute_folder_there_is_none(variables: dict[str, str]) -> None:
    assert cache_folder(variables) is None


def test_a_home_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert cache_folder({"HOME": str(tmp_path / "file")}) is None


def check_refused(base: Path) -> None:
    assert cache_folder(environ(base)) is None, "a folder that others can write was taken"


def plant(base: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = base / "trainer-cli"
    if kind == "link":
        (base / "elsewhere").mkdir(parents=True, mode=0o700)
        folder.symlink_to(base / "elsewhere")
    elif kind == "open to others":
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    elif kind == "someone else's":
        folder.mkdir(parents=True, mode=0o700)
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    elif kind == "in a folder that all can write":
        base.mkdir()
        base.chmod(0o777)


KINDS = ["link", "open to others", "someone else's", "in a folder that all can write"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_others_may_write_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path / "cache", kind, monkeypatch)
    check_refused(tmp_path / "cache")


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_left_out_is_found(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path / "cache", kind, monkeypatch)
    monkeypatch.setattr(compiled, "is_private", lambda folder: True)
    monkeypatch.setattr(compiled, "writable_by_all", lambda folder: False)
    with pytest.raises(AssertionError, match="was taken"):
        check_refused(tmp_path / "cache")


def test_a_sticky_folder_like_tmp_will_do(tmp_path: Path) -> None:
    base = tmp_path / "cache"
    base.mkdir()
    base.chmod(0o1777)
    folder = cache_folder(environ(base))
    assert folder is not None
    assert is_private(folder)


# The cache itself


def increment(x: Any) -> Any:
    return x + 1


def compile_in(folder: Path) -> tuple[int, int]:
    """Compile `increment` with its cache in `folder`; how many signatures came from the cache, and were compiled."""
    kernel: Any = numba.njit(increment)
    kernel._cache = ForgivingCache(increment, folder)
    assert kernel(np.float32(1)) == 2
    return sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values())


def test_a_second_process_finds_the_machine_code(tmp_path: Path) -> None:
    assert compile_in(tmp_path) == (0, 1)
    assert compile_in(tmp_path) == (1, 0)


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [b"", b"\x80\x05damaged"])
def test_a_damaged_cache_is_made_anew(suffix: str, damage: bytes, tmp_path: Path) -> None:
    compile_in(tmp_path)
    (file,) = tmp_path.rglob(f"*.{suffix}")
    file.write_bytes(damage)
    assert compile_in(tmp_path) == (0, 1)
    assert compile_in(tmp_path) == (1, 0)


def test_a_full_disk_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    kernel: Any = numba.njit(increment)
    cache: Any = ForgivingCache(increment, tmp_path)
    monkeypatch.setattr(cache._cache, "save_overload", full)
    kernel._cache = cache
    assert kernel(np.float32(1)) == 2


def test_a_users_own_compiled_functions_keep_their_place(tmp_path: Path) -> None:
    settings: Any = numba.config
    before = settings.CACHE_DIR
    ForgivingCache(increment, tmp_path)
    assert before == settings.CACHE_DIR


def test_without_a_folder_kernels_are_compiled_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "FOLDER", None)
    kernel: Any = compiled.compiled(increment)
    assert kernel(np.float32(1)) == 2
    assert kernel._cache.cache_path is None
