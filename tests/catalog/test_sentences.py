"""Sentences about fields, taken apart so that they can be translated."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate

from catalog.schemas.sentences import LONGEST, OF_MARSHMALLOW, WITH_VALUES, take_apart

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for name in ("catalog", "harvesters") for path in (ROOT / name).rglob("*.py"))
PLACE = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("msgid", WITH_VALUES)
@given(value=st.from_regex(r"\A[\w'-]{1,20}\Z"))
def test_a_sentence_with_values_is_found_again(msgid: str, value: str) -> None:
    names = PLACE.findall(msgid)
    values = dict.fromkeys(names, value)
    assert take_apart(msgid % values) == (msgid, values)


@given(st.text(max_size=200))
def test_nothing_is_lost(sentence: str) -> None:
    msgid, values = take_apart(sentence)
    assert (msgid % values if values else msgid) == sentence


def test_what_is_too_long_is_left_alone() -> None:
    sentence = f"Must be one of: {'x' * LONGEST}."
    assert take_apart(sentence) == (sentence, {})


class Everything(Schema):
    """Fields of all kinds that the catalogue's schemas have."""

    text = fields.String(validate=validate.Length(2, 3))
    short = fields.String(validate=validate.Length(min=2))
    long = fields.String(validate=validate.Length(max=2))
    exact = fields.String(validate=validate.Length(equal=2))
    name = fields.String(validate=validate.Regexp("^a$"))
    kind = fields.String(validate=validate.OneOf(["a", "b"]))
    whole = fields.Integer(validate=validate.Range(1, 3))
    least = fields.Integer(validate=validate.Range(min=1))
    most = fields.Integer(validate=validate.Range(max=1))
    number = fields.Float()
    truth = fields.Boolean()
    many = fields.List(fields.String())
    mapping = fields.Dict()
    inner = fields.Nested(Schema)
    needed = fields.String(required=True)


VALUES: tuple[object, ...] = (None, {}, [], "", "aaaaa", 9, 0, 1e400, True)
WRONG: list[dict[str, object]] = [{name: value} for name in Everything().fields for value in VALUES]


@pytest.mark.parametrize("given_", [*WRONG, {"nothing": 1}])
def test_the_sentences_of_marshmallow_are_known(given_: dict[str, object]) -> None:
    try:
        Everything().load({"needed": "", **given_})
    except ValidationError as error:
        for said in _sentences(error.messages):
            assert take_apart(said)[0] in (*OF_MARSHMALLOW, *WITH_VALUES), said


def _sentences(found: object) -> list[str]:
    if isinstance(found, dict):
        return [said for inner in found.values() for said in _sentences(inner)]
    if isinstance(found, list):
        return [said for inner in found for said in _sentences(inner)]
    return [str(found)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_own_sentences_with_values_are_known(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ValidationError":
            for sentence in node.args[:1]:
                if isinstance(sentence, ast.JoinedStr):
                    assert take_apart(_filled(sentence))[0] in WITH_VALUES, node.lineno


def _filled(sentence: ast.JoinedStr) -> str:
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "7" for part in sentence.values
    )
