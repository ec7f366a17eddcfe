"""Kill workers and drivers of runs under Ray at random moments, compare the bits, and write the counts into the docs.

python tests/cluster/torture.py [--kills 100] [--seed 0] [--page docs/reliability.md]
"""

import argparse
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "run"))

from cluster_runs import cluster_for_all, trained
from killing import SLOW, Kills, run_with_kills
from run_fakes import CONFIG, PARTS, config_of, import_parts, outcome_of, write_data

ROOT = Path(__file__).resolve().parents[2]
TABLE = re.compile(r"(?<=<!-- torture -->\n).*?(?=<!-- end -->)", re.DOTALL)
# One run has so many processes killed at most, and one in so many is a driver.
KILLS, DRIVERS = 20, 5


def one_run(ray: object, numbers: random.Random, n_kills: int) -> tuple[Kills, bool]:
    """What was killed in one run, and whether its bits are those of the run that nobody has disturbed."""
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    text = CONFIG.replace("[model.*.hidden]", '[model.*.slow]\n@layers = "slow.v1"\n\n[model.*.hidden]')
    write_data(folder)
    (folder / "parts.py").write_text(PARTS + SLOW)
    import_parts(folder)
    alone = trained(folder, 0, text=text)
    (folder / "slow").write_text("0.25")
    config_of(folder, text=text)
    address = ray.get_runtime_context().gcs_address  # type: ignore[attr-defined]
    n_drivers = -(-n_kills // DRIVERS)
    kills = run_with_kills(folder, address, numbers, n_drivers, n_kills - n_drivers)
    same = outcome_of(folder / "run") == outcome_of(alone)
    shutil.rmtree(folder)
    return kills, same


def rows(workers: Counter[str], n_drivers: int, n_same: int, n_runs: int, seconds: float) -> str:
    lines = ["| what | number |", "| --- | ---: |"]
    lines += [f"| workers killed {work} | {n} |" for work, n in sorted(workers.items())]
    lines += [
        f"| drivers killed, and resumed | {n_drivers} |",
        f"| kills in all | {workers.total() + n_drivers} |",
        f"| runs with the bits of an undisturbed one | {n_same} of {n_runs} |",
        f"| longest time that workers outlived their driver | {seconds:.1f} s |",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "reliability.md")
    given = parser.parse_args()
    workers, n_drivers, n_same, n_runs, seconds = Counter[str](), 0, 0, 0, 0.0
    numbers = random.Random(given.seed)
    with cluster_for_all() as ray:
        while workers.total() + n_drivers < given.kills:
            kills, same = one_run(ray, numbers, min(KILLS, given.kills))
            workers += kills.workers
            n_drivers, n_runs, n_same = n_drivers + kills.drivers, n_runs + 1, n_same + same
            seconds = max(seconds, kills.seconds)
            table = rows(workers, n_drivers, n_same, n_runs, seconds)
            given.page.write_text(TABLE.sub(table, given.page.read_text()))
            print(table, flush=True)
    if n_same < n_runs:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
