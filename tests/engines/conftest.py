import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "run"))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))


@pytest.fixture(autouse=True)
def one_thread():
    """A second thread would wait for its turn on a busy machine."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    if torch:
        torch.set_num_threads(1)
    yield
    if torch:
        torch.set_num_threads(before)


@pytest.fixture
def tmp_path():
    """A folder that is gone at once: runs of these libraries are large."""
    folder = Path(tempfile.mkdtemp()).resolve()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def torch_folder(tmp_path, monkeypatch):
    """The current folder: that of a run of a PyTorch module."""
    from engine_runs import entered
    from torch_runs import write_files

    write_files(tmp_path)
    with entered(tmp_path, monkeypatch) as found:
        yield found
