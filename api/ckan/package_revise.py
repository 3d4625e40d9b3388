"""`package_revise`: match, filter and update parts of a dataset in one step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from api.ckan import dictized
from api.ckan.errors import Refused, Unfit
from api.ckan.nested import (
    WrongPath,
    filtered,
    merge,
    merge_at,
    unmatched,
    unmatched_at,
)
from api.ckan.package_writes import afresh, update
from api.ckan.packages import found
from api.ckan.registry import action
from catalog.permissions import Identity
from catalog.services import catalogue


@action()
@afresh
def package_revise(who: Identity, data: dict[str, Any]) -> Any:
    """Revise a dataset (package) selectively with match, filter and update parameters.

    :param match: values that the dataset must have, id or name among them, else nothing is done
    :param filter: patterns of fields to remove, such as "-resources__1" or "+title, +resources, -*"
    :param update: values to update or create after filtering
    :param include: patterns of fields to include in the response, such as "-*" for nothing

    Match and update may also be given as flattened keys with the index of an item or the beginning of its
    id (5 characters at least): update__resources__1f9ab__description, update__resources__-1__name; with
    update__resources__extend a list is made longer.
    """
    match, match_at = _objects(data, "match")
    change, change_at = _objects(data, "update")
    patterns, include = _patterns(data, "filter"), _patterns(data, "include")
    name = match_at.get("id") or match.get("id") or match_at.get("name") or match.get("name")
    if name is None:
        raise Refused({"match__id": "Missing value"})
    dataset = found(who, str(name))
    revised = dictized.package(dataset, readable=catalogue.is_readable(who, dataset))
    _check_match(revised, match, match_at)
    del revised["metadata_modified"]
    if patterns:
        filtered(revised, patterns)
        revised["id"] = dataset.id
    _merge(revised, change, change_at)
    answer: dict[str, Any] = {"package": update(who, dataset, revised)}
    if include:
        answer["package"] = dictized.package(found(who, dataset.id), readable=True)
        filtered(answer, include)
    return answer


def _check_match(
    package: dict[str, Any], match: Mapping[str, Any], match_at: Mapping[str, Any]
) -> None:
    try:
        missed = unmatched(package, match)
        for key, value in sorted(match_at.items()):
            missed += unmatched_at(package, key, value)
    except WrongPath as error:
        raise Unfit("%(message)s", message=str(error)) from error
    if missed:
        raise Refused({"match": ["__".join(map(str, path)) for path in missed]})


def _merge(
    package: dict[str, Any], change: Mapping[str, Any], change_at: Mapping[str, Any]
) -> None:
    """Put the changes in, what makes lists longer first, so that files find their new resources."""
    try:
        merge(package, change)
    except WrongPath as error:
        raise Refused({"update": [str(error)]}) from error
    for key, value in sorted(
        change_at.items(), key=lambda one: (not one[0].endswith("extend"), one[0])
    ):
        try:
            merge_at(package, key, value)
        except WrongPath as error:
            raise Refused({key: [str(error)]}) from error


def _objects(data: Mapping[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameter, and those with its name before two underscores."""
    whole = _read(data.get(name))
    if whole is not None and not isinstance(whole, dict):
        raise Refused({name: ["Must be a dict"]})
    start = f"{name}__"
    parts = {
        key[len(start) :]: _read(value) for key, value in data.items() if key.startswith(start)
    }
    return whole or {}, parts


def _patterns(data: Mapping[str, Any], name: str) -> list[str]:
    given = data.get(name)
    if isinstance(given, str):
        read = _read(given)
        given = read if isinstance(read, list) else given.split(",")
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise Refused({name: ["Not a list"]})
    return [one.strip() for one in given]


def _read(value: Any) -> Any:
    """What a text means as JSON, if it is any."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
