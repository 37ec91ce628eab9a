"""On which side a program runs: the server, a browser, a phone, a desktop. Told by what it is, not by its folder alone.

A secret is safe on a server and public everywhere else, so this decides what a literal or a stored token means.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

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


class _Function(NamedTuple):
    """A function that runs elsewhere than the rest of its file, and what shows that."""

    node: ir.Node
    name: str
    reason: str
    exported: bool = False


def sides(programs: Mapping[str, Program], signs: Mapping[Side, Signs], linker: Linker) -> tuple[SideSeen, ...]:
    """Where each program runs, those of functions that run elsewhere than their file behind it; sorted by path."""
    server = signs.get("server", Signs())
    audited = {path: program for path, program in programs.items() if program.language != "settings"}
    functions = {path: tuple(_functions(program, server)) for path, program in audited.items()}
    known = {
        path: shown
        for path, program in audited.items()
        if (shown := _own(program, signs, any(one.exported for one in functions[path]))) is not None
    }
    importers = _importers(audited, functions, linker)
    own = frozenset(known)
    _spread(known, importers, audited, own)
    weak = {path: found for path in sorted(audited.keys() - known.keys()) if (found := _hinted(audited[path], signs))}
    known.update(weak)
    _spread(known, importers, audited, own | weak.keys())
    out: list[SideSeen] = []
    for path in sorted(audited):
        program = audited[path]
        shown = known.get(path) or Shown("unknown", "nothing shows where it runs")
        out.append(SideSeen(path, shown.side, shown.reason, shown.line))
        for one in functions[path] if shown.side != "server" else ():
            line, _, end, _ = program.spans[one.node.at]
            out.append(SideSeen(path, "server", one.reason, line, one.name, end))
    return tuple(out)


def is_open(side: Side) -> bool:
    """Whether everybody who runs a program on this side can read what is written in it."""
    return side in _OPEN


def _own(program: Program, signs: Mapping[Side, Signs], split: bool) -> Shown | None:
    """The first sign of a program itself. `split`: it exports functions that a framework runs on the server."""
    if program.language == "html":
        return Shown("browser", "a page")
    imported = _imports(program)
    if program.language == "python":
        shown = (
            _imported(imported, side, sign.modules) for side, sign in signs.items() if side in ("desktop", "mobile")
        )
        return next(filter(None, shown), Shown("server", "Python"))
    for side, sign in signs.items():
        for directive in program.directives:
            if directive in sign.directives:
                return Shown(side, f'"{directive}"', 1)
    if split:  # what such a file imports may be for these functions alone, so it shows nothing of the rest
        found = next(filter(None, (_placed(program, side, sign) for side, sign in signs.items())), None)
        if found is not None:
            return found
        if line := _markup(program):
            return Shown("browser", "makes markup", line)
    for side, sign in signs.items():
        found = _placed(program, side, sign) or _imported(imported, side, sign.modules)
        if found is not None:
            return found
    return _named(program, signs)


def _placed(program: Program, side: Side, sign: Signs) -> Shown | None:
    found = next((one for one in sign.files if _pattern(one).fullmatch(f"/{program.path}")), None)
    return Shown(side, f"its path: {found}") if found is not None else None


def _imported(imported: list[tuple[str, int]], side: Side, modules: Iterable[str]) -> Shown | None:
    for module, line in imported:
        if any(_pattern(known).fullmatch(module) for known in modules):
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


def _markup(program: Program) -> int:
    """The first line where a script makes markup, 0 if none does."""
    if program.language not in ("javascript", "typescript"):
        return 0
    return min((program.line(node.at) for node in ir.nodes(program) if type(node) is ir.Element), default=0)


def _hinted(program: Program, signs: Mapping[Side, Signs]) -> Shown | None:
    """What is used on one side most of all: a module that others use as well, and markup."""
    imported = _imports(program)
    for side, sign in signs.items():
        found = _imported(imported, side, sign.hints)
        if found is not None:
            return found
    line = _markup(program)
    return Shown("browser", "makes markup", line) if line else None


def _named(program: Program, signs: Mapping[Side, Signs]) -> Shown | None:
    """A name that only one side has, given no other meaning in the file, or a variable that is built into a program."""
    bound: set[str] = set()
    used: dict[str, int] = {}
    built: dict[str, int] = {}
    asked: set[int] = set()  # operands of `typeof`: what is only asked for may be missing
    for node in ir.nodes(program):
        if isinstance(node, ir.Assign | ir.Parameter) and type(node.target) is ir.Name:
            bound.add(node.target.id)
        elif type(node) is ir.Import:
            bound.add(node.alias)
        elif type(node) is ir.Assign and type(node.target) is ir.Pattern and _is_environment(node.value):
            keys = (item.key for item in node.target.items)
            built.update((str(key.value), program.line(node.at)) for key in keys if type(key) is ir.Literal)
        elif type(node) is ir.Operator and node.op == "typeof":
            asked.add(id(node.operands[0]))
        elif type(node) is ir.Name and id(node) not in asked:
            used.setdefault(node.id, program.line(node.at))
        elif type(node) is ir.Member:
            if type(node.object) is ir.Name:
                used.setdefault(f"{node.object.id}.{node.name}", program.line(node.at))
            elif _is_environment(node.object):
                built.setdefault(node.name, program.line(node.at))
    for side, sign in signs.items():
        lines = [(used[name], name) for name in sign.names if name in used and name.partition(".")[0] not in bound]
        if lines:
            line, name = min(lines)
            return Shown(side, f"uses {name}", line)
    for side, sign in signs.items():
        lines = [(line, name) for name, line in built.items() if name.startswith(sign.environment)]
        if lines:
            line, name = min(lines)
            return Shown(side, f"has {name} built in", line)
    return None


def _is_environment(node: object) -> bool:
    """`process.env`, `import.meta.env`."""
    return type(node) is ir.Member and node.name == "env"


# ------------------------------------------------------------------------------------------ who imports it


Importers: TypeAlias = Mapping[str, Mapping[str, bool]]
"""Path -> the paths of the programs that import it -> whether only their functions on the server use it."""


def _importers(
    programs: Mapping[str, Program], functions: Mapping[str, Sequence[_Function]], linker: Linker
) -> Importers:
    out: dict[str, dict[str, bool]] = {}
    for path, program in programs.items():
        if program.language not in ("javascript", "typescript"):
            continue
        elsewhere = _used_outside(program, functions[path])
        for node in ir.nodes(program):
            if type(node) is ir.Import:
                target = linker.resolve(path, node.module, "javascript")
                if target is not None:
                    only_server = elsewhere is not None and node.alias not in elsewhere
                    earlier = out.setdefault(target, {})
                    earlier[path] = earlier.get(path, True) and only_server
    return out


def _used_outside(program: Program, functions: Sequence[_Function]) -> set[str] | None:
    """The names that a program uses outside of these functions; None where there are none of them."""
    if not functions:
        return None
    inside = {id(node) for one in functions for node in ir.walk(one.node)}
    return {node.id for node in ir.nodes(program) if type(node) is ir.Name and id(node) not in inside}


def _spread(
    known: dict[str, Shown], importers: Importers, programs: Mapping[str, Program], shown: frozenset[str]
) -> None:
    """A program that shows nothing runs where those run that import it; where they differ, with the more open one.

    `shown`: those that show it themselves. What was said for the importers of a round before is said anew for more of
    them, but never less open.
    """
    waiting = sorted(programs.keys() - shown)
    changed = True
    while changed:
        changed = False
        for path in waiting:
            earlier = known.get(path)
            if earlier is not None and is_open(earlier.side):
                continue
            found: list[tuple[Side, str]] = [
                ("server" if only_server else known[one].side, one)
                for one, only_server in sorted(importers.get(path, {}).items())
                if one in known
            ]
            side, importer = next((one for one in found if is_open(one[0])), found[0] if found else ("unknown", ""))
            if found and (earlier is None or earlier.side != side):
                known[path] = Shown(side, f"imported by {importer}")
                changed = True


def _functions(program: Program, server: Signs) -> Iterator[_Function]:
    """Functions that a framework runs on the server although their file may be for a browser."""
    if program.language not in ("javascript", "typescript"):
        return
    names = {
        name for path, names in server.exports.items() if _pattern(path).fullmatch(f"/{program.path}") for name in names
    }
    defined: dict[str, ir.Node] = {}
    for node in program.body:
        if type(node) is ir.Define:
            defined[node.unit.name] = node
        elif type(node) is ir.Assign and type(node.target) is ir.Name:
            defined[node.target.id] = node
    for node in program.body:
        if type(node) is ir.Export and node.name in names and node.value is not None:
            value = node.value
            own = defined.get(value.id) if type(value) is ir.Name else None
            yield _Function(own or node, node.name, f"{node.name} runs on the server", exported=True)
    for one in ir.nodes(program):
        if type(one) is ir.Unit and one.body and type(one.body[0]) is ir.Express:
            said = one.body[0].value
            if type(said) is ir.Literal and said.value in server.directives:
                yield _Function(one, one.name or "a function", f'"{said.value}"')
