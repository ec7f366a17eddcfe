"""What is wrong with [cluster] is told at its line, with Ray and without."""

import pytest
from run_fakes import config_of

from trainer_cli import run_schedules
from trainer_cli.assembly import assemble
from trainer_cli.cluster import ray
from trainer_cli.config.run_config import read_run_config
from trainer_cli.errors import ArgumentError, ConfigError
from trainer_cli.inspection import inspect
from trainer_cli.signals import StopFlag

LOOKS = [inspect, lambda config: assemble(config, StopFlag())]
SECTION = '\n[cluster]\n@clusters = "ray.v1"\nworkers = {workers}\n'


@pytest.fixture
def config(data, monkeypatch):
    """The config of a run with so many workers, in this folder."""
    monkeypatch.chdir(data)

    def made(workers, *overrides):
        path = data / "run.cfg"
        config_of(data)
        path.write_text(path.read_text() + SECTION.format(workers=workers))
        return read_run_config("run.cfg", overrides=[*map(str, overrides)])

    return made


@pytest.mark.parametrize("look", LOOKS)
def test_without_ray_a_cluster_of_it_is_refused_at_its_line(config, look, monkeypatch):
    monkeypatch.setattr(ray, "find_spec", lambda name: None)
    with pytest.raises(
        ArgumentError, match=r"^run\.cfg:\d+: cluster.*: ray\.v1 needs ray: pip install 'trainer-cli\[ray\]'"
    ):
        look(config(2))


@pytest.mark.parametrize("look", LOOKS)
def test_fewer_micro_batches_than_workers_are_refused(config, look, monkeypatch):
    monkeypatch.setattr(ray, "find_spec", lambda name: True)
    rule = "gives 1 micro-batch a step for 4 workers: set it to 4"
    with pytest.raises(ConfigError, match=rf"^run\.cfg:\d+: training\.accumulate_gradient: {rule}"):
        look(config(4))


@pytest.mark.parametrize("look", LOOKS)
def test_fewer_micro_batches_than_workers_late_in_a_run_are_refused(config, look, monkeypatch):
    monkeypatch.setattr(ray, "find_spec", lambda name: True)
    monkeypatch.setattr(run_schedules, "EACH_STEP", 20)
    schedule = '{"@schedules": "constant_then.v1", "rate": 4, "steps": 20, "schedule": 1}'
    overrides = ("--training.accumulate_gradient", schedule, "--training.max_steps", 30)
    with pytest.raises(ConfigError, match=r"accumulate_gradient: gives 1 micro-batch a step for 4 workers"):
        look(config(4, *overrides))


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("workers", 0, "1 or more"),
        ("max_restarts", -1, "0 or more"),
        ("worker_timeout", 0, "above 0"),
        ("data", "remote", "local"),
    ],
)
def test_settings_that_no_cluster_can_have_are_refused(config, key, value, rule, monkeypatch):
    monkeypatch.setattr(ray, "find_spec", lambda name: True)
    with pytest.raises(ConfigError, match=rf"cluster\.{key}: .*{rule}"):
        inspect(config(1, f"--cluster.{key}", value))
