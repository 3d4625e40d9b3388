"""Who may do what: identities, actions and one table of rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from catalog.errors import Denied, Unauthenticated
from catalog.models.account import Account, ApiKey
from catalog.models.dataset import Dataset
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.vocabulary import Access, MemberRole, Role, State


class Action(StrEnum):
    """Everything that a service asks permission for."""

    DATASET_READ = "dataset:read"
    DATASET_WRITE = "dataset:write"
    DATASET_RETIRE = "dataset:retire"
    DATASET_APPROVE = "dataset:approve"
    DATASET_PURGE = "dataset:purge"
    DATASET_SHARE = "dataset:share"
    TABLE_READ = "table:read"
    TABLE_LOAD = "table:load"
    TABLE_WRITE = "table:write"
    TABLE_MANAGE = "table:manage"
    COLUMN_READ = "column:read"
    ORGANIZATION_WRITE = "organization:write"
    ORGANIZATION_READ = "organization:read"
    ORGANIZATION_PURGE = "organization:purge"
    THEME_WRITE = "theme:write"
    THEME_FILL = "theme:fill"
    THEME_PURGE = "theme:purge"
    STANDARD_WRITE = "standard:write"
    LOG_READ = "log:read"
    SOURCE_READ = "source:read"
    SOURCE_WRITE = "source:write"
    SOURCE_RUN = "source:run"
    ACCOUNT_READ = "account:read"
    ACCOUNT_CREATE = "account:create"
    ACCOUNT_WRITE = "account:write"
    ACCOUNT_MANAGE = "account:manage"
    KEY_WRITE = "key:write"
    PORTAL_OPERATE = "portal:operate"


@dataclass(frozen=True)
class Identity:
    """Who is asking: an account (with its roles), the scheduler, or nobody."""

    account_id: str | None = None
    name: str = ""
    administrator: bool = False
    scheduler: bool = False
    organizations: Mapping[str, MemberRole] = field(default_factory=dict)
    """Organization id → role in it."""
    themes: Mapping[str, MemberRole] = field(default_factory=dict)
    """Group id → role in it."""
    collaborations: Mapping[str, str] = field(default_factory=dict)
    """Dataset id → capacity as its collaborator."""
    key_id: str | None = None
    """API key that was used, if any."""
    plan: str = "anonymous"
    """Plan whose limits apply to calls of the API."""

    @classmethod
    def of(cls, account: Account, key: ApiKey | None = None) -> Identity:
        """The identity of an account, through a key or a session."""
        return cls(
            account_id=account.id,
            name=account.name,
            administrator=account.role == Role.ADMINISTRATOR,
            organizations={m.organization_id: MemberRole(m.role) for m in account.memberships},
            themes={m.theme_id: MemberRole(m.role) for m in account.theme_memberships},
            collaborations={one.dataset_id: one.capacity for one in account.collaborations},
            key_id=key.id if key else None,
            plan=key.plan if key else "basic",
        )


ANYONE = Identity()
SCHEDULER = Identity(name="scheduler", scheduler=True)

Rule = Callable[[Identity, object], bool]


def _organization_of(target: object) -> str | None:
    if isinstance(target, Dataset):
        return target.organization_id
    if isinstance(target, Organization):
        return target.id
    return target if isinstance(target, str) else None


def anyone(who: Identity, target: object) -> bool:  # noqa: ARG001 # all rules have one signature
    """Everybody, signed in or not."""
    return True


def is_public(who: Identity, target: object) -> bool:  # noqa: ARG001 # all rules have one signature
    """The dataset's description may be read by everybody."""
    return isinstance(target, Dataset) and target.state == State.PUBLISHED and not target.private


def is_open(who: Identity, target: object) -> bool:
    """The dataset's data may be read by everybody."""
    return isinstance(target, Dataset) and is_public(who, target) and target.access == Access.OPEN


def is_member(who: Identity, target: object) -> bool:
    """Anybody of the organization that owns the target."""
    return _organization_of(target) in who.organizations


def is_editor(who: Identity, target: object) -> bool:
    """An editor or publisher of the organization that owns the target."""
    role = who.organizations.get(_organization_of(target) or "")
    return role in (MemberRole.EDITOR, MemberRole.PUBLISHER)


def is_publisher(who: Identity, target: object) -> bool:
    """A publisher of the organization that owns the target."""
    organization = _organization_of(target)
    return organization is not None and who.organizations.get(organization) is MemberRole.PUBLISHER


def is_collaborator(who: Identity, target: object) -> bool:
    """Somebody whom the owners of the dataset let read it."""
    return isinstance(target, Dataset) and target.id in who.collaborations


def is_editing_collaborator(who: Identity, target: object) -> bool:
    """Somebody whom the owners of the dataset let change it."""
    return isinstance(target, Dataset) and who.collaborations.get(target.id) in ("editor", "admin")


def is_leading_collaborator(who: Identity, target: object) -> bool:
    """Somebody whom the owners of the dataset let choose its other collaborators."""
    return isinstance(target, Dataset) and who.collaborations.get(target.id) == "admin"


def is_of_theme(who: Identity, target: object) -> bool:
    """Anybody who belongs to the group."""
    return isinstance(target, Group) and target.id in who.themes


def is_keeper_of_theme(who: Identity, target: object) -> bool:
    """Somebody who looks after the group: in CKAN's words its admin."""
    return isinstance(target, Group) and who.themes.get(target.id) is MemberRole.PUBLISHER


def is_administrator(who: Identity, target: object) -> bool:  # noqa: ARG001 # all rules have one signature
    """An administrator of the portal."""
    return who.administrator


def is_scheduler(who: Identity, target: object) -> bool:  # noqa: ARG001 # all rules have one signature
    """The portal itself, running a job."""
    return who.scheduler


def is_self(who: Identity, target: object) -> bool:
    """The account itself."""
    if who.account_id is None:
        return False
    if isinstance(target, ApiKey):
        return who.account_id == target.account_id
    return isinstance(target, Account) and who.account_id == target.id


POLICY: dict[Action, tuple[Rule, ...]] = {
    Action.DATASET_READ: (is_public, is_member, is_collaborator, is_administrator, is_scheduler),
    Action.DATASET_WRITE: (is_editor, is_editing_collaborator, is_administrator, is_scheduler),
    Action.DATASET_RETIRE: (is_publisher, is_administrator, is_scheduler),
    Action.DATASET_SHARE: (is_publisher, is_leading_collaborator, is_administrator),
    Action.DATASET_APPROVE: (is_publisher, is_administrator),
    Action.DATASET_PURGE: (is_administrator, is_scheduler),
    Action.TABLE_READ: (is_open, is_member, is_collaborator, is_administrator, is_scheduler),
    Action.TABLE_LOAD: (is_editor, is_editing_collaborator, is_administrator, is_scheduler),
    Action.TABLE_WRITE: (is_editor, is_editing_collaborator, is_administrator, is_scheduler),
    Action.TABLE_MANAGE: (is_publisher, is_administrator, is_scheduler),
    Action.COLUMN_READ: (is_editor, is_editing_collaborator, is_administrator, is_scheduler),
    Action.ORGANIZATION_WRITE: (is_publisher, is_administrator, is_scheduler),
    Action.ORGANIZATION_READ: (is_member, is_administrator, is_scheduler),
    Action.STANDARD_WRITE: (is_administrator, is_scheduler),
    Action.LOG_READ: (is_publisher, is_administrator, is_scheduler),
    Action.ORGANIZATION_PURGE: (is_administrator,),
    Action.THEME_WRITE: (is_keeper_of_theme, is_administrator, is_scheduler),
    Action.THEME_FILL: (is_of_theme, is_administrator, is_scheduler),
    Action.THEME_PURGE: (is_administrator,),
    Action.SOURCE_READ: (anyone,),
    Action.SOURCE_WRITE: (is_administrator, is_scheduler),
    Action.SOURCE_RUN: (is_publisher, is_administrator, is_scheduler),
    Action.ACCOUNT_READ: (is_self, is_administrator),
    Action.ACCOUNT_CREATE: (anyone,),
    Action.ACCOUNT_WRITE: (is_self, is_administrator),
    Action.ACCOUNT_MANAGE: (is_administrator,),
    Action.KEY_WRITE: (is_self, is_administrator),
    Action.PORTAL_OPERATE: (is_administrator, is_scheduler),
}


def allowed(who: Identity, action: Action, target: object = None) -> bool:
    """Whether `who` may do it; for hiding a button."""
    return any(rule(who, target) for rule in POLICY[action])


def require(who: Identity, action: Action, target: object = None) -> None:
    """Raise Unauthenticated (nobody signed in) or Denied unless `who` may do it."""
    if allowed(who, action, target):
        return
    if who.account_id is None and not who.scheduler:
        raise Unauthenticated("sign in or send an API key to do this")
    raise Denied("your account may not do this")
