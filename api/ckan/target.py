"""What a write is about: the resource that a client names, its table, and whether it may be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.ckan.dictized import DATASTORE_ONLY
from api.ckan.errors import Refused
from api.ckan.registry import signed_in
from api.ckan.tables import Table, found, not_allowed
from catalog.errors import Gone, NotFound
from catalog.permissions import Action, Identity, allowed
from catalog.services import resources, table_aliases

if TYPE_CHECKING:
    from catalog.models.dataset import Resource

MISSING = "Resource was not found."
READ_ONLY = (
    "Cannot edit read-only resource because changes made may be lost. Use a resource created for "
    'editing e.g. with datastore_create or use "force=True" to ignore this warning.'
)


@dataclass(frozen=True)
class Target:
    """The resource, and the name of its table if it has one."""

    name: str
    resource: Resource
    table_id: str | None

    def table(self, who: Identity) -> Table:
        """The table as it is now; raises NotFound when there is none."""
        if self.table_id is None:
            raise NotFound(f'Resource "{self.name[:200]}" was not found.')
        return found(who, self.table_id)


def target(who: Identity, name: str, action: str, *, force: bool) -> Target:
    """What `name` names, for writing; raises NotFound, Denied, or Refused for what a harvest would undo."""
    signed_in(who, action)
    about = known(who, name)
    if about is None:
        raise NotFound(MISSING)
    if not allowed(who, Action.TABLE_WRITE, about.resource.dataset):
        raise not_allowed(who, "resource_update", name)
    if not force and (about.resource.extras or {}).get("url_type") != DATASTORE_ONLY:
        raise Refused({"read-only": [READ_ONLY]})
    return about


def known(who: Identity, name: str) -> Target | None:
    """The resource of this id, or the one of a table's id or alias; None when there is none."""
    try:
        row = resources.show(who, name)
        ids = [table.id for table in row.tables]
        if len(ids) > 1:
            listed = ", ".join(ids[:20])
            raise Refused({"resource_id": [f"The resource has several tables: {listed}"]})
        return Target(name, row, ids[0] if ids else None)
    except (NotFound, Gone):
        resolved = table_aliases.resolve(name)
    if resolved is None:
        return None
    row = resources.show(who, table_aliases.resource_of(resolved.table_id))
    return Target(resolved.name, row, resolved.table_id)
