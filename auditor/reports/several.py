"""One report for the several applications of a repository, made of the reports on each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from auditor.model import SCHEMA
from auditor.reports import shared

Part = tuple[str, str]
"""The name of an application and its report in some format."""


def join(format_: str, parts: Sequence[Part]) -> str:
    """The report on all applications in this format, which must be one of `JOINERS`."""
    return JOINERS[format_](parts)


def _lines(parts: Sequence[Part]) -> str:
    return "\n".join(text for _, text in parts)


def _without_gap(parts: Sequence[Part]) -> str:
    return "".join(text for _, text in parts)


def _json(parts: Sequence[Part]) -> str:
    applications = [json.loads(text) for _, text in parts]
    return json.dumps({"schema": SCHEMA, "applications": applications}, indent=2, ensure_ascii=False) + "\n"


def _sarif(parts: Sequence[Part]) -> str:
    """One log with a run for each application: their categories tell them apart."""
    logs: list[dict[str, Any]] = [json.loads(text) for _, text in parts]
    return json.dumps(logs[0] | {"runs": [run for log in logs for run in log["runs"]]}, indent=2) + "\n"


def _gitlab(parts: Sequence[Part]) -> str:
    return json.dumps([entry for _, text in parts for entry in json.loads(text)], indent=2) + "\n"


def _junit(parts: Sequence[Part]) -> str:
    from junitparser import JUnitXml

    root = JUnitXml(shared.TITLE)
    for name, text in parts:
        for suite in JUnitXml.fromstring(text.encode()):
            suite.name = f"{name}: {suite.name}"
            root.add_testsuite(suite)
    root.update_statistics()  # type: ignore[no-untyped-call]
    joined: str = root.tostring().decode("utf-8")  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{joined.strip()}\n'


JOINERS: dict[str, Callable[[Sequence[Part]], str]] = {
    "text": _lines,
    "markdown": _lines,
    "github": _without_gap,
    "json": _json,
    "sarif": _sarif,
    "gitlab-codequality": _gitlab,
    "junit": _junit,
}
