"""What every wrapped module is to the rest of the program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from trainer_cli.arrays import Array, Ints, Ragged, rows_not_finite
from trainer_cli.errors import DivergedError, TrainerError
from trainer_cli.store import is_finite

if TYPE_CHECKING:
    from trainer_cli.model import Model

# What stands before the names of a module's own parameters and buffers in those of its layer.
PREFIX = "module."

# So many parameters are named.
SHOWN = 4
# What a library says of its failures is cut to so many characters.
MAX_TOLD = 300


class WrongOutputError(Exception):
    """A module returned what is no output of a layer; in words that go on after its name."""


class ModuleError(TrainerError):
    """A wrapped module raised something, or returned what is no output of a layer.

    `where` is its layer, `module` what messages call it; `rows` are the rows of the batch in the data, where they are
    known. What the module raised is the cause.
    """

    rows_are = "Its batch"

    def __init__(self, message: str, *, where: str = "", module: str = "", rows: Sequence[int] = ()):
        self.where = where
        self.module = module
        self.rows = tuple(rows)
        super().__init__(message)

    def within(self, before: str = "", after: str = "", rows: Sequence[int] = ()) -> ModuleError:
        """The same with words before and after it, and the rows of the batch; to be raised from the same cause."""
        return ModuleError(f"{before}{self}{after}", where=self.where, module=self.module, rows=rows)


def module_error(err: BaseException) -> ModuleError | None:
    """The failure of a module that an error tells of, if it does."""
    found: BaseException | None = err
    while found is not None and not isinstance(found, ModuleError):
        found = found.__cause__
    return found


@contextmanager
def batch_told(rows: Ints, when: str = "") -> Iterator[None]:
    """Within the block, a ModuleError is told with the rows of the batch, and when it happened."""
    try:
        yield
    except ModuleError as err:
        raise err.within(when, rows=rows.tolist()) from err.__cause__


@contextmanager
def scored(model: Model) -> Iterator[None]:
    """Within the block the model predicts what somebody reads: modules whose outputs are not finite are told. While
    sizes are inferred they may be."""
    engines = engines_of(model)
    for engine in engines:
        engine.is_scored = True
    try:
        yield
    finally:
        for engine in engines:
            engine.is_scored = False


@contextmanager
def rows_told(model: Model, rows: Ints) -> Iterator[None]:
    """The same, and a ModuleError is told with the rows of the batch, a DivergedError, whose rows are places in it,
    with those that have numbers which are not finite."""
    try:
        with scored(model), batch_told(rows):
            yield
    except DivergedError as err:
        raise err.within(rows=rows[list(err.rows)].tolist() if err.rows else ()) from err.__cause__


@dataclass(frozen=True)
class RowCounts:
    """The most rows that a pass gets: a micro-batch in training, a batch where a model is scored or predicts.

    Where rows are padded, fewer than `least` in training are as many as `least` would be.
    """

    training: int = 128
    evaluation: int = 1024
    least: int = 1


class Engine(ABC):
    """A module of another library, kept in its layer as `model.attrs["engine"]`.

    `library` is how people call the library, and `module` the object itself. `rows` is set before the first pass;
    `first` is the shape of the module's first output, `is_scored` what `scored` sets.
    """

    library: str = ""
    rows = RowCounts()
    first: tuple[int, ...] | None = None
    is_scored = False

    def __init__(self, module: Any):
        self.module = module

    @property
    def name(self) -> str:
        """What the module is, for messages: its class or function."""
        return getattr(self.module, "__name__", type(self.module).__name__)

    @abstractmethod
    def twin(self) -> Self:
        """The same module with tensors of its own, for a copy of the layer."""

    def state_names(self, held: Sequence[str]) -> dict[str, str]:
        """The names in the module's own state, each with that of the layer's parameter or buffer, one of `held`.

        What is tied has several names; what the module does not keep in its state has none.
        """
        return {name.removeprefix(PREFIX): name for name in held}

    def notes(self) -> Sequence[str]:
        """What those who ask for more are told after a run."""
        return ()

    def examine(self, model: Model, X: Any, is_train: bool) -> None:
        """Look in a trial pass, after it, for what would go wrong without a word. ModuleError: something does."""
        return

    @contextmanager
    def computing(self, threads: int) -> Iterator[None]:
        """Within the block, the library computes with so many threads."""
        yield

    def failure(self, where: str, what: str, X: Any) -> ModuleError:
        """The error that names the layer, the module, what went wrong and what came in."""
        module = f"{self.library} module {self.name}"
        return ModuleError(f"{where}: {module} {what}; its input was {described(X)}", where=where, module=module)

    @contextmanager
    def failing(self, where: str, X: Any) -> Iterator[None]:
        """What goes wrong within the block is a ModuleError that names the layer, the module and its input."""
        try:
            yield
        except TrainerError:
            raise
        except WrongOutputError as err:
            raise self.failure(where, str(err), X) from None
        except (Exception, SystemExit) as err:  # a module that exits ends no command
            part = self.part_of(err)
            raise self.failure(where, f"raised {raised(err)}{f' in its part {part}' if part else ''}", X) from err

    def part_of(self, err: BaseException) -> str:
        """Which part of the module raised an error, for messages; "" where that is not known, or it is the module."""
        return ""

    def check_form(self, shape: tuple[int, ...]) -> None:
        """WrongOutputError: an output of this shape is empty, or has another width or number of axes than the first."""
        if 0 in shape[1:]:
            raise WrongOutputError(f"returned {shape}, which has no numbers: a layer returns one or more for each row")
        self.first = self.first or shape
        if (len(shape), shape[1:][-1:]) != (len(self.first), self.first[1:][-1:]):
            rule = "the width and the number of axes must stay the same"
            raise WrongOutputError(f"returned {shape}, where it returned {self.first} before: {rule}")

    def check_finite(self, where: str, Y: Array | Ragged, X: Any) -> None:
        """DivergedError, with the places of the rows: there are numbers in the output that are not finite."""
        if not is_finite((Y.data if isinstance(Y, Ragged) else Y).reshape(-1)):
            failure = self.failure(where, "returned NaN or infinite numbers", X)
            raise DivergedError(str(failure), rows=rows_not_finite(Y).tolist()) from failure


def raised(err: BaseException) -> str:
    """What was raised, on one line: `RuntimeError: mat1 and mat2 ...`."""
    line = " ".join(str(err).split())
    return f"{type(err).__name__}: {line if len(line) <= MAX_TOLD else line[: MAX_TOLD - 3] + '...'}"


def in_words(found: Any) -> str:
    """What a module returned, in words."""
    if isinstance(found, tuple | list):
        return f"a {type(found).__name__} of {len(found)}: {', '.join(map(in_words, found))}"
    if isinstance(found, dict):
        return f"a dict of {', '.join(map(str, found))}"
    if hasattr(found, "dtype") and hasattr(found, "shape"):
        sparse = "sparse " if is_sparse(found) else ""
        return f"{sparse}{str(found.dtype).removeprefix('torch.')} {tuple(found.shape)}"
    return repr(found) if found is None else f"a {type(found).__name__}"


def is_sparse(found: Any) -> bool:
    """Whether an array of any library holds only those of its numbers that are not 0."""
    return "sparse" in f"{getattr(found, 'layout', '')} {type(found).__module__}"


def first_names(names: Iterable[str]) -> str:
    """Some names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def engines_of(model: Model) -> list[Engine]:
    """The engines of a model's layers."""
    return [node.attrs["engine"] for node in model.walk() if "engine" in node.attrs]


def is_fed(model: Model) -> bool:
    """Whether a layer's input comes from parameters that are trained, as far as the loop tells: one that asks for the
    gradient of the model's own input tells nothing."""
    store = model.store_or_none
    return model.input_gradient and store is not None and not store.root.input_gradient


def expect_rows(model: Model, rows: RowCounts) -> None:
    """Tell the engines of a model how many rows to expect: those that pad them make the same shapes in every run."""
    for engine in engines_of(model):
        engine.rows = rows


def described(X: Any) -> str:
    """Rows as messages tell them: `float32 (128, 784)`.

    >>> import numpy as np
    >>> described({"a": np.zeros((2, 3), np.float32), "b": np.zeros(2, np.int64)})
    '{a: float32 (2, 3), b: int64 (2,)}'
    """
    if isinstance(X, Ragged):
        return f"ragged {described(X.data)} in {len(X.lengths)} rows"
    if isinstance(X, dict):
        return "{" + ", ".join(f"{name}: {described(part)}" for name, part in X.items()) + "}"
    if isinstance(X, tuple):
        return "(" + ", ".join(map(described, X)) + ")"
    array: Array = X
    return f"{array.dtype} {array.shape}"
