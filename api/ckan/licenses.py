"""Licences by CKAN's ids: what its clients write that we know by another id, or not at all."""

from __future__ import annotations

from catalog.models.license import CKAN_LICENSES, LICENSES, License, known, stated

__all__ = ["everything", "known", "ours", "stated"]
_BY_LOWER = {id_.lower(): id_ for id_ in LICENSES}


def everything() -> list[License]:
    """Ours, and those of CKAN that we have under no id."""
    return [*LICENSES.values(), *(one for id_, one in CKAN_LICENSES.items() if id_ not in LICENSES)]


def ours(license_id: str) -> str:
    """Our id of the licence, in any case; empty for one that we do not have."""
    return _BY_LOWER.get(license_id.lower(), "")
