"""Working calls of the API for one table, in curl, Python, JavaScript and R."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext

from catalog.tabular.query import Compare, Condition, IsNull, Not, Op

if TYPE_CHECKING:
    from catalog.models.table import TableColumn


@dataclass(frozen=True)
class Example:
    """A piece of code; `id` names it in the page."""

    id: str
    language: str
    code: str


def example_where(columns: Sequence[TableColumn], chosen: Condition | None) -> Condition | None:
    """The reader's own filter, else one that fits the columns and finds something."""
    if chosen is not None:
        return chosen
    for column in columns:
        value = _common(column)
        if value is not None:
            return Compare(column.name, Op.EQ, value)
    for column in columns:
        if column.type in ("integer", "number") and isinstance(
            (column.profile or {}).get("mean"), int | float
        ):
            return Compare(column.name, Op.GE, float(f"{column.profile['mean']:.3g}"))
    return Not(IsNull(columns[0].name)) if columns else None


def _common(column: TableColumn) -> str | None:
    """The most frequent value of a text column, if it is short and not the only one."""
    profile: dict[str, Any] = column.profile or {}
    top = profile.get("top") or []
    if column.type != "string" or not top or (profile.get("distinct") or 0) < 2:
        return None
    value, count = top[0]
    return value if count > 1 and isinstance(value, str) and 0 < len(value) <= 40 else None


def examples(address: str, where: str) -> list[Example]:
    """The same call four times: rows that satisfy `where`, from this table's address."""
    return [
        Example("curl", "curl", _curl(address, where)),
        Example("python", "Python", _python(address, where)),
        Example("javascript", "JavaScript", _javascript(address, where)),
        Example("r", "R", _r(address, where)),
    ]


def _quoted(text: str) -> str:
    """A literal that Python, JavaScript and R read alike."""
    return json.dumps(text, ensure_ascii=False)


def _curl(address: str, where: str) -> str:
    condition = f"where={where}"
    plain = not set(condition) & set('"$`\\!\n')
    condition = f'"{condition}"' if plain else shlex.quote(condition)
    return f"""\
curl --get {shlex.quote(address + "/rows")} \\
  --header 'Authorization: Bearer YOUR_API_KEY' \\
  --data-urlencode {condition} \\
  --data-urlencode 'limit=100'
"""


def _python(address: str, where: str) -> str:
    remark = gettext("each page names the address of the next one")
    return f"""\
import requests

address = {_quoted(address + "/rows")}
parameters = {{"where": {_quoted(where)}, "limit": 1000}}
headers = {{"Authorization": "Bearer YOUR_API_KEY"}}

rows = []
while address:  # {remark}
    answer = requests.get(address, params=parameters, headers=headers, timeout=60)
    answer.raise_for_status()
    page = answer.json()
    rows += page["rows"]
    address, parameters = page["next"], None

print(len(rows), rows[:3])
"""


def _javascript(address: str, where: str) -> str:
    return f"""\
const address = new URL({_quoted(address + "/rows")});
address.search = new URLSearchParams({{ where: {_quoted(where)}, limit: 100 }});

const answer = await fetch(address, {{
  headers: {{ Authorization: "Bearer YOUR_API_KEY" }},
}});
if (!answer.ok) throw new Error(`${{answer.status}} ${{await answer.text()}}`);
const {{ rows }} = await answer.json();
console.table(rows.slice(0, 10));
"""


def _r(address: str, where: str) -> str:
    return f"""\
library(httr2)

rows <- request({_quoted(address + "/rows")}) |>
  req_url_query(where = {_quoted(where)}, limit = 100) |>
  req_auth_bearer_token("YOUR_API_KEY") |>
  req_perform() |>
  resp_body_json(simplifyVector = TRUE)

head(rows$rows)
"""
