"""Templates that are quick: a page of the catalogue puts two thousand values into its HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import markupsafe
from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

_plain: Callable[[str], str] = vars(markupsafe)["_escape_inner"]
"""Of the part in C, or of Python where that was not built."""


def put(value: Any) -> str:
    """The value as a part of an HTML page: MarkupSafe's own `escape`, without making a `Markup` of each.

    What templates put together needs none: Jinja joins the parts, and marks the whole.
    """
    kind = type(value)
    if kind is str:
        return _plain(value)
    if kind is Markup:
        return value  # type: ignore[no-any-return] # its type was just looked at
    return escape(value)


class _Generator(CodeGenerator):
    """Writes the code of a template with `put` where Jinja's has `escape`."""

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.put(")


_OF_DICTS = frozenset(dir(dict))
"""Names that mean a method of a dict, not what it holds."""


class PageEnvironment(Environment):
    """Jinja for pages."""

    code_generator_class = _Generator
    put = staticmethod(put)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What `obj.attribute` means in a template; cards of results are dicts, where Jinja would look in vain first."""
        try:
            if type(obj) is dict and attribute not in _OF_DICTS:
                return obj[attribute]
            return getattr(obj, attribute)
        except (AttributeError, KeyError):
            return super().getattr(obj, attribute)
