"""What a run needs of an optimizer, whoever computes the update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping

from trainer_cli.arrays import Array
from trainer_cli.ops import Ops
from trainer_cli.optimizers.hyper import Hyper, Rate
from trainer_cli.schedules.schedule import Schedule
from trainer_cli.store import Store


class Updater(ABC):
    """Changes the parameters of a store by their gradients, at rates on schedules.

    Each rate is a number or a schedule. The first value holds from the start, `step_schedules` goes to the next;
    `position` is how often it was called, and where every schedule is read. `varying` names the rates that were given
    as more than a number.
    """

    learn_rate = Hyper()
    grad_clip = Hyper()

    # An attribute that does not exist cannot be set: a misspelt rate would change nothing.
    __slots__ = ("numbers", "position", "schedules", "use_averages", "varying")

    def __init__(self, learn_rate: Rate, grad_clip: Rate, *, use_averages: bool = False):
        self.position = 0
        self.schedules: dict[str, Schedule] = {}
        self.varying: set[str] = set()
        self.numbers: dict[str, float] = {}
        self.learn_rate = learn_rate
        self.grad_clip = grad_clip
        self.use_averages = use_averages

    def check(self, store: Store) -> None:  # noqa: B027 - most take any parameters
        """ArgumentError: it cannot update the parameters of this store."""

    @abstractmethod
    def update(self, store: Store, ops: Ops) -> None:
        """Update every parameter of a store in place and set its gradients to zero.

        DivergedError: a gradient is not finite. Nothing has been changed then.
        """

    @abstractmethod
    def to_arrays(self, store: Store) -> dict[str, Array]:
        """The state of a store as named arrays: of each kind and parameter, `m.hidden.W`."""

    @abstractmethod
    def from_arrays(self, store: Store, arrays: dict[str, Array], *, n_updates: int) -> None:
        """Take over what `to_arrays` gave. ModelFileError: it belongs to another model or optimizer."""

    @property
    def averages(self) -> Mapping[Hashable, Array] | None:
        """The running averages of the weights, where they are kept."""
        return None

    def step_schedules(self) -> None:
        """Go to the next value of every schedule."""
        self._go_to(self.position + 1)

    @property
    def followers(self) -> dict[str, Schedule]:
        """The schedules that follow a score, by what they set."""
        return {name: schedule for name, schedule in self.schedules.items() if schedule.reads_scores}

    def _go_to(self, position: int) -> None:
        self.position = position
        for name in self.varying:
            self.numbers.pop(name, None)
