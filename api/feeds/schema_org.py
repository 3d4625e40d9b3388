"""A dataset in schema.org's words, as its page has them too."""

from __future__ import annotations

import orjson
from flask import Response

from api.feeds.answers import answer, base, bp, current, public_dataset, tag_of, titles
from api.identity import language
from catalog.permissions import ANYONE
from catalog.schemas.schema_org import dataset_json
from catalog.services import catalogue


@bp.get("/datasets/<slug>.schema.jsonld")
def schema_org(slug: str) -> Response:
    """The description in the reader's language."""
    dataset = public_dataset(slug)
    chosen = language()
    tag = tag_of(dataset.id, dataset.updated_at, dataset.organization.updated_at, chosen)
    same = current(tag, dataset.updated_at)
    if same is not None:
        return same
    readable = catalogue.is_readable(ANYONE, dataset)
    body = dataset_json(dataset, chosen, base(), readable=readable, titles=titles())
    written = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    response = answer(written, "application/ld+json", tag, dataset.updated_at)
    response.vary.add("Accept-Language")
    return response
