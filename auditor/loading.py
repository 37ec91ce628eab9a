"""Which files are lowered: those with the catalogue's words first, then, in rounds, what they lean on and who leans on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from auditor import program as ir
from auditor.analysis.link import Linker
from auditor.discover import prefilter
from auditor.discover.prefilter import Needles
from auditor.discover.tree import Entry, Tree
from auditor.frontends.worker import Failure, Job, lower_all
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
_ROLE_WORDS = ("authorization_code", "client_secret", "clientsecret", "access_token", "refresh_token", "accesstoken")
_SHORT = 5  # names up to this length are too common to search for

Lowering: TypeAlias = Callable[[Sequence[Job], int], Iterable[tuple[str, Program | Failure]]]
"""How files become programs: `lower_all`, or one that remembers what it has lowered."""


class Remembering:
    """Lowers each file once, however many trees hold it: a tree and the one before it differ in little."""

    def __init__(self) -> None:
        self._known: dict[Job, Program | Failure] = {}

    def __call__(self, jobs: Sequence[Job], workers: int) -> Iterable[tuple[str, Program | Failure]]:
        """As `lower_all`."""
        new = [job for job in jobs if job not in self._known]
        for job, (_, result) in zip(new, lower_all(new, workers), strict=True):
            self._known[job] = result
        return [(job.path, self._known[job]) for job in jobs]


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


@dataclasses.dataclass
class _Source:
    entry: Entry
    language: str
    data: bytes


def load(
    tree: Tree, flow: Needles, hints: Needles, progress: Callable[[str], None] | None = None, workers: int = 2,
    lowering: Lowering = lower_all,
) -> Loaded:  # fmt: skip
    """Read the tree and lower what may matter. `flow` and `hints` are the catalogue's words."""
    sources, problems = _sources(tree)
    chosen = [
        path
        for path, source in sources.items()
        if source.language in _WALKED and prefilter.find_words(source.data, flow)
    ]
    found_hints = tuple(_hint(source, hints) for source in sources.values() if prefilter.find_words(source.data, hints))
    programs: dict[str, Program] = {}
    failed: set[str] = set()
    linker = Linker(sources)
    callers: set[str] = set()
    for number in range(ROUNDS):
        if progress is not None:
            progress(f"reading {len(chosen)} files")
        _lower(chosen, sources, programs, failed, problems, workers, lowering)
        lines = sum(program.text_lines for program in programs.values())
        if lines > LINES_LIMIT:
            break
        chosen = _next(number, sources, programs, failed, callers, linker, LINES_LIMIT - lines)
        if not chosen:
            break
    _lower_settings(sources, programs, failed, problems, workers, lowering)
    return Loaded(
        programs,
        tuple(sources),
        found_hints,
        tuple(_front_end(sources)),
        tuple(problems),
        len(tree.entries),
        {path: s.data for path, s in sources.items()},
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
        if one.language == "settings"
        and (prefilter.is_environment_file(path) or prefilter.find_words(one.data, words))
    ]
    unread: list[Problem] = []
    _lower(chosen, sources, programs, failed, unread, workers, lowering)
    problems.extend(one for one in unread if _bears_role(sources[one.path].data))


def _sources(tree: Tree) -> tuple[dict[str, _Source], list[Problem]]:
    """The files of the audited application, without tests, documents and what others wrote."""
    wanted = [
        entry
        for entry in tree.entries
        if prefilter.may_be_source(entry.path) and prefilter.is_analysed(prefilter.role(tree.relative(entry)))
    ]
    out: dict[str, _Source] = {}
    problems = list(tree.problems)
    for entry, data in tree.read_all(wanted):
        if isinstance(data, Problem):
            problems.append(data)
            continue
        language = prefilter.language(entry.path, data)
        if language is not None:
            out[entry.path] = _Source(entry, language, data)
    return out, problems


_SCRIPTS = (b"document.", b"window.", b"localstorage", b'from "react', b"from 'react", b"react-native", b"createroot(")


def _front_end(sources: Mapping[str, _Source]) -> Iterable[Place]:
    """Where a script runs in a browser or on a phone: a page with a script, a module that uses what only they have."""
    for path, source in sources.items():
        lowered = source.data.lower()
        words = (b"<script",) if source.language == "html" else _SCRIPTS if source.language in _CODE[1:] else ()
        first = min((at for word in words if (at := lowered.find(word)) >= 0), default=-1)
        if first >= 0:
            line = lowered.count(b"\n", 0, first) + 1
            yield Place(path, line, line, "a script of the front end")


def _hint(source: _Source, hints: Needles) -> Place:
    words = prefilter.find_words(source.data, hints)
    lowered = source.data.lower()
    first = min((lowered.find(word.encode()) for word in words), default=0)
    line = lowered.count(b"\n", 0, max(first, 0)) + 1
    return Place(source.entry.path, line, line, "a sign of an OAuth client")


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
    linker: Linker, room: int,
) -> list[str]:  # fmt: skip
    """The files of the next round, as far as there is room: what is imported, then who mentions a role-bearing unit.

    `callers` grows by the latter: the guards of a callback are imported by the file that calls the exchange.
    """
    bearing = [path for path in programs if _bears_role(sources[path].data)]
    found: dict[str, None] = {}
    for path in sorted({*bearing, *callers} & programs.keys() if number else programs):
        for target in imports(programs[path], linker):
            found[target] = None
    mentioning = _mentioning(bearing, sources, programs)
    callers.update(mentioning)
    for path in (*mentioning, *_injected(bearing, sources, programs)):
        found[path] = None
    out: list[str] = []
    for path in found:
        if path in programs or path in failed or path not in sources or sources[path].language not in _WALKED:
            continue
        room -= sources[path].data.count(b"\n")
        if room < 0:
            break
        out.append(path)
    return out


def _bears_role(data: bytes) -> bool:
    lowered = data.lower()
    return any(word.encode() in lowered for word in _ROLE_WORDS)


def imports(program: Program, linker: Linker) -> Iterable[str]:
    """The files that a program imports or exports from."""
    language = "python" if program.language == "python" else "javascript"
    for node in ir.walk(program):
        if type(node) is ir.Import or (type(node) is ir.Export and node.module is not None):
            module = node.module or ""
            target = linker.resolve(program.path, module, language)
            if target is not None:
                yield target
            if language == "python" and type(node) is ir.Import and node.name:
                sub = linker.submodule(program.path, module, node.name)
                if sub is not None:
                    yield sub


def _mentioning(bearing: Sequence[str], sources: Mapping[str, _Source], programs: Mapping[str, Program]) -> list[str]:
    """Files not yet read that name a unit of a role-bearing file together with its module."""
    wanted: list[tuple[str, Needles]] = []
    for path in bearing:
        names = {*_defined_names(programs[path]), *_exported_names(programs[path])}
        long_names = sorted(name for name in names if len(name) > _SHORT)
        if long_names:
            wanted.append((path.rpartition("/")[2].split(".")[0], prefilter.compile_needles((), long_names)))
    out: list[str] = []
    for path, source in sources.items():
        if path in programs or source.language not in _CODE:
            continue
        for stem, needles in wanted:
            if (stem in ("index", "__init__") or stem.encode() in source.data) and prefilter.find_words(
                source.data, needles
            ):
                out.append(path)
                break
    return out


def _injected(bearing: Sequence[str], sources: Mapping[str, _Source], programs: Mapping[str, Program]) -> list[str]:
    """Files not yet read that are called what a role-bearing file has handed in: `userService`, user.service.js."""
    names = {
        _flat(node.target.id)
        for path in bearing
        for node in ir.walk(programs[path])
        if type(node) is ir.Parameter and type(node.target) is ir.Name and len(node.target.id) > _SHORT
    }
    return [
        path
        for path, source in sources.items()
        if path not in programs
        and source.language in _CODE
        and _flat(path.rpartition("/")[2].rpartition(".")[0]) in names
    ]


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
