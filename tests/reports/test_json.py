"""The contract with other programs."""

from __future__ import annotations

import json

import jsonschema
import msgspec
import pytest

from auditor.model import Report
from auditor.reports import FOR_MACHINES, RENDERERS, Options
from auditor.reports.schema import render_schema


def test_nothing_is_left_out_and_the_order_is_that_of_the_contract(report: Report) -> None:
    data = json.loads(RENDERERS["json"](report, Options()))
    assert list(data) == [
        "schema", "tool", "root", "items", "findings", "problems", "files", "application", "connections", "sides",
    ]  # fmt: skip
    assert list(data["items"][0]) == ["id", "title", "section", "status", "summary", "evidence"]
    assert list(data["findings"][0]) == [
        "rule", "items", "severity", "confidence", "path", "line", "end_line", "message", "fix", "fingerprint",
        "related", "suppressed", "fingerprints",
    ]  # fmt: skip
    assert data["findings"][0]["suppressed"] is None
    assert data["files"] == {"read": 41, "analysed": 7}


def test_it_reads_back_as_the_same_report(report: Report) -> None:
    assert msgspec.json.decode(RENDERERS["json"](report, Options()), type=Report) == report


def test_options_change_nothing(report: Report) -> None:
    fancy = Options(color=True, width=10, unicode=False, detail="full")
    assert RENDERERS["json"](report, fancy) == RENDERERS["json"](report, Options())
    assert "json" in FOR_MACHINES


def test_every_report_fits_the_published_schema(report: Report) -> None:
    schema = json.loads(render_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.loads(RENDERERS["json"](report, Options()))
    jsonschema.validate(data, schema)
    jsonschema.validate({"schema": 1, "applications": [data, data]}, schema)
    jsonschema.validate(data | {"surprise": 1}, schema)
    for wrong in (data | {"schema": 2}, {"schema": 1, "applications": [{}]}, {"schema": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    for key in data:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({name: value for name, value in data.items() if name != key}, schema)
