"""One tree of errors, each with an HTTP status and a code that machines may rely on.

    CatalogError 500
    ├── Invalid 422              what was sent cannot be used; `problems` names the fields
    │   └── BadQuery 400         a search or a table query that cannot be understood
    ├── Unauthenticated 401      nobody is signed in, or the key is unknown
    ├── Denied 403               known, but not allowed
    ├── NotFound 404
    │   └── Gone 410             was here, is withdrawn
    ├── Conflict 409
    ├── TooLarge 413
    ├── TooMany 429              a limit of calls is used up
    ├── Unreadable 422           a source or file that is not what it says
    ├── Unavailable 503          try again later: an engine or a source is down
    └── SettingsError 500        the portal cannot start like this

Messages are English msgids with `%(name)s` places, filled from `context`; pages and the API translate them.
"""

from __future__ import annotations

N_ = str
"""Marks a sentence for translation where it does not stand inside the call that raises it."""


class CatalogError(Exception):
    """Base of all errors that are shown to people; `context` fills the places of `message`."""

    status = 500
    code = "error"

    def __init__(self, message: str, /, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __str__(self) -> str:
        return self.message % self.context if self.context else self.message


class Invalid(CatalogError):
    """What was sent cannot be used; `problems` maps a field to its sentences."""

    status, code = 422, "invalid"

    def __init__(
        self, message: str, /, problems: dict[str, object] | None = None, **context: object
    ) -> None:
        super().__init__(message, **context)
        self.problems = problems or {}


class BadQuery(Invalid):
    """A search or a table query that cannot be understood."""

    status, code = 400, "bad_query"


class Unauthenticated(CatalogError):
    """Nobody is signed in, or the key is unknown."""

    status, code = 401, "unauthenticated"


class Denied(CatalogError):
    """The caller is known, but this is not allowed."""

    status, code = 403, "denied"


class NotFound(CatalogError):
    """There is no such thing, or the caller may not know that there is."""

    status, code = 404, "not_found"


class Gone(NotFound):
    """It was here and is withdrawn."""

    status, code = 410, "gone"


class Conflict(CatalogError):
    """It contradicts what is there already."""

    status, code = 409, "conflict"


class TooLarge(CatalogError):
    """Larger than the limit for this kind of thing."""

    status, code = 413, "too_large"


class TooMany(CatalogError):
    """A limit of calls is used up; `retry_after` is in seconds."""

    status, code = 429, "too_many_requests"


class Unreadable(CatalogError):
    """A source or file that is not what it says it is."""

    status, code = 422, "unreadable"


class Unavailable(CatalogError):
    """An engine or a source is down; the same call may succeed later."""

    status, code = 503, "unavailable"


class Unwritable(Unavailable):
    """The portal's own database cannot be written to right now."""


class SettingsError(CatalogError):
    """The portal cannot start with these settings."""

    status, code = 500, "settings"
