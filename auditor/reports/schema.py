"""The JSON Schema of the JSON report, made from the nouns themselves so that the two cannot differ.

What the number in `schema` promises stands in the README: while it stays, keys are added and nothing else changes. So
the schema allows keys that it does not know, and demands all that it knows: a report leaves none out.
"""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from auditor.model import SCHEMA, Report, Reports


def report_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a report, or of the reports on several applications."""
    forms, nouns = msgspec.json.schema_components((Report, Reports), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Connect Auditor report, version {SCHEMA}",
        "anyOf": list(forms),
        "$defs": {name: _open(noun) for name, noun in nouns.items()},
    }


def _open(noun: dict[str, Any]) -> dict[str, Any]:
    """A noun that may have more keys than today, and lacks none of today's."""
    properties = {
        name: {"const": SCHEMA} if name == "schema" else {key: value for key, value in one.items() if key != "default"}
        for name, one in noun["properties"].items()
    }
    kept = {key: value for key, value in noun.items() if key != "additionalProperties"}
    if "description" in kept:  # a docstring, whose indentation Python keeps before 3.13
        kept["description"] = inspect.cleandoc(kept["description"])
    return kept | {"properties": properties, "required": list(properties)}


def render_schema() -> str:
    """The schema as indented JSON text."""
    return msgspec.json.format(msgspec.json.encode(report_schema()), indent=2).decode() + "\n"
