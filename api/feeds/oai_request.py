"""What a caller of OAI-PMH asks for, checked as the protocol says: arguments, moments, tokens to go on with."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?")
ARGUMENTS = {
    "Identify": ((), ()),
    "ListMetadataFormats": ((), ("identifier",)),
    "ListSets": ((), ("resumptionToken",)),
    "GetRecord": (("identifier", "metadataPrefix"), ()),
    "ListIdentifiers": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
    "ListRecords": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
}
"""Verb → arguments that it needs, and that it takes."""


class OAIError(Exception):
    """An error in the words of the protocol; it is an answer like others, with status 200."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Wanted:
    """The part of a list that is asked for."""

    prefix: str
    set: str = ""
    start: str = ""
    until: str = ""
    after: str = ""
    """Id behind which the answer goes on."""
    cursor: int = 0
    """How many came before."""
    total: int = -1

    @property
    def changed_from(self) -> datetime | None:
        """The first moment that is meant."""
        return _moment(self.start) if self.start else None

    @property
    def changed_until(self) -> datetime | None:
        """The last moment that is meant: a day to its end, a second to its end."""
        if not self.until:
            return None
        step = timedelta(days=1) if len(self.until) == len("2024-05-31") else timedelta(seconds=1)
        return _moment(self.until) + (step - timedelta(microseconds=1))

    def token(self, after: str, cursor: int, total: int) -> str:
        """What the caller sends to go on behind the id `after`."""
        parts = [self.prefix, self.set, self.start, self.until, after, cursor, total]
        return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def checked(given: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The verb and its arguments; raises OAIError."""
    if any(len(values) != 1 for values in given.values()):
        raise OAIError("badArgument", "An argument is given twice.")
    arguments = {name: values[0] for name, values in given.items()}
    verb = arguments.get("verb", "")
    if verb not in ARGUMENTS:
        raise OAIError("badVerb", "There is no such verb.")
    needed, optional = ARGUMENTS[verb]
    unknown = arguments.keys() - {"verb", *needed, *optional}
    if unknown:
        raise OAIError("badArgument", f"{verb} takes no argument {min(unknown)[:40]}.")
    if "resumptionToken" in arguments:
        if len(arguments) > 2:
            raise OAIError("badArgument", "A resumptionToken stands alone.")
        return arguments
    missing = [name for name in needed if not arguments.get(name)]
    if missing:
        raise OAIError("badArgument", f"{verb} needs the argument {missing[0]}.")
    return arguments


def wanted(arguments: Mapping[str, str]) -> Wanted:
    """The part of a list; raises OAIError."""
    token = arguments.get("resumptionToken")
    if token is not None:
        return _of_token(token)
    found = Wanted(
        arguments["metadataPrefix"],
        arguments.get("set", ""),
        arguments.get("from", ""),
        arguments.get("until", ""),
    )
    _check_moments(found)
    return found


def _check_moments(found: Wanted) -> None:
    try:
        start, until = found.changed_from, found.changed_until
    except ValueError as error:
        raise OAIError("badArgument", "A moment is YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.") from error
    if start and until and (len(found.start) != len(found.until) or start > until):
        raise OAIError(
            "badArgument", "from and until differ in granularity, or are the wrong way round."
        )


def _moment(text: str) -> datetime:
    if not MOMENT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _of_token(token: str) -> Wanted:
    bad = OAIError("badResumptionToken", "This resumptionToken is not one of ours.")
    try:
        parts: Any = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        found = Wanted(*parts)
        texts = (found.prefix, found.set, found.start, found.until, found.after)
        if not all(isinstance(text, str) and len(text) <= 200 for text in texts):
            raise bad
        if not isinstance(found.cursor, int) or not isinstance(found.total, int):
            raise bad
        _check_moments(found)
    except (binascii.Error, ValueError, TypeError, OAIError) as error:
        raise bad from error
    return found
