"""On which side a program runs: the server, a browser, a phone, a desktop. Told by what it is, not by its folder alone.

A secret is safe on a server and public everywhere else, so this decides what a literal or a stored token means.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from auditor import program as ir
from auditor.analysis.link import Linker
from auditor.catalogue import Signs
from auditor.model import Side, SideSeen
from auditor.program import Program

_OPEN = ("browser", "mobile", "desktop")


class Shown(NamedTuple):
    """A sign: the side, why, and the 1-based line, 0 where none shows it."""

    side: Side
    reason: str
    line: int = 0


def sides(programs: Mapping[str, Program], signs: Mapping[Side, Signs], linker: Linker) -> tuple[SideSeen, ...]:
    """Where each program runs, those of functions that run elsewhere than their file behind it; sorted by path."""
    own = {path: _own(program, signs) for path, program in programs.items() if program.language != "settings"}
    known = {path: shown for path, shown in own.items() if shown is not None}
    _spread(known, own, programs, linker)
    out: list[SideSeen] = []
    for path in sorted(own):
        shown = known.get(path) or Shown("unknown", "nothing shows where it runs")
        out.append(SideSeen(path, shown.side, shown.reason, shown.line))
        if shown.side != "server":
            out.extend(_functions(programs[path], signs.get("server", Signs())))
    return tuple(out)


def is_open(side: Side) -> bool:
    """Whether everybody who runs a program on this side can read what is written in it."""
    return side in _OPEN


def _own(program: Program, signs: Mapping[Side, Signs]) -> Shown | None:
    """The first sign of a program itself."""
    if program.language == "html":
        return Shown("browser", "a page")
    imported = _imports(program)
    if program.language == "python":
        shown = (_imported(imported, side, sign) for side, sign in signs.items() if side in ("desktop", "mobile"))
        return next(filter(None, shown), Shown("server", "Python"))
    for side, sign in signs.items():
        for directive in program.directives:
            if directive in sign.directives:
                return Shown(side, f'"{directive}"', 1)
    for side, sign in signs.items():
        found = _placed(program, side, sign) or _imported(imported, side, sign)
        if found is not None:
            return found
    return _named(program, signs)


def _placed(program: Program, side: Side, sign: Signs) -> Shown | None:
    found = next((one for one in sign.files if _pattern(one).fullmatch(f"/{program.path}")), None)
    return Shown(side, f"its path: {found}") if found is not None else None


def _imported(imported: list[tuple[str, int]], side: Side, sign: Signs) -> Shown | None:
    for module, line in imported:
        if any(_pattern(known).fullmatch(module) for known in sign.modules):
            return Shown(side, f"imports {module}", line)
    return None


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(glob))


def _imports(program: Program) -> list[tuple[str, int]]:
    """The modules that a program imports, with their lines. Of Python's dotted ones the package is named as well."""
    nodes = program.body if program.language == "python" else ir.nodes(program)
    found = [(node.module, program.line(node.at)) for node in nodes if type(node) is ir.Import]
    if program.language != "python":
        return found
    return [(module.split(".")[0], line) for module, line in found if not module.startswith(".")]


def _named(program: Program, signs: Mapping[Side, Signs]) -> Shown | None:
    """A name that only one side has, given no other meaning in the file; else markup, which a browser shows."""
    bound: set[str] = set()
    used: dict[str, int] = {}
    markup = 0
    for node in ir.nodes(program):
        if isinstance(node, ir.Assign | ir.Parameter) and type(node.target) is ir.Name:
            bound.add(node.target.id)
        elif type(node) is ir.Import:
            bound.add(node.alias)
        elif type(node) is ir.Name:
            used.setdefault(node.id, program.line(node.at))
        elif type(node) is ir.Element:
            markup = markup or program.line(node.at)
    for side, sign in signs.items():
        lines = [(used[name], name) for name in sign.names if name in used and name not in bound]
        if lines:
            line, name = min(lines)
            return Shown(side, f"uses {name}", line)
    return Shown("browser", "makes markup", markup) if markup else None


def _spread(
    known: dict[str, Shown], own: Mapping[str, Shown | None], programs: Mapping[str, Program], linker: Linker
) -> None:
    """A program that shows nothing runs where those run that import it; where they differ, with the more open one."""
    importers: dict[str, set[str]] = {}
    for path, program in programs.items():
        if program.language in ("javascript", "typescript"):
            for module, _ in _imports(program):
                target = linker.resolve(path, module, "javascript")
                if target is not None:
                    importers.setdefault(target, set()).add(path)
    waiting = {path for path, shown in own.items() if shown is None}
    while True:
        found: dict[str, Shown] = {}
        for path in sorted(waiting):
            shown = [(known[one].side, one) for one in sorted(importers.get(path, ())) if one in known]
            if shown:
                side, importer = next((one for one in shown if is_open(one[0])), shown[0])
                found[path] = Shown(side, f"imported by {importer}")
        if not found:
            return
        known.update(found)
        waiting -= found.keys()


def _functions(program: Program, server: Signs) -> Iterator[SideSeen]:
    """Functions that a framework runs on the server although their file is for a browser."""
    for node in program.body:
        value = node.value if type(node) is ir.Export else None
        name = node.name if type(node) is ir.Export else node.unit.name if type(node) is ir.Define else ""
        if name in server.exports and (value is not None or type(node) is ir.Define):
            yield SideSeen(program.path, "server", f"{name} runs on the server", program.line(node.at), name)
