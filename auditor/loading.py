"""Which files are lowered: those with the catalogue's words first, then, in rounds, what they lean on and who leans on them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from auditor import program as ir
from auditor.analysis.link import Linker
from auditor.discover import prefilter
from auditor.discover.prefilter import Needles
from auditor.discover.tree import Tree
from auditor.frontends.worker import Failure, Job, lower_all, start
from auditor.lowered import Lowering
from auditor.model import Place, Problem
from auditor.program import Program

ROUNDS = 4
LINES_LIMIT = 40_000  # lines that later rounds may add up to
_CODE = ("python", "javascript", "typescript")
_WALKED = (*_CODE, "html")
_SECRET_WORDS = (
    "secret", "sk_live_", "sk_test_", "mcs_", "mct_", "mcr_", "gocspx-", "sq0csp-", "access_token", "accesstoken",
    "refresh_token", "refreshtoken",
)  # fmt: skip
_ROLE_WORDS = (
    b"authorization_code", b"client_secret", b"clientsecret", b"access_token", b"refresh_token", b"accesstoken",
)  # fmt: skip
_SHORT = 5  # names up to this length are too common to search for


class Watched(msgspec.Struct):
    """What decided which files were lowered, so that it can be said of a changed file that it would not have mattered.

    `paths`: the files that were chosen in any round, and the one for which there was no room any more. `names`: the units of
    role-bearing files by the name of their module (see `_mentioning`). `handed`: names of files (see `_injected`).
    `imported`: the parts of every module's name that was imported, whether it was found or not.
    """

    paths: set[str] = msgspec.field(default_factory=set)
    names: dict[bytes, set[str]] = msgspec.field(default_factory=dict)
    handed: set[str] = msgspec.field(default_factory=set)
    imported: set[str] = msgspec.field(default_factory=set)

    def matters(self, path: str, data: bytes, flow: Needles, hints: Needles) -> bool:
        """Whether a tree with these bytes as this file may be judged otherwise than without them."""
        language = prefilter.language(path, data)
        if language is None:  # nobody reads it
            return False
        if path in self.paths or language not in _WALKED or _stem_of(path) in self.handed:
            return True
        source = _Source(path, language, data)
        if prefilter.holds(source.lowered, flow) or prefilter.holds(source.lowered, hints) or any(_front_end([source])):
            return True
        return _mentions(source, _wanted(self.names))

    def may_be_imported(self, path: str) -> bool:
        """Whether an import may mean another file when this path comes or goes."""
        stem = _stem_of(path)
        # A file that stands for its folder need not be named: `from . import x`, `require("..")`.
        return stem in ("init", "index") or stem in self.imported


@dataclasses.dataclass(frozen=True)
class Loaded:
    """What was read: programs by path, every readable path, hints of an OAuth client, what could not be read."""

    programs: Mapping[str, Program]
    paths: tuple[str, ...]
    hints: tuple[Place, ...]
    front_end: tuple[Place, ...]
    problems: tuple[Problem, ...]
    read: int
    lines: Mapping[str, bytes]
    watched: Watched = dataclasses.field(default_factory=Watched)


@dataclasses.dataclass
class _Source:
    path: str
    language: str
    data: bytes

    @functools.cached_property
    def lowered(self) -> bytes:
        """The bytes in which words are searched, again and again."""
        return prefilter.lower(self.data)


def load(
    tree: Tree, flow: Needles, hints: Needles, progress: Callable[[str], None] | None = None, workers: int = 2,
    lowering: Lowering = lower_all,
) -> Loaded:  # fmt: skip
    """Read the tree and lower what may matter. `flow` and `hints` are the catalogue's words."""
    # What is staged is new, whatever is kept of the rest.
    sources, problems = _sources(tree, lowering is lower_all or tree.kind == "index")
    chosen = [
        path for path, source in sources.items() if source.language in _WALKED and prefilter.holds(source.lowered, flow)
    ]
    found_hints = tuple(_hint(source, hints) for source in sources.values() if prefilter.holds(source.lowered, hints))
    programs: dict[str, Program] = {}
    failed: set[str] = set()
    linker = Linker(sources)
    callers: set[str] = set()
    outlines = Outlines(programs)
    watched = Watched(set(chosen))
    for number in range(ROUNDS):
        if progress is not None:
            progress(f"reading {len(chosen)} files")
        _lower(chosen, sources, programs, failed, problems, workers, lowering)
        lines = sum(program.text_lines for program in programs.values())
        if lines > LINES_LIMIT:
            break
        chosen = _next(number, sources, programs, failed, callers, outlines, watched, linker, LINES_LIMIT - lines)
        if not chosen:
            break
    _lower_settings(sources, programs, failed, problems, workers, lowering)
    watched.imported = {_flat(part) for path in programs for part in outlines[path].modules}
    return Loaded(
        programs,
        tuple(sources),
        found_hints,
        tuple(_front_end(sources.values())),
        tuple(problems),
        len(tree.entries),
        {path: s.data for path, s in sources.items()},
        watched,
    )


def _lower_settings(
    sources: Mapping[str, _Source], programs: dict[str, Program], failed: set[str], problems: list[Problem], workers: int,
    lowering: Lowering,
) -> None:  # fmt: skip
    """Lower the configuration files with a word for a secret. One that cannot be read matters if it has an OAuth client's."""
    words = prefilter.compile_needles(_SECRET_WORDS)
    chosen = [
        path
        for path, one in sources.items()
        if one.language == "settings" and (prefilter.is_environment_file(path) or prefilter.holds(one.lowered, words))
    ]
    unread: list[Problem] = []
    _lower(chosen, sources, programs, failed, unread, workers, lowering)
    problems.extend(one for one in unread if _bears_role(sources[one.path]))


def _sources(tree: Tree, ahead: bool) -> tuple[dict[str, _Source], list[Problem]]:
    """The files of the audited application, without tests, documents and what others wrote.

    `ahead`: the process that lowers Python starts meanwhile, if it looks as if it will be needed.
    """
    wanted = [
        entry
        for entry in tree.entries
        if prefilter.may_be_source(entry.path) and prefilter.is_analysed(prefilter.role(tree.relative(entry)))
    ]
    if ahead and any(prefilter.language(entry.path) == "python" for entry in wanted):
        start()
    out: dict[str, _Source] = {}
    problems = list(tree.problems)
    for entry, data in tree.read_all(wanted):
        if isinstance(data, Problem):
            problems.append(data)
            continue
        language = prefilter.language(entry.path, data)
        if language is not None:
            out[entry.path] = _Source(entry.path, language, data)
    return out, problems


_SCRIPTS = (
    b"document.getelement", b"document.queryselector", b"document.addeventlistener", b"document.createelement",
    b"document.cookie", b"document.body", b"document.title", b"window.", b"localstorage", b'from "react', b"from 'react", b"react-native", b"createroot(",
)  # fmt: skip


def _front_end(sources: Iterable[_Source]) -> Iterable[Place]:
    """Where a script runs in a browser or on a phone: a page with a script, a module that uses what only they have."""
    for source in sources:
        words = (b"<script",) if source.language == "html" else _SCRIPTS if source.language in _CODE[1:] else ()
        first = min((at for word in words if (at := source.lowered.find(word)) >= 0), default=-1)
        if first >= 0:
            line = source.lowered.count(b"\n", 0, first) + 1
            yield Place(source.path, line, line, "a script of the front end")


def _hint(source: _Source, hints: Needles) -> Place:
    first = min(at for part, _ in hints.parts if (at := source.lowered.find(part)) >= 0)
    line = source.lowered.count(b"\n", 0, first) + 1
    return Place(source.path, line, line, "a sign of an OAuth client")


def _lower(
    chosen: Sequence[str], sources: Mapping[str, _Source], programs: dict[str, Program], failed: set[str],
    problems: list[Problem], workers: int, lowering: Lowering,
) -> None:  # fmt: skip
    jobs = [Job(path, sources[path].language, sources[path].data) for path in chosen]
    for path, result in lowering(jobs, workers):
        if isinstance(result, Failure):
            failed.add(path)
            problems.append(Problem(path, result.kind, result.message, result.line))
        else:
            programs[path] = result
            problems.extend(Problem(path, "partial", message, line) for line, message in result.problems[:1])


def _next(
    number: int, sources: Mapping[str, _Source], programs: Mapping[str, Program], failed: set[str], callers: set[str],
    outlines: Outlines, watched: Watched, linker: Linker, room: int,
) -> list[str]:  # fmt: skip
    """The files of the next round, as far as there is room: what is imported, then who mentions a role-bearing unit.

    `callers` grows by the latter: the guards of a callback are imported by the file that calls the exchange.
    """
    bearing = [path for path in programs if _bears_role(sources[path])]
    found: dict[str, None] = {}
    for path in sorted({*bearing, *callers} & programs.keys() if number else programs):
        for target in imports(programs[path], outlines[path], linker):
            found[target] = None
    for module, names in _names_of(bearing, programs).items():
        watched.names.setdefault(module, set()).update(names)
    watched.handed.update(_handed(bearing, outlines))
    mentioning = _mentioning(bearing, sources, programs)
    callers.update(mentioning)
    for path in (*mentioning, *_injected(bearing, sources, programs, outlines)):
        found[path] = None
    out: list[str] = []
    for path in found:
        if path in programs or path in failed or path not in sources or sources[path].language not in _WALKED:
            continue
        watched.paths.add(path)
        room -= sources[path].data.count(b"\n")
        if room < 0:
            break
        out.append(path)
    return out


def _bears_role(source: _Source) -> bool:
    return any(word in source.lowered for word in _ROLE_WORDS)


class Outline(NamedTuple):
    """(module, name) of what a program imports or exports from, and what its parameters are called."""

    imports: tuple[tuple[str, str | None], ...]
    parameters: frozenset[str]

    @property
    def modules(self) -> Iterable[str]:
        """The parts of the names of what is imported: each may be the name of a file.

        What stands between slashes is one with and without its last suffix (`./user.service`, `./user.service.js`); what
        stands between points is one in Python.
        """
        for module, name in self.imports:
            for part in module.split("/"):
                yield from (part, part.rpartition(".")[0], *part.split("."))
            if name:
                yield name


class Outlines(dict[str, Outline]):
    """The outlines of programs by path; each program is looked through once, however many rounds there are."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        super().__init__()
        self._programs = programs

    def __missing__(self, path: str) -> Outline:
        imported: dict[tuple[str, str | None], None] = {}
        parameters: set[str] = set()
        for node in ir.nodes(self._programs[path]):
            kind = node.__class__
            if kind is ir.Import:
                imported[node.module, node.name] = None  # type: ignore[attr-defined]
            elif kind is ir.Export and node.module is not None:  # type: ignore[attr-defined]
                imported[node.module, None] = None  # type: ignore[attr-defined]
            elif kind is ir.Call and (module := ir.module_of(node)) is not None:
                imported[module, None] = None
            elif kind is ir.Parameter and type(node.target) is ir.Name:  # type: ignore[attr-defined]
                parameters.add(node.target.id)  # type: ignore[attr-defined]
        self[path] = Outline(tuple(imported), frozenset(parameters))
        return self[path]


def imports(program: Program, outline: Outline, linker: Linker) -> Iterable[str]:
    """The files that a program imports or exports from."""
    language = "python" if program.language == "python" else "javascript"
    for module, name in outline.imports:
        target = linker.resolve(program.path, module, language)
        if target is not None:
            yield target
        if language == "python" and name:
            sub = linker.submodule(program.path, module, name)
            if sub is not None:
                yield sub


def dangling(now: Loaded, before: Loaded, gone: Collection[str]) -> Iterator[tuple[str, Place]]:
    """The files among `gone` that programs still import, with the place of the import: nothing else is meant by it now."""
    then, there = Linker(before.paths), Linker(now.paths)
    for path, program in now.programs.items():
        language = "python" if program.language == "python" else "javascript"
        for node in ir.nodes(program):
            if type(node) is ir.Import or (type(node) is ir.Export and node.module is not None):
                module = node.module or ""
                names = [module]
                if type(node) is ir.Import and language == "python" and node.name:
                    names.append(f"{module}{'' if module.endswith('.') else '.'}{node.name}")
                meant = next((one for name in names if (one := then.resolve(path, name, language)) in gone), None)
                if meant is not None and not any(there.resolve(path, name, language) for name in names):
                    line, column, end_line, _ = program.spans[node.at]
                    yield meant, Place(path, line, end_line, "it is imported here", column)


def _mentioning(bearing: Sequence[str], sources: Mapping[str, _Source], programs: Mapping[str, Program]) -> list[str]:
    """Files not yet read that name a unit of a role-bearing file together with its module."""
    wanted = _wanted(_names_of(bearing, programs))
    return [
        path
        for path, source in sources.items()
        if path not in programs and source.language in _CODE and _mentions(source, wanted)
    ]


def _names_of(bearing: Sequence[str], programs: Mapping[str, Program]) -> dict[bytes, set[str]]:
    """The long names of units in files, by the name of the module; b"" for one that is named by its folder.

    What a module exports as its only value has whatever name its importer gives it: the end of the address stands for it.
    """
    names: dict[bytes, set[str]] = {}
    for path in bearing:
        module = path.rpartition("/")[2].split(".")[0]
        defined = (*_defined_names(programs[path]), *_exported_names(programs[path]))
        long_names = {name for name in defined if len(name) > _SHORT}
        long_names.update(_imported_as(path, programs[path]))
        names.setdefault(b"" if module in ("index", "__init__") else module.encode(), set()).update(long_names)
    return names


def _imported_as(path: str, program: Program) -> Iterable[str]:
    """How the address of a module ends where its only value is imported: `/routes/auth'`, `/auth.js"`."""
    if not any(type(one) is ir.Export and one.name in ("default", "=") for one in program.body):
        return
    folder, _, file = path.rpartition("/")
    stem = file.split(".")[0]
    for name in (stem, f"{stem}.js", f"{stem}.ts") if stem != "index" else (folder.rpartition("/")[2],):
        if name:
            yield from (f"/{name}{quote}" for quote in "'\"")


def _wanted(names: Mapping[bytes, Iterable[str]]) -> list[tuple[bytes, Needles]]:
    return [(module, prefilter.compile_needles((), found)) for module, found in names.items() if found]


def _mentions(source: _Source, wanted: Sequence[tuple[bytes, Needles]]) -> bool:
    words: set[bytes] | None = None
    for module, needles in wanted:
        if module not in source.data:
            continue
        words = words if words is not None else prefilter.identifiers(source.lowered)
        if not needles.names.keys().isdisjoint(words) or any(part in source.lowered for part, _ in needles.parts):
            return True
    return False


def _injected(
    bearing: Sequence[str], sources: Mapping[str, _Source], programs: Mapping[str, Program], outlines: Outlines
) -> list[str]:
    """Files not yet read that are called what a role-bearing file has handed in: `userService`, user.service.js."""
    names = _handed(bearing, outlines)
    return [
        path
        for path, source in sources.items()
        if path not in programs and source.language in _CODE and _stem_of(path) in names
    ]


def _handed(bearing: Sequence[str], outlines: Outlines) -> set[str]:
    return {_flat(name) for path in bearing for name in outlines[path].parameters if len(name) > _SHORT}


def _stem_of(path: str) -> str:
    return _flat(path.rpartition("/")[2].rpartition(".")[0])


def _flat(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _defined_names(program: Program) -> Iterable[str]:
    for statement in program.body:
        if type(statement) is ir.Define:
            yield statement.unit.name
        elif type(statement) is ir.DefineClass:
            yield statement.definition.name


def _exported_names(program: Program) -> Iterable[str]:
    for statement in program.body:
        if type(statement) is ir.Export and statement.name.isidentifier() and statement.name != "default":
            yield statement.name
