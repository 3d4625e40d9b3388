"""Working calls of the API for one table, in curl, Python, JavaScript and R."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from catalog.tabular.filters import Comparison
from portal.languages import gettext
from portal.table_page import sent_examples

if TYPE_CHECKING:
    from catalog.models.table import TableColumn


@dataclass(frozen=True)
class Example:
    """A piece of code; `id` names it in the page."""

    id: str
    language: str
    code: str


def example_condition(columns: Sequence[TableColumn]) -> tuple[str, str, str] | None:
    """A column, a comparison and a value that find something, as the form takes them."""
    for column in columns:
        value = _common(column)
        if value is not None:
            return column.name, Comparison.IS, value
    for column in columns:
        if column.type in ("integer", "number") and isinstance(
            (column.profile or {}).get("mean"), int | float
        ):
            rounded = float(f"{column.profile['mean']:.3g}")
            return column.name, Comparison.AT_LEAST, f"{rounded:.12f}".rstrip("0").rstrip(".")
    return (columns[0].name, Comparison.FILLED, "") if columns else None


def _common(column: TableColumn) -> str | None:
    """The most frequent value of a text column, if it is short and not the only one."""
    profile: dict[str, Any] = column.profile or {}
    top = profile.get("top") or []
    if column.type != "string" or not top or (profile.get("distinct") or 0) < 2:
        return None
    value, count = top[0]
    return value if count > 1 and isinstance(value, str) and 0 < len(value) <= 40 else None


@dataclass(frozen=True)
class Call:
    """A call of the API: the whole address, its parameters, and what comes back."""

    address: str
    parameters: tuple[tuple[str, str], ...]
    file: str = ""
    """Name to save the answer under, where it is a file; empty for JSON."""
    paged: bool = False
    """Whether the answer leads to the next page."""
    body: Mapping[str, Any] | None = None
    """What is sent, where the address cannot say all of it."""

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        query = urlencode(self.parameters, quote_via=quote)
        return f"{self.address}?{query}" if query else self.address


def examples(call: Call) -> list[Example]:
    """The same call four times."""
    if call.body is not None:
        body = call.body
        return [
            Example("curl", "curl", sent_examples.curl(call.address, body)),
            Example("python", "Python", sent_examples.python(call.address, body, paged=call.paged)),
            Example("javascript", "JavaScript", sent_examples.javascript(call.address, body)),
            Example("r", "R", sent_examples.r(call.address, body)),
        ]
    return [
        Example("curl", "curl", _curl(call)),
        Example("python", "Python", _python(call)),
        Example("javascript", "JavaScript", _javascript(call)),
        Example("r", "R", _r(call)),
    ]


def _quoted(text: str) -> str:
    """A literal that Python, JavaScript and R read alike."""
    return json.dumps(text, ensure_ascii=False)


def _literal(value: str) -> str:
    """A number without quotes, since people write it so."""
    return value if value.isdecimal() and value == str(int(value)) else _quoted(value)


def _curl(call: Call) -> str:
    lines = [f"curl --get {shlex.quote(call.address)}"]
    lines.append("--header 'Authorization: Bearer YOUR_API_KEY'")
    for name, value in call.parameters:
        pair = f"{name}={value}"
        plain = name == "where" and not set(pair) & set('"$`\\!\n')
        lines.append(f"--data-urlencode {chr(34) + pair + chr(34) if plain else shlex.quote(pair)}")
    if call.file:
        lines.append(f"--output {shlex.quote(call.file)}")
    return " \\\n  ".join(lines) + "\n"


def _python(call: Call) -> str:
    remark = gettext("each page names the address of the next one")
    pairs = "".join(f"    {_quoted(n)}: {_literal(v)},\n" for n, v in call.parameters)
    head = f"""\
import requests

address = {_quoted(call.address)}
parameters = {{
{pairs}}}
headers = {{"Authorization": "Bearer YOUR_API_KEY"}}
"""
    if call.file:
        return f"""{head}
answer = requests.get(address, params=parameters, headers=headers, timeout=600, stream=True)
answer.raise_for_status()
with open({_quoted(call.file)}, "wb") as file:
    for part in answer.iter_content(1 << 20):
        file.write(part)
"""
    if not call.paged:
        return f"""{head}
answer = requests.get(address, params=parameters, headers=headers, timeout=60)
answer.raise_for_status()
rows = answer.json()["rows"]

print(len(rows), rows[:3])
"""
    return f"""{head}
rows = []
while address:  # {remark}
    answer = requests.get(address, params=parameters, headers=headers, timeout=60)
    answer.raise_for_status()
    page = answer.json()
    rows += page["rows"]
    address, parameters = page["next"], None

print(len(rows), rows[:3])
"""


def _javascript(call: Call) -> str:
    pairs = "".join(f"  {_key(n)}: {_literal(v)},\n" for n, v in call.parameters)
    took = "const file = await answer.blob();\n"
    if not call.file:
        took = "const { rows } = await answer.json();\nconsole.table(rows.slice(0, 10));\n"
    return f"""\
const address = new URL({_quoted(call.address)});
address.search = new URLSearchParams({{
{pairs}}});

const answer = await fetch(address, {{
  headers: {{ Authorization: "Bearer YOUR_API_KEY" }},
}});
if (!answer.ok) throw new Error(`${{answer.status}} ${{await answer.text()}}`);
{took}"""


def _key(name: str) -> str:
    return name if name.isidentifier() else _quoted(name)


def _r(call: Call) -> str:
    pairs = ",\n    ".join(f"{n} = {_literal(v)}" for n, v in call.parameters)
    asked = f"""request({_quoted(call.address)}) |>
  req_url_query(
    {pairs}
  ) |>
  req_auth_bearer_token("YOUR_API_KEY") |>"""
    if call.file:
        return f"""\
library(httr2)

{asked}
  req_perform(path = {_quoted(call.file)})
"""
    return f"""\
library(httr2)

answer <- {asked}
  req_perform() |>
  resp_body_json(simplifyVector = TRUE)

head(answer$rows)
"""
