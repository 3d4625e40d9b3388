"""Addresses made from titles."""

from __future__ import annotations

import hashlib
import re
import unicodedata


def slug_from(title: str, longest: int = 60) -> str:
    """A lower-case ASCII address; a title with no ASCII letters gets a short hash of itself."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:longest].strip("-")
    if len(slug) >= 2:
        return slug
    return f"d-{hashlib.sha256(title.encode()).hexdigest()[:12]}"
