"""Stop with one clear line where Python is too old; runs on any Python 3."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - it is here for the versions that pyproject.toml rules out
    sys.exit("trainer needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")
