"""Tags: `tag_list`, `tag_show`, `tag_search`, `tag_autocomplete`, `tag_create`, `tag_delete`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api.ckan import dictized
from api.ckan.errors import Refused
from api.ckan.given import MISSING, flag, natural, one, text
from api.ckan.names import fault_of_tag
from api.ckan.registry import action, signed_in
from catalog.errors import NotFound
from catalog.permissions import Action, Identity, require
from catalog.services import dataset_lists, tags

if TYPE_CHECKING:
    from catalog.models.tag import Tag, Vocabulary

MOST_DATASETS = 1_000


def tag(row: Tag) -> dict[str, Any]:
    """The tag as CKAN's dictionary."""
    return {
        "id": row.id,
        "name": row.name,
        "display_name": row.name,
        "vocabulary_id": row.vocabulary_id,
    }


@action(safe=True)
def tag_list(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a list of the site's tags: free ones that a public dataset bears, or those of a vocabulary.

    :param query: text that stands in the name (optional)
    :param vocabulary_id: the id or name of a vocabulary (optional)
    :param all_fields: dictionaries instead of names
    """
    vocabulary = _vocabulary(data)
    if vocabulary is None and data.get("vocabulary_id"):
        wanted = text(data, "vocabulary_id")[:120]
        raise NotFound("could not find vocabulary '%(name)s'", name=wanted)
    found, _ = tags.listed(vocabulary, words=_words(data))
    return [tag(row) if flag(data, "all_fields") else row.name for row in found]


@action(safe=True)
def tag_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the details of a tag.

    :param id: the name or id of the tag
    :param vocabulary_id: the id or name of its vocabulary; a free tag has none
    :param include_datasets: its datasets, at most 1000
    """
    row = _found(data)
    told = tag(row)
    if flag(data, "include_datasets"):
        rows = dataset_lists.listed(who, dataset_lists.of_tag(row.id), limit=MOST_DATASETS)
        told["packages"] = dictized.packages(who, rows)
    return told


@action(safe=True)
def tag_search(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a list of tags whose names contain a given string.

    :param query: the string, or a list of strings that must all stand in the name
    :param vocabulary_id: the id or name of a vocabulary; without one free tags are searched
    :param limit: at most so many
    :param offset: how many to pass over
    """
    found, count = _searched(data)
    return {
        "count": count,
        "results": [
            {"id": row.id, "name": row.name, "vocabulary_id": row.vocabulary_id} for row in found
        ],
    }


@action(safe=True)
def tag_autocomplete(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a list of tag names that contain a given string.

    :param query: the string
    :param vocabulary_id: the id or name of a vocabulary; without one free tags are searched
    :param limit: at most so many
    :param offset: how many to pass over
    """
    found, _ = _searched(data)
    return [row.name for row in found]


@action()
def tag_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new vocabulary tag. For administrators; free tags come with their datasets.

    :param name: the name of the tag
    :param vocabulary_id: the id of its vocabulary
    """
    signed_in(who, "tag_create")
    require(who, Action.STANDARD_WRITE)
    problems: dict[str, Any] = {}
    name = data.get("name")
    fault = fault_of_tag(name)
    if fault:
        problems["name"] = [fault]
    vocabulary = _vocabulary(data)
    if not data.get("vocabulary_id"):
        problems["vocabulary_id"] = [MISSING]
    elif vocabulary is None:
        problems["vocabulary_id"] = ["Tag vocabulary was not found."]
    elif not fault and tags.find(str(name), vocabulary) is not None:
        problems["vocabulary_id"] = [f"Tag {name} already belongs to vocabulary {vocabulary.id}"]
    if problems or vocabulary is None:
        raise Refused(problems)
    return tag(tags.add(who, vocabulary, str(name)))


@action()
def tag_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Delete a tag, also from its datasets. For administrators.

    :param id: the id or name of the tag
    :param vocabulary_id: the id or name of its vocabulary; a free tag has none
    """
    signed_in(who, "tag_delete")
    if not data.get("id"):
        raise Refused({"id": "id not in data"})
    tags.remove(who, _found(data))


def _found(data: Mapping[str, Any]) -> Tag:
    name, vocabulary = one(data), _vocabulary(data)
    known = not data.get("vocabulary_id") or vocabulary is not None
    row = tags.find(name, vocabulary) if known else None
    if row is None:
        raise NotFound('Could not find tag "%(name)s"', name=name[:120])
    return row


def _vocabulary(data: Mapping[str, Any]) -> Vocabulary | None:
    name = text(data, "vocabulary_id")
    return tags.vocabulary_named(name) if name else None


def _searched(data: Mapping[str, Any]) -> tuple[list[Tag], int]:
    words, vocabulary = _words(data), _vocabulary(data)
    if not words or (data.get("vocabulary_id") and vocabulary is None):
        return [], 0
    most = tags.MOST
    return tags.listed(
        vocabulary,
        words=words,
        limit=natural(data, "limit", most, most=most),
        offset=natural(data, "offset", 0, most=10**9),
    )


def _words(data: Mapping[str, Any]) -> list[str]:
    given = data.get("query") or data.get("q") or []
    words = list(given) if isinstance(given, list) else [given]
    fields = data.get("fields") if isinstance(data.get("fields"), Mapping) else {}
    words += [value for name, value in (fields or {}).items() if name in ("tag", "tags")]
    return [str(word).strip() for word in words if str(word).strip()][:20]
