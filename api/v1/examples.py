"""Examples in the OpenAPI description that work on this portal: a dataset, a department and a table that are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catalog.errors import CatalogError
from catalog.permissions import ANYONE
from catalog.search import SearchQuery
from catalog.services import datasets, search, sql
from catalog.tabular.where_text import name_text

if TYPE_CHECKING:
    from catalog.models.table import DataTable

SQL = "/api/v1/sql"
Examples = dict[str, dict[str, Any]]
"""Beginning of a path → parameter → example."""


def examples_here() -> Examples:
    """Of one of the most used open datasets; none on an empty portal or while the search is down."""
    try:
        page = search.find(ANYONE, SearchQuery(sort="uses", limit=10, facets=False))
        for hit in page.hits:
            if hit.card["tables"] and hit.card["access"] == "open":
                dataset = datasets.show(ANYONE, hit.id)
                tables = [table for part in dataset.resources for table in part.tables]
                largest = max(tables, key=lambda table: table.rows)
                return {
                    "/api/v1/datasets/{": {"slug": dataset.slug},
                    "/api/v1/organizations/{": {"slug": dataset.organization.slug},
                    "/api/v1/tables/{": _of_table(largest),
                    SQL: {"sql": sql.example(largest)},
                }
    except CatalogError:
        pass
    return {}


def with_examples(paths: Mapping[str, Any], examples: Examples) -> dict[str, Any]:
    """The paths of the description with these examples in place of the general ones."""
    found = dict(paths)
    if SQL in examples:
        found[SQL] = {"post": _with_body(paths[SQL]["post"], {**examples[SQL], "limit": 100})}
    for start, known in examples.items():
        for path in paths:
            if path.startswith(start) and path != SQL:
                fit = known if not path.endswith("/group") else known | {"order_by": "-count"}
                found[path] = _path(paths[path], fit)
                if path.endswith("/query"):
                    found[path]["post"] = _with_body(found[path]["post"], _question(known))
    return found


def _question(known: Mapping[str, Any]) -> dict[str, object]:
    """The body that asks what the parameters of an address ask."""
    asked: dict[str, object] = {name: known[name] for name in ("where",) if name in known}
    if "order_by" in known:
        asked["order_by"] = [known["order_by"]]
    return {**asked, "limit": 10, "count": True}


def _with_body(operation: Mapping[str, Any], example: Mapping[str, object]) -> dict[str, Any]:
    """An operation with an example of what is sent."""
    body = operation["requestBody"]
    content = {kind: {**part, "example": example} for kind, part in body["content"].items()}
    return {**operation, "requestBody": {**body, "content": content}}


def _path(path: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """A path with its operations and shared parameters."""
    return {
        name: _parameters(part, known)
        if name == "parameters"
        else {**part, "parameters": _parameters(part.get("parameters", []), known)}
        for name, part in path.items()
    }


def _parameters(given: list[dict[str, Any]], known: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        _parameter(parameter, known[parameter["name"]])
        if parameter.get("name") in known
        else parameter
        for parameter in given
    ]


def _parameter(given: Mapping[str, Any], example: object) -> dict[str, Any]:
    schema = {name: said for name, said in given.get("schema", {}).items() if name != "example"}
    return {**given, "schema": schema, "example": example}


def _of_table(table: DataTable) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    texts = [column.name for column in table.columns if column.type == "string"] or names
    numbers = [column.name for column in table.columns if column.type in ("integer", "number")]
    if not numbers or not texts:
        return {"table_id": table.id, "number": table.release}
    text, value = name_text(texts[0]), name_text(numbers[-1])
    return {
        "table_id": table.id,
        "number": table.release,
        "select": ",".join(dict.fromkeys((text, value))),
        "where": f"{value} > 0",
        "order_by": f"-{value}",
        "group_by": text,
        "measures": f"count(*),avg({value}) as mean",
    }
