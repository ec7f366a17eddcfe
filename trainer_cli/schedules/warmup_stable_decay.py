"""Up, along, and down."""

from __future__ import annotations

from trainer_cli.errors import ArgumentError
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import require_at_least, require_whole, require_within
from trainer_cli.schedules.schedule import Schedule, called
from trainer_cli.schedules.warmup import after_warmup


@registry.schedules("warmup_stable_decay.v1")
def warmup_stable_decay(
    initial_rate: float, warmup_steps: int, decay_steps: int, total_steps: int, *, min_rate: float = 0.0
) -> Schedule:
    """Rise linearly from 0 to `initial_rate`, stay, and fall linearly to `min_rate` in the last `decay_steps`.

    From `total_steps` on the rate is `min_rate`. Hu et al., "MiniCPM: Unveiling the Potential of Small Language Models
    with Scalable Training Strategies", 2024, https://arxiv.org/abs/2404.06395, where the fall is exponential; a line
    is among the shapes that Hägele et al., 2024, https://arxiv.org/abs/2405.18392, compare.

    >>> rates = warmup_stable_decay(1.0, 2, 4, 10)
    >>> [rates(step) for step in range(11)]
    [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    name = "warmup_stable_decay"
    require_at_least(name, 0, initial_rate=initial_rate)
    require_whole(name, warmup_steps=warmup_steps, decay_steps=decay_steps, total_steps=total_steps)
    require_within(name, "min_rate", min_rate, "initial_rate", initial_rate)
    if warmup_steps + decay_steps > total_steps:
        raise ArgumentError(
            f"{name}: warmup_steps and decay_steps together must be at most total_steps, "
            f"got {warmup_steps} + {decay_steps} and {total_steps}: lower one"
        )
    n_steps = total_steps - warmup_steps

    def stable_decay(step: int) -> float:
        if step >= n_steps:
            return min_rate
        return min_rate + (initial_rate - min_rate) * min(1.0, (n_steps - step) / max(1, decay_steps))

    text = called(name, initial_rate, warmup_steps, decay_steps, total_steps, min_rate=(min_rate, 0.0))
    return Schedule(after_warmup(initial_rate, warmup_steps, stable_decay), text)
