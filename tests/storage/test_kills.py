import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from storage_fakes import equal, is_the_one, make

from trainer_cli import checkpoint, output

HERE = Path(__file__).parent
STRIDE = os.environ.get("KILL_STRIDE", "2")


def test_a_process_killed_at_any_storage_call_leaves_its_last_checkpoint_and_the_run_goes_on(tmp_path):
    command = [sys.executable, "-P", str(HERE / "killed_runs.py"), str(tmp_path), STRIDE]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    killed = json.loads(done.stdout)
    assert len(killed) > 150 // int(STRIDE)
    for at, (signal_number, acknowledged) in killed.items():
        assert signal_number == signal.SIGKILL
        with output.claim(tmp_path / at, resume=True, overwrite=False) as lock:
            found = checkpoint.newest(lock.folder, lock).checkpoint
            if acknowledged or found:
                assert is_the_one(found)
                assert found.state["version"] >= acknowledged
            names = os.listdir(lock.folder) + os.listdir(checkpoint.save(lock.folder, make(300)).parent)
            assert not [name for name in names if name.startswith((".tmp", ".dead", ".was"))]
            assert equal(checkpoint.newest(lock.folder).checkpoint, make(300))
