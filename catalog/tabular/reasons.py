"""Why a cell's text is kept beside the typed value, in codes that files and the API keep."""

from __future__ import annotations

from enum import StrEnum

from catalog.errors import N_


class Reason(StrEnum):
    """FINE is kept nowhere; what is HARMLESS keeps a text whose value is right."""

    FINE = ""
    NOTATION = "notation"
    MISSING = "missing"
    NUMBER = "number"
    INTEGER = "integer"
    PRECISION = "precision"
    RANGE = "range"
    BOUND = "bound"
    MARK = "mark"
    BOOLEAN = "boolean"
    DATE = "date"
    PARTIAL = "partial"
    MONTH = "yearmonth"
    YEAR = "year"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    GEOJSON = "geojson"
    GEOPOINT = "geopoint"
    OBJECT = "object"
    ARRAY = "array"
    FORMAT = "format"
    REQUIRED = "required"
    UNIQUE = "unique"
    MIN_LENGTH = "minLength"
    MAX_LENGTH = "maxLength"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    PATTERN = "pattern"
    ENUM = "enum"
    USCC = "uscc"
    DIVISION = "division"
    DIVISION_UNKNOWN = "division_unknown"
    DIVISION_GONE = "division_gone"
    IDENTITY = "resident_id"
    PHONE = "phone"
    EMAIL = "email"
    LONGITUDE = "longitude"
    LATITUDE = "latitude"


HARMLESS = frozenset([Reason.NOTATION, Reason.MISSING, Reason.DIVISION_GONE])
"""The value is the one that was meant; its text was another, or it was right in its time."""

SENTENCES: dict[str, str] = {
    Reason.NOTATION: N_("was written in another way; the value is the same"),
    Reason.MISSING: N_("means that there is no value"),
    Reason.NUMBER: N_("is not a number"),
    Reason.INTEGER: N_("is not a whole number"),
    Reason.PRECISION: N_("has more digits than a number keeps exactly"),
    Reason.RANGE: N_("is too large"),
    Reason.BOUND: N_("is a limit or an estimate, not one number"),
    Reason.MARK: N_("is a mark, not a value"),
    Reason.BOOLEAN: N_("is neither true nor false"),
    Reason.DATE: N_("is not a date"),
    Reason.PARTIAL: N_("is a month or a year, not a day"),
    Reason.MONTH: N_("is not a month of a year"),
    Reason.YEAR: N_("is not a year"),
    Reason.DATETIME: N_("is not a date with a time"),
    Reason.TIME: N_("is not a time of day"),
    Reason.DURATION: N_("is not a duration"),
    Reason.GEOJSON: N_("is not a GeoJSON geometry"),
    Reason.GEOPOINT: N_("is not a pair of longitude and latitude"),
    Reason.OBJECT: N_("is not a JSON object"),
    Reason.ARRAY: N_("is not a JSON array"),
    Reason.FORMAT: N_("does not have the declared format"),
    Reason.REQUIRED: N_("is empty, but a value is required"),
    Reason.UNIQUE: N_("is there more than once, but must be unique"),
    Reason.MIN_LENGTH: N_("is shorter than declared"),
    Reason.MAX_LENGTH: N_("is longer than declared"),
    Reason.MINIMUM: N_("is less than the declared minimum"),
    Reason.MAXIMUM: N_("is greater than the declared maximum"),
    Reason.PATTERN: N_("does not match the declared pattern"),
    Reason.ENUM: N_("is not one of the declared values"),
    Reason.USCC: N_("is not a valid unified social credit code"),
    Reason.DIVISION: N_("is not a valid administrative division code"),
    Reason.DIVISION_UNKNOWN: N_(
        "has the form of an administrative division code, but is in no list from 1980 to 2024"
    ),
    Reason.DIVISION_GONE: N_("is an administrative division code of former years"),
    Reason.IDENTITY: N_("is not a valid resident identity number"),
    Reason.PHONE: N_("is not a telephone number"),
    Reason.EMAIL: N_("is not an e-mail address"),
    Reason.LONGITUDE: N_("is not a longitude"),
    Reason.LATITUDE: N_("is not a latitude"),
}
