"""The formats of a report. A renderer is a pure function from a report to text, and knows nothing else."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from auditor.model import Report


class Options(NamedTuple):
    """How to render for people; formats for machines are always the same.

    detail: "brief" shows only what failed or needs a look, "full" folds nothing.
    """

    color: bool = False
    width: int = 100
    unicode: bool = True
    detail: Literal["brief", "normal", "full"] = "normal"


Renderer: TypeAlias = "Callable[[Report, Options], str]"


def _in_module(name: str) -> Renderer:
    """The `render` of a module of this package, imported when it is first called."""

    def render(report: Report, options: Options) -> str:
        text: str = import_module(f"{__name__}.{name}").render(report, options)
        return text

    return render


RENDERERS: dict[str, Renderer] = {
    "text": _in_module("text"),
    "json": _in_module("json"),
}

FOR_MACHINES = frozenset({"json"})
"""Formats that are UTF-8 whatever the terminal's encoding is."""
