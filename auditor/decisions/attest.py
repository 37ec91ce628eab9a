"""Attestations: what only a person can know about an item, written down in the repository and reviewed like code.

An attestation answers a review and nothing else. It never turns a failure green: an item with one, suppressed or not,
keeps its verdict, and the contradiction is reported.
"""

from __future__ import annotations

import datetime
import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import dataclass_transform

import msgspec
from msgspec.structs import replace

from auditor.errors import UsageError
from auditor.model import Finding, ItemResult, Problem

FILE_NAME = "connect-auditor.attestations.toml"
HEADER = "# Written by `connect-auditor attest`. Who reviews a change to this file answers for what it says.\n"


@dataclass_transform(frozen_default=True)
class Attestation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who says that an item is fulfilled, why, since when, and until when that holds (None: without end)."""

    by: str
    because: str
    on: datetime.date
    expires: datetime.date | None = None


Attestations = dict[str, Attestation]


def parse(data: bytes, name: str, items: Sequence[str]) -> Attestations:
    """The attestations in these bytes by item; raises UsageError that names the file and what is wrong."""
    try:
        found = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise UsageError(f"{name}: not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{name}: {error}") from None
    out: Attestations = {}
    for key, value in found.items():
        known_item(key, items, f"{name}: ")
        try:
            out[key] = msgspec.convert(value, Attestation)
        except msgspec.ValidationError as error:
            raise UsageError(f"{name}: {key}: {error}") from None
        if not (out[key].by.strip() and out[key].because.strip()):
            raise UsageError(f"{name}: {key}: by and because may not be empty")
    return out


def known_item(name: str, items: Sequence[str], where: str = "") -> str:
    """The id of an item as the checklist spells it; raises UsageError with a suggestion."""
    if name.upper() in items and (not where or name in items):
        return name.upper()
    close = difflib.get_close_matches(name.upper(), items, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else "`connect-auditor checklist` shows the items"
    raise UsageError(f"{where}there is no item {name!r}: {hint}")


def render(attestations: Mapping[str, Attestation], items: Sequence[str]) -> bytes:
    """The bytes of the file, in the order of the checklist: the same for the same attestations."""
    parts = [HEADER]
    for item in sorted(attestations, key=items.index):
        one = attestations[item]
        lines = [f"[{item}]", f"by = {_text(one.by)}", f"because = {_text(one.because)}", f"on = {one.on.isoformat()}"]
        if one.expires is not None:
            lines.append(f"expires = {one.expires.isoformat()}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts).encode("utf-8", "replace")


def _text(value: str) -> str:
    """A text as TOML writes it: JSON's escapes are TOML's, but for the character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def apply(
    items: Sequence[ItemResult],
    attestations: Mapping[str, Attestation],
    findings: Sequence[Finding],
    name: str,
    lines: Mapping[str, int],
    today: datetime.date,
) -> tuple[tuple[ItemResult, ...], tuple[Problem, ...]]:
    """The items with those attested that would be a review, and what the attestations do not fit.

    `findings`: all of them, suppressed ones too. `name`: the path of the file, `lines`: where it speaks of an item.
    """
    failed = {item for one in findings for item in one.items}
    problems: list[Problem] = []
    out: list[ItemResult] = []
    for item in items:
        one = attestations.get(item.id)
        if one is None:
            out.append(item)
        elif item.status == "fail" or item.id in failed:
            message = f"{item.id} is attested by {one.by}, but a failure was found: the attestation is contradicted"
            problems.append(Problem(name, "attestation", message, lines.get(item.id, 0)))
            out.append(item)
        elif item.status != "review":
            out.append(item)
        elif one.expires is not None and one.expires < today:
            ended = f"the attestation of {one.by} ended with {one.expires.isoformat()}"
            problems.append(Problem(name, "attestation", f"{item.id}: {ended}", lines.get(item.id, 0)))
            out.append(replace(item, summary=f"{item.summary}; {ended}"))
        else:
            until = f", until {one.expires.isoformat()}" if one.expires is not None else ""
            summary = f"attested by {one.by} on {one.on.isoformat()}{until}: {one.because}"
            out.append(replace(item, status="attested", summary=summary))
    return tuple(out), tuple(problems)


def lines_of(data: bytes) -> dict[str, int]:
    """The line of each table of the file, by item."""
    tables = ((number, line.strip()) for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1))
    return {line[1:-1].strip(): number for number, line in tables if line.startswith("[") and line.endswith("]")}
