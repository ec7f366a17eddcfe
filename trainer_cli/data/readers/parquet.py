"""Tables as parquet and arrow files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Column, Places, listing
from trainer_cli.data.faults import printable
from trainer_cli.data.readers.files import opened_raw
from trainer_cli.data.readers.fileset import FileSet, Names, first_rows
from trainer_cli.errors import DataError, Problem, TrainerError
from trainer_cli.extras import required
from trainer_cli.registry import registry

ARROW = (".arrow", ".feather", ".ipc")
# How pandas keeps an index that is more than row numbers; it is no column of the data.
INDEX = re.compile(r"__index_level_\d+__")
# The fraction of a second that is none, at the end of a time.
NO_FRACTION = re.compile(r"\.0+(?=Z?$)")
WHAT = "a parquet or arrow file"
# Floats have every whole number up to this one.
LARGEST_WHOLE = 1 << 53


@registry.readers("parquet.v1")
class ParquetReader(FileSet):
    """Rows of a parquet file, or of an arrow file (.arrow, .feather, .ipc), a few thousand at a time.

    Texts are columns of text, nulls the empty one; dates, times and categories are written out as texts, booleans as
    `true` and `false`. Whole and floating point numbers are arrays; where a column has nulls among up to 4,096 rows
    these are floats, with NaN. A list of texts is a row of tokens, lists of numbers, all of one length, an array. A
    column of another type is a DataError if it is used. `path` may be a pattern; `limit` chooses
    the first rows.
    """

    suffixes = (".parquet", ".pq", *ARROW)

    def __init__(self, path: Path, *, columns: list[str] | None = None, limit: int | None = None):
        super().__init__(path, columns, limit)

    def narrow(self, uses: Collection[str]) -> None:
        """Let only some columns matter: what others hold may be of any type, and is empty where it is of no column."""
        self.uses = frozenset(uses)

    convert_only = narrow

    def names_in(self, path: Path) -> Names:
        with opened_table(path) as table:
            return table.names

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or about 4 MiB; a damaged file is a DataError."""
        return first_rows(self._blocks(path), room)

    def _blocks(self, path: Path) -> Iterator[Block]:
        with opened_table(path) as table:
            names = self._chosen(table.names)
            start = 0
            for part in parts(table.batches(names)):
                columns, unfit = columns_of(part, names, str(path), start, self.is_used)
                yield Block(columns, Places(str(path)), start, records_of(part, columns, unfit))
                start += len(part)
            if start == 0:
                raise fault("the file has no rows", path)


class ParquetTable:
    """A parquet file, of which a group of rows is held at a time."""

    def __init__(self, file: Any):
        self.file = required("pyarrow.parquet", WHAT).ParquetFile(file)
        self.names = names_of(self.file.schema_arrow)

    def batches(self, names: Names) -> Iterator[Any]:
        for batch in self.file.iter_batches(BLOCK_ROWS, columns=list(names)):
            yield batch.select(list(names))  # "a" brought "a.b" along


class ArrowTable:
    """An arrow file, of which a batch is held at a time."""

    def __init__(self, file: Any):
        arrow = required("pyarrow", WHAT)
        # Threads that unpack, and arrow's own pool, keep memory that batches took.
        options, pool = arrow.ipc.IpcReadOptions(use_threads=False), arrow.system_memory_pool()
        self.file = arrow.ipc.open_file(file, options=options, memory_pool=pool)
        self.names = names_of(self.file.schema)

    def batches(self, names: Names) -> Iterator[Any]:
        for index in range(self.file.num_record_batches):
            batch = self.file.get_batch(index)
            batch.validate(full=True)  # offsets in a damaged file would lead anywhere
            yield batch.select(list(names))
            del batch  # two of them are never held


@contextmanager
def opened_table(path: Path) -> Iterator[ParquetTable | ArrowTable]:
    """A file's table; whatever pyarrow says of its bytes is a DataError."""
    arrow = required("pyarrow", WHAT)
    with opened_raw(path) as file:
        try:
            yield (ArrowTable if path.suffix.lower() in ARROW else ParquetTable)(file)
        except (arrow.ArrowException, OSError, ValueError) as err:
            if isinstance(err, TrainerError):
                raise
            kind = "arrow" if path.suffix.lower() in ARROW else "parquet"
            raise fault(f"the file is damaged or no {kind}: {printable(str(err), 200)}", path) from err


def names_of(schema: Any) -> Names:
    """The names of a table's columns, without pandas' index; ValueError: two have one name, or there are none."""
    names = tuple(name for name in schema.names if not INDEX.fullmatch(name))
    if len(set(names)) < len(names) or not names:
        raise ValueError(f"columns need names of their own, got {listing(names) or 'none'}")
    return names


def parts(batches: Iterator[Any]) -> Iterator[Any]:
    """Batches in pieces that are fit for blocks. What a batch took is given back before the next one is read."""
    pool = required("pyarrow", WHAT).default_memory_pool()
    for batch in batches:
        n = len(batch)
        step = max(1, min(BLOCK_ROWS, n * BLOCK_BYTES // max(1, batch.nbytes)))
        for start in range(0, n, step):
            yield batch.slice(start, step)
        del batch
        pool.release_unused()


def columns_of(
    batch: Any, names: Names, path: str, start: int, is_used: Callable[[str], bool]
) -> tuple[dict[str, Column], set[str]]:
    """The columns of a batch, whose first row is row `start` of the file, and which of them are empty since they hold
    what no column does and are not used. DataError: one that is used holds such."""
    found: dict[str, Column] = {}
    unfit = set()
    for name, values in zip(names, batch.columns, strict=True):
        try:
            found[name] = column(values)
        except UnfitError as err:
            if not is_used(name):
                found[name] = [""] * len(values)
                unfit.add(name)
                continue
            where = printable(name) if err.row is None else f"{printable(name)}[{start + err.row}]"
            raise DataError(problems=[Problem(str(err), path, 0, where)]) from None
    return found, unfit


def records_of(batch: Any, columns: Mapping[str, Column], unfit: Collection[str]) -> list[dict[str, Any]] | None:
    """The rows of a batch as the file has them, where that is more than its columns say: nulls, true and false, and
    what is in those that are `unfit`, null where JSON has no such value."""
    types = required("pyarrow", WHAT).types
    exact = {}
    for name, values in zip(columns, batch.columns, strict=True):
        kind = values.type
        is_plain = types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind)
        if name in unfit:
            exact[name] = [value if is_json(value) else None for value in values.to_pylist()]
        elif types.is_boolean(kind) or (is_plain and values.null_count):
            exact[name] = values.to_pylist()
    if not exact:
        return None
    told = {name: values if isinstance(values, list) else values.tolist() for name, values in columns.items()} | exact
    return [dict(zip(told, row, strict=True)) for row in zip(*told.values(), strict=True)]


def is_json(value: Any) -> bool:
    """
    >>> is_json({"a": [1, None]}), is_json({"a": b"x"})
    (True, False)
    """
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(is_json, value))
    return value is None or isinstance(value, str | int | float)


class UnfitError(Exception):
    """A column, or a `row` of it, is of a kind that no column of data has."""

    def __init__(self, message: str, row: int | None = None):
        super().__init__(message)
        self.row = row


def column(values: Any) -> Column:
    """Texts, numbers or lists of these from an arrow array."""
    types = required("pyarrow", WHAT).types
    kind = values.type
    if types.is_dictionary(kind):
        return column(values.dictionary_decode())
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return lists(values)
    if types.is_decimal(kind) or types.is_float16(kind):
        values = values.cast("float64")
    elif types.is_boolean(kind):
        return [{True: "true", False: "false", None: ""}[value] for value in values.to_pylist()]
    elif not (types.is_integer(kind) or types.is_floating(kind)):
        return texts(values)
    if values.null_count:
        refuse_large(values)
        return np.asarray(values.cast("float64", safe=False).to_numpy(zero_copy_only=False))
    return np.asarray(values.to_numpy(zero_copy_only=False))


def refuse_large(values: Any) -> None:
    """UnfitError: a whole number beside nulls is too large for the floats that such a column becomes."""
    if required("pyarrow", WHAT).types.is_integer(values.type):
        for row, value in enumerate(values.to_pylist()):
            if value is not None and abs(value) > LARGEST_WHOLE:
                raise UnfitError(f"{value} is beyond 2^53, and the column has nulls: save it as text", row)


def texts(values: Any) -> list[str]:
    """Texts, dates and times as texts."""
    types = required("pyarrow", WHAT).types
    kind = values.type
    is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind)
    if not (is_text or types.is_temporal(kind)):
        raise UnfitError(f"expected texts, numbers or lists of these, got {kind}; choose others: columns = [...]")
    if is_text:
        return [text or "" for text in values.to_pylist()]
    return [NO_FRACTION.sub("", text or "") for text in values.cast("string").to_pylist()]


def lists(values: Any) -> Column:
    """Lists of texts as they are, a null as an empty one; lists of numbers as an array."""
    types = required("pyarrow", WHAT).types
    inner = values.type.value_type
    if types.is_string(inner) or types.is_large_string(inner):
        return [[text or "" for text in row or ()] for row in values.to_pylist()]
    if not (types.is_integer(inner) or types.is_floating(inner)):
        raise UnfitError(f"expected lists of texts or numbers, got {values.type}; choose others: columns = [...]")
    rows = values.to_pylist()
    length = len(rows[0] or ())
    for row, numbers in enumerate(rows):
        if len(numbers or ()) != length or length == 0:
            raise UnfitError(f"lists of numbers must have one length, {length} as the first; got {numbers}", row)
    return np.array([[np.nan if number is None else number for number in numbers] for numbers in rows], np.float64)


def fault(message: str, path: Path) -> DataError:
    return DataError(problems=[Problem(message, str(path))])
