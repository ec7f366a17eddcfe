"""The rows of a query to an SQLite database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trainer_cli.data.block import BLOCK_BYTES, BLOCK_ROWS, Block, Places, listing
from trainer_cli.data.faults import printable, refused, shown
from trainer_cli.data.readers.files import MAX_LINE, opened_raw
from trainer_cli.data.readers.fileset import FileSet, Names, first_rows
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.extras import required
from trainer_cli.registry import registry

if TYPE_CHECKING:
    import sqlite3

MAGIC = b"SQLite format 3\0"
# What a query may do: read. Attaching other files, settings and loading extensions are left out.
ALLOWED = ("SQLITE_SELECT", "SQLITE_READ", "SQLITE_FUNCTION", "SQLITE_RECURSIVE")
REFUSED_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})
# So many rows are fetched at once.
FETCHED = 256
# What SQLite calls mistakes of a query; its other errors are those of the file.
OF_THE_QUERY = ("SQLITE_ERROR", "SQLITE_AUTH")
WHAT = "an SQLite database"

Row = tuple[object, ...]


@registry.readers("sqlite.v1")
class SQLiteReader(FileSet):
    """The rows of a `query` to an SQLite database as columns of text, under the names that the query gives them.

    Left out, the query is for all of the only table. Numbers are written as Python writes them, NULL is an empty
    text, bytes are a DataError in a column that is used; records have numbers and NULL as they are. The database is
    opened to be read alone, and the query may do nothing else: an order of rows that matters needs ORDER BY. `path`
    may be a pattern; `columns` and `limit` choose columns and the first rows.
    """

    suffixes = (".sqlite", ".sqlite3", ".db", ".db3")

    def __init__(
        self, path: Path, query: str | None = None, *, columns: list[str] | None = None, limit: int | None = None
    ):
        if query is not None and (not isinstance(query, str) or not query.strip()):
            message = f'query is a text, such as "SELECT text, label FROM reviews", got {query!r}'
            raise ArgumentError(problems=[Problem(message, where="query")])
        self.query = query
        super().__init__(path, columns, limit, query=query)

    def narrow(self, uses: Collection[str]) -> None:
        """Let only some columns matter: bytes in others are empty, and null in records."""
        self.uses = frozenset(uses)

    convert_only = narrow

    def names_in(self, path: Path) -> Names:
        with opened_database(path) as connection, closing(self._ask(connection, path)) as cursor:
            return names_of(cursor)

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 rows, or 4 MiB of text; a value that is no text or number is a DataError."""
        return first_rows(self._blocks(path), room)

    def _blocks(self, path: Path) -> Iterator[Block]:
        with opened_database(path) as connection, closing(self._ask(connection, path)) as cursor:
            names, start = names_of(cursor), 0
            for rows in stretches(cursor):
                yield self._block(rows, names, path, start)
                start += len(rows)
                rows.clear()  # the block has what is needed of them
            if start == 0:
                raise DataError(problems=[Problem("the query gives no rows", str(path))])

    def _block(self, rows: Sequence[Row], names: Names, path: Path, start: int) -> Block:
        columns = {}
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            given = values if self.is_used(name) else [without_bytes(value) for value in values]
            columns[name] = texts(given, name, path, start)
        records = [dict(zip(names, map(without_bytes, row), strict=True)) for row in rows]
        return Block(columns, Places(str(path)), start, records)

    def _ask(self, connection: sqlite3.Connection, path: Path) -> sqlite3.Cursor:
        """The rows of the query; DataError: the database does not understand it, or it does more than read."""
        tables = tables_of(connection)
        if self.query is None and len(tables) != 1:
            message = f"{path} has {'the tables ' + listing(tables) if tables else 'no tables'}"
            raise refused("query", f'{message}: say what to read, as query = "SELECT ... FROM ..." does')
        connection.set_authorizer(authorize)
        sqlite3 = required("sqlite3", WHAT)
        try:
            cursor = connection.execute(self.query or f"SELECT * FROM {quoted(tables[0])}")
        except (sqlite3.Error, sqlite3.Warning) as err:
            # An error without a code is Python's, of several statements in one.
            if getattr(err, "sqlite_errorname", "SQLITE_ERROR") not in OF_THE_QUERY:
                raise
            raise refused("query", f"{printable(str(err), 200)}; the tables of {path} are {listing(tables)}") from err
        if cursor.description is None:
            raise refused("query", "the query must be a SELECT, which gives rows")
        return cursor


@contextmanager
def opened_database(path: Path) -> Iterator[sqlite3.Connection]:
    """A database that can only be read; whatever SQLite says of its bytes is a DataError."""
    sqlite3 = required("sqlite3", WHAT)
    with opened_raw(path) as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise DataError(problems=[Problem("the file is no SQLite database", str(path))])
    try:
        # Blocks may be read in another thread than the one that asks for them.
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LINE)
            connection.execute("PRAGMA trusted_schema = OFF")  # nor may what the database defines do more than read
            yield connection
    except sqlite3.Error as err:
        raise DataError(
            problems=[Problem(f"the database cannot be read: {printable(str(err), 200)}", str(path))]
        ) from err


def authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    """SQLite's question whether a query may do something."""
    sqlite3 = required("sqlite3", WHAT)
    is_allowed = action in [getattr(sqlite3, name) for name in ALLOWED]
    is_refused = action == sqlite3.SQLITE_FUNCTION and second in REFUSED_FUNCTIONS
    return int(sqlite3.SQLITE_OK if is_allowed and not is_refused else sqlite3.SQLITE_DENY)


def tables_of(connection: sqlite3.Connection) -> list[str]:
    """The names of the tables and views."""
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    return sorted(name for (name,) in connection.execute(query))


def names_of(cursor: sqlite3.Cursor) -> Names:
    """The names that a query gives its columns; DataError: two have one name."""
    names = tuple(column[0] for column in cursor.description)
    if twice := [name for name in names if names.count(name) > 1]:
        raise refused("query", f"two columns are named {shown(twice[0])}: give one another name, as AS does")
    return names


def stretches(cursor: sqlite3.Cursor) -> Iterator[list[Row]]:
    """Rows gathered for blocks."""
    rows: list[Row] = []
    n_chars = 0
    while found := cursor.fetchmany(FETCHED):
        rows += found
        n_chars += sum(len(value) for row in found for value in row if isinstance(value, str | bytes))
        if len(rows) >= BLOCK_ROWS or n_chars > BLOCK_BYTES:
            yield rows
            rows, n_chars = [], 0
    if rows:
        yield rows


def without_bytes(value: object) -> object:
    return None if isinstance(value, bytes) else value


def texts(values: Sequence[object], name: str, path: Path, start: int) -> list[str]:
    """A column's values as texts; `start` is the number of the first row, for messages."""
    found = []
    for row, value in enumerate(values):
        if isinstance(value, bytes):
            message = f"expected a text or a number, got {len(value)} bytes"
            raise DataError(problems=[Problem(message, str(path), 0, f"{printable(name)}[{start + row}]")])
        found.append("" if value is None else value if isinstance(value, str) else repr(value))
    return found


def quoted(name: str) -> str:
    """A name as it stands in a query.

    >>> quoted('a"b')
    '"a""b"'
    """
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
