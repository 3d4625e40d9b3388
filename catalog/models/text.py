"""Choosing the language of a text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from catalog.models.vocabulary import TextOrigin


def pick(texts: Mapping[str, str], language: str) -> tuple[str, str]:
    """The text in `language`, else English, Chinese, or any other; with the tag of what was chosen.

    Machine translations carry BCP 47 tags such as `fr-t-nl` and are taken only when nothing else is
    there.
    """
    for wanted in (language, "en", "zh"):
        if texts.get(wanted):
            return texts[wanted], wanted
    for tag in sorted(texts, key=lambda tag: ("-t-" in tag, tag)):
        if texts[tag]:
            return texts[tag], tag
    return "", language


Origins = dict[str, dict[str, Any]]
"""Language → `{"origin": "written" or "machine", "stale": bool}`."""


def origins_of(
    item: Any,
    draft: Any,
    names: Iterable[str],
    *,
    confirmed: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Origins]:
    """What is known of these texts of an item once it says what the draft says; `draft.machine` names machines' work.

    `confirmed` names the languages of a text that somebody has looked at and found still right.
    """
    origins = {
        name: origins_after(
            getattr(item, name) or {},
            getattr(draft, name),
            (item.text_origins or {}).get(name, {}),
            machine=draft.machine.get(name, ()),
            confirmed=(confirmed or {}).get(name, ()),
        )
        for name in names
    }
    return {name: known for name, known in origins.items() if known}


def origins_after(
    old: Mapping[str, str],
    new: Mapping[str, str],
    known: Mapping[str, Mapping[str, Any]],
    *,
    machine: Collection[str] = (),
    confirmed: Collection[str] = (),
) -> Origins:
    """What is known of a text's languages once `new` has taken the place of `old`.

    A language whose text did not change while another's did is stale: it may no longer say the same. One that
    changed, that is new, or that is `confirmed` is not. `machine` names the languages that a machine has written; a tag such as
    `en-t-zh` (RFC 6497) says so itself. A text that stays keeps its origin.
    """
    changed = {tag for tag, text in new.items() if old.get(tag) != text}
    reworded = {tag for tag in changed if old.get(tag)}
    after: Origins = {}
    for tag in new:
        before = known.get(tag, {})
        if tag in changed:
            written = TextOrigin.MACHINE if tag in machine or "-t-" in tag else TextOrigin.WRITTEN
            after[tag] = {"origin": written.value, "stale": False}
        else:
            origin = TextOrigin.MACHINE if tag in machine else before.get("origin")
            stale = bool(before.get("stale")) or bool(reworded - {tag})
            stale = stale and tag not in confirmed
            after[tag] = {"origin": str(origin or TextOrigin.WRITTEN), "stale": stale}
    return after
