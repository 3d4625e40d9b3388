"""The standard of data elements (数据元): define, change, retire, list; and the lists of codes that they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from catalog.db import db, transaction
from catalog.errors import N_, Conflict, Invalid, NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, Resource, public
from catalog.models.element import CodeList, DataElement
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import Access, ColumnAccess
from catalog.permissions import Action, Identity, require
from catalog.schemas.element import CodeListDraft, ElementDraft
from catalog.services import log

MOST = 1000
"""Elements in one list."""


@dataclass(frozen=True)
class Use:
    """A column that is bound to an element."""

    dataset: Dataset
    table: DataTable
    column: TableColumn


def put(who: Identity, draft: ElementDraft) -> DataElement:
    """Define the element or change it; one that was retired is in force again.

    Columns that are bound to it are measured anew when the standard changed.
    """
    require(who, Action.STANDARD_WRITE)
    with transaction():
        element = _by_code(draft.code)
        values = _values(draft)
        if element is None:
            element = DataElement(id=new_id(), code=draft.code, **values)
            db.session.add(element)
            _note(who, "element", element.id, "created", draft.code)
            return element
        changed = [name for name, value in values.items() if getattr(element, name) != value]
        if changed or element.retired_at:
            for name, value in values.items():
                setattr(element, name, value)
            element.retired_at = None
            _measure_again(element.id)
            _note(who, "element", element.id, "changed", draft.code, fields=changed)
    return element


def retire(who: Identity, code: str) -> None:
    """Take the element out of use: no other column can be bound to it, those that are keep it."""
    require(who, Action.STANDARD_WRITE)
    with transaction():
        element = show(who, code)
        if element.retired_at is None:
            element.retired_at = now()
            _note(who, "element", element.id, "retired", code)


def put_codes(who: Identity, draft: CodeListDraft) -> CodeList:
    """Define the list of codes or change it; columns whose element uses it are measured anew."""
    require(who, Action.STANDARD_WRITE)
    values: dict[str, Any] = {
        "title": dict(draft.title),
        "source": draft.source,
        "entries": [dict(entry) for entry in draft.entries],
    }
    with transaction():
        codes = _codes_by_code(draft.code)
        if codes is None:
            codes = CodeList(id=new_id(), code=draft.code, **values)
            db.session.add(codes)
            _note(who, "code_list", codes.id, "created", draft.code)
            return codes
        if any(getattr(codes, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(codes, name, value)
            used = select(DataElement.id).where(DataElement.code_list_id == codes.id)
            for element_id in db.session.scalars(used):
                _measure_again(element_id)
            _note(who, "code_list", codes.id, "changed", draft.code)
    return codes


def drop_codes(who: Identity, code: str) -> None:
    """Remove a list of codes that no element uses; else Conflict."""
    require(who, Action.STANDARD_WRITE)
    with transaction():
        codes = show_codes(who, code)
        if db.session.scalar(
            select(DataElement.id).where(DataElement.code_list_id == codes.id).limit(1)
        ):
            raise Conflict("a data element uses the list of codes “%(code)s”", code=code[:100])
        _note(who, "code_list", codes.id, "deleted", code)
        db.session.delete(codes)


def show(who: Identity, code: str) -> DataElement:  # noqa: ARG001 # the standard is public
    """The element with its list of codes; raises NotFound."""
    element = _by_code(code)
    if element is None:
        raise NotFound("there is no data element “%(code)s”", code=code[:100])
    return element


def show_codes(who: Identity, code: str) -> CodeList:  # noqa: ARG001 # the standard is public
    """A list of codes; raises NotFound."""
    codes = _codes_by_code(code)
    if codes is None:
        raise NotFound("there is no list of codes “%(code)s”", code=code[:100])
    return codes


def listed(
    who: Identity,  # noqa: ARG001 # the standard is public
    *,
    words: str = "",
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[DataElement], int]:
    """A page of the elements by code, and how many there are; with `words` those that hold them."""
    statement = select(DataElement)
    for word in words.lower().split()[:8]:
        like = f"%{word}%".replace("\\", "")
        texts = (DataElement.code, DataElement.source, DataElement.semantic)
        said = (DataElement.title["zh"].as_string(), DataElement.title["en"].as_string())
        statement = statement.where(or_(*(func.lower(one).like(like) for one in (*texts, *said))))
    total = db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    page = statement.options(joinedload(DataElement.code_list)).order_by(DataElement.code)
    return list(db.session.scalars(page.limit(min(limit, MOST)).offset(offset))), total


def code_lists(who: Identity, *, limit: int = MOST, offset: int = 0) -> list[CodeList]:  # noqa: ARG001 # the standard is public
    """The lists of codes by code."""
    page = select(CodeList).order_by(CodeList.code).limit(limit).offset(offset)
    return list(db.session.scalars(page))


def count_code_lists(who: Identity) -> int:  # noqa: ARG001 # the standard is public
    """How many lists of codes there are."""
    return db.session.scalar(select(func.count()).select_from(CodeList)) or 0


def uses(
    who: Identity,  # noqa: ARG001 # only what is public is told
    element: DataElement,
    *,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Use], int]:
    """Public columns that are bound to the element, the worst first, and how many there are."""
    statement = (
        select(TableColumn, DataTable, Dataset)
        .join(DataTable, DataTable.id == TableColumn.table_id)
        .join(Resource, Resource.id == DataTable.resource_id)
        .join(Dataset, Dataset.id == Resource.dataset_id)
        .where(
            TableColumn.element_id == element.id,
            TableColumn.access != ColumnAccess.HIDDEN,
            Dataset.access == Access.OPEN,
            public(),
        )
    )
    total = db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    checked = TableColumn.conformance["checked"].as_float()
    share = TableColumn.conformance["conforming"].as_float() / func.nullif(checked, 0)
    page = statement.order_by(func.coalesce(share, 2), Dataset.slug, TableColumn.position)
    found = db.session.execute(page.limit(limit).offset(offset))
    return [Use(dataset, table, column) for column, table, dataset in found], total


def use_counts(who: Identity) -> Mapping[str, int]:  # noqa: ARG001 # figures are public
    """Element id → how many columns are bound to it."""
    counted = (
        select(TableColumn.element_id, func.count())
        .where(TableColumn.element_id.is_not(None))
        .group_by(TableColumn.element_id)
    )
    return {str(element): count for element, count in db.session.execute(counted)}


def _values(draft: ElementDraft) -> dict[str, Any]:
    codes = _codes_by_code(draft.code_list) if draft.code_list else None
    if draft.code_list and codes is None:
        raise Invalid(
            "there is no list of codes “%(code)s”",
            problems={"code_list": [N_("There is no such list of codes.")]},
            code=draft.code_list,
        )
    return {
        "title": dict(draft.title),
        "definition": dict(draft.definition),
        "type": draft.type,
        "format": draft.format,
        "pattern": draft.pattern,
        "unit": draft.unit,
        "semantic": draft.semantic,
        "code_list_id": codes.id if codes else None,
        "source": draft.source,
        "version": draft.version,
    }


def _measure_again(element_id: str) -> None:
    """Forget how well its columns conform: the next round of the job sees that they are not measured."""
    bound = db.session.scalars(select(TableColumn).where(TableColumn.element_id == element_id))
    for column in bound:
        column.conformance = {}


def _by_code(code: str) -> DataElement | None:
    return db.session.scalar(
        select(DataElement)
        .where(DataElement.code == code)
        .options(joinedload(DataElement.code_list))
        .execution_options(populate_existing=True)
    )


def _codes_by_code(code: str) -> CodeList | None:
    return db.session.scalar(select(CodeList).where(CodeList.code == code))


def _note(who: Identity, kind: str, id_: str, what: str, code: str, **more: object) -> None:
    log.append(who, f"{kind}.{what}", log.Subject(kind, id_), {"code": code, **more})
