"""One report for the several applications of a repository, made of the reports on each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from auditor.model import SCHEMA, Report
from auditor.reports import github, shared


class Part(NamedTuple):
    """The name of an application, its report in some format, and the report itself."""

    name: str
    text: str
    report: Report


def join(format_: str, parts: Sequence[Part]) -> str:
    """The report on all applications in this format, which must be one of `JOINERS`."""
    return JOINERS[format_](parts)


def _lines(parts: Sequence[Part]) -> str:
    return "\n".join(part.text for part in parts)


def _github(parts: Sequence[Part]) -> str:
    """GitHub shows so few annotations that the applications must share them."""
    return github.render_all([(part.name, part.report) for part in parts])


def _json(parts: Sequence[Part]) -> str:
    applications = [json.loads(part.text) for part in parts]
    return json.dumps({"schema": SCHEMA, "applications": applications}, indent=2, ensure_ascii=False) + "\n"


def _sarif(parts: Sequence[Part]) -> str:
    """One log with a run for each application: their categories tell them apart."""
    logs: list[dict[str, Any]] = [json.loads(part.text) for part in parts]
    return json.dumps(logs[0] | {"runs": [run for log in logs for run in log["runs"]]}, indent=2) + "\n"


def _gitlab(parts: Sequence[Part]) -> str:
    return json.dumps([entry for part in parts for entry in json.loads(part.text)], indent=2) + "\n"


def _junit(parts: Sequence[Part]) -> str:
    from junitparser import JUnitXml

    from auditor.reports import junit

    root = JUnitXml(shared.TITLE)
    for part in parts:
        for suite in JUnitXml.fromstring(part.text.encode()):
            suite.name = f"{part.name}: {suite.name}"
            root.add_testsuite(suite)
    return junit.written(root)


JOINERS: dict[str, Callable[[Sequence[Part]], str]] = {
    "text": _lines,
    "markdown": _lines,
    "github": _github,
    "json": _json,
    "sarif": _sarif,
    "gitlab-codequality": _gitlab,
    "junit": _junit,
}
