"""Fetch packages with the ordinary clients of their registries: apt-get, pip and npm."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

REMEDY = "give a folder with the files: --from FOLDER"


class GetDataError(Exception):
    """What went wrong, in one line."""


def debian(package: str, installed: Path, scratch: Path) -> Path:
    """The folder `installed` (from the root) of Debian's package: installed by root, else unpacked into `scratch`."""
    needs("apt-get", package)
    if os.geteuid() == 0:
        apt_get(["install", "--yes", "--no-install-recommends", package], scratch)
        return Path("/") / installed
    apt_get(["download", package], scratch)
    for archive in scratch.glob("*.deb"):
        run(["dpkg", "-x", archive.name, "."], scratch)
    return scratch / installed


def apt_get(arguments: list[str], folder: Path) -> None:
    """Run apt-get; where the package is not known yet, root renews the lists and tries again."""
    try:
        run(["apt-get", *arguments], folder)
    except GetDataError:
        if os.geteuid() != 0:
            raise
        run(["apt-get", "update"], folder)
        run(["apt-get", *arguments], folder)


def python_source(package: str, version: str, scratch: Path) -> Path:
    """The source archive of a Python package, downloaded into `scratch` by pip and not installed."""
    needs("pip", package)
    options = ["--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"]
    run(["pip", "download", *options, f"{package}=={version}"], scratch)
    return archive_in(scratch, package, "tar.gz")


def node_archive(package: str, version: str, scratch: Path) -> Path:
    """The archive of a Node package, downloaded into `scratch` by npm and not installed."""
    needs("npm", package)
    run(["npm", "pack", f"{package}@{version}"], scratch)
    return archive_in(scratch, package, "tgz")


def archive_in(folder: Path, package: str, suffix: str) -> Path:
    """The one archive of a package in a folder, whatever its version."""
    if not folder.is_dir():
        raise GetDataError(f"no folder is there: {folder}")
    found = sorted(folder.glob(f"{package}-*.{suffix}"))
    if len(found) != 1:
        raise GetDataError(f"{folder} holds {len(found)} files {package}-*.{suffix}, and one is needed")
    return found[0]


def members(content: bytes, what: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file in a packed tar archive, in its order; nothing is written anywhere."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError) as err:
        raise GetDataError(f"{what} cannot be read as an archive: {err}") from err


def check(content: bytes, sha256: str, what: str) -> bytes:
    """The content, if it is the one this script was written for."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise GetDataError(f"{what} is not what it was: sha256 {found}, and {sha256} was expected")
    return content


def needs(client: str, package: str) -> None:
    if shutil.which(client) is None:
        raise GetDataError(f"{client} is not here to fetch {package}; {REMEDY}")


def run(command: list[str], folder: Path) -> None:
    say(" ".join(command))
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GetDataError(f"{' '.join(command)} failed: {complaint(done.stderr, done.returncode)}; or {REMEDY}")


def complaint(stderr: str, code: int) -> str:
    """The line that tells most: the last that speaks of an error, else the last."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "e:", "npm err"))]
    # npm's last lines say where its log lies; its first says what was wrong.
    errors = errors[:1] if errors and errors[0].startswith("npm") else errors
    return (errors or lines or [f"exit code {code}"])[-1]


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
