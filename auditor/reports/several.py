"""One report for the several applications of a repository, made of the reports on each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from auditor.model import SCHEMA, Report
from auditor.reports import RENDERERS, Options, github, shared


class Part(NamedTuple):
    """The name of an application, its report, and how to write it."""

    name: str
    report: Report
    options: Options


def join(format_: str, parts: Sequence[Part]) -> str:
    """The report on all applications in this format; of a single one it is its own."""
    if len(parts) == 1:
        return RENDERERS[format_](parts[0].report, parts[0].options)
    if format_ in _WHOLE:
        return _WHOLE[format_](parts)
    texts = [RENDERERS[format_](part.report, part.options) for part in parts]
    return _JOINERS[format_](parts, texts)


def _github(parts: Sequence[Part]) -> str:
    """GitHub shows so few annotations that the applications must share them."""
    return github.render_all([(part.name, part.report) for part in parts])


def _html(parts: Sequence[Part]) -> str:
    from auditor.reports import html

    return html.render_all([(part.report, part.options) for part in parts])


def _lines(_parts: Sequence[Part], texts: Sequence[str]) -> str:
    return "\n".join(texts)


def _json(_parts: Sequence[Part], texts: Sequence[str]) -> str:
    applications = [json.loads(text) for text in texts]
    return json.dumps({"schema": SCHEMA, "applications": applications}, indent=2, ensure_ascii=False) + "\n"


def _sarif(_parts: Sequence[Part], texts: Sequence[str]) -> str:
    """One log with a run for each application: their categories tell them apart."""
    logs: list[dict[str, Any]] = [json.loads(text) for text in texts]
    return json.dumps(logs[0] | {"runs": [run for log in logs for run in log["runs"]]}, indent=2) + "\n"


def _gitlab(_parts: Sequence[Part], texts: Sequence[str]) -> str:
    return json.dumps([entry for text in texts for entry in json.loads(text)], indent=2) + "\n"


def _junit(parts: Sequence[Part], texts: Sequence[str]) -> str:
    from junitparser import JUnitXml

    from auditor.reports import junit

    root = JUnitXml(shared.TITLE)
    for part, text in zip(parts, texts, strict=True):
        for suite in JUnitXml.fromstring(text.encode()):
            suite.name = f"{part.name}: {suite.name}"
            root.add_testsuite(suite)
    return junit.written(root)


_WHOLE: dict[str, Callable[[Sequence[Part]], str]] = {"github": _github, "html": _html}
"""Formats whose applications share a page."""

_JOINERS: dict[str, Callable[[Sequence[Part], Sequence[str]], str]] = {
    "text": _lines,
    "markdown": _lines,
    "json": _json,
    "sarif": _sarif,
    "gitlab-codequality": _gitlab,
    "junit": _junit,
}
