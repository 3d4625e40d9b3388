"""SQLAlchemy rows, one noun a file. They know no Flask and no engine.

All are imported here, so that the metadata is whole whoever asks for a part of it.
"""

from catalog.models import (
    account,
    address,
    dataset,
    element,
    follow,
    group,
    inquiry,
    log,
    mail,
    organization,
    revision,
    saved_search,
    series,
    service,
    table,
    tag,
    usage,
    view,
)

__all__ = [
    "account",
    "address",
    "dataset",
    "element",
    "follow",
    "group",
    "inquiry",
    "log",
    "mail",
    "organization",
    "revision",
    "saved_search",
    "series",
    "service",
    "table",
    "tag",
    "usage",
    "view",
]
