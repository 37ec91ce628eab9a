"""The JSON Schema of the JSON report, made from the nouns themselves so that the two cannot differ."""

from __future__ import annotations

from typing import Any

import msgspec

from auditor.model import SCHEMA, Report


def report_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a report."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Connect Auditor report, version {SCHEMA}",
        **msgspec.json.schema(Report),
    }


def render_schema() -> str:
    """The schema as indented JSON text."""
    return msgspec.json.format(msgspec.json.encode(report_schema()), indent=2).decode() + "\n"
