"""Words for types, comparisons and calculations, in the reader's language."""

from __future__ import annotations

from portal.languages import lazy_gettext

TYPES = {
    "string": lazy_gettext("Text"),
    "integer": lazy_gettext("Whole number"),
    "number": lazy_gettext("Number"),
    "boolean": lazy_gettext("Yes or no"),
    "date": lazy_gettext("Date"),
    "datetime": lazy_gettext("Date and time"),
    "geojson": lazy_gettext("Outline (GeoJSON)"),
}
COMPARISONS = {
    "contains": lazy_gettext("contains"),
    "starts": lazy_gettext("starts with"),
    "is": lazy_gettext("is (=)"),
    "is_not": lazy_gettext("is not (≠)"),
    "at_least": lazy_gettext("at least, from (≥)"),
    "at_most": lazy_gettext("at most, until (≤)"),
    "more": lazy_gettext("more than, after (>)"),
    "less": lazy_gettext("less than, before (<)"),
    "empty": lazy_gettext("is empty"),
    "filled": lazy_gettext("is not empty"),
}
COMPARISON_SIGNS = {
    "is": "=",
    "is_not": "≠",
    "at_least": "≥",
    "at_most": "≤",
    "more": ">",
    "less": "<",
}
KINDS = {
    "line": lazy_gettext("Line"),
    "area": lazy_gettext("Area"),
    "bar": lazy_gettext("Bars"),
    "pie": lazy_gettext("Pie"),
    "scatter": lazy_gettext("Points"),
}
AGGREGATES = {
    "count": lazy_gettext("Number of rows"),
    "avg": lazy_gettext("Average"),
    "median": lazy_gettext("Median"),
    "sum": lazy_gettext("Sum"),
    "min": lazy_gettext("Least"),
    "max": lazy_gettext("Greatest"),
    "distinct": lazy_gettext("Number of different values"),
}
UNITS = {
    "": lazy_gettext("(as fits)"),
    "year": lazy_gettext("Year"),
    "quarter": lazy_gettext("Quarter"),
    "month": lazy_gettext("Month"),
    "week": lazy_gettext("Week"),
    "day": lazy_gettext("Day"),
    "hour": lazy_gettext("Hour"),
}
CATEGORY_ORDERS = {
    "": lazy_gettext("(as usual)"),
    "largest": lazy_gettext("Largest first"),
    "smallest": lazy_gettext("Smallest first"),
    "name": lazy_gettext("By name"),
}
VIEWS = {
    "rows": lazy_gettext("Rows"),
    "columns": lazy_gettext("Columns"),
    "chart": lazy_gettext("Chart"),
    "map": lazy_gettext("Map"),
    "versions": lazy_gettext("Versions"),
    "downloads": lazy_gettext("Download"),
    "api": lazy_gettext("API"),
}
FORMAT_WORDS = {
    "objects": lazy_gettext("JSON, objects by column name"),
    "arrays": lazy_gettext("JSON, lists of values (shorter)"),
    "csv": lazy_gettext("CSV file, all rows"),
    "jsonl": lazy_gettext("JSON lines file, all rows"),
    "parquet": lazy_gettext("Parquet file, all rows"),
    "xlsx": lazy_gettext("Excel file, all rows"),
}
"""Formats of the query builder; files have no limit of rows."""
