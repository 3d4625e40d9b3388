"""Datasets as CKAN's clients describe them, as drafts: what they do not speak of stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError

from api.ckan import dictized, licenses
from api.ckan.errors import Refused
from api.ckan.given import text_of
from api.ckan.package_checks import is_yes, names_of_tags
from api.ckan.resource_drafts import resource_draft
from api.ckan.texts import said
from catalog.errors import NotFound
from catalog.schemas.dataset import DatasetSchema
from catalog.schemas.drafts import DatasetDraft, ResourceDraft
from catalog.schemas.texts import WebAddress
from catalog.services import dataset_changes, dataset_content, publication_dates
from catalog.services.revisions import content_of

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

NAMES = {
    "slug": "name",
    "description": "notes",
    "organization": "owner_org",
    "landing_page": "url",
    "license": "license_id",
    "license_text": "license_id",
    "themes": "groups",
    "vocabulary_tags": "tags",
}
"""Our names of fields that CKAN has under others."""
_SCHEMA, _ADDRESS = DatasetSchema(), WebAddress(2000)


def new_draft(data: Mapping[str, Any]) -> DatasetDraft:
    """The draft of a new dataset; `data` has been checked."""
    base = DatasetDraft(title={}, organization="", slug=text_of(data["name"]))
    return _checked(_changed(base, {**data, "resources": data.get("resources") or []}, None))


def changed_draft(dataset: Dataset, data: Mapping[str, Any]) -> DatasetDraft:
    """The draft of what the dataset shall be; `data` has been checked.

    As in CKAN, what is missing is emptied, but for groups, resources, name, owner, `private` and `state`.
    """
    base = publication_dates.undated(dataset_content.draft_of(dataset), dataset)
    return _checked(_changed(base, data, dataset))


def _changed(base: DatasetDraft, data: Mapping[str, Any], dataset: Dataset | None) -> DatasetDraft:
    free, closed = _tags(data)
    organization, custom = _organization(data, base, dataset)
    return replace(
        base,
        slug=text_of(data.get("name")) or base.slug,
        organization=organization,
        title=said(
            base.title, text_of(data.get("title")) or text_of(data.get("name")) or base.slug
        ),
        description=said(base.description, text_of(data.get("notes"))),
        private=is_yes(data["private"]) if data.get("private") is not None else base.private,
        tags=free,
        vocabulary_tags=closed,
        themes=_themes(data, base),
        resources=_resources(data, base, dataset),
        **_license(base, text_of(data.get("license_id"))),
        **_own(base, data, custom),
    )


def _checked(draft: DatasetDraft) -> DatasetDraft:
    """The draft after the rules that all drafts obey; raises Refused with CKAN's names of fields."""
    try:
        checked: DatasetDraft = _SCHEMA.load(content_of(draft))
    except ValidationError as error:
        problems = {
            NAMES.get(name, name): _listed(said) for name, said in error.messages_dict.items()
        }
        raise Refused(problems) from error
    return checked


def _listed(said: Any) -> Any:
    """Problems of a list's items as a list of all items up to the last that has one."""
    if isinstance(said, dict) and all(isinstance(at, int) for at in said):
        return [said.get(at, {}) for at in range(max(said) + 1)]
    return said


def _organization(
    data: Mapping[str, Any], base: DatasetDraft, dataset: Dataset | None
) -> tuple[str, frozenset[str]]:
    """The owner's slug and the names of its custom fields: extras of that name are values of them."""
    found = dataset.organization if dataset else None
    if data.get("owner_org") not in (None, ""):
        found = dataset_changes.organization_called(text_of(data["owner_org"]))
    if found is None:
        return "", frozenset()
    return found.slug, frozenset(field["name"] for field in found.fields or ()) | base.custom.keys()


def _tags(data: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Free tags, and those of vocabularies by the vocabulary's name."""
    free: list[str] = []
    closed: dict[str, tuple[str, ...]] = {}
    names: Mapping[str, str] | None = None
    for tag in data.get("tags") or ():
        name, vocabulary = text_of(tag["name"]), tag.get("vocabulary_id")
        if not vocabulary:
            free.append(name)
            continue
        names = names or dataset_changes.vocabularies()
        closed[names[vocabulary]] = (*closed.get(names[vocabulary], ()), name)
    return tuple(dict.fromkeys([*free, *names_of_tags(data)])), closed


def _themes(data: Mapping[str, Any], base: DatasetDraft) -> tuple[str, ...]:
    given = data.get("groups")
    if given is None:
        return base.themes
    wanted = [text_of(one.get("id") or one.get("name")) for one in given]
    wanted = [name for name in wanted if name]
    known = dataset_changes.groups_named(wanted)
    if any(name not in known for name in wanted):
        raise NotFound("Group was not found.")
    return tuple(dict.fromkeys(known[name] for name in wanted))


def _resources(data: Mapping[str, Any], base: DatasetDraft, dataset: Dataset | None) -> Any:
    given = data.get("resources")
    if given is None:
        return base.resources
    rows = {row.id: row for row in dataset.resources} if dataset else {}
    drafts: list[ResourceDraft] = []
    for one in given:
        taken = {draft.key for draft in drafts} | {row.key for row in rows.values()}
        drafts.append(resource_draft(one, rows.get(str(one.get("id"))), taken))
    return tuple(drafts)


def _license(base: DatasetDraft, given: str) -> dict[str, Any]:
    """Our id and text; the id that was given stands among the extras where it is not ours."""
    if given == (dictized.license_id(base.extras, base.license) or ""):
        return {}
    ours = licenses.ours(given) if given else "notspecified"
    if ours:
        return {"license": ours, "license_text": ""}
    known = licenses.known(given)
    return {"license": "other", "license_text": known.title_en if known else given}


def _own(base: DatasetDraft, data: Mapping[str, Any], custom: frozenset[str]) -> dict[str, Any]:
    """Extras with what CKAN has fields for and we have not, custom fields, the landing page and the contact."""
    before = {**base.extras, **base.custom}
    given_extras = {
        text_of(one["key"]): _extra(before.get(text_of(one["key"])), one.get("value"))
        for one in data.get("extras") or ()
        if not one.get("deleted")
    }
    extras = {name: value for name, value in given_extras.items() if name not in custom}
    for name in dictized.OWN:
        if value := text_of(data.get(name)).strip():
            extras[name] = value
    if extras.get("maintainer") == base.contact:
        extras.pop("maintainer", None)
    kind = base.extras.get("type") or text_of(data.get("type"))
    if kind not in ("", "dataset"):  # it never changes
        extras["type"] = kind
    given = text_of(data.get("license_id"))
    if given and licenses.ours(given) in ("", "notspecified"):
        extras["license_id"] = given
    url = text_of(data.get("url")).strip()
    page = url if _is_address(url) else ""
    if url and not page:
        extras["url"] = url
    contact = base.contact if text_of(data.get("maintainer")) else ""
    return {
        "extras": extras,
        "custom": {name: value for name, value in given_extras.items() if name in custom},
        "landing_page": page,
        "contact": contact,
    }


def _extra(before: Any, given: Any) -> Any:
    """The value as text; one that is no text stays where it came back as it was shown."""
    text = text_of(given)
    return before if before is not None and dictized.as_text(before) == text else text


def _is_address(text: str) -> bool:
    try:
        return bool(_ADDRESS.deserialize(text))
    except ValidationError:
        return False
