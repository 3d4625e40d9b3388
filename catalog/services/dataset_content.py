"""What a draft makes of a dataset's rows: fields, addresses, themes, tags, resources, origins of its texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, select

from catalog.db import db
from catalog.errors import N_, Invalid
from catalog.models.address import FormerAddress
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, Resource, dataset_tag, dataset_theme
from catalog.models.group import Group
from catalog.models.series import DatasetSeries
from catalog.models.slug import slug_from
from catalog.models.tag import Tag, Vocabulary
from catalog.models.text import origins_of, pick
from catalog.schemas.custom_fields import problems_of, typed
from catalog.schemas.drafts import DatasetDraft, ResourceDraft
from catalog.schemas.texts import RESERVED
from catalog.search.analysis import spelled
from catalog.services import revisions

TRANSLATED = ("title", "description", "notice", "access_reason")
"""Fields whose origin is kept for each language."""


def fill(dataset: Dataset, draft: DatasetDraft) -> tuple[str, ...]:
    """Make the dataset what the draft says; ids of the resources whose content must be read (again).

    The dataset must be in the session's database already, the draft one that was `fitted`; raises Invalid
    for an unknown theme, series or vocabulary.
    """
    describe(dataset, draft)
    _set_themes(dataset, draft.themes)
    _set_tags(dataset, draft)
    return _set_resources(dataset, draft.resources)


def describe(dataset: Dataset, draft: DatasetDraft) -> None:
    """The dataset's own row after the draft; raises Invalid as `fill` does."""
    dataset.text_origins = origins_of(dataset, draft, TRANSLATED, confirmed=draft.confirmed)
    for name, value in fields_of(draft).items():
        setattr(dataset, name, value)
    dataset.series_id = _series(draft.series)


def fitted(
    draft: DatasetDraft, fields: Sequence[Mapping[str, Any]], *, complete: bool = True
) -> DatasetDraft:
    """The draft with its custom values as the fields of its organization hold them: every writer's way in.

    Raises Invalid for what does not keep to a field, and for what is missing where the draft must be `complete`.
    An organization without custom fields takes anything.
    """
    if not fields:
        return draft
    custom = typed(draft.custom, fields)
    problems = problems_of(custom, fields, complete=complete)
    if problems:
        raise Invalid("the description of this dataset cannot be used", {"custom": problems})
    return replace(draft, custom=custom)


def _series(slug: str) -> str | None:
    if not slug:
        return None
    found = db.session.scalar(select(DatasetSeries.id).where(DatasetSeries.slug == slug))
    if found is None:
        raise Invalid(
            "there is no series “%(slug)s”",
            problems={"series": [N_("There is no such series.")]},
            slug=slug,
        )
    return found


def fields_of(draft: DatasetDraft) -> dict[str, Any]:
    """The columns of the dataset's own row."""
    return {
        "title": dict(draft.title),
        "description": dict(draft.description),
        "notice": dict(draft.notice),
        "license_id": draft.license,
        "license_text": draft.license_text,
        "frequency": draft.frequency,
        "access": draft.access,
        "access_reason": dict(draft.access_reason),
        "tags": list(draft.tags),
        "landing_page": draft.landing_page,
        "contact": draft.contact,
        "spatial": draft.spatial,
        "temporal_start": draft.temporal_start,
        "temporal_end": draft.temporal_end,
        "issued": draft.issued,
        "modified": draft.modified,
        "extras": dict(draft.extras),
        "identifier": draft.identifier,
        "spatial_code": draft.spatial_code,
        "spatial_box": list(draft.spatial_box),
        "spatial_geometry": dict(draft.spatial_geometry),
        "vocabulary_tags": {name: list(tags) for name, tags in draft.vocabulary_tags.items()},
        "details": dict(draft.details),
        "custom": dict(draft.custom),
        "series_position": draft.series_position,
        "private": draft.private,
    }


def free_slug(draft: DatasetDraft) -> str:
    """The wanted slug, or one made from the English or the spelled Chinese title; free of others."""
    return free_slugs([draft])[0]


def free_slugs(drafts: Sequence[DatasetDraft]) -> list[str]:
    """A free slug for each of the drafts."""
    wanted = [draft.slug or slug_from(spelled(pick(draft.title, "en")[0])) for draft in drafts]
    taken = _taken(wanted)
    free: list[str] = []
    for slug in wanted:
        free.append(_numbered(slug, taken) if slug in taken else slug)
        taken.add(free[-1])
    return free


def _numbered(wanted: str, taken: set[str]) -> str:
    """The slug with a number that nobody has: the least, where none was left out."""

    def is_used(number: int) -> bool:
        slug = f"{wanted}-{number}"
        return slug in taken or bool(_taken([slug]))

    used, free = 1, 2
    while is_used(free):
        used, free = free, free * 2
    while free - used > 1:
        middle = (used + free) // 2
        used, free = (middle, free) if is_used(middle) else (used, middle)
    return f"{wanted}-{free}"


def _taken(slugs: Sequence[str]) -> set[str]:
    """Those of the slugs that are in use or were before: an address never changes its meaning."""
    found = set(RESERVED.intersection(slugs))
    for statement in _used():
        found.update(db.session.scalars(statement, {"slugs": slugs}))
    return found


@cache
def _used() -> tuple[Select[str], ...]:
    """Made once: putting a statement together costs more than running it."""
    slugs: Any = bindparam("slugs", expanding=True)
    columns: Any = (Dataset.__table__.c.slug, FormerAddress.__table__.c.slug)
    return tuple(select(one).where(one.in_(slugs)) for one in columns)


def _set_themes(dataset: Dataset, slugs: tuple[str, ...]) -> None:
    known = theme_ids(slugs)
    db.session.execute(delete(dataset_theme).where(dataset_theme.c.dataset_id == dataset.id))
    rows = [{"dataset_id": dataset.id, "theme_id": known[slug]} for slug in slugs]
    if rows:
        db.session.execute(insert(dataset_theme), rows)


def theme_ids(slugs: Collection[str]) -> dict[str, str]:
    """Slug → id of themes; raises Invalid for one that is unknown."""
    if not slugs:
        return {}
    known = dict(db.session.execute(_of_slugs(), {"slugs": list(slugs)}).all())
    unknown = [slug for slug in slugs if slug not in known]
    if unknown:
        raise Invalid(
            "there is no theme “%(slug)s”",
            problems={"themes": [N_("There is no such theme.")]},
            slug=unknown[0],
        )
    return known


@cache
def _of_slugs() -> Any:
    slugs: Any = bindparam("slugs", expanding=True)
    themes = Group.__table__.c
    return select(themes.slug, themes.id).where(themes.slug.in_(slugs))


def _set_tags(dataset: Dataset, draft: DatasetDraft) -> None:
    """Link the dataset with the rows of its tags; free ones are made, those of a vocabulary must be in it."""
    ids = {*tag_ids(draft.tags).values(), *closed_tag_ids(draft)}
    linked = set(
        db.session.scalars(
            select(dataset_tag.c.tag_id).where(dataset_tag.c.dataset_id == dataset.id)
        )
    )
    if linked - ids:
        db.session.execute(
            delete(dataset_tag).where(
                dataset_tag.c.dataset_id == dataset.id, dataset_tag.c.tag_id.in_(linked - ids)
            )
        )
    rows = [{"dataset_id": dataset.id, "tag_id": tag_id} for tag_id in sorted(ids - linked)]
    if rows:
        db.session.execute(insert(dataset_tag), rows)


def tag_ids(names: Iterable[str]) -> dict[str, str]:
    """Name → id of free tags; those that nobody has used yet are made."""
    wanted = tuple(dict.fromkeys(names))
    if not wanted:
        return {}
    known: dict[str, str] = dict(db.session.execute(_free_tags(), {"names": wanted}).all())
    new = [
        {"id": new_id(), "name": name, "label": {}, "label_origins": {}}
        for name in wanted
        if name not in known
    ]
    if new:
        db.session.execute(insert(Tag), new)
    return {**known, **{str(row["name"]): str(row["id"]) for row in new}}


@cache
def _free_tags() -> Any:
    names: Any = bindparam("names", expanding=True)
    tags = Tag.__table__.c
    return select(tags.name, tags.id).where(tags.vocabulary_id.is_(None), tags.name.in_(names))


def closed_tag_ids(draft: DatasetDraft) -> list[str]:
    """Ids of the draft's tags that are in vocabularies; raises Invalid for one that is not."""
    return [
        id_ for name, tags in draft.vocabulary_tags.items() for id_ in _vocabulary_tags(name, tags)
    ]


def _vocabulary_tags(vocabulary: str, names: tuple[str, ...]) -> list[str]:
    known: dict[str, str] = dict(
        db.session.execute(
            select(Tag.name, Tag.id)
            .join(Vocabulary, Vocabulary.id == Tag.vocabulary_id)
            .where(Vocabulary.name == vocabulary, Tag.name.in_(names))
        ).all()
    )
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Invalid(
            "“%(tag)s” is not in the vocabulary “%(name)s”",
            problems={"vocabulary_tags": [N_("There is no such tag in this vocabulary.")]},
            tag=unknown[0],
            name=vocabulary,
        )
    return list(known.values())


def _set_resources(dataset: Dataset, drafts: tuple[ResourceDraft, ...]) -> tuple[str, ...]:
    """Match resources by key: ids and tables stay with their key; ids of those to be read."""
    known = {
        resource.key: resource
        for resource in db.session.scalars(
            select(Resource)
            .where(Resource.dataset_id == dataset.id)
            .execution_options(populate_existing=True)
        )
    }
    gone = known.keys() - {draft.key for draft in drafts}
    if gone:
        ids = [known[key].id for key in sorted(gone)]
        db.session.execute(delete(Resource).where(Resource.id.in_(ids)))
    new, to_load = described_resources(dataset, drafts, known)
    db.session.add_all(new)
    return to_load


def described_resources(
    dataset: Dataset, drafts: tuple[ResourceDraft, ...], known: Mapping[str, Resource]
) -> tuple[list[Resource], tuple[str, ...]]:
    """Make all what their drafts say; those that were not `known` by their key, and ids of those to be read."""
    new: list[Resource] = []
    to_load = []
    for position, draft in enumerate(drafts):
        resource = known.get(draft.key)
        if resource is None:
            resource = Resource(
                id=_free_id(draft.id), dataset_id=dataset.id, key=draft.key, load={}, extras={}
            )
            new.append(resource)
        if draft.load and dict(draft.load) != resource.load:
            to_load.append(resource.id)
        _describe(resource, draft, position)
    return new, tuple(to_load)


def _free_id(wanted: str) -> str:
    """The wanted id, if no other resource has it; any, if none is wanted."""
    if wanted and db.session.scalar(select(Resource.id).where(Resource.id == wanted)):
        raise Invalid(
            "there is a resource with the id “%(id)s” already",
            problems={"resources": [N_("Another resource has this id.")]},
            id=wanted,
        )
    return wanted or new_id()


def _describe(resource: Resource, draft: ResourceDraft, position: int) -> None:
    values: dict[str, object] = {
        "position": position,
        "title": dict(draft.title),
        "description": dict(draft.description),
        "format": draft.format,
        "media_type": draft.media_type,
        "url": draft.url,
        "size": draft.size,
        "load": dict(draft.load),
    }
    if draft.extras is not None:
        values["extras"] = dict(draft.extras)
    changed = {name: value for name, value in values.items() if getattr(resource, name) != value}
    for name, value in changed.items():
        setattr(resource, name, value)
    if changed:
        resource.updated_at = now()


def draft_of(dataset: Dataset) -> DatasetDraft:
    """The draft that would make the dataset what it is: the other way round than `fill`. Its parts are loaded."""
    series = db.session.get(DatasetSeries, dataset.series_id) if dataset.series_id else None
    return DatasetDraft(
        slug=dataset.slug,
        organization=dataset.organization.slug,
        title=dataset.title,
        description=dataset.description,
        notice=dataset.notice,
        license=dataset.license_id,
        license_text=dataset.license_text,
        frequency=dataset.frequency,
        access=dataset.access,
        access_reason=dataset.access_reason,
        tags=tuple(dataset.tags),
        themes=tuple(theme.slug for theme in dataset.themes),
        landing_page=dataset.landing_page,
        contact=dataset.contact,
        spatial=dataset.spatial,
        temporal_start=dataset.temporal_start,
        temporal_end=dataset.temporal_end,
        issued=dataset.issued,
        modified=dataset.modified,
        extras=dataset.extras,
        identifier=dataset.identifier,
        spatial_code=dataset.spatial_code,
        spatial_box=tuple(dataset.spatial_box),
        spatial_geometry=dataset.spatial_geometry,
        vocabulary_tags={name: tuple(tags) for name, tags in dataset.vocabulary_tags.items()},
        details=dataset.details,
        custom=dataset.custom,
        series=series.slug if series else "",
        series_position=dataset.series_position,
        private=dataset.private,
        resources=tuple(resource_draft_of(resource) for resource in dataset.resources),
    )


def resource_draft_of(resource: Resource) -> ResourceDraft:
    """The draft that would make the resource what it is."""
    return ResourceDraft(
        key=resource.key,
        title=resource.title,
        description=resource.description,
        format=resource.format,
        media_type=resource.media_type,
        url=resource.url,
        size=resource.size,
        load=resource.load,
        extras=resource.extras or {},
    )


def described(dataset: Dataset) -> dict[str, Any]:
    """The dataset as `dataset_draft` reads it; its resources keep what only CKAN's clients say of them."""
    draft = draft_of(dataset)
    draft = replace(
        draft,
        machine=_machine(dataset.text_origins or {}),
        resources=tuple(replace(one, extras=None) for one in draft.resources),
    )
    return revisions.content_of(draft)


def _machine(origins: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    written = {
        name: tuple(tag for tag, one in texts.items() if one.get("origin") == "machine")
        for name, texts in origins.items()
        if name in TRANSLATED
    }
    return {name: tags for name, tags in written.items() if tags}
