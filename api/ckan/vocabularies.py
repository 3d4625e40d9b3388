"""Vocabularies of tags: `vocabulary_list`, `vocabulary_show`, `vocabulary_create` and their kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api.ckan.errors import Refused
from api.ckan.given import MISSING, text
from api.ckan.names import fault_of_tag
from api.ckan.registry import action, signed_in
from api.ckan.tags import tag
from catalog.errors import NotFound
from catalog.permissions import Action, Identity, require
from catalog.services import vocabularies

if TYPE_CHECKING:
    from catalog.models.tag import Vocabulary

SHORTEST, LONGEST = 2, 100
MOST_TAGS = 10_000


def vocabulary(row: Vocabulary) -> dict[str, Any]:
    """The vocabulary with its tags."""
    return {"id": row.id, "name": row.name, "tags": [tag(one) for one in row.tags]}


@action(safe=True)
def vocabulary_list(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a list of all the site's tag vocabularies."""
    return [vocabulary(row) for row in vocabularies.listed()]


@action(safe=True)
def vocabulary_show(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a single tag vocabulary.

    :param id: the id or name of the vocabulary
    """
    return vocabulary(_found(data))


@action()
def vocabulary_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new tag vocabulary. For administrators.

    :param name: the name of the new vocabulary, e.g. Genre
    :param tags: the tags of the new vocabulary, a list of dictionaries with name
    """
    signed_in(who, "vocabulary_create")
    require(who, Action.STANDARD_WRITE)
    problems: dict[str, Any] = {}
    if data.get("id"):
        problems["id"] = ["The input field id was not expected."]
    fault = _fault_of_name(data.get("name"))
    if fault:
        problems["name"] = [fault]
    names = _tags(data, problems) or []
    if problems:
        raise Refused(problems)
    made = vocabularies.create(who, text(data, "name"), names)
    return vocabulary(_found({"id": made}))


@action()
def vocabulary_update(who: Identity, data: dict[str, Any]) -> Any:
    """Update a tag vocabulary. For administrators.

    :param id: the id of the vocabulary
    :param name: another name (optional)
    :param tags: all tags that it is to have (optional)
    """
    signed_in(who, "vocabulary_update")
    row = _found(data)
    require(who, Action.STANDARD_WRITE)
    problems: dict[str, Any] = {}
    name = text(data, "name")
    if name and name != row.name:
        fault = _fault_of_name(name)
        if fault:
            problems["name"] = [fault]
    names = _tags(data, problems)
    if problems:
        raise Refused(problems)
    vocabularies.change(who, row, name=name, names_of_tags=names)
    return vocabulary(_found({"id": row.id}))


@action()
def vocabulary_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Delete a tag vocabulary with its tags. For administrators.

    :param id: the id of the vocabulary
    """
    signed_in(who, "vocabulary_delete")
    vocabularies.remove(who, _found(data))


def _found(data: Mapping[str, Any]) -> Vocabulary:
    name = text(data, "id")
    if not name:
        raise Refused({"id": "id not in data"})
    row = vocabularies.show(name)
    if row is None:
        raise NotFound('Could not find vocabulary "%(name)s"', name=name[:120])
    return row


def _fault_of_name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        return MISSING
    if len(name) < SHORTEST:
        return f"Name must be at least {SHORTEST} characters long"
    if len(name) > LONGEST:
        return f"Name must be a maximum of {LONGEST} characters long"
    return "That vocabulary name is already in use." if vocabularies.taken(name) else ""


def _tags(data: Mapping[str, Any], problems: dict[str, Any]) -> list[str] | None:
    given = data.get("tags")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > MOST_TAGS:
        problems["tags"] = [f"Must be a list of at most {MOST_TAGS} dicts"]
        return []
    names = [one.get("name") if isinstance(one, Mapping) else one for one in given]
    faults = [fault_of_tag(name) for name in names]
    if any(faults):
        problems["tags"] = [{"name": [fault]} if fault else {} for fault in faults]
    return [str(name) for name in names]
