"""Calls that send a question as JSON, in curl, Python, JavaScript and R."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pprint import pformat
from typing import Any

from portal.languages import gettext


def curl(address: str, body: Mapping[str, Any]) -> str:
    """For a shell."""
    sent = shlex.quote(json.dumps(body, ensure_ascii=False, indent=2))
    return (
        f"curl {shlex.quote(address)} \\\n"
        "  --header 'Authorization: Bearer YOUR_API_KEY' \\\n"
        "  --header 'Content-Type: application/json' \\\n"
        f"  --data {sent}\n"
    )


def python(address: str, body: Mapping[str, Any], *, paged: bool) -> str:
    """For Python with requests."""
    asked = pformat(dict(body), sort_dicts=False, width=90)
    ask = "requests.post(address, json=asked, headers=headers, timeout=60)"
    head = f"""\
import requests

address = {json.dumps(address)}
asked = {asked}
headers = {{"Authorization": "Bearer YOUR_API_KEY"}}
"""
    if not paged:
        return f"""{head}
answer = {ask}
answer.raise_for_status()
rows = answer.json()["rows"]

print(len(rows), rows[:3])
"""
    remark = gettext("each page has the cursor of the next one")
    return f"""{head}
rows = []
while True:  # {remark}
    answer = {ask}
    answer.raise_for_status()
    page = answer.json()
    rows += page["rows"]
    if not page["cursor"]:
        break
    asked["cursor"] = page["cursor"]

print(len(rows), rows[:3])
"""


def javascript(address: str, body: Mapping[str, Any]) -> str:
    """For browsers and Node."""
    asked = json.dumps(body, ensure_ascii=False, indent=2).replace("\n", "\n  ")
    return f"""\
const answer = await fetch({json.dumps(address)}, {{
  method: "POST",
  headers: {{ Authorization: "Bearer YOUR_API_KEY", "Content-Type": "application/json" }},
  body: JSON.stringify({asked}),
}});
if (!answer.ok) throw new Error(`${{answer.status}} ${{await answer.text()}}`);
const {{ rows }} = await answer.json();
console.table(rows.slice(0, 10));
"""


def r(address: str, body: Mapping[str, Any]) -> str:
    """For R with httr2."""
    asked = json.dumps(body, ensure_ascii=False, indent=2)
    dashes = "-"
    while f"){dashes}" in asked:  # a raw text ends where its own dashes stand
        dashes += "-"
    return f"""\
library(httr2)

answer <- request({json.dumps(address)}) |>
  req_auth_bearer_token("YOUR_API_KEY") |>
  req_body_raw(r"{dashes}({asked}){dashes}", type = "application/json") |>
  req_perform() |>
  resp_body_json(simplifyVector = TRUE)

head(answer$rows)
"""
