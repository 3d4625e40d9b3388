"""What is done alike with organizations and groups: `organization_list`, `group_list`, `organization_create` and their kin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.ckan import bodies
from api.ckan.registry import Run, register_as, signed_in
from catalog.permissions import Identity
from catalog.services.bodies import Group, Organization

ONE = ":param id: the id or name of the {one}"
GROUPS = {
    Organization: '[{"name": …}], the organization that it belongs to',
    Group: "passed over: groups hold datasets only",
}


@dataclass(frozen=True)
class Verb:
    """What is done, whether it changes nothing, and what `help_show` tells of it."""

    name: str
    run: Callable[[Identity, type[bodies.Body], dict[str, Any]], Any]
    explained: str
    safe: bool = False


VERBS = (
    Verb(
        "list",
        bodies.names,
        """Return a list of the names of the site's {one}s.

:param sort: name, title or package_count, with asc or desc (default: title asc)
:param limit: at most so many (default and most: 1000, with all_fields 25)
:param offset: how many to pass over
:param {one}s: names, to list only these
:param q: text that stands in the name, the title or the description
:param all_fields: dictionaries instead of names
:param include_dataset_count: with all_fields, package_count (default: True)
:param include_extras: with all_fields, the extras
:param include_groups: with all_fields, the organization that each belongs to
:param include_users: with all_fields, the members; needs a key
:param include_member_count: with all_fields, how many members there are""",
        safe=True,
    ),
    Verb(
        "show",
        bodies.shown,
        f"""Return the details of one {{one}}.

{ONE}
:param include_datasets: its ten datasets that changed last
:param include_dataset_count: package_count (default: True)
:param include_extras: the extras (default: True)
:param include_users: the members; needs a key, with which the default is True
:param include_groups: the organization that it belongs to (default: True)
:param include_followers: num_followers (default: True)
:param include_member_count: how many members there are""",
        safe=True,
    ),
    Verb(
        "create",
        bodies.created,
        """Create a new {one}. You must be an administrator of the portal, and become an admin of it.

:param name: 2 to 100 lower-case letters, digits, - and _
:param id: its id, a UUID (optional)
:param title, description, image_url: texts (optional)
:param extras: list of dictionaries with key and value (optional)
:param packages: list of dictionaries with the id or name of a dataset, for groups (optional)
:param users: list of dictionaries with name and capacity (optional)
:param groups: {groups} (optional)""",
    ),
    Verb(
        "update",
        bodies.updated,
        f"""Update the {{one}}. You must be an admin of it.

Extras that are not given are removed; for other parameters see {{one}}_create.

{ONE}""",
    ),
    Verb("patch", bodies.patched, f"Patch the {{one}}: what is not given stays as it is.\n\n{ONE}"),
    Verb(
        "delete",
        bodies.deleted,
        f"""Delete the {{one}}. You must be an admin of it; an organization that has datasets stays.

{ONE}""",
    ),
    Verb(
        "purge",
        bodies.purged,
        f"""Purge the {{one}}: unlike a deleted one, it is gone, and its name is free. For administrators.

{ONE}""",
    ),
    Verb(
        "autocomplete",
        bodies.completed,
        """Return a list of {one}s whose name or title contains a string.

:param q: the string to search for
:param limit: at most so many (default: 20)""",
        safe=True,
    ),
)


def _of(kind: type[bodies.Body], verb: Verb, name: str) -> Run:
    def run(who: Identity, data: dict[str, Any]) -> Any:
        if not verb.safe:
            signed_in(who, name)
        return verb.run(who, kind, data)

    return run


for _kind in (Organization, Group):
    _one = bodies.called(_kind)
    for _verb in VERBS:
        _name = f"{_one}_{_verb.name}"
        _explained = _verb.explained.format(one=_one, groups=GROUPS[_kind])
        register_as(_name, _explained, _of(_kind, _verb, _name), safe=_verb.safe)
