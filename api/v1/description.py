"""What OpenAPI says of the answers: schemas as plain JSON Schema, with sentences for translation."""

from __future__ import annotations

from typing import Any

from catalog.tabular.semantics import DATUMS, SEMANTICS

N_ = str
"""Marks a sentence for translation."""

Described = dict[str, Any]

DESCRIPTION = N_(
    "Search the catalogue, read and aggregate rows of tables, and download them whole. "
    "Everything that is open can be read without a key; with a key you may call more often."
)
TAGS = (
    ("datasets", N_("Find datasets and what belongs to them")),
    ("organizations", N_("The departments that publish")),
    ("catalogue", N_("Series, data services and the standard of data elements")),
    ("tables", N_("Rows, counts, groups and downloads")),
    (
        "writing",
        N_("Rows, columns and keys of tables that you may change, with a key of your account"),
    ),
    ("sources", N_("Records and rows that a department's own program sends, with a key")),
)


def text(description: str = "", **more: Any) -> Described:
    """A string."""
    return {"type": "string", **_said(description), **more}


def number(description: str = "", **more: Any) -> Described:
    """A whole number."""
    return {"type": "integer", **_said(description), **more}


def maybe(schema: Described) -> Described:
    """The same or null."""
    return {**schema, "type": [schema["type"], "null"]}


def many(items: Described, description: str = "") -> Described:
    """A list."""
    return {"type": "array", "items": items, **_said(description)}


def record(words: str, optional: tuple[str, ...] = (), /, **properties: Described) -> Described:
    """An object whose properties are all there, but for the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **_said(words)}


def ref(name: str) -> Described:
    """A reference to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def _said(description: str) -> Described:
    return {"description": description} if description else {}


TEXTS = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": N_("The same text in several languages: language tag → text"),
}
MOMENT = text(N_("A moment in UTC"), format="date-time")
ANYTHING: Described = {"type": "object", "additionalProperties": True}
TYPES = ["string", "integer", "number", "boolean", "date", "datetime", "geojson"]

_ORGANIZATION = record(
    N_("A department that publishes"),
    ("texts",),
    slug=text(N_("Its name in addresses")),
    title=maybe(text(N_("Title in your language"))),
    texts=record("", title=TEXTS),
)
_THEME = record(
    N_("A theme"), ("texts",), slug=text(), title=maybe(text()), texts=record("", title=TEXTS)
)
_FIELD = record(
    N_("A column"),
    name=text(N_("The name to use in select, where, order_by and group_by")),
    type=text(N_("What its values are"), enum=TYPES),
    label=maybe(text(N_("Label in your language"))),
)
_COLUMN = record(
    N_("A column of a table"),
    ("profile",),
    name=text(),
    type=text(enum=TYPES),
    label=maybe(text()),
    description=maybe(text()),
    texts=record("", label=TEXTS, description=TEXTS),
    unit=maybe(text()),
    semantic=maybe(
        text(
            N_("A standard that the values follow, such as uscc or division"),
            enum=[*SEMANTICS, None],
        )
    ),
    crs=maybe(
        text(N_("The datum of a longitude or latitude, where it is known"), enum=[*DATUMS, None])
    ),
    profile={
        **ANYTHING,
        "description": N_("Missing, distinct, least, greatest, most frequent values"),
    },
)
_TABLE = record(
    N_("A table: rows under columns"),
    ("dataset", "links"),
    id=text(N_("Its name in addresses")),
    key=text(N_("The sheet or file that it was read from")),
    title=maybe(text()),
    texts=record("", title=TEXTS),
    state=text(enum=["waiting", "ready", "failed"]),
    problem=maybe(ANYTHING),
    rows=number(N_("Number of rows")),
    bytes=number(),
    release=number(N_("Number of the newest release; it grows when the content changes")),
    kept_cells=number(N_("Cells that do not agree with what is declared of their column")),
    loaded_at=maybe(MOMENT),
    columns=many(ref("Column")),
    dataset=record("", slug=text(), title=maybe(text()), url=text()),
    links=ANYTHING,
)
_RESOURCE = record(
    N_("A file or an interface of a dataset"),
    id=text(),
    key=text(),
    title=maybe(text()),
    description=maybe(text()),
    texts=record("", title=TEXTS, description=TEXTS),
    format=text(N_("Short name of the format, such as CSV")),
    media_type=maybe(text()),
    url=maybe(text(N_("Address at the source"))),
    size=maybe(number(N_("Bytes at the source"))),
    problem=maybe(ANYTHING),
    tables=many(ref("Table")),
)
_DATASET = record(
    N_("A dataset with its resources, tables and columns"),
    id=text(),
    slug=text(N_("Its name in addresses")),
    title=maybe(text(N_("Title in your language"))),
    description=maybe(text()),
    notice=maybe(text(N_("A warning to read before using the data"))),
    access_reason=maybe(text()),
    texts={**ANYTHING, "description": N_("The texts in all languages")},
    organization=ref("OrganizationName"),
    themes=many(ref("ThemeName")),
    tags=many(text()),
    license=record(
        "",
        id=text(),
        title=text(),
        url=maybe(text()),
        is_open={"type": "boolean"},
        text=maybe(text()),
    ),
    access=text(enum=["open", "on_application", "closed"]),
    frequency=text(),
    freshness=maybe(ANYTHING),
    landing_page=maybe(text()),
    contact=maybe(text()),
    spatial=maybe(text()),
    temporal=record("", start=maybe(text()), end=maybe(text())),
    state=text(),
    issued=maybe(MOMENT),
    modified=maybe(MOMENT),
    created_at=maybe(MOMENT),
    updated_at=maybe(MOMENT),
    uses=number(N_("Views, downloads and calls")),
    extras=ANYTHING,
    origins={
        **ANYTHING,
        "description": N_(
            "Who wrote each text in each language (`written` or `machine`), and whether it may be out of date (`stale`)"
        ),
    },
    identifier=maybe(text(N_("The code of the resource in the catalogue of its department"))),
    spatial_code=maybe(text(N_("Code of the division that it covers"))),
    spatial_box={
        "type": ["array", "null"],
        "items": {"type": "number"},
        "description": N_("West, south, east and north in degrees of WGS-84"),
    },
    spatial_geometry=maybe(ANYTHING),
    vocabulary_tags={**ANYTHING, "description": N_("Name of a vocabulary → its tags")},
    details={
        **ANYTHING,
        "description": N_("Further elements of DCAT-AP 3 and of the government catalogue"),
    },
    custom={**ANYTHING, "description": N_("Values of the custom fields of its organization")},
    resources=many(
        ref("Resource"),
        N_(
            "Tables and the names and types of their columns are told of every dataset, also where access is not open: "
            "they are metadata. Rows, counts, profiles and samples of values are not: those calls need access."
        ),
    ),
)
_CARD = record(
    N_("A dataset in a list"),
    id=text(),
    slug=text(N_("Its name in addresses")),
    title=maybe(text(N_("Title in your language"))),
    description=maybe(text(N_("The beginning of the description"))),
    texts=record("", title=TEXTS, description=TEXTS),
    organization=ref("OrganizationName"),
    themes=many(ref("ThemeName")),
    formats=many(text()),
    access=text(),
    license=text(),
    frequency=text(),
    modified=maybe(MOMENT),
    rows=maybe(number(N_("Rows of all its tables"))),
    tables=number(N_("Number of its tables")),
    uses=number(),
    tags=many(text()),
    url=text(N_("Address of the dataset in this API")),
)
NEXT = maybe(text(N_("Address of the next page; null on the last one"), format="uri"))
_FOUND = record(
    N_("One page of what was found"),
    total=number(N_("Number of all datasets that were found")),
    partial={
        "type": "boolean",
        "description": N_("No dataset holds all of the words: these hold some of them"),
    },
    meant=maybe(text(N_("Other words that would find more, where little was found"))),
    offset=number(),
    limit=number(),
    results=many(ref("DatasetCard")),
    facets={
        "type": "object",
        "description": N_("For each facet its values and how many datasets have them"),
        "additionalProperties": many(record("", value=text(), label=maybe(text()), count=number())),
    },
    next=NEXT,
)
_ROWS = record(
    N_("One page of rows"),
    ("crs",),
    table=text(),
    release=number(N_("The release that the rows belong to")),
    modified=maybe(MOMENT),
    fields=many(ref("Field"), N_("The columns, in the order of the values")),
    rows={
        "type": "array",
        "description": N_("Objects by column name; with format=arrays lists of values"),
        "items": {"oneOf": [ANYTHING, {"type": "array", "items": {}}]},
    },
    offset=number(),
    limit=number(),
    total=maybe(
        number(N_("Number of all rows that satisfy where; null unless asked for by count=true"))
    ),
    next=NEXT,
    cursor=maybe(text(N_("Where the next page starts; null on the last one"))),
    crs=text(N_("The datum of coordinates, where one was asked for")),
)
_COUNT = record(
    N_("A number of rows"),
    table=text(),
    release=number(),
    count=number(N_("Rows that satisfy where")),
)
_SQL_ANSWER = record(
    N_("The rows that a statement gives"),
    fields=many(
        record(
            N_("A column of the answer"),
            name=text(N_("As the statement gives it; a name that comes again gets a number")),
            type=text(
                N_("What its values are; lists and structures come as JSON text"), enum=TYPES
            ),
        ),
        N_("The columns, in the order of the values"),
    ),
    rows={
        "type": "array",
        "description": N_("Objects by column name; with format=arrays lists of values"),
        "items": {"oneOf": [ANYTHING, {"type": "array", "items": {}}]},
    },
    truncated={
        "type": "boolean",
        "description": N_("Whether there are more rows than limit or the portal allows"),
    },
    scanned=number(
        N_("Rows of all tables that the statement reads, counted as often as it reads them")
    ),
    tables=many(
        record(
            N_("A table that was read"),
            name=text(N_("As the statement names it")),
            table=text(N_("Its id")),
            release=number(N_("The release that was read")),
        )
    ),
    milliseconds=number(N_("Time that the statement took")),
)
_DEPARTMENT = record(
    N_("A department that publishes"),
    ("datasets",),
    slug=text(),
    title=maybe(text()),
    description=maybe(text()),
    texts=record("", title=TEXTS, description=TEXTS),
    kind=text(enum=["city", "department", "office", "external"]),
    homepage=maybe(text()),
    image_url=maybe(text()),
    contact=maybe(ANYTHING),
    fields=many(ANYTHING, N_("Custom fields of its datasets")),
    parents=many(ref("OrganizationName"), N_("What it belongs to, the nearest last")),
    datasets=number(N_("Number of its published datasets")),
    url=text(),
)
PROBLEM = record(
    N_("What went wrong (RFC 9457)"),
    ("problems", "position", "retry_after"),
    type=text(N_("Address that names the kind of problem"), format="uri-reference"),
    title=text(N_("The kind of problem in your language")),
    status=number(N_("The HTTP status")),
    code=text(N_("The kind of problem for machines; it does not change")),
    detail=text(N_("What is wrong and what to do, in your language")),
    instance=text(N_("The path that was called")),
    problems={**ANYTHING, "description": N_("For each wrong parameter the sentences about it")},
    position=record(
        N_("Where in a statement it is wrong"),
        line=number(N_("Line, from 1")),
        column=number(N_("Character in the line, from 1")),
    ),
    retry_after=number(N_("Seconds to wait before the next call")),
)
_WRITTEN = record(
    "",
    table=text(N_("Id of the table")),
    release=number(N_("Number of the release that shows it")),
    rows=number(N_("Rows of the table now")),
    inserted=number(N_("Rows added")),
    updated=number(N_("Rows changed")),
    deleted=number(N_("Rows deleted")),
    kept_cells=number(
        N_("Cells of the file that do not fit their column and are listed at /cells")
    ),
    url=text(format="uri"),
)
SCHEMAS: dict[str, Described] = {
    "OrganizationName": _ORGANIZATION,
    "ThemeName": _THEME,
    "Field": _FIELD,
    "Column": _COLUMN,
    "Table": _TABLE,
    "Resource": _RESOURCE,
    "Dataset": _DATASET,
    "DatasetCard": _CARD,
    "DatasetPage": _FOUND,
    "Suggestions": record(
        N_("What somebody who types may have in mind, the likeliest first"),
        results=many(
            record(
                "",
                kind=text(N_("title, organization, theme or tag")),
                text=text(),
                value=text(N_("Name in addresses of a dataset, or the value of the facet")),
                type=text(N_("Of a title: dataset, series or service")),
            )
        ),
    ),
    "Similar": record(N_("Datasets most like this one"), results=many(ref("DatasetCard"))),
    "Rows": _ROWS,
    "Count": _COUNT,
    "SqlAnswer": _SQL_ANSWER,
    "Written": _WRITTEN,
    "Organization": _DEPARTMENT,
    "OrganizationList": record("", total=number(), results=many(ref("Organization"))),
    "Problem": PROBLEM,
}
HEADERS: dict[str, Described] = {
    "RateLimit-Limit": number(N_("Calls that the window allows which has the least left")),
    "RateLimit-Remaining": number(N_("Calls left in that window")),
    "RateLimit-Reset": number(N_("Seconds until that window ends")),
    "RateLimit-Policy": text(N_("All windows: calls;w=seconds")),
    "X-RateLimit-Limit": number(N_("Same as RateLimit-Limit")),
    "X-RateLimit-Remaining": number(N_("Same as RateLimit-Remaining")),
    "X-RateLimit-Reset": number(N_("When that window ends, in seconds since 1970")),
}
CACHED: dict[str, Described] = {
    "ETag": text(N_("Changes with the release; send it as If-None-Match to get 304")),
    "Last-Modified": text(N_("When the release was loaded")),
}
ERRORS = {
    "400": N_("A parameter or the query cannot be understood"),
    "401": N_("The key is unknown or was revoked"),
    "404": N_("There is no such thing"),
    "409": N_("It contradicts what is there already"),
    "422": N_("A parameter cannot be used; `problems` says which"),
    "414": N_(
        "The address is longer than 64 KiB; answered before it reaches the portal, without a body"
    ),
    "429": N_("Too many calls; wait as long as Retry-After says"),
    "503": N_("An engine is down or the query takes too long; try again later"),
}
ERRORS_OF_ONE = {
    "403": N_(
        "The data is not open to you (401 without a key); what it consists of is told by showDataset"
    ),
    "410": N_("It was here and is withdrawn"),
}
"""For paths and statements that name one thing."""
