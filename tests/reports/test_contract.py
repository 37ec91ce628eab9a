"""The promise of the JSON report: while its `schema` stays, it only grows.

The schema of each version lies in `tests/data/report-<version>.json`. When it has grown, `REGOLDEN=1` writes it anew; it
does not where a reader of the old one could break: then raise `SCHEMA` in `auditor/model.py`, and say so in the README
and the changelog.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.model import SCHEMA
from auditor.reports.schema import render_schema

FILE = Path(__file__).parents[1] / f"data/report-{SCHEMA}.json"
OPEN = {("Problem", "kind")}
"""Where values may be added: what a reader does not know there it shows as it is."""


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a reader of the old schema could stumble over in a report of the new one."""
    out = [] if old["anyOf"] == new["anyOf"] else ["the forms of a report"]
    for noun, was in old["$defs"].items():
        now = new["$defs"].get(noun, {"properties": {}, "required": []})
        for name, kind in was["properties"].items():
            other = now["properties"].get(name)
            grown = (noun, name) in OPEN and other is not None and set(kind["enum"]) <= set(other["enum"])
            if other != kind and not grown:
                out.append(f"{noun}.{name}")
        out.extend(f"{noun}.{name} may be missing" for name in was["required"] if name not in now["required"])
    return out


def test_the_shape_is_that_of_its_version() -> None:
    written = render_schema()
    if os.environ.get("REGOLDEN"):
        assert not FILE.exists() or breaks(json.loads(FILE.read_text()), json.loads(written)) == []
        FILE.write_text(written)
    assert FILE.read_text() == written, "the shape of the JSON report has changed: see the head of this file"


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], list[str]]] = {
    "a key more": (lambda nouns: nouns["Finding"]["properties"].update(side={"type": "string"}), []),
    "a kind more": (lambda nouns: nouns["Problem"]["properties"]["kind"]["enum"].append("new"), []),
    "a noun more": (lambda nouns: nouns.update(Side={"properties": {}, "required": []}), []),
    "a key less": (lambda nouns: nouns["Finding"]["properties"].pop("fix"), ["Finding.fix"]),
    "a noun less": (lambda nouns: nouns.pop("Files"), ["Files.read", "Files.analysed", "Files.read may be missing",
                                                      "Files.analysed may be missing"]),
    "another type": (lambda nouns: nouns["Files"]["properties"].update(read={"type": "string"}), ["Files.read"]),
    "a kind less": (lambda nouns: nouns["Problem"]["properties"]["kind"]["enum"].pop(), ["Problem.kind"]),
    "a status more": (lambda nouns: nouns["ItemResult"]["properties"]["status"]["enum"].append("x"), ["ItemResult.status"]),
    "a key that may be missing": (lambda nouns: nouns["Report"]["required"].remove("root"), ["Report.root may be missing"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_breaks_a_reader(name: str) -> None:
    change, expected = CHANGES[name]
    old = json.loads(FILE.read_text())
    new = copy.deepcopy(old)
    change(new["$defs"])
    assert breaks(old, new) == expected
