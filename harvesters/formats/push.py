"""A system that sends its records by itself, in batches with a key: nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema, fields

from catalog.errors import Invalid
from harvesters.declaration import LANGUAGE
from harvesters.harvester import Content, Record, Source
from harvesters.http import Http

TEXTS = ("title", "description", "notice", "access_reason")


class PushOptions(Schema):
    """What a source of the kind `push` may be told."""

    language = fields.String(
        load_default="zh",
        validate=LANGUAGE,
        metadata={"description": "Language of texts that are sent without one"},
    )


class Push:
    """A format: what is sent are descriptions in the fields of a dataset."""

    kind = "push"
    options: ClassVar[type[Schema]] = PushOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:  # noqa: ARG002 # the protocol's signature
        """Nothing can be asked for; raises Invalid with the way that records come."""
        raise Invalid(
            "this source sends its records by itself, to /api/v1/sources/…/records: there is nothing to fetch"
        )

    def describe(self, record: Record) -> dict[str, Any]:
        """The fields as they were sent; a plain text is one in the language of the source."""
        language, sent = record.body["language"], record.body["dataset"]
        described = {**sent, "resources": [_resource(one, language) for one in sent["resources"]]}
        return _with_texts(described, language)

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """Rows are sent, too."""
        raise Invalid("the rows of this source are sent by itself: there is nothing to fetch")


def _resource(sent: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A resource without `load`, for nothing is fetched."""
    return _with_texts({name: value for name, value in sent.items() if name != "load"}, language)


def _with_texts(sent: dict[str, Any], language: str) -> dict[str, Any]:
    texts = {name: {language: sent[name]} for name in TEXTS if isinstance(sent.get(name), str)}
    return {**sent, **texts}
