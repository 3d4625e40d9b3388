"""The way of a dataset to the public, in forms: write, submit, approve or return, withdraw, merge, rename, restore."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.errors import N_, CatalogError, Conflict, Invalid
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.dataset_fields import Content
from catalog.services import (
    datasets,
    groups,
    organization_log,
    proposals,
    publishing,
    revisions,
    uploads,
    workspace,
)
from portal.dates import zone
from portal.languages import gettext
from portal.paging import PER_PAGE, Pages, asked_page
from portal.publishing.differences import Difference, in_words
from portal.publishing.form import (
    DatasetForm,
    Errors,
    errors_of,
    filled,
    origins_named,
    with_files,
)

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

bp = Blueprint("proposals", __name__)
SHOWN_LINES = 50
"""Lines of the log on the page of a dataset's history."""


@dataclass(frozen=True)
class _Begun:
    """What a form begins with: nothing, or a dataset."""

    content: Content
    dataset_id: str = ""
    origins: dict[str, Any] | None = None
    office: str = ""
    """Id of the organization whose dataset it is."""
    seen: str = ""
    """Stamp of what the form was filled with; nothing for a new dataset."""


@bp.route("/publish/datasets/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """The form of a new dataset."""
    offices = workspace.offices(g.identity)
    first = request.args.get("organization") or (offices[0].slug if offices else "")
    return _form(_Begun({"organization": first, "resources": []}))


@bp.route("/publish/datasets/<slug>/edit", methods=["GET", "POST"])
def edit(slug: str) -> ResponseReturnValue:
    """The form of a dataset: the draft that is begun, or what is public."""
    found = proposals.editable(g.identity, slug)
    dataset = found.dataset
    return _form(
        _Begun(
            found.content, dataset.id, dataset.text_origins, dataset.organization_id, found.stamp
        )
    )


@bp.get("/publish/proposals/<revision_id>")
def show(revision_id: str) -> str:
    """What a proposal says and would change, and what may be done with it."""
    return _proposal(revision_id, {})


@bp.post("/publish/proposals/<revision_id>")
def decide(revision_id: str) -> ResponseReturnValue:
    """The step that a button asks for."""
    step = _STEPS.get(request.form.get("do", ""))
    if step is None:
        return redirect(url_for("proposals.show", revision_id=revision_id), 303)
    try:
        said = step(revision_id)
    except (Invalid, Conflict) as error:
        return _proposal(revision_id, errors_of(error)), error.status
    flash(said, "success")
    if request.form.get("do") == "discard":
        return redirect(url_for("publish.desk"), 303)
    return redirect(url_for("proposals.show", revision_id=revision_id), 303)


@bp.get("/datasets/<slug>/history")
def history(slug: str) -> ResponseReturnValue:
    """All contents that a dataset had, and the differences of two of them."""
    dataset = datasets.show(g.identity, slug)
    if dataset.slug != slug:
        return redirect(url_for("proposals.history", slug=dataset.slug), 301)
    number = asked_page()
    found = revisions.listed(
        g.identity, dataset, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE
    )
    older, newer = request.args.get("from", ""), request.args.get("to", "")
    return render_template(
        "publish/history.html",
        dataset=dataset,
        revisions=found[:PER_PAGE],
        older=older,
        newer=newer,
        changes=_between(dataset, older, newer),
        lines=organization_log.of_dataset(g.identity, dataset, limit=SHOWN_LINES),
        edits=datasets.may_edit(g.identity, dataset),
        pages=Pages.until(number, more=len(found) > PER_PAGE),
    )


def _between(dataset: Dataset, older: str, newer: str) -> list[Difference] | None:
    """How two revisions differ, in words; None where nobody has asked."""
    if not (older.isdecimal() and newer.isdecimal()):
        return None
    numbers = int(older[:9]), int(newer[:9])
    changes = revisions.between(g.identity, dataset, *numbers)
    contents = [revisions.numbered(dataset.id, number).content for number in numbers]
    return in_words(changes, proposals.names_in(dataset, contents))


@bp.post("/datasets/<slug>/history")
def restore(slug: str) -> ResponseReturnValue:
    """A new draft with the content of an earlier revision."""
    number = request.form.get("number", "")
    revision = publishing.restore(g.identity, slug, int(number[:9]) if number.isdecimal() else 0)
    flash(gettext("A new draft has the content of that time. Look at it and submit it."), "success")
    return redirect(url_for("proposals.show", revision_id=revision.id), 303)


@bp.get("/publish/datasets/<slug>/manage")
def manage(slug: str) -> str:
    """Withdraw, publish again, merge, rename."""
    return _manage(slug, {})


@bp.post("/publish/datasets/<slug>/manage")
def change(slug: str) -> ResponseReturnValue:
    """What a button of that page asks for."""
    act = _ACTS.get(request.form.get("do", ""))
    if act is None:
        return redirect(url_for("proposals.manage", slug=slug), 303)
    try:
        dataset, said = act(slug)
    except CatalogError as error:
        if error.status not in (404, 409, 422):
            raise
        return _manage(slug, errors_of(error)), error.status
    flash(said, "success")
    return redirect(url_for("proposals.manage", slug=dataset), 303)


def _form(begun: _Begun) -> ResponseReturnValue:
    """The form, or what becomes of it once it is sent."""
    if request.method == "GET":
        return _form_page(begun, begun.content, {})
    typed = request.form.to_dict()
    if "themes" in typed:
        typed["themes"] = "\n".join(request.form.getlist("themes"))
    content, do = filled(begun.content, typed), typed.get("do", "")
    if do not in ("save", "submit"):
        return _form_page(begun, content, {})
    keep = publishing.hand_in if do == "submit" else publishing.propose
    before, content = content, deepcopy(content)
    kept = with_files(content, request.files)
    reason = request.form.get("reason", "")
    try:
        draft = dataset_draft(content)
        revision = keep(
            g.identity,
            draft,
            dataset_id=begun.dataset_id,
            reason=reason,
            seen=typed.get("seen") if begun.dataset_id else None,
        )
    except (Invalid, Conflict) as error:  # what was typed is not lost
        uploads.forget(kept)
        return _form_page(begun, before, errors_of(error)), error.status
    said = gettext("The draft is saved.") if do == "save" else gettext("The proposal is submitted.")
    flash(said, "success")
    return redirect(url_for("proposals.show", revision_id=revision.id), 303)


def _form_page(begun: _Begun, content: Content, errors: Errors) -> str:
    offices = workspace.offices(g.identity, also=begun.office)
    form = DatasetForm(content, offices, proposals.series_of(offices), origins_named(begun.origins))
    themes = [group for group, _ in groups.all(g.identity)]
    return render_template(
        "publish/form.html",
        form=form,
        errors=errors,
        themes=themes,
        new=not begun.dataset_id,
        seen=begun.seen if errors or request.method == "GET" else request.form.get("seen", ""),
    )


def _proposal(revision_id: str, errors: Errors) -> str:
    shown = proposals.show(g.identity, revision_id)
    return render_template(
        "publish/proposal.html",
        shown=shown,
        changes=in_words(shown.changes, shown.names),
        errors=errors,
    )


def _manage(slug: str, errors: Errors) -> str:
    dataset = proposals.retirable(g.identity, slug)
    open_ = revisions.open_proposal(dataset.id)
    return render_template("publish/manage.html", dataset=dataset, open=open_, errors=errors)


def _submit(revision_id: str) -> str:
    publishing.submit(g.identity, revision_id)
    return str(gettext("The proposal is submitted."))


def _approve(revision_id: str) -> str:
    moment = _moment(request.form.get("publish_at", ""))
    publishing.approve(g.identity, revision_id, publish_at=moment, seen=request.form.get("seen"))
    return str(gettext("The proposal is approved."))


def _send_back(revision_id: str) -> str:
    publishing.send_back(g.identity, revision_id, request.form.get("remarks", ""))
    return str(gettext("The proposal is returned to its author."))


def _discard(revision_id: str) -> str:
    publishing.discard(g.identity, revision_id)
    return str(gettext("The proposal is given up."))


_STEPS: dict[str, Callable[[str], str]] = {
    "submit": _submit,
    "approve": _approve,
    "return": _send_back,
    "discard": _discard,
}


def _moment(typed: str) -> datetime | None:
    """The moment of a field `datetime-local`, in the city's time; nothing means at once."""
    if not typed.strip():
        return None
    try:
        moment = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise Invalid(
            "this is no moment",
            problems={"publish_at": [N_("Enter a moment such as 2026-12-01 08:00.")]},
        ) from None
    settings = current_app.extensions["weft"]["settings"]
    return (
        moment if moment.tzinfo else moment.replace(tzinfo=zone(settings.time_zone))
    ).astimezone(UTC)


def _withdraw(slug: str) -> tuple[str, str]:
    reason = {tag: request.form.get(f"reason_{tag}", "") for tag in ("zh", "en")}
    dataset = publishing.withdraw(g.identity, slug, reason)
    return dataset.slug, gettext("The dataset is withdrawn. Its page says since when and why.")


def _publish_again(slug: str) -> tuple[str, str]:
    return publishing.publish_again(g.identity, slug).slug, gettext("The dataset is public again.")


def _merge(slug: str) -> tuple[str, str]:
    kept = publishing.merge(g.identity, slug, _name(request.form.get("into", "")))
    return kept.slug, gettext("The duplicate leads here from now on.")


def _rename(slug: str) -> tuple[str, str]:
    dataset = publishing.rename(g.identity, slug, request.form.get("slug", "").strip())
    return dataset.slug, gettext("The address is changed; the one of before leads here.")


_ACTS: dict[str, Callable[[str], tuple[str, str]]] = {
    "withdraw": _withdraw,
    "publish": _publish_again,
    "merge": _merge,
    "rename": _rename,
}


def _name(typed: str) -> str:
    """The name in addresses, also of somebody who pasted a whole address."""
    return typed.strip().rstrip("/").rsplit("/", 1)[-1].partition("?")[0]
