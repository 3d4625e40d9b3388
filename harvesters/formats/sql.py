"""A database that SQLAlchemy can reach: tables become datasets, comments become texts."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema, fields, validate
from sqlalchemy import Engine, MetaData, Table, create_engine, func, inspect, select
from sqlalchemy import exc as errors
from sqlalchemy import types as sql_types
from sqlalchemy.engine import URL, Inspector, make_url
from sqlalchemy.pool import NullPool

from catalog.errors import (
    CatalogError,
    Denied,
    Invalid,
    NotFound,
    TooLarge,
    Unavailable,
    Unreadable,
)
from harvesters.declaration import LANGUAGE, DeclarationSchema, dataset_from, load_from, titled
from harvesters.folders import version_of
from harvesters.harvester import Columns, Content, Record, Source
from harvesters.http import Http

ROWS_AT_ONCE = 10_000
FIRST_ROWS = 1_000
CHARACTERS_AT_ONCE = 32_000_000
WEIGHED_ROWS = 50
LARGEST_SQLITE = 20_000_000_000
PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433, "oracle": 1521}
HARMLESS = {
    "sslmode",
    "charset",
    "application_name",
    "driver",
    "TrustServerCertificate",
    "service_name",
}
"""What may stand after the `?` of an address; `host=` there would lead around the guard."""


class TableLabels(DeclarationSchema):
    """What people call a table, for databases without comments."""

    version_column = fields.String()
    """A column whose greatest value changes whenever the table does."""


class SQLOptions(Schema):
    """What a source of the kind `sql` may be told."""

    language = fields.String(
        load_default="en",
        validate=LANGUAGE,
        metadata={"description": "Language of names and comments"},
    )
    password = fields.String(
        load_default="",
        metadata={"secret": True, "description": "Password of the user in the address"},
    )
    schema = fields.String(load_default="", metadata={"description": "Schema inside the database"})
    tables = fields.List(
        fields.String(),
        load_default=["*"],
        metadata={"description": "Patterns of the tables that are wanted"},
    )
    excluded = fields.List(
        fields.String(),
        data_key="exclude",
        load_default=list,
        metadata={"description": "Patterns of tables that are left out"},
    )
    views = fields.Boolean(
        load_default=False, metadata={"description": "Whether views are wanted too"}
    )
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(TableLabels),
        load_default=dict,
        metadata={"description": "Table → title, description and columns, over the comments"},
    )
    defaults = fields.Nested(
        DeclarationSchema, load_default=dict, metadata={"description": "What holds for every table"}
    )
    most_tables = fields.Integer(
        load_default=2000,
        validate=validate.Range(1, 10_000),
        metadata={"description": "Databases with more tables are refused"},
    )


class SQL:
    """A format: one table is one dataset; rows are streamed."""

    kind = "sql"
    options: ClassVar[type[Schema]] = SQLOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The tables that are wanted, each with its columns, comments and state."""
        with _opened(source, http) as (engine, version):
            with _said():
                inspector = inspect(engine)
            for name in _wanted(inspector, source.options):
                http.beat()
                try:
                    body = _body(engine, inspector, source.options, name, version)
                except errors.NoSuchTableError:
                    continue  # it went away since the list was read
                except errors.DBAPIError as error:
                    yield Record(name, {"table": name}, _sentence(error))
                    continue
                yield Record(name, body)

    def describe(self, record: Record) -> dict[str, Any]:
        """The table's comment and columns, under what was declared."""
        body, language = record.body, record.body["language"]
        declared: Mapping[str, Any] = {**body["defaults"], **body["labels"]}
        title, _, more = str(body["comment"]).partition("\n")
        title = title if len(title) <= 200 else ""
        stated = {
            "title": {language: title or titled(body["table"])},
            "description": {language: more.strip() if title else body["comment"]},
        }
        columns = {column["name"]: _column(column, language) for column in body["columns"]}
        for name, about in declared.get("columns", {}).items():
            if name in columns:
                columns[name] = {**columns[name], **about}
        dataset = dataset_from(declared, stated)
        dataset["description"] = {tag: text for tag, text in dataset["description"].items() if text}
        part = {"table": body["table"], "schema": body["schema"]}
        dataset["resources"] = [
            {
                "key": body["table"],
                "title": dataset["title"],
                "format": "SQL",
                "load": load_from({**declared, "columns": columns}, part, body["version"]),
            }
        ]
        return dataset

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """The rows of the table, in the order of its key, as they come."""
        part = load["part"]
        with _opened(source, http) as (engine, _), _said():
            names = [
                column["name"]
                for column in inspect(engine).get_columns(part["table"], part["schema"])
            ]
        return Columns(_batches(source, http, part["table"], part["schema"]), names)


def _wanted(inspector: Inspector, options: Mapping[str, Any]) -> list[str]:
    schema = options["schema"] or None
    with _said():
        names = inspector.get_table_names(schema)
        names += inspector.get_view_names(schema) if options["views"] else []
    wanted = [
        name
        for name in sorted(set(names))
        if any(fnmatchcase(name, pattern) for pattern in options["tables"])
        and not any(fnmatchcase(name, pattern) for pattern in options["excluded"])
    ]
    if len(wanted) > options["most_tables"]:
        raise TooLarge("the database has more than %(limit)s tables", limit=options["most_tables"])
    return wanted


def _body(
    engine: Engine, inspector: Inspector, options: Mapping[str, Any], name: str, version: str
) -> dict[str, Any]:
    schema = options["schema"] or None
    try:
        comment = inspector.get_table_comment(name, schema)["text"] or ""
    except NotImplementedError:  # SQLite has no comments
        comment = ""
    columns = [
        {
            "name": column["name"],
            "type": _type(column["type"]),
            "comment": column.get("comment") or "",
        }
        for column in inspector.get_columns(name, schema)
    ]
    labels = options["labels"].get(name, {})
    if not version and labels.get("version_column"):
        version = _counted(engine, name, schema, labels["version_column"])
    return {
        "table": name,
        "schema": schema,
        "comment": comment,
        "columns": columns,
        "version": version,
        "language": options["language"],
        "defaults": dict(options["defaults"]),
        "labels": {key: value for key, value in labels.items() if key != "version_column"},
    }


def _counted(engine: Engine, name: str, schema: str | None, column: str) -> str:
    table = Table(name, MetaData(), schema=schema, autoload_with=engine, resolve_fks=False)
    if column not in table.columns:
        return ""
    with engine.connect() as connection:
        count, greatest = connection.execute(
            select(func.count(), func.max(table.columns[column])).select_from(table)
        ).one()
    return f"rows:{count}:{greatest}"


_TYPES: tuple[tuple[type[Any], str], ...] = (
    (sql_types.Boolean, "boolean"),
    (sql_types.Integer, "integer"),
    (sql_types.Numeric, "number"),
    (sql_types.DateTime, "datetime"),
    (sql_types.Date, "date"),
    (sql_types.String, "string"),
    (sql_types.Uuid, "string"),
)


def _type(of: Any) -> str:
    """Our type of a column; nothing where values decide. Text stays text: codes keep their zeros."""
    return next((name for kind, name in _TYPES if isinstance(of, kind)), "")


def _column(column: Mapping[str, str], language: str) -> dict[str, Any]:
    about: dict[str, Any] = {"type": column["type"]} if column["type"] else {}
    comment = column["comment"].strip()
    if comment:
        about["label" if len(comment) <= 100 else "description"] = {language: comment}
    return about


def _batches(
    source: Source, http: Http, name: str, schema: str | None
) -> Iterator[Sequence[Sequence[object]]]:
    """The values as the driver gives them, by column: the table's types are told to the reader anyway."""
    with _opened(source, http) as (engine, _), _said():
        table = Table(name, MetaData(), schema=schema, autoload_with=engine, resolve_fks=False)
        ordered = select(table).order_by(*table.primary_key.columns)
        statement = str(ordered.compile(engine))
        with engine.connect().execution_options(stream_results=True) as connection:
            result, size = connection.exec_driver_sql(statement), FIRST_ROWS
            while part := result.fetchmany(size):
                http.beat()
                yield list(zip(*part, strict=True))
                size = _size(part)


def _size(rows: Sequence[Sequence[object]]) -> int:
    """How many rows to fetch next: fewer where they hold long texts."""
    some = rows[:: max(1, len(rows) // WEIGHED_ROWS)]
    weight = sum(len(value) for row in some for value in row if isinstance(value, str | bytes))
    fitting = CHARACTERS_AT_ONCE * len(some) // max(1, weight)
    return max(1, min(ROWS_AT_ONCE, fitting))


@contextmanager
def _opened(source: Source, http: Http) -> Iterator[tuple[Engine, str]]:
    """An engine for reading, and the version of the whole database if it is a file."""
    try:
        url = make_url(source.url)
    except (errors.ArgumentError, ValueError) as error:
        raise Invalid("the address of the source is no address of a database") from error
    if url.get_backend_name() == "sqlite":
        with _sqlite(url, http) as opened:
            yield opened
        return
    engine = _remote(url, source.options, http)
    try:
        yield engine, ""
    finally:
        engine.dispose()


def _remote(url: URL, options: Mapping[str, Any], http: Http) -> Engine:
    backend = url.get_backend_name()
    port = url.port or PORTS.get(backend)
    if not url.host or port is None or set(url.query) - HARMLESS:
        raise Denied(
            "harvests may not use this database address: it needs a host, and no options of its own"
        )
    address = http.guard.permitted(url.host, port)[0]
    arguments: dict[str, Any] = {}
    if backend == "postgresql":  # the name is still checked by TLS
        arguments = {"connect_timeout": 15, "hostaddr": address}
    else:
        url = url.set(host=address)
    if backend in {"mysql", "mariadb"}:  # which would wait for an answer without end
        arguments = {"connect_timeout": 15, "read_timeout": int(http.limits.total_seconds)}
    try:
        return create_engine(
            url.set(password=options["password"] or None),
            poolclass=NullPool,
            connect_args=arguments,
        )
    except (ModuleNotFoundError, errors.NoSuchModuleError) as error:
        raise Invalid(
            "the library for databases of the kind %(kind)s is not installed", kind=backend
        ) from error


@contextmanager
def _sqlite(url: URL, http: Http) -> Iterator[tuple[Engine, str]]:
    """A file, opened for reading only; a gzipped one is unpacked beside nothing, into a folder of its own."""
    path = http.folders.place(url.database or "")
    if not path.is_file():
        raise NotFound("%(path)s is no file", path=url.database)
    with tempfile.TemporaryDirectory(prefix="weft-sqlite-") as folder:
        file = _unpacked(path, Path(folder) / "database.sqlite") if path.suffix == ".gz" else path
        engine = create_engine("sqlite://", creator=lambda: _connect(file), poolclass=NullPool)
        try:
            yield engine, version_of(path)
        finally:
            engine.dispose()


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, check_same_thread=False)


def _unpacked(path: Path, place: Path) -> Path:
    try:
        with gzip.open(path, "rb") as packed, place.open("wb") as file:
            shutil.copyfileobj(packed, _Bounded(file), 1 << 20)
    except (OSError, EOFError) as error:
        raise Unreadable("the gzip file of the database is damaged or not whole") from error
    return place


class _Bounded:
    """A file that refuses to grow beyond the limit."""

    def __init__(self, file: Any) -> None:
        self._file, self._size = file, 0

    def write(self, data: bytes) -> int:
        self._size += len(data)
        if self._size > LARGEST_SQLITE:
            raise TooLarge(
                "the unpacked database is larger than %(limit)s bytes", limit=LARGEST_SQLITE
            )
        return int(self._file.write(data))


@contextmanager
def _said() -> Iterator[None]:
    """Turn what a database says into our errors."""
    try:
        yield
    except errors.NoSuchTableError as error:
        raise NotFound("the database has no table %(name)s any more", name=str(error)) from error
    except errors.SQLAlchemyError as error:
        raise _sentence(error) from error


def _sentence(error: errors.SQLAlchemyError) -> CatalogError:
    reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0][:200]
    if isinstance(error, errors.OperationalError) and "no such" not in reason:
        return Unavailable("the database cannot be reached or read: %(reason)s", reason=reason)
    return Unreadable("the database cannot be read: %(reason)s", reason=reason)
