"""Coordinates in another datum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import RAISE, fields, validate

from api.answers import json_answer
from api.v1.description import N_, many, record, text
from api.v1.parameters import Parameters, blueprint, said
from catalog.services import coordinates
from catalog.tabular.coordinates import DATUMS

bp = blueprint("tables", "coordinates")
POINT = many({"type": "number"}, N_("Longitude and latitude in degrees"))


class CoordinatesParameters(Parameters):
    """What to convert."""

    source = fields.String(
        data_key="from",
        required=True,
        validate=validate.OneOf(DATUMS),
        metadata=said(N_("The datum of the points: WGS-84, GCJ-02 or BD-09"), "gcj02"),
    )
    target = fields.String(
        data_key="to",
        load_default="wgs84",
        validate=validate.OneOf(DATUMS),
        metadata=said(N_("The datum to convert them to"), "wgs84"),
    )
    points = fields.String(
        required=True,
        validate=validate.Length(1, coordinates.LONGEST),
        metadata=said(
            N_("Points as longitude,latitude; several are separated by semicolons"),
            "116.404,39.915;121.47,31.23",
        ),
    )


@bp.route("/coordinates")
@bp.arguments(CoordinatesParameters(), location="query", unknown=RAISE)
@bp.response(
    200,
    record(N_("The points in the other datum"), crs=text(enum=list(DATUMS)), points=many(POINT)),
    description=N_("The points, in the order in which they were sent"),
)
@bp.doc(summary=N_("Convert coordinates"), operationId="convertCoordinates", tags=["tables"])
def convert(asked: Mapping[str, Any]) -> Response:
    """Points between WGS-84, GCJ-02 and BD-09; outside of China they stay as they are."""
    points = coordinates.convert_text(asked["points"], asked["source"], asked["target"])
    return json_answer({"crs": asked["target"], "points": points})
