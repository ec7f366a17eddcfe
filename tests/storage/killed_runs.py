"""Play the small run once for each storage call, killed at that call; prints what each had acknowledged, as JSON.

Runs in a process of its own with one thread, so that forking is safe: killed_runs.py FOLDER STRIDE
"""

import json
import os
import sys
from pathlib import Path

from storage_fakes import Killer, play

from trainer_cli import output, storage


def child(run_dir, at, pipe):
    storage.os = Killer(at)
    with output.claim(run_dir, resume=False, overwrite=False):
        play(run_dir, lambda version: os.write(pipe, b"%d " % version))


def main(folder, stride):
    results = {}
    for at in range(1, 10_000, stride):
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            child(folder / str(at), at, theirs)
            os._exit(0)
        os.close(theirs)
        with open(ours) as pipe:
            acknowledged = [int(word) for word in pipe.read().split()]
        status = os.waitpid(pid, 0)[1]
        if status == 0:
            break
        results[at] = (os.WTERMSIG(status), max(acknowledged, default=0))
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
