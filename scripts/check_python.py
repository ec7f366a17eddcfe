"""Stop with one clear line where Python is too old; runs on any Python 3."""

import sys

if sys.version_info < (3, 11):
    sys.exit("trainer needs Python 3.11 or newer, this is %d.%d: run `make PYTHON=python3.11 ...`" % sys.version_info[:2])
