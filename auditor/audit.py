"""The whole path from a folder to a report: plan, look, judge, and what people decided about it."""

from __future__ import annotations

import datetime
import pathlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

import auditor
from auditor import catalogue, checks, config, judge, loading
from auditor import program as ir
from auditor.analysis.analyse import analyse
from auditor.analysis.link import Linker
from auditor.cache import Cache
from auditor.catalogue import Catalogue
from auditor.checks import connections, sides
from auditor.checks.application import Application
from auditor.decisions import attest, baseline, changed, suppress
from auditor.discover import ignore, prefilter, tree
from auditor.discover.beside import Beside, LeadsOutError
from auditor.discover.changes import WHOLE, Change
from auditor.discover.committed import committed
from auditor.discover.prefilter import Needles
from auditor.discover.tree import Tree
from auditor.errors import NothingToAudit, UsageError
from auditor.facts import Facts
from auditor.frontends.worker import lower_all
from auditor.library import Libraries
from auditor.loading import Loaded, Watched
from auditor.lowered import Kept, Lowering, Remembering, engine_version
from auditor.model import SCHEMA, Connection, Files, Finding, Observation, Problem, Report, SideSeen, Tool
from auditor.unmoved import Part, Unmoved

RECURSION = 20_000  # the walk nests as deeply as the programs it reads, whose depth the frontends bound

Progress: TypeAlias = Callable[[str], None] | None


class Scope(NamedTuple):
    """One application: where it lies, as a path and relative to the root ("" for all of it), and its name."""

    path: pathlib.Path
    below: str
    name: str
    attestations: str

    def holds(self, path: str) -> bool:
        """Whether a path of the repository belongs to it."""
        return not self.below or path == self.below or path.startswith(f"{self.below}/")


class Plan(NamedTuple):
    """What is audited and what is known. `source`: the configuration's file, if there is one.

    `written`: paths relative to the root that this run writes its reports to; they are no part of what it audits.
    """

    root: pathlib.Path
    scopes: tuple[Scope, ...]
    config: config.Config
    source: pathlib.Path | None
    known: Catalogue
    libraries: Libraries
    written: frozenset[str] = frozenset()

    def writing(self, files: Iterable[pathlib.Path]) -> Plan:
        """This plan, for a run that writes these files."""
        inside = (file.resolve() for file in files)
        return self._replace(
            written=frozenset(one.relative_to(self.root).as_posix() for one in inside if one.is_relative_to(self.root))
        )

    @property
    def of_the_audit(self) -> frozenset[str]:
        """The files with people's decisions and this run's reports. They speak of the flow, and are not in it."""
        return self.written.union((self.baseline,), (scope.attestations for scope in self.scopes))

    def excluder(self) -> Callable[[str], bool]:
        """Whether a path is left out. Raises UsageError for a pattern of the configuration that is none."""
        own, matches = self.of_the_audit, ignore.excluder(self.config.exclude)
        return lambda path: path in own or matches(path)

    @property
    def baseline(self) -> str:
        """The path of the baseline, relative to the root."""
        return self.config.baseline or baseline.FILE_NAME

    @property
    def items(self) -> list[str]:
        """The ids of the checklist's items."""
        return [item.id for item in self.known.checklist]


class Audited(NamedTuple):
    """A report on one application, the bytes of the files as they were judged, and what decided which were read."""

    report: Report
    scope: Scope
    sources: Mapping[str, bytes]
    watched: Watched | None = None


class Seen(NamedTuple):
    """What the checks saw in one tree, before anybody's decision."""

    tree: Tree
    loaded: Loaded
    observations: tuple[Observation, ...]
    connects: bool
    problems: tuple[Problem, ...]
    connections: tuple[Connection, ...]
    sides: tuple[SideSeen, ...]

    def findings(self, known: Catalogue, moved: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
        """The failures with their fingerprints; `moved`: see `judge.findings`."""
        sources = self.loaded.lines
        places = {one.place.path for one in self.observations if one.place is not None and one.place.path in sources}
        lines = {path: sources[path].decode("utf-8", "replace").splitlines() for path in places}
        titles = {one.name for one in self.connections}
        connected = {one.name for one in known.providers if (one.title or one.name) in titles}
        return judge.findings(known.rules, self.observations, lines, moved, connected)

    @property
    def unread(self) -> frozenset[str]:
        """The paths of which it is not known what they hold."""
        return frozenset(one.path for one in self.problems if one.kind in judge.UNREAD)


def audit(path: pathlib.Path, *, config_file: pathlib.Path | None = None, progress: Progress = None) -> Report:
    """Audit what lies at `path` as one application.

    Raises UsageError when there is nothing to audit or the configuration is wrong.
    """
    made = plan(path, config_file)
    return audit_all(made._replace(scopes=(_whole(made, path),)), progress=progress)[0].report


def plan(path: pathlib.Path, config_file: pathlib.Path | None = None, change: Change = WHOLE) -> Plan:
    """What an audit of `path` will do, by what the judged tree of `change` says: its configuration, its own rules.

    Raises UsageError for a wrong path or configuration.
    """
    root, chosen = tree.root_and_path(path)
    beside = change.beside(root)
    start = chosen if chosen.is_dir() else chosen.parent
    settings, source = config.load(root, config_file, start, None if change.of == "working" else _reader(beside))
    known = catalogue.load()
    rules, providers, models = (
        beside.texts(getattr(settings, key), key) for key in ("rules", "providers", "libraries")
    )
    if rules or providers or settings.severity:
        known = catalogue.extended(known, rules, providers, settings.severity)
    made = Plan(root, (), settings, source, known, catalogue.libraries_of(known, models))
    return made._replace(scopes=_scopes(made, path, beside))


def _reader(beside: Beside) -> config.Read:
    """Reads files that may be configurations; one that a link leads out of the repository is none."""

    def read(path: str) -> bytes | None:
        try:
            return beside.read(path)
        except LeadsOutError:
            return None

    return read


def _scopes(made: Plan, path: pathlib.Path, beside: Beside) -> tuple[Scope, ...]:
    """The configured applications that lie in `path`; the one that `path` lies in; or `path` itself."""
    whole = _whole(made, path)
    roots = made.config.applications
    scopes = tuple(Scope(made.root / one.path, one.path, one.name, f"{one.path}/{attest.FILE_NAME}") for one in roots)
    inside = tuple(scope for scope in scopes if whole.holds(scope.below))
    for scope in inside:
        if not beside.has_folder(scope.below):
            name = made.source.name if made.source is not None else "the configuration"
            raise UsageError(f"{name}: applications: there is no folder {scope.below}")
    if inside:
        return inside
    around = next((scope for scope in scopes if scope.holds(whole.below)), None)
    return (whole if around is None else whole._replace(name=around.name, attestations=around.attestations),)


def _whole(made: Plan, path: pathlib.Path) -> Scope:
    root, chosen = tree.root_and_path(path)
    below = "" if chosen == root else chosen.relative_to(root).as_posix()
    folder = chosen if chosen.is_dir() else chosen.parent
    return Scope(path, below, folder.name, made.config.attestations or attest.FILE_NAME)


def audit_all(
    made: Plan, change: Change = WHOLE, *, progress: Progress = None, with_baseline: bool = True,
    today: datetime.date | None = None, cache: Cache | None = None,
) -> tuple[Audited, ...]:  # fmt: skip
    """Audit each application of a plan; with a change, failures that were there before it are suppressed.

    `today` decides what has expired; `cache` keeps programs between runs. Raises UsageError when there is nothing to audit.
    """
    lowering: Lowering = lower_all if cache is None else Kept(cache)
    if change.bases:
        lowering = Remembering(lowering)
    day = today or datetime.date.today()
    staged = tree.index_digest(made.root) if cache is not None and change.of == "index" else None
    done = tuple(_audit(made, scope, change, progress, with_baseline, day, lowering) for scope in made.scopes)
    if cache is not None:
        if staged is not None:
            watched = [one.watched for one in done if one.watched is not None]
            _unmoved(made, cache).remember(made.root, change.bases or (), staged, watched)
        cache.tidy()
    return done


def nothing_moves(made: Plan, change: Change, cache: Cache | None) -> bool:
    """Whether it is sure without an audit that a commit brings no failure: it changes nothing that is looked at."""
    if cache is None or change.of != "index" or change.bases is None or len(change.bases) != 1:
        return False
    return _unmoved(made, cache).is_sure(made.root, change.bases[0])


def _unmoved(made: Plan, cache: Cache) -> Unmoved:
    context = msgspec.msgpack.encode(
        (engine_version(), made.known, made.libraries.all, made.config, sorted(made.written))
    )
    decisions = [made.baseline, *(scope.attestations for scope in made.scopes)]
    parts = [Part(scope.below, is_audited(made, scope)) for scope in made.scopes]
    return Unmoved(cache, context, parts, decisions, *needles(made))


def needles(made: Plan) -> tuple[Needles, Needles]:
    """The catalogue's words: those by which files are chosen, and the signs of an OAuth client."""
    words = made.known.words
    return prefilter.compile_needles(words.flow, catalogue.oauth_names(made.known)), prefilter.compile_needles(
        words.hints
    )


def _audit(
    made: Plan, scope: Scope, change: Change, progress: Progress, with_baseline: bool, today: datetime.date,
    lowering: Lowering,
) -> Audited:  # fmt: skip
    return judged(made, scope, change, look(made, change.tree(scope.path), progress, lowering),
                  progress, with_baseline, today, lowering)  # fmt: skip


def judged(
    made: Plan, scope: Scope, change: Change, seen: Seen, progress: Progress = None, with_baseline: bool = True,
    today: datetime.date | None = None, lowering: Lowering = lower_all,
) -> Audited:  # fmt: skip
    """The report on what was seen, with everything that people decided about it."""
    today = today or datetime.date.today()
    if change.bases is not None and len(change.bases) == 1:
        seen = _without_the_deleted(made, scope, change.bases[0], seen, progress, lowering)
    findings, remarks = _commented(made, seen, seen.findings(made.known), today)
    if with_baseline:
        findings, stale = _baselined(made, scope, seen, findings)
        remarks += stale
    if change.bases and any(baseline.counts(one) for one in findings):
        earlier = _before(made, scope, change.bases, seen, findings, progress, today, lowering)
        findings = changed.apply(findings, earlier, change.name)
    items = judge.items(made.known, seen.observations, seen.connects, seen.loaded.hints, seen.problems, findings)
    written = seen.tree.read_beside(scope.attestations)
    if written is not None:
        given = attest.parse(written, scope.attestations, made.items)
        items, contradictions = attest.apply(
            items, given, findings, scope.attestations, attest.lines_of(written), today
        )
        remarks += contradictions
    report = Report(
        schema=SCHEMA,
        tool=Tool("connect-auditor", auditor.__version__),
        root=".",
        items=items,
        findings=findings,
        problems=tuple(sorted({*seen.problems, *remarks}, key=lambda one: (one.path, one.line, one.kind, one.message))),
        files=Files(read=seen.loaded.read, analysed=len(seen.loaded.programs)),
        application=scope.name,
        connections=seen.connections,
        sides=seen.sides,
    )
    return Audited(report, scope, seen.loaded.lines, seen.loaded.watched)


# ---------------------------------------------------------------------------------------------- what is seen


def look(made: Plan, found: Tree, progress: Progress = None, lowering: Lowering = lower_all) -> Seen:
    """Everything that the rules see in one tree. Raises NothingToAudit when all of it is excluded."""
    return observe(made, found, progress, lowering)[0]


def observe(
    made: Plan, found: Tree, progress: Progress = None, lowering: Lowering = lower_all
) -> tuple[Seen, Application]:
    """What `look` gives, with the application that the rules were asked about."""
    audited = found.excluding(made.excluder())
    if not audited.entries:
        raise NothingToAudit("there is no file to audit: all of them are excluded")
    loaded = loading.load(audited, *needles(made), progress, lowering=lowering)
    if progress is not None:
        progress(f"analysing {len(loaded.programs)} files")
    facts = _analysed(loaded, made.libraries)
    problems = (*loaded.problems, *facts.problems)
    where = sides.sides(loaded.programs, made.known.sides, Linker(loaded.paths))
    judged = catalogue.chosen(made.known, made.config.provider)
    directory = connections.directory(loaded.programs, made.known.providers, made.known.words.endpoints, judged)
    connected = connections.found(facts, loaded.programs, loaded.lines, directory)
    application = Application(
        connections.only(facts, directory),
        loaded.programs,
        loaded.hints,
        loaded.front_end,
        problems,
        committed(audited, lambda text: directory.judge(text, "") == "real"),
        directory,
        where,
        connected,
    )
    observations: list[Observation] = []
    for name, rule in sorted(made.known.rules.items()):
        observations.extend(checks.ask(rule.check, name, rule.items, application))
    if len(connected) > 1:
        observations = connections.told_apart(observations, application.facts, directory)
    return Seen(audited, loaded, tuple(observations), application.connects, problems, connected, where), application


def _analysed(loaded: Loaded, libraries: Libraries) -> Facts:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION))
    try:
        return analyse(loaded.programs.values(), loaded.paths, libraries)
    finally:
        sys.setrecursionlimit(limit)


# ------------------------------------------------------------------------------------------- what is decided


def _commented(
    made: Plan, seen: Seen, findings: Sequence[Finding], today: datetime.date
) -> tuple[tuple[Finding, ...], tuple[Problem, ...]]:
    """The findings with those that comments suppress, and what is wrong with the comments."""
    rules = {name: rule.items for name, rule in made.known.rules.items()}
    sources, programs = seen.loaded.lines, seen.loaded.programs
    begins = {
        (path, program.line(unit.head)): line
        for path, program in programs.items()
        if suppress.MARK in sources.get(path, b"")
        for unit, line in ir.decorated(program)
    }
    # Where nothing was asked, or not all that could fail, a comment is not known to be in vain.
    all_judged = all(one.judged for one in seen.connections)
    silent = seen.unread | (sources.keys() - programs.keys()) if all_judged else sources.keys()
    return suppress.apply(findings, sources, rules, silent, today, begins)


def _baselined(
    made: Plan, scope: Scope, seen: Seen, findings: tuple[Finding, ...]
) -> tuple[tuple[Finding, ...], tuple[Problem, ...]]:
    """The findings with those that the baseline suppresses, and its stale entries."""
    data = seen.tree.read_beside(made.baseline)
    if data is None:
        return findings, ()
    known = baseline.parse(data, made.baseline)
    return baseline.apply(findings, known, made.baseline, is_audited(made, scope), seen.unread)


def is_audited(made: Plan, scope: Scope) -> Callable[[str], bool]:
    """Whether a path is among what an audit of this application looks at."""
    excluded = made.excluder()
    return lambda path: scope.holds(path) and not excluded(path)


def _without_the_deleted(
    made: Plan, scope: Scope, base: str, seen: Seen, progress: Progress, lowering: Lowering
) -> Seen:  # fmt: skip
    """What was seen, with a failure for each proof of the tree before that a file is missing for, deleted and still imported.

    A file that git ignores now, and that is still there, is made by something else.
    """
    try:
        earlier = tree.commit_tree(scope.path, base)
    except NothingToAudit:
        return seen
    excluded, there = made.excluder(), {entry.path for entry in seen.tree.entries}
    gone = {one.path for one in earlier.entries if one.path not in there and prefilter.may_be_source(one.path)}
    gone = {path for path in gone if not excluded(path) and not tree.is_ignored(made.root, path)}
    if not gone or not any(one.status == "review" for one in seen.observations):
        return seen
    before = look(made, earlier, progress, lowering)
    missing = next(iter(sorted(loading.dangling(seen.loaded, before.loaded, gone))), None)
    return (
        seen
        if missing is None
        else seen._replace(observations=changed.unproven(seen.observations, before.observations, *missing))
    )


def _before(
    made: Plan, scope: Scope, bases: Sequence[str], seen: Seen, findings: Sequence[Finding], progress: Progress,
    today: datetime.date, lowering: Lowering,
) -> frozenset[str]:  # fmt: skip
    """The fingerprints of the failures that any of these commits has, of renamed files by their new name."""
    out: set[str] = set()
    for base in bases:
        try:
            earlier = look(made, tree.commit_tree(scope.path, base), progress, lowering)
        except NothingToAudit:
            continue
        was, now = earlier.loaded.lines, seen.loaded.lines
        failed = {one.place.path for one in earlier.observations if one.status == "fail" and one.place is not None}
        gone = {path: was[path] for path in failed if path in was and path not in now}
        came = {one.path: now[one.path] for one in findings if one.path in now and one.path not in was}
        old, _ = _commented(made, earlier, earlier.findings(made.known, changed.moved(gone, came)), today)
        out.update(mark for one in old if one.suppressed is None for mark in one.identity)
    return frozenset(out)
