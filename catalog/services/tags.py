"""Tags: found, listed, put into vocabularies, taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Select, func, select

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, Conflict, Invalid, NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, dataset_tag, public
from catalog.models.tag import Tag, Vocabulary
from catalog.models.text import origins_after
from catalog.permissions import Action, Identity, require
from catalog.schemas.texts import clean
from catalog.services import log
from catalog.services.search import forget_labels, index_due_datasets

LONGEST = 200
"""Characters of what a tag is called."""
MOST = 10_000
"""Tags in one list."""


def vocabulary_named(name: str) -> Vocabulary | None:
    """The vocabulary with this id or name."""
    found = select(Vocabulary).where((Vocabulary.id == name) | (Vocabulary.name == name))
    return db.session.scalars(found).first()


def find(name: str, vocabulary: Vocabulary | None = None) -> Tag | None:
    """The tag with this id, or with this name in the vocabulary; without one among the free tags."""
    if vocabulary is None:
        free = select(Tag).where(Tag.name == name, Tag.vocabulary_id.is_(None))
        return db.session.get(Tag, name) or db.session.scalar(free)
    inside = select(Tag).where(Tag.vocabulary_id == vocabulary.id)
    return db.session.scalar(inside.where((Tag.id == name) | (Tag.name == name)))


def listed(
    vocabulary: Vocabulary | None = None,
    *,
    words: Sequence[str] = (),
    limit: int = MOST,
    offset: int = 0,
) -> tuple[list[Tag], int]:
    """Tags in whose names all the words stand, and how many there are; free ones only if a public dataset has them."""
    statement = select(Tag)
    if vocabulary is None:
        used = select(dataset_tag.c.tag_id).join(Dataset, Dataset.id == dataset_tag.c.dataset_id)
        statement = statement.where(Tag.vocabulary_id.is_(None), Tag.id.in_(used.where(public())))
    else:
        statement = statement.where(Tag.vocabulary_id == vocabulary.id)
    for word in words:
        statement = statement.where(Tag.name.icontains(word, autoescape=True))
    page = statement.order_by(Tag.name, Tag.id).limit(limit).offset(offset)
    return list(db.session.scalars(page)), _count(statement)


def add(who: Identity, vocabulary: Vocabulary, name: str) -> Tag:
    """A new tag of a vocabulary; raises Conflict for one that it has."""
    require(who, Action.STANDARD_WRITE)
    with transaction():
        if find(name, vocabulary) is not None:
            raise Conflict("“%(tag)s” is in the vocabulary already", tag=name)
        tag = Tag(id=new_id(), vocabulary_id=vocabulary.id, name=name, label={}, label_origins={})
        db.session.add(tag)
        log.append(who, "tag.created", log.Subject("tag", tag.id), {"name": name})
    return tag


def label(who: Identity, tag_id: str, texts: Mapping[str, str]) -> bool:
    """Call the tag so in these languages, an empty text for not at all; whether anything changed. Raises NotFound, Invalid."""
    require(who, Action.STANDARD_WRITE)
    with transaction() as tx:
        tag = db.session.get(Tag, tag_id)
        if tag is None:
            raise NotFound("there is no tag “%(tag)s”", tag=tag_id[:100])
        said = {language: clean(text) for language, text in texts.items()}
        if any(len(text) > LONGEST for text in said.values()):
            raise Invalid("this name is too long", {"label": [N_("At most 200 characters.")]})
        wanted = {name: text for name, text in {**tag.label, **said}.items() if text}
        if wanted == tag.label:
            return False
        tag.label_origins = origins_after(tag.label, wanted, tag.label_origins)
        tag.label = wanted
        log.append(who, "tag.changed", log.Subject("tag", tag.id), {"name": tag.name})
        tx.after_commit(forget_labels)
    return True


def remove(who: Identity, tag: Tag) -> None:
    """Take a tag away, also from the datasets that bear it."""
    require(who, Action.STANDARD_WRITE)
    with transaction() as tx:
        strip(tx, tag)
        db.session.delete(tag)
        log.append(who, "tag.deleted", log.Subject("tag", tag.id), {"name": tag.name})


def strip(tx: Transaction, tag: Tag) -> None:
    """Take the tag from its datasets, inside the caller's transaction."""
    bearing = select(dataset_tag.c.dataset_id).where(dataset_tag.c.tag_id == tag.id)
    inside = db.session.get(Vocabulary, tag.vocabulary_id) if tag.vocabulary_id else None
    for dataset in db.session.scalars(select(Dataset).where(Dataset.id.in_(bearing))):
        if inside is None:
            dataset.tags = [name for name in dataset.tags if name != tag.name]
        else:
            held = dict(dataset.vocabulary_tags)
            left = [name for name in held.pop(inside.name, []) if name != tag.name]
            dataset.vocabulary_tags = {**held, inside.name: left} if left else held
        dataset.updated_at = dataset.index_due = now()
    tx.after_commit(index_due_datasets.later)


def _count(statement: Select[Tag]) -> int:
    return db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0
