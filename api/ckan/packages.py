"""Reading datasets: `package_show`, `package_list`, `current_package_list_with_resources`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, post_load

from api.ckan import dictized, prepared
from api.ckan.given import one
from api.ckan.package_checks import is_yes
from api.ckan.package_search import package_search
from api.ckan.registry import action
from api.ckan.validators import ActionSchema, Whole, checked
from catalog.errors import Denied, NotFound
from catalog.permissions import Identity
from catalog.services import dataset_changes, datasets
from catalog.services.dataset_changes import Unseen

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

MOST_NAMES = 1_000_000


class _ListSchema(ActionSchema):
    limit = Whole(natural=True, load_default=0)
    offset = Whole(natural=True, load_default=0)


class _CurrentSchema(ActionSchema):
    limit = Whole(natural=True)
    offset = Whole(natural=True)
    page = Whole(natural=True)

    @post_load
    def paged(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A page's number is an offset; pages are counted from one."""
        if data.get("page") == 0:
            raise ValidationError("Must be a positive integer", "page")
        if "offset" not in data and "page" in data:
            data["offset"] = (data["page"] - 1) * data.get("limit", 0)
        return data


@action(safe=True)
def package_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the metadata of a dataset (package) and its resources.

    :param id: the id or name of the dataset
    :param use_default_schema: taken and without effect: there is one schema
    :param include_plugin_data: include the internal plugin data object (sysadmin only)
    """
    name = one(data, "id" if data.get("id") else "name_or_id")
    if is_yes(data.get("include_plugin_data")) and who.administrator:
        dataset = found(who, name)
        return {
            **dictized.package(dataset, readable=True),
            "plugin_data": dataset.plugin_data or None,
        }
    shown = prepared.packages(who, [name])
    if not shown:
        shown = prepared.packages(who, [found(who, name).id])
    return next(iter(shown.values()))


@action(safe=True)
def package_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of the names of the site's datasets (packages).

    :param limit: at most so many names (optional, default: all)
    :param offset: how many names to pass over
    """
    given = checked(_ListSchema(), data)
    return datasets.slugs(who, limit=given["limit"] or MOST_NAMES, offset=given["offset"])


@action(safe=True)
def current_package_list_with_resources(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of the site's datasets (packages) and their resources, the last modified first.

    :param limit: at most so many datasets (default: 10, most: 1000)
    :param offset: how many to pass over
    :param page: with a limit, which page; deprecated, use offset
    """
    given = checked(_CurrentSchema(), data)
    asked = {"rows": given.get("limit"), "start": given.get("offset")}
    return package_search(who, {**asked, "include_private": who.administrator})["results"]


def found(who: Identity, name: str) -> Dataset:
    """The dataset with this id or name; CKAN's words for one that is not there, or not for this reader."""
    try:
        return dataset_changes.find(who, name)
    except Unseen as error:
        raise Denied(
            "User %(name)s not authorized to read package %(id)s",
            name=who.name,
            id=error.context["id"],
        ) from error
    except NotFound as error:
        raise NotFound("") from error
