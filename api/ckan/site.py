"""The portal itself: whether it answers, what it is called, what its actions do."""

from __future__ import annotations

from typing import Any

from flask import current_app, g

from api.answers import site
from api.ckan import licenses
from api.ckan.errors import Refused
from api.ckan.registry import ACTIONS, action
from catalog.errors import NotFound
from catalog.permissions import Identity

VERSION = "2.12.0"
"""The release of CKAN whose DataStore this one behaves as: clients choose by it what they may call."""


@action(safe=True)
def status_show(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a dictionary with information about the site's configuration."""
    settings = current_app.extensions["weft"]["settings"]
    return {
        "site_title": settings.site_title_en,
        "site_description": "",
        "site_url": site(),
        "error_emails_to": None,
        "locale_default": "en",
        "extensions": ["activity", "datastore"],
        "ckan_version": VERSION,
    }


@action(safe=True)
def site_read(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return True: everybody may read the site."""
    return True


@action(safe=True)
def help_show(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return the help string for a particular API action.

    :param name: action function name, e.g. datastore_search
    """
    name = data.get("name")
    if not isinstance(name, str) or not name:
        raise Refused({"name": ["Missing value"]})
    known = ACTIONS.get(name)
    if known is None:
        raise NotFound("Action function not found")
    return known.help


@action(safe=True)
def license_list(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return the list of licenses available for datasets on the site."""
    return [
        {
            "id": license_.id,
            "title": license_.title_zh if g.lang == "zh" else license_.title_en,
            "url": license_.url,
            "status": "active",
            "maintainer": "",
            "family": "",
            "domain_content": license_.is_open,
            "domain_data": license_.is_open,
            "domain_software": False,
            "od_conformance": "approved" if license_.is_open else "not reviewed",
            "osd_conformance": "not reviewed",
            "is_generic": license_.id.startswith(("other", "notspecified")),
        }
        for license_ in licenses.everything()
    ]
