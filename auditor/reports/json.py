"""The report as JSON: the contract with other programs, described by `schema.py`."""

from __future__ import annotations

import msgspec

from auditor.model import Report
from auditor.reports import Options


def render(report: Report, _options: Options) -> str:
    """Indented by two, keys in the order of the nouns, nothing left out: equal reports are equal byte for byte."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
