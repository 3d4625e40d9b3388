"""What CKAN's rules say of a dataset's dictionary: each field's problems, in CKAN's sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from api.ckan.errors import Refused, Unfit
from api.ckan.given import MISSING, is_json, text_of
from api.ckan.names import ROOT, fault_of_name, fault_of_tag
from api.ckan.resource_checks import RUN, is_uuid, resource_problems, scheme_of
from api.ckan.validators import YES
from catalog.errors import NotFound
from catalog.permissions import Action, Identity, allowed
from catalog.services import dataset_changes

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)*")
MOST_VERSION = 100
NESTED = ("resources", "tags", "extras", "groups")
Problems = dict[str, Any]


def check(who: Identity, data: Mapping[str, Any], dataset: Dataset | None = None) -> None:
    """Raise Refused for a dictionary that is no dataset, new or changed; Unfit for one of another shape."""
    _check_shape(data)
    problems: Problems = {}
    for name, text in _own_problems(who, data, dataset):
        problems.setdefault(name, []).append(text)
    _add_nested(problems, who, data, dataset)
    if problems:
        raise Refused(problems)


def is_yes(value: Any) -> bool:
    """Whether CKAN takes it for true."""
    return value.lower() in YES if isinstance(value, str) else bool(value)


def names_of_tags(data: Mapping[str, Any]) -> list[str]:
    """Those of `tag_string`, between commas."""
    given = data.get("tag_string")
    if isinstance(given, list):
        return [text_of(name) for name in given]
    return [name.strip() for name in text_of(given).split(",") if name.strip()]


def _check_shape(data: Mapping[str, Any]) -> None:
    for name in NESTED:
        given = data.get(name)
        whole = isinstance(given, list) and all(isinstance(one, Mapping) for one in given)
        if given and not whole:
            kind = type(given).__name__
            raise Unfit(
                "Only lists of dicts can be placed against subschema ('%(name)s',) not <class '%(kind)s'>",
                name=name,
                kind=kind,
            )
    for name, given in data.items():
        nested = isinstance(given, list) and bool(given) and isinstance(given[0], Mapping)
        if nested and name not in ROOT:
            raise Refused({"__junk": [f"The input field ['{name}'] was not expected."]})


def _own_problems(
    who: Identity, data: Mapping[str, Any], dataset: Dataset | None
) -> Iterator[tuple[str, str]]:
    yield from _id_problems(who, data, dataset)
    yield from _name_problems(data, dataset)
    yield from _owner_problems(who, data, dataset)
    if len(text_of(data.get("version"))) > MOST_VERSION:
        yield "version", f"Version must be a maximum of {MOST_VERSION} characters long"
    for name in ("author_email", "maintainer_email"):
        value = text_of(data.get(name)).strip()
        if value and not EMAIL.fullmatch(value):
            yield name, f"Email {value} is not a valid format"
    if scheme_of(text_of(data.get("url"))) in RUN:
        yield "url", "Please provide a valid URL"
    plugin_data = data.get("plugin_data") or {}
    if not isinstance(plugin_data, Mapping) or not is_json(plugin_data):
        yield "plugin_data", "The value should be a valid JSON object"
    yield from _nested_problems(data)


def _nested_problems(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for tag in names_of_tags(data):
        if fault := fault_of_tag(tag):
            yield "tag_string", fault
    keys = [one.get("key") for one in data.get("extras") or () if not one.get("deleted")]
    twice = next((key for at, key in enumerate(keys) if key in keys[:at]), None)
    if twice is not None:
        yield "extras_validation", f'Duplicate key "{twice}"'


def _id_problems(
    who: Identity, data: Mapping[str, Any], dataset: Dataset | None
) -> Iterator[tuple[str, str]]:
    given = data.get("id")
    if given is None or dataset is not None:
        return
    if not who.administrator and not who.scheduler:
        if given:
            yield "id", "The input field id was not expected."
    elif not is_uuid(given):
        yield "id", "Invalid id provided"
    elif _taken(who, text_of(given)) is not None:
        yield "id", "Dataset id already exists"


def _name_problems(data: Mapping[str, Any], dataset: Dataset | None) -> Iterator[tuple[str, str]]:
    given = data.get("name")
    if dataset is not None and given is None:
        return
    if given in (None, "", [], {}):
        if dataset is None or given is None:
            yield "name", MISSING
        else:
            yield "name", "Must be at least 2 characters long"
        return
    fault = fault_of_name(given)
    if fault:
        yield "name", fault
    elif is_name_taken(given, dataset):
        yield "name", "That URL is already in use."


def is_name_taken(name: str, dataset: Dataset | None) -> bool:
    """Whether another dataset has the address, or had it before: an address never changes its meaning."""
    other = dataset_changes.holder_of(name)
    return other is not None and (dataset is None or other != dataset.id)


def _owner_problems(
    who: Identity, data: Mapping[str, Any], dataset: Dataset | None
) -> Iterator[tuple[str, str]]:
    given = data.get("owner_org")
    if dataset is not None and given is None:
        return
    if given in (None, ""):
        yield "owner_org", "An organization must be provided"
        return
    organization = dataset_changes.organization_called(text_of(given))
    if organization is None:
        yield "owner_org", "Organization does not exist"
    elif dataset is not None and dataset.organization_id == organization.id:
        return
    elif not allowed(who, Action.DATASET_WRITE, organization):
        yield "owner_org", "You cannot add a dataset to this organization"


def _add_nested(
    problems: Problems, who: Identity, data: Mapping[str, Any], dataset: Dataset | None
) -> None:
    """Problems of the lists: a dictionary for each item, of tags a sentence for each that is wrong."""
    known = dataset_changes.vocabularies() if _has_vocabulary(data) else {}
    kept = frozenset(dataset.tags) if dataset else frozenset()
    tags = [
        ", ".join(said)
        for tag in data.get("tags") or ()
        if text_of(tag.get("name")) not in kept and (said := _problems_of_tag(tag, known.keys()))
    ]
    if tags:
        problems["tags"] = tags
    own = {one.id for one in dataset.resources} if dataset else set()
    _add_list(problems, "extras", data, lambda one: _extra_problems(who, one))
    _add_list(problems, "resources", data, lambda one: resource_problems(one, own))


def _add_list(
    problems: Problems,
    name: str,
    data: Mapping[str, Any],
    of: Callable[[Mapping[str, Any]], Problems],
) -> None:
    found = [of(one) for one in data.get(name) or ()]
    if any(found):
        problems[name] = found


def _extra_problems(who: Identity, extra: Mapping[str, Any]) -> Problems:
    problems: Problems = {}
    if extra.get("id") and not who.administrator:
        problems["id"] = ["The input field id was not expected."]
    key = extra.get("key")
    if key in (None, "", [], {}):
        problems["key"] = [MISSING]
    elif text_of(key) in ROOT:
        problems["key"] = ["There is a schema field with the same name"]
    if "value" not in extra:
        problems["value"] = [MISSING]
    return problems


def _has_vocabulary(data: Mapping[str, Any]) -> bool:
    return any(tag.get("vocabulary_id") for tag in data.get("tags") or ())


def _problems_of_tag(tag: Mapping[str, Any], vocabularies: Collection[str]) -> list[str]:
    if tag.get("name") in (None, "", [], {}):
        return [MISSING]
    fault = fault_of_tag(text_of(tag["name"]))
    problems = [fault] if fault else []
    if tag.get("vocabulary_id") and text_of(tag["vocabulary_id"]) not in vocabularies:
        problems.append("Tag vocabulary was not found.")
    return problems


def _taken(who: Identity, id_: str) -> Any:
    try:
        return dataset_changes.find(who, id_)
    except dataset_changes.Unseen:
        return id_
    except NotFound:
        return None
