"""Vocabularies: closed lists of tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from catalog.db import db, transaction
from catalog.errors import Conflict
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset
from catalog.models.tag import Tag, Vocabulary
from catalog.permissions import Action, Identity, require
from catalog.services import log, tags

MOST = 1_000
"""Vocabularies in one list."""


def listed() -> list[Vocabulary]:
    """All with their tags, in order of their names."""
    statement = select(Vocabulary).order_by(Vocabulary.name).limit(MOST)
    return list(db.session.scalars(_whole(statement)))


def named() -> list[Vocabulary]:
    """All without their tags, in order of their names."""
    return list(db.session.scalars(select(Vocabulary).order_by(Vocabulary.name).limit(MOST)))


def show(name: str) -> Vocabulary | None:
    """The one with this id or name, with its tags."""
    found = select(Vocabulary).where((Vocabulary.id == name) | (Vocabulary.name == name))
    return db.session.scalars(_whole(found)).first()


def taken(name: str, *, but: str = "") -> bool:
    """Whether another has the name."""
    other = select(Vocabulary.id).where(Vocabulary.name == name, Vocabulary.id != but)
    return db.session.scalar(other) is not None


def create(who: Identity, name: str, names_of_tags: Sequence[str]) -> str:
    """A new vocabulary with these tags; its id."""
    require(who, Action.STANDARD_WRITE)
    with transaction():
        if taken(name):
            raise Conflict("the name “%(slug)s” is already in use", slug=name)
        made = Vocabulary(id=new_id(), name=name, title={}, tags=[])
        db.session.add(made)
        _set_tags(made, names_of_tags)
        _note(who, made, "created")
    return made.id


def change(
    who: Identity, vocabulary: Vocabulary, *, name: str = "", names_of_tags: Sequence[str] | None
) -> None:
    """Give it another name, other tags, or both; datasets lose the tags that it loses."""
    require(who, Action.STANDARD_WRITE)
    with transaction() as tx:
        if name and name != vocabulary.name:
            _rename(vocabulary, name)
        if names_of_tags is not None:
            for tag in vocabulary.tags:
                if tag.name not in names_of_tags:
                    tags.strip(tx, tag)
            _set_tags(vocabulary, names_of_tags)
        _note(who, vocabulary, "changed")


def remove(who: Identity, vocabulary: Vocabulary) -> None:
    """Take it away with its tags."""
    require(who, Action.STANDARD_WRITE)
    with transaction() as tx:
        for tag in vocabulary.tags:
            tags.strip(tx, tag)
        db.session.flush()
        _note(who, vocabulary, "deleted")
        db.session.delete(vocabulary)


def _rename(vocabulary: Vocabulary, name: str) -> None:
    if taken(name, but=vocabulary.id):
        raise Conflict("the name “%(slug)s” is already in use", slug=name)
    held = select(Dataset).join(Dataset.tag_rows).where(Tag.vocabulary_id == vocabulary.id)
    for dataset in db.session.scalars(held).unique():
        held_tags = dict(dataset.vocabulary_tags)
        held_tags[name] = held_tags.pop(vocabulary.name, [])
        dataset.vocabulary_tags, dataset.updated_at = held_tags, now()
    vocabulary.name = name


def _set_tags(vocabulary: Vocabulary, names: Sequence[str]) -> None:
    known = {tag.name: tag for tag in vocabulary.tags}
    vocabulary.tags = [
        known.get(name) or Tag(id=new_id(), name=name, label={}, label_origins={})
        for name in dict.fromkeys(names)
    ]


def _whole(statement: Any) -> Any:
    return statement.options(selectinload(Vocabulary.tags)).execution_options(
        populate_existing=True
    )


def _note(who: Identity, vocabulary: Vocabulary, what: str) -> None:
    subject = log.Subject("vocabulary", vocabulary.id)
    log.append(who, f"vocabulary.{what}", subject, {"name": vocabulary.name})
