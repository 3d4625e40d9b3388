"""Sentences about fields that have values in them: taken apart, so that they can be translated.

marshmallow writes its sentences ready for reading, and problems are kept like that. `take_apart` finds the
sentence again that one was made of.
"""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.errors import N_

LONGEST = 2000
"""Longer ones are no sentences of ours."""
OF_MARSHMALLOW = (
    N_("Missing data for required field."),
    N_("Unknown field."),
    N_("Field may not be null."),
    N_("Invalid value."),
    N_("Invalid type."),
    N_("Invalid input type."),
    N_("Invalid JSON body."),
    N_("Not a valid string."),
    N_("Not a valid number."),
    N_("Not a valid integer."),
    N_("Number too large."),
    N_("Special numeric values (nan or infinity) are not permitted."),
    N_("Not a valid boolean."),
    N_("Not a valid date."),
    N_("Not a valid datetime."),
    N_("Not a valid list."),
    N_("Not a valid delimited list."),
    N_("Not a valid mapping type."),
    N_("String does not match expected pattern."),
)
"""They have no values; they stand here to be collected."""
TOO_LONG = N_(
    "At most %(most)s rows of JSON, or %(more)s as csv, jsonl, arrow or parquet; the answer leads to the next page."
)
WITH_VALUES = (
    TOO_LONG,
    N_("Must be one of: %(choices)s."),
    N_("Length must be between %(least)s and %(most)s."),
    N_("Length must be %(length)s."),
    N_("Shorter than minimum length %(least)s."),
    N_("Longer than maximum length %(most)s."),
    N_("Must be greater than or equal to %(least)s and less than or equal to %(most)s."),
    N_("Must be greater than or equal to %(least)s."),
    N_("Must be less than or equal to %(most)s."),
    N_("Must be a whole number from %(least)s to %(most)s."),
    N_("At most %(most)s languages."),
    N_("%(tag)s is no language tag such as zh, en or pt-br."),
    N_("The text in %(tag)s must be a string."),
    N_("The text in %(tag)s is longer than %(most)s characters."),
    N_("Cannot be written as JSON: %(reason)s."),
    N_("Larger than %(most)s bytes."),
    N_("Two resources have the key %(key)s."),
    N_("declared twice: %(names)s"),
)
_PLACE = re.compile(r"%\((\w+)\)s")


def take_apart(sentence: str) -> tuple[str, dict[str, str]]:
    """The msgid and its values; any other text is a msgid itself."""
    if len(sentence) <= LONGEST:
        for msgid, pattern in _patterns():
            found = pattern.fullmatch(sentence)
            if found:
                return msgid, found.groupdict()
    return sentence, {}


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((msgid, re.compile(_pattern(msgid), re.DOTALL)) for msgid in WITH_VALUES)


def _pattern(msgid: str) -> str:
    """Text and names of places take turns."""
    parts = _PLACE.split(msgid)
    return "".join(
        f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)
    )
