"""The formats of a report. A renderer is a pure function from a report to text, and knows nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from auditor.catalogue import Rule
    from auditor.model import Report

Reader: TypeAlias = "Callable[[str], bytes | None]"
"""The bytes of an audited file by its path in the report, or None if they cannot be had."""


def read_nothing(_path: str) -> bytes | None:
    """The reader of a report that is shown away from its source."""
    return None


class Options(NamedTuple):
    """What a renderer may use besides the report.

    color, width, unicode and detail are for people: "brief" shows only what failed or needs a look, "full" folds
    nothing. Formats for machines do not look at them.
    read: where excerpts, columns and GitHub's fingerprints come from; the report itself holds no source text.
    rules: what is known of the rules by name; a rule that is not among them is described by its findings.
    part: the audited folder relative to the repository's root, "" for the whole repository.
    share: how many reports go to one page, each on an application of the repository.
    """

    color: bool = False
    width: int = 100
    unicode: bool = True
    detail: Literal["brief", "normal", "full"] = "normal"
    read: Reader = read_nothing
    rules: Mapping[str, Rule] = {}
    part: str = ""
    share: int = 1


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
    "sarif": _in_module("sarif"),
    "markdown": _in_module("markdown"),
    "html": _in_module("html"),
    "junit": _in_module("junit"),
    "gitlab-codequality": _in_module("gitlab"),
    "github": _in_module("github"),
}

FOR_MACHINES = frozenset(RENDERERS) - {"text"}
"""Formats that are UTF-8 whatever the terminal's encoding is."""
