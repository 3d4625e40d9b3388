"""Units of a query in Tantivy's terms."""

from __future__ import annotations

from collections.abc import Iterable

import tantivy
from tantivy import Occur, Query

from catalog.search.analysis import Unit
from catalog.search.ranking import LONG_SPELLED, enough_of


def unit_query(schema: tantivy.Schema, unit: Unit, field: str) -> Query:
    """Documents with the unit as it was written, in one analysed field."""
    if unit.single and field == "text":
        return Query.term_query(schema, "singles", unit.ways[0][0], "basic")
    if unit.phrase and field == "text":
        return Query.phrase_query(schema, field, list(unit.ways[0]))
    return ways_query(schema, unit.ways, field)


def ways_query(schema: tantivy.Schema, ways: tuple[tuple[str, ...], ...], field: str) -> Query:
    """Documents with all terms of one of the ways."""
    found = [every([Query.term_query(schema, field, term, "freq") for term in way]) for way in ways]
    return found[0] if len(found) == 1 else Query.boolean_query([(Occur.Should, q) for q in found])


def meant_query(schema: tantivy.Schema, unit: Unit, *, known: bool) -> Query | None:
    """Documents that say the unit in other words or are read aloud so; None where there is no such way.

    `known` says that some document holds the word as it is written: then neither a lone syllable nor
    initials are meant.
    """
    ways: list[Query] = []
    if unit.others:
        ways.append(ways_query(schema, unit.others, "text"))
    if unit.syllables and not (known and unit.uncertain):
        ways.append(
            enough(
                [Query.term_query(schema, "syllables", term, "basic") for term in unit.syllables]
            )
        )
    if unit.initials and not known:
        ways.append(
            Query.term_query(schema, "initials", unit.initials[0], "position")
            if len(unit.initials) == 1
            else Query.phrase_query(schema, "initials", list(unit.initials))
        )
    if not ways:
        return None
    return ways[0] if len(ways) == 1 else Query.boolean_query([(Occur.Should, q) for q in ways])


def enough(sounds: list[Query]) -> Query:
    """Documents with all syllables of a word, with enough of those of a long one."""
    if len(sounds) < LONG_SPELLED:
        return every(sounds)
    return Query.boolean_query([(Occur.Should, q) for q in sounds], enough_of(len(sounds)))


def every(queries: Iterable[Query]) -> Query:
    """Documents that all queries find."""
    parts = list(queries)
    return parts[0] if len(parts) == 1 else Query.boolean_query([(Occur.Must, q) for q in parts])
