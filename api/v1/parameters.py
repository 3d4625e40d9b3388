"""Parameters of the endpoints: checked, and described for OpenAPI, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Request, current_app
from flask_smorest import Blueprint
from marshmallow import (
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)
from webargs.flaskparser import FlaskParser

from api.v1.description import N_, TAGS
from catalog.errors import BadQuery
from catalog.schemas.narrowing import DESCRIPTIONS, MOST, Narrowing
from catalog.schemas.search import Words
from catalog.schemas.sentences import TOO_LONG
from catalog.search import SearchQuery
from catalog.search.facets import FACETS, MOST_HITS, MOST_OFFSET, MOST_TEXT, SORTS, Facet
from catalog.tabular.coordinates import DATUMS

LONGEST = 5000
"""Characters of a condition: in any script they fit into an address, of which servers take 64 KiB."""
FILES = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
"""Media types of pages as files, by format."""
LONGEST_LIST = 2000
"""Characters of a list of names."""
CURSOR = r"^[A-Za-z0-9_-]{16,200}$"


class _Parser(FlaskParser):
    """webargs' parser, for which a body that is nested too deep is the caller's mistake."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The JSON of the body."""
        try:
            return super().load_json(req, schema)
        except RecursionError as error:
            raise BadQuery("the JSON is nested too deep") from error


class _Endpoints(Blueprint):
    """A blueprint with our parser."""

    ARGUMENTS_PARSER = _Parser()


def blueprint(noun: str, name: str = "") -> Blueprint:
    """The endpoints of a noun; its name differs from that of the pages."""
    return _Endpoints(
        f"v1_{name or noun}", __name__, url_prefix="/api/v1", description=dict(TAGS)[noun]
    )


def said(words: str, example: object = None, **more: object) -> dict[str, Any]:
    """What OpenAPI says of a parameter."""
    example_of = {} if example is None else {"example": example}
    return {"description": words, **example_of, **more}


def yes_no(words: str) -> fields.Boolean:
    """A parameter that is true or false."""
    return fields.Boolean(load_default=False, metadata=said(words))


def _text(words: str, example: str | None = None, most: int = LONGEST_LIST) -> fields.String:
    check = validate.Length(max=most)
    return fields.String(load_default="", validate=check, metadata=said(words, example))


def _cursor() -> fields.String:
    return fields.String(
        load_default=None,
        validate=validate.Regexp(
            CURSOR, error=N_("Take the cursor from `next` of the page before.")
        ),
        metadata=said(N_("Where the page starts; taken from `next` of the page before")),
    )


class Moment(fields.String):
    """A release by its number, which JSON may write as a number, or by a day or a moment."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return super()._deserialize(value, attr, data, **more)


AS_OF = N_(
    "The release to read: its number, or a day or moment (ISO 8601), which means the newest release then; "
    "without it the newest one"
)


def as_of(words: str = AS_OF, *, json: bool = False) -> Moment:
    """Which release; in a body of JSON it may be a number."""
    types: dict[str, Any] = {"type": ["string", "integer"]} if json else {}
    return Moment(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 40),
        metadata=said(words, 1 if json else "1", **types),
    )


MOST_JSON = 10_000
"""Rows on a page of JSON, which is made as a whole."""
MOST_ANYWHERE = 100_000_000
LIMITED = "limit"


def limit(usual: int, words: str, *, strict: bool = False) -> fields.Integer:
    """Rows on a page; how many there may be depends on the format, see `check_limit`."""
    return fields.Integer(
        load_default=usual,
        strict=strict,
        validate=validate.Range(0, MOST_ANYWHERE),
        metadata=said(words),
    )


LIMIT = N_(
    "Rows on a page: at most 10,000 of JSON; as csv, jsonl, arrow or parquet as many as the portal allows, 1,000,000 "
    "unless it was set otherwise. Link leads to the next page."
)


def check_limit(asked: Mapping[str, Any]) -> None:
    """Refuse a page that is longer than its format allows."""
    more: int = current_app.extensions["weft"]["settings"].page_file_rows
    if asked["limit"] > (more if asked["format"] in FILES else MOST_JSON):
        sentence = TOO_LONG % {"most": MOST_JSON, "more": more}
        raise ValidationError([sentence], LIMITED)


def crs() -> fields.String:
    """The datum of coordinates."""
    return fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(DATUMS),
        metadata=said(
            N_(
                "Convert coordinates to this datum: columns of longitude and latitude whose datum is known, and "
                "geometries, which are in WGS-84. `near` and `box` are meant in it, too; comparisons of single "
                "columns mean what is published."
            ),
            "wgs84",
        ),
    )


def row_format() -> fields.String:
    """How rows are written."""
    return fields.String(
        load_default="objects",
        validate=validate.OneOf(("objects", "arrays", *FILES)),
        metadata=said(
            N_(
                "Rows as JSON objects by column name or as lists of values (shorter), or the page as a file: CSV, JSON "
                "lines, an Arrow stream or Parquet, with the total in X-Total-Count and the next page in Link"
            )
        ),
    )


class Parameters(Schema):
    """What every call takes. Load it with `unknown=RAISE`: a misspelt parameter must not be passed over."""

    lang = fields.String(
        validate=validate.OneOf(("zh", "en")),
        metadata=said(
            N_("Language of titles and sentences; otherwise that of Accept-Language"), "en"
        ),
    )


class NarrowingParameters(Parameters):
    """Which rows."""

    where = _text(
        N_(
            "A condition as in SQL: =, !=, <, <=, >, >=, IN, BETWEEN, LIKE, IS NULL, AND, OR, NOT, contains(), "
            "starts_with(). Column names with spaces in double quotes, texts in single quotes. A text that is no "
            "condition or names an unknown column is answered with 400 and what is wrong."
        ),
        "station = 'Dongsi' AND \"PM2.5\" > 300",
        LONGEST,
    )
    q = _text(
        N_(
            "Words separated by spaces, all of which must stand in some text of the row; large and small letters are "
            "the same, Chinese is found inside longer texts"
        ),
        most=MOST_TEXT,
    )
    near = _text(
        N_(
            "Within a distance: the columns of latitude and longitude, a latitude, a longitude and kilometres, separated "
            "by commas, such as lat,lon,31.23,121.47,5; or one column of geometries, such as geometry,31.23,121.47,5, "
            "whose nearest part counts"
        ),
    )
    box = _text(
        N_(
            "In a box: the columns of latitude and longitude, then south, west, north and east, separated by commas, such as "
            "lat,lon,30.7,120.9,31.9,122.0; or one column of geometries, such as geometry,30.7,120.9,31.9,122.0, of which "
            "any part counts. A box whose west is greater than its east crosses 180°."
        ),
    )
    as_of = as_of()


class ShapingParameters(NarrowingParameters):
    """Which rows and columns, in which order."""

    select = _text(N_("Columns to return, separated by commas; all without it"), 'station,"PM2.5"')
    order_by = _text(
        N_("Columns to sort by, separated by commas; a minus before a name sorts downwards"),
        "-PM2.5",
    )


class RowsParameters(ShapingParameters):
    """A page of rows."""

    limit = limit(100, LIMIT)
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(0, 2**53),
        metadata=said(N_("Rows to pass over; to walk through a table follow `next` instead")),
    )
    cursor = _cursor()
    count = yes_no(N_("Also count all rows that satisfy where"))
    distinct = yes_no(N_("Each combination of the selected values once"))
    crs = crs()
    format = row_format()

    @validates_schema
    def not_too_long(self, data: Mapping[str, Any], **_: Any) -> None:
        """A file may be longer than JSON."""
        check_limit(data)


class GroupParameters(NarrowingParameters):
    """A group-by."""

    group_by = _text(N_("Columns to group by, separated by commas"), "station")
    measures = _text(
        N_(
            "What to compute for each group: count(*), sum, avg, min, max or distinct of a column, separated by commas; "
            "`as` gives a name"
        ),
        "count(*),avg(PM2.5) as mean",
    )
    order_by = _text(
        N_("Columns or names of measures to sort by; a minus before a name sorts downwards"),
        "-count",
    )
    limit = fields.Integer(
        load_default=1000,
        validate=validate.Range(1, 10_000),
        metadata=said(N_("Groups to return, at most 10,000")),
    )
    offset = fields.Integer(
        load_default=0, validate=validate.Range(0, 10**9), metadata=said(N_("Groups to pass over"))
    )
    having = _text(
        N_(
            "A condition on the groups, written as `where`; names are those of the result, such as count > 100"
        ),
        most=LONGEST,
    )
    cursor = _cursor()
    count = yes_no(N_("Also count all groups"))
    format = row_format()


BOM = N_(
    "CSV for Excel: with a byte order mark, so that Excel shows Chinese, and with an apostrophe before texts and "
    "column names that Excel would run as formulas (those that begin with =, +, -, @, a tab or a line break); "
    "numbers and telephone numbers stay as they are. Without it the CSV has every text exactly as published."
)


class DownloadParameters(ShapingParameters):
    """A download."""

    bom = yes_no(BOM)
    crs = crs()


class ReleaseFileParameters(Parameters):
    """A release as a file."""

    bom = yes_no(BOM)


def _facet(facet: Facet) -> fields.List[Any]:
    check = validate.OneOf(tuple(facet.values)) if facet.values else validate.Length(1, 200)
    return fields.List(
        fields.String(validate=check),
        metadata=said(facet.label, explode=True),
    )


class _Search(Parameters):
    q = Words(
        load_default="",
        validate=validate.Length(max=MOST_TEXT),
        metadata=said(N_("Words to search for, in any language"), "空气"),
    )
    sort = fields.String(
        load_default="relevance",
        validate=validate.OneOf(tuple(SORTS)),
        metadata=said(N_("Order of the results")),
    )
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(0, MOST_OFFSET),
        metadata=said(N_("Results to pass over")),
    )
    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(0, MOST_HITS),
        metadata=said(N_("Results on a page, at most 100")),
    )

    @post_load
    def to_query(self, data: Mapping[str, Any], **_: Any) -> SearchQuery:
        """The query; the language is added by the view."""
        filters = {facet.name: tuple(data[facet.name]) for facet in FACETS if data.get(facet.name)}
        return SearchQuery(
            text=data["q"],
            filters=filters,
            sort=data["sort"],
            where=Narrowing.of(data).condition(),
            offset=data["offset"],
            limit=data["limit"],
        )


SearchParameters = type(
    "SearchParameters",
    (_Search,),
    {
        **{name: _text(words, most=MOST) for name, words in DESCRIPTIONS.items()},
        **{facet.name: _facet(facet) for facet in FACETS},
    },
)
"""A search: each facet is a parameter that may be repeated."""


class SuggestParameters(Parameters):
    """What was typed so far."""

    q = Words(load_default="", metadata=said(N_("What was typed so far, in any script"), "kqzl"))
    limit = fields.Integer(
        load_default=10,
        validate=validate.Range(1, 20),
        metadata=said(N_("Suggestions, at most 20")),
    )


class SimilarParameters(Parameters):
    """How many similar datasets are wanted."""

    limit = fields.Integer(
        load_default=5, validate=validate.Range(1, 20), metadata=said(N_("Datasets, at most 20"))
    )
