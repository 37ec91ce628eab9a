"""Which units are worth walking: those from which a step of an OAuth flow, or a use of its tokens, may be reached.

A large repository is mostly about other things. A unit is evidence by itself when it names a word of the protocol or
a name of an OAuth library; a unit leads to evidence when it names a unit that does, in a file that it can see. All
else is not entered: a call to it is an unknown call, unless the callee is small, as guards and helpers are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from auditor import program as ir
from auditor.analysis.link import Linker
from auditor.program import Program

SMALL = 250  # nodes: a unit up to this size is entered without being evidence
ASIDE = 2  # helpers of helpers: how far a walk goes among units that lead nowhere
WHOLE = 6_000  # lines: a program up to this size is walked whole

_WORDS = (
    "client_secret", "clientsecret", "authorization_code", "access_token", "accesstoken", "refresh_token", "refreshtoken",
    "redirect_uri", "redirecturi", "response_type", "grant_type", "oauth", "bearer", "code_verifier", "client_id", "clientid",
    "setitem", "localstorage", "sessionstorage", "asyncstorage",
)  # fmt: skip

Key = tuple[str, int]
"""(path, index) of a unit; index -1 is the module's own body."""


@dataclasses.dataclass(slots=True)
class UnitIndex:
    """What a unit names, its nested units included; `size` counts its nodes."""

    name: str
    evidence: bool = False
    names: set[str] = dataclasses.field(default_factory=set)
    size: int = 0


@dataclasses.dataclass(slots=True)
class ProgramIndex:
    """The units of a program and what it imports, from one pass over its nodes."""

    units: dict[int, UnitIndex]
    imports: list[tuple[str, str | None]]
    named: set[str]


def index(program: Program, words: Mapping[str, bool]) -> ProgramIndex:
    """Look at every node of a program once. `words` remembers which texts are evidence, over all programs."""
    out = ProgramIndex({-1: UnitIndex("")}, [], set())
    stack: list[tuple[ir.Node, UnitIndex]] = [(node, out.units[-1]) for node in reversed(program.body)]
    parents: list[tuple[UnitIndex, UnitIndex]] = []
    while stack:
        node, owner = stack.pop()
        owner.size += 1
        kind = node.__class__
        text: str | None = None
        if kind is ir.Name:
            text = node.id  # type: ignore[attr-defined]
            owner.names.add(text)
        elif kind is ir.Member:
            text = node.name  # type: ignore[attr-defined]
            owner.names.add(text)
        elif kind is ir.Literal:
            text = node.value if isinstance(node.value, str) else None  # type: ignore[attr-defined]
        elif kind is ir.Argument:
            text = node.name  # type: ignore[attr-defined]
        elif kind is ir.Import:
            out.imports.append((node.module, node.name))  # type: ignore[attr-defined]
        elif kind is ir.Export and node.module is not None:  # type: ignore[attr-defined]
            out.imports.append((node.module, node.source))  # type: ignore[attr-defined]
        elif kind is ir.Call:
            if (module := ir.module_of(node)) is not None:
                out.imports.append((module, None))
        elif kind is ir.Unit:
            inner = UnitIndex(node.name)  # type: ignore[attr-defined]
            out.units[node.at] = inner
            parents.append((inner, owner))
            owner = inner
        if text and not owner.evidence and words[text]:
            owner.evidence = True
        for field in ir.fields(kind):
            value = getattr(node, field)
            if value.__class__ is tuple:
                stack.extend([(child, owner) for child in value])
            elif value is not None:
                stack.append((value, owner))
    for inner, outer in reversed(parents):
        outer.evidence = outer.evidence or inner.evidence
        outer.names |= inner.names
        outer.size += inner.size
    for unit in out.units.values():
        out.named |= unit.names
    return out


class Words(dict[str, bool]):
    """Whether a text names a word of the protocol or a name of an OAuth library; each text is looked at once."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        super().__init__()
        self._extra = frozenset(extra)

    def __missing__(self, text: str) -> bool:
        lowered = text[:2000].lower()
        found = text in self._extra or any(word in lowered for word in _WORDS)
        self[text] = found
        return found


class Relevance:
    """The units of all programs that lead to evidence."""

    def __init__(self, programs: Mapping[str, Program], linker: Linker, oauth_modules: Iterable[str]) -> None:
        modules = tuple(oauth_modules)
        extra = {
            node.alias
            for program in programs.values()
            for node in program.body
            if type(node) is ir.Import and _belongs(node.module, modules)
        }
        words = Words(extra)
        self.indexes = {path: index(program, words) for path, program in programs.items()}
        self.named = frozenset().union(*(one.named for one in self.indexes.values())) if self.indexes else frozenset()
        self.all = sum(program.text_lines for program in programs.values()) <= WHOLE
        self.leading = frozenset[Key]() if self.all else self._leading(programs, linker)

    def leads(self, key: Key) -> bool:
        """Whether evidence may be reached from a unit."""
        return self.all or key in self.leading

    def enters(self, key: Key, stack: Sequence[Key]) -> bool:
        """Whether a call to a unit is followed into it, from a stack of units whose last one calls."""
        if self.all or key in self.leading:
            return True
        if len(stack) >= ASIDE and not any(one in self.leading for one in stack[-ASIDE:]):
            return False
        found = self.indexes[key[0]].units.get(key[1]) if key[0] in self.indexes else None
        return found is None or found.size <= SMALL

    def _leading(self, programs: Mapping[str, Program], linker: Linker) -> frozenset[Key]:
        """Units that are evidence, and, until nothing is added, those that name one of them within their sight."""
        sight = {path: self._sight(path, programs, linker) for path in programs}
        found: set[Key] = {
            (path, at) for path, one in self.indexes.items() for at, unit in one.units.items() if unit.evidence
        }
        names: dict[str, set[str]] = {}  # path -> names of leading units and classes in it
        for path, at in found:
            names.setdefault(path, set()).update(self._called(path, at, programs[path]))
        changed = True
        while changed:
            changed = False
            for path in sorted(self.indexes):
                visible = set().union(*(names.get(other, ()) for other in sight[path]))
                if not visible:
                    continue
                for at, unit in self.indexes[path].units.items():
                    if (path, at) not in found and not unit.names.isdisjoint(visible):
                        found.add((path, at))
                        fresh = self._called(path, at, programs[path])
                        if not fresh <= names.setdefault(path, set()):
                            names[path] |= fresh
                            changed = True
        return frozenset(found)

    def _called(self, path: str, at: int, program: Program) -> set[str]:
        """The names by which others reach a unit: its own, and its class's for a constructor."""
        unit = self.indexes[path].units[at]
        out = {unit.name} if len(unit.name) > 2 else set()
        if unit.name in ("__init__", "constructor", "__call__"):
            out |= {node.definition.name for node in program.body if type(node) is ir.DefineClass}
        return out

    def _sight(self, path: str, programs: Mapping[str, Program], linker: Linker) -> list[str]:
        """The loaded files whose units a file can name: itself, and what it imports."""
        language = "python" if programs[path].language == "python" else "javascript"
        out = [path]
        for module, name in self.indexes[path].imports:
            target = linker.resolve(path, module, language)
            if target in programs:
                out.append(str(target))
            if language == "python" and name:
                sub = linker.submodule(path, module, name)
                if sub in programs:
                    out.append(str(sub))
        return list(dict.fromkeys(out))


def _belongs(module: str, modules: tuple[str, ...]) -> bool:
    return any(module == one or module.startswith((one + ".", one + "/")) for one in modules)
