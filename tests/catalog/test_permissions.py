"""The matrix of roles, actions and states; every action is in it."""

from __future__ import annotations

import pytest

from catalog.errors import Denied, Unauthenticated
from catalog.models.account import Account, ApiKey, Membership
from catalog.models.dataset import Dataset
from catalog.models.follow import Collaborator
from catalog.models.group import Group, GroupMembership
from catalog.models.organization import Organization
from catalog.models.vocabulary import Access, MemberRole, Role, State
from catalog.permissions import ANYONE, POLICY, SCHEDULER, Action, Identity, allowed, require

WHO = {
    "anonymous": ANYONE,
    "account": Identity("a1"),
    "member": Identity("a6", organizations={"ours": MemberRole.MEMBER}),
    "editor": Identity("a2", organizations={"ours": MemberRole.EDITOR}),
    "publisher": Identity("a3", organizations={"ours": MemberRole.PUBLISHER}),
    "guest": Identity("a7", collaborations={"d1": "member"}),
    "co-editor": Identity("a8", collaborations={"d1": "editor"}),
    "co-admin": Identity("a9", collaborations={"d1": "admin"}),
    "of the group": Identity("a10", themes={"g1": MemberRole.MEMBER}),
    "keeper": Identity("a11", themes={"g1": MemberRole.PUBLISHER}),
    "stranger": Identity("a4", organizations={"theirs": MemberRole.PUBLISHER}),
    "administrator": Identity("a5", administrator=True),
    "scheduler": SCHEDULER,
}
EVERYBODY = frozenset(WHO)
PORTAL = frozenset({"administrator", "scheduler"})
PUBLISHERS = PORTAL | {"publisher"}
EDITORS = PUBLISHERS | {"editor"}
MEMBERS = EDITORS | {"member"}


def dataset(state: State = State.PUBLISHED, access: Access = Access.OPEN) -> Dataset:
    return Dataset(organization_id="ours", state=state, access=access, private=False)


OURS = Organization(id="ours")
PUBLIC, GONE = dataset(), dataset(State.WITHDRAWN)
PRIVATE = Dataset(organization_id="ours", state=State.PUBLISHED, access=Access.OPEN, private=True)
SHARED = Dataset(
    id="d1", organization_id="ours", state=State.DRAFT, access=Access.OPEN, private=True
)
CO_EDITORS = frozenset({"co-editor", "co-admin"})
GROUP = Group(id="g1")
ON_APPLICATION, CLOSED = dataset(access=Access.ON_APPLICATION), dataset(access=Access.CLOSED)
ACCOUNT, KEY = Account(id="a1"), ApiKey(account_id="a1")
OF_ACCOUNT = frozenset({"account", "administrator"})

MATRIX: list[tuple[Action, str, object, frozenset[str]]] = [
    (Action.DATASET_READ, "published", PUBLIC, EVERYBODY),
    (Action.DATASET_READ, "closed", CLOSED, EVERYBODY),
    (Action.DATASET_READ, "withdrawn", GONE, MEMBERS),
    (Action.DATASET_READ, "draft", dataset(State.DRAFT), MEMBERS),
    (Action.DATASET_READ, "private", PRIVATE, MEMBERS),
    (Action.DATASET_READ, "shared", SHARED, MEMBERS | CO_EDITORS | {"guest"}),
    (Action.DATASET_WRITE, "shared", SHARED, EDITORS | CO_EDITORS),
    (Action.DATASET_SHARE, "shared", SHARED, PUBLISHERS - {"scheduler"} | {"co-admin"}),
    (Action.DATASET_SHARE, "ours", PUBLIC, PUBLISHERS - {"scheduler"}),
    (Action.TABLE_READ, "shared", SHARED, MEMBERS | CO_EDITORS | {"guest"}),
    (Action.TABLE_LOAD, "shared", SHARED, EDITORS | CO_EDITORS),
    (Action.TABLE_WRITE, "shared", SHARED, EDITORS | CO_EDITORS),
    (Action.COLUMN_READ, "shared", SHARED, EDITORS | CO_EDITORS),
    (Action.TABLE_READ, "private", PRIVATE, MEMBERS),
    (Action.DATASET_WRITE, "published", PUBLIC, EDITORS),
    (Action.DATASET_WRITE, "withdrawn", GONE, EDITORS),
    (Action.DATASET_WRITE, "organization", OURS, EDITORS),
    (Action.DATASET_WRITE, "organization id", "ours", EDITORS),
    (Action.DATASET_WRITE, "nothing", None, PORTAL),
    (Action.DATASET_RETIRE, "published", PUBLIC, PUBLISHERS),
    (Action.DATASET_RETIRE, "withdrawn", GONE, PUBLISHERS),
    (Action.DATASET_APPROVE, "ours", PUBLIC, PUBLISHERS - {"scheduler"}),
    (Action.DATASET_PURGE, "ours", PUBLIC, PORTAL),
    (Action.TABLE_READ, "open", PUBLIC, EVERYBODY),
    (Action.TABLE_READ, "on application", ON_APPLICATION, MEMBERS),
    (Action.TABLE_READ, "closed", CLOSED, MEMBERS),
    (Action.TABLE_READ, "withdrawn", GONE, MEMBERS),
    (Action.TABLE_READ, "no dataset", OURS, MEMBERS),
    (Action.TABLE_LOAD, "open", PUBLIC, EDITORS),
    (Action.TABLE_LOAD, "closed", CLOSED, EDITORS),
    (Action.TABLE_WRITE, "open", PUBLIC, EDITORS),
    (Action.TABLE_WRITE, "no dataset", None, PORTAL),
    (Action.TABLE_MANAGE, "open", PUBLIC, PUBLISHERS),
    (Action.COLUMN_READ, "open", PUBLIC, EDITORS),
    (Action.ORGANIZATION_WRITE, "ours", OURS, PUBLISHERS),
    (Action.ORGANIZATION_WRITE, "a new one", None, PORTAL),
    (Action.ORGANIZATION_READ, "ours", OURS, MEMBERS),
    (Action.STANDARD_WRITE, "any", None, PORTAL),
    (Action.LOG_READ, "ours", OURS, PUBLISHERS),
    (Action.ORGANIZATION_PURGE, "ours", OURS, frozenset({"administrator"})),
    (Action.THEME_WRITE, "any", None, PORTAL),
    (Action.THEME_WRITE, "a group", GROUP, PORTAL | {"keeper"}),
    (Action.THEME_FILL, "a group", GROUP, PORTAL | {"keeper", "of the group"}),
    (Action.THEME_FILL, "any", None, PORTAL),
    (Action.THEME_PURGE, "a group", GROUP, frozenset({"administrator"})),
    (Action.SOURCE_READ, "any", None, EVERYBODY),
    (Action.SOURCE_WRITE, "ours", "ours", PORTAL),
    (Action.SOURCE_RUN, "ours", "ours", PUBLISHERS),
    (Action.SOURCE_RUN, "nothing", None, PORTAL),
    (Action.ACCOUNT_READ, "the account", ACCOUNT, OF_ACCOUNT),
    (Action.ACCOUNT_READ, "something else", PUBLIC, frozenset({"administrator"})),
    (Action.ACCOUNT_CREATE, "any", None, EVERYBODY),
    (Action.ACCOUNT_WRITE, "the account", ACCOUNT, OF_ACCOUNT),
    (Action.ACCOUNT_MANAGE, "the account", ACCOUNT, frozenset({"administrator"})),
    (Action.KEY_WRITE, "key of the account", KEY, OF_ACCOUNT),
    (Action.KEY_WRITE, "the account", ACCOUNT, OF_ACCOUNT),
    (Action.KEY_WRITE, "key of nobody", ApiKey(), frozenset({"administrator"})),
    (Action.PORTAL_OPERATE, "any", None, PORTAL),
]


def test_every_action_is_in_the_policy_and_in_the_matrix() -> None:
    assert set(POLICY) == set(Action)
    assert {action for action, *_ in MATRIX} == set(Action)


@pytest.mark.parametrize("name", WHO)
@pytest.mark.parametrize(
    ("action", "state", "target", "who"), MATRIX, ids=[f"{a}-{state}" for a, state, *_ in MATRIX]
)
def test_matrix(action: Action, state: str, target: object, who: frozenset[str], name: str) -> None:
    assert allowed(WHO[name], action, target) is (name in who)


def test_refusals_say_whether_signing_in_would_help() -> None:
    require(SCHEDULER, Action.PORTAL_OPERATE)
    with pytest.raises(Unauthenticated):
        require(ANYONE, Action.PORTAL_OPERATE)
    with pytest.raises(Denied):
        require(Identity("a1"), Action.PORTAL_OPERATE)
    with pytest.raises(Denied):
        require(SCHEDULER, Action.ACCOUNT_READ, ACCOUNT)


def test_the_identity_of_an_account() -> None:
    account = Account(id="a1", name="Li", role=Role.ADMINISTRATOR)
    account.memberships = [Membership(organization_id="ours", role=MemberRole.EDITOR)]
    account.theme_memberships = [GroupMembership(theme_id="g1", role=MemberRole.MEMBER)]
    account.collaborations = [Collaborator(dataset_id="d1", capacity="editor")]
    by_session = Identity.of(account)
    assert by_session.themes == {"g1": MemberRole.MEMBER}
    assert by_session.collaborations == {"d1": "editor"}
    assert (by_session.administrator, by_session.plan, by_session.key_id) == (True, "basic", None)
    assert by_session.organizations == {"ours": MemberRole.EDITOR}
    by_key = Identity.of(account, ApiKey(id="k1", plan="extended"))
    assert (by_key.key_id, by_key.plan) == ("k1", "extended")


def test_nobody_is_not_the_account_without_an_id() -> None:
    assert not allowed(ANYONE, Action.ACCOUNT_READ, Account())
    assert not allowed(ANYONE, Action.KEY_WRITE, ApiKey())
