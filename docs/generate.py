"""Writes the reference pages that can be read off the code: settings, commands, facets, harvest formats."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields
from pathlib import Path

import click
from marshmallow import Schema

import wsgi
from catalog import errors, settings
from catalog.search.facets import FACETS
from harvesters.registry import FORMATS


def write(folder: Path) -> None:
    """Write each page below `folder` unless it is there already with the same text."""
    pages = {
        "settings.md": settings_page(),
        "commands.md": commands_page(),
        "facets.md": facets_page(),
        "formats.md": formats_page(),
        "errors.md": errors_page(),
    }
    for name, text in pages.items():
        place = folder / name
        if not place.exists() or place.read_text() != text:
            place.write_text(text)


def field_docs(of: type) -> dict[str, str]:
    """Name → the string below each field of a class."""
    body = ast.parse(inspect.getsource(of)).body[0].body  # type: ignore[attr-defined] # a module's first statement is the class
    docs: dict[str, str] = {}
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = following.value.value if _is_string(following) else ""  # type: ignore[union-attr] # checked by _is_string
            docs[statement.target.id] = " ".join(str(text).split())
    return docs


def _is_string(statement: ast.stmt | None) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def settings_page() -> str:
    """One line a setting: variable, type, default, meaning."""
    docs = field_docs(settings.Settings)
    rows = [
        f"| `{settings.PREFIX}{field.name.upper()}` | {field.type} | `{field.default!r}` | {docs[field.name]} |"
        for field in fields(settings.Settings)
    ]
    head = ["# Settings", "", "| Variable | Type | Default | Meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def commands_page() -> str:
    """Help of each `weft` command."""
    parts = [
        "# Commands",
        "",
        "Run as `python wsgi.py COMMAND`, or `weft COMMAND` after `pip install -e .`.",
        "",
    ]
    for name, command in sorted(wsgi.weft.commands.items()):
        context = click.Context(command, info_name=f"weft {name}")
        parts += [f"## weft {name}", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(parts)


def facets_page() -> str:
    """One line a facet."""
    rows = [f"| `{facet.name}` | {facet.label} |" for facet in FACETS]
    return (
        "\n".join(["# Facets of the search", "", "| Parameter | Shown as |", "|---|---|", *rows])
        + "\n"
    )


def formats_page() -> str:
    """Each harvest format with its options."""
    parts = ["# Harvest formats", ""]
    for kind, made in sorted(FORMATS.items()):
        parts += [
            f"## {kind}",
            "",
            inspect.cleandoc(made.__doc__ or ""),
            "",
            "| Option | Type | Required | Meaning |",
            "|---|---|---|---|",
        ]
        parts += [_option(name, field) for name, field in sorted(_options(made).fields.items())]
        parts.append("")
    return "\n".join(parts)


def _options(made: object) -> Schema:
    schema: type[Schema] = made.options  # type: ignore[attr-defined] # every format has it, as its protocol says
    return schema()


def _option(name: str, field: object) -> str:
    meaning = str(getattr(field, "metadata", {}).get("description", ""))
    required = "yes" if getattr(field, "required", False) else ""
    return f"| `{name}` | {type(field).__name__} | {required} | {meaning} |"


def errors_page() -> str:
    """Every error with its status and code."""
    found = [
        made
        for _, made in inspect.getmembers(errors, inspect.isclass)
        if issubclass(made, errors.CatalogError)
    ]
    rows = [
        f"| {made.status} | `{made.code}` | {inspect.cleandoc(made.__doc__ or '').splitlines()[0]} |"
        for made in sorted(found, key=lambda made: (made.status, made.code))
    ]
    return "\n".join(["# Errors", "", "| Status | Code | When |", "|---|---|---|", *rows]) + "\n"
