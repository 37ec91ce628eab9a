"""Looks a line up: what the auditor saw there and decided about it, and why not where it saw nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from auditor.audit import Plan, Progress, Scope, Seen, judged, needles, observe, plan
from auditor.catalogue import Catalogue
from auditor.checks.application import Application
from auditor.discover import ignore, prefilter, tree
from auditor.discover.changes import WHOLE
from auditor.discover.files import read_regular, shown
from auditor.errors import NothingToAudit, UsageError
from auditor.explanation import Explanation
from auditor.frontends.worker import lower_all
from auditor.lowered import Lowering
from auditor.model import SIDES, Finding
from auditor.sight import Sight, decisions

_POINT = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::\d+)?", re.DOTALL)
_NAMED = 8
_ROLES = {
    "vendored": "what others wrote is not judged",
    "generated": "what a program wrote is not judged",
    "test": "tests are not part of the application: they are only looked through for committed secrets",
    "docs": "documents are not part of the application",
    "audit": "what belongs to the audit is not part of the application",
}


class Point(NamedTuple):
    """A file and a 1-based line, as they were asked for."""

    path: Path
    line: int


class Looked(NamedTuple):
    """What was found out about a line, and the bytes of the files as they were judged, by path."""

    explanation: Explanation
    sources: dict[str, bytes]
    findings: tuple[Finding, ...] = ()


def point(text: str) -> Point | None:
    """`app.py:12` or `app.py:12:5` as a point; None for what is no such thing."""
    found = _POINT.fullmatch(text)
    return Point(Path(found["path"]), int(found["line"])) if found else None


def catalogue_of(folder: Path, config_file: Path | None = None) -> Catalogue:
    """The rules that hold in a folder: those of the program and those of the repository's own."""
    return plan(folder, config_file).known


def explain(
    asked: Point, folder: Path, config_file: Path | None = None, progress: Progress = None,
    lowering: Lowering = lower_all,
) -> Looked:  # fmt: skip
    """Audit `folder` and tell what was seen at the line. Raises UsageError for a line that is not in it."""
    made = plan(folder, config_file)
    file = _located(made, asked)
    _check_line(made.root / file, file, asked.line)
    scope = next((one for one in made.scopes if one.holds(file)), None)
    if scope is None:
        where = ", ".join(one.below or one.name for one in made.scopes)
        reason = f"it was not read: it lies outside of what is audited ({where}); --in FOLDER says what to audit"
        return Looked(Explanation(file, asked.line, "", "", (reason,)), {})
    try:
        seen, application = observe(made, WHOLE.tree(scope.path), progress, lowering)
    except NothingToAudit as error:
        return Looked(Explanation(file, asked.line, scope.name, "", (f"it was not read: {error}",)), {})
    return look_up(made, scope, seen, application, file, asked.line)


def _located(made: Plan, asked: Point) -> str:
    """The path relative to the root of a file that is named from here or, as reports do, from the root."""
    for candidate in (asked.path, made.root / asked.path):
        try:
            found = candidate.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if found.is_dir():
            raise UsageError(f"{asked.path} is a folder: name a file and a line, as in app.py:12")
        if not found.is_relative_to(made.root):
            raise UsageError(f"{asked.path} lies outside of the repository {made.root}; --in FOLDER says what to audit")
        return shown(os.fsencode(found.relative_to(made.root).as_posix()))
    raise UsageError(f"there is no file {asked.path}")


def _check_line(file: Path, path: str, line: int) -> None:
    """Raises UsageError for a line that the file does not have. Of a file that is too large nothing is known."""
    try:
        lines = len(read_regular(os.fsencode(file), tree.SIZE_LIMIT + 1).splitlines())
    except OSError as error:
        raise UsageError(f"{path}: could not be read: {error.strerror}") from None
    if not 0 < line <= lines and file.stat().st_size <= tree.SIZE_LIMIT:
        raise UsageError(f"there is no line {line}: {path} has {lines} line{'' if lines == 1 else 's'}")


def look_up(made: Plan, scope: Scope, seen: Seen, application: Application, path: str, line: int) -> Looked:
    """What was seen at one line of an application that has been looked at."""
    program = application.programs.get(path)
    reading = tuple(_reading(made, scope, seen, path))
    findings = judged(made, scope, WHOLE, seen).report.findings
    sources = dict(seen.loaded.lines)
    if program is None or program.language == "settings":
        decided = decisions(seen.observations, findings, made.known.rules, path, line, None)
        language = program.language if program is not None else ""
        return Looked(Explanation(path, line, scope.name, language, reading, decisions=decided), sources, findings)
    sight = Sight(application, path)
    unit = sight.unit(line)
    side = f", runs {SIDES[application.side(path, line)]}"
    explanation = Explanation(
        path, line, scope.name, program.language + side, reading, unit, sight.asked(line), sight.actions(line),
        sight.nearby(unit, line),
        sight.unfollowed(line), decisions(seen.observations, findings, made.known.rules, path, line, unit),
    )  # fmt: skip
    return Looked(explanation, sources, findings)


# --------------------------------------------------------------------------------------------- whether it was read


def _reading(made: Plan, scope: Scope, seen: Seen, path: str) -> Iterator[str]:
    """Whether the file was read and analysed, and why or why not."""
    problems = [one for one in seen.problems if one.path == path]
    if path in seen.loaded.programs:
        yield _chosen(made, seen, path)
    elif not problems:
        yield f"it was not analysed: {_why_not(made, scope, seen, path)}"
    for connection in seen.connections:
        if connection.path == path and not connection.judged:
            yield f"what is done with {connection.name} is not judged: `provider` in {_source(made)} leaves it out"
    for one in problems:
        at = f" (line {one.line})" if one.line else ""
        read = "read only in part" if path in seen.loaded.programs else "not analysed"
        yield f"it was {read}: {one.message}{at}"


def _chosen(made: Plan, seen: Seen, path: str) -> str:
    """Why an analysed file was."""
    if seen.loaded.programs[path].language == "settings":
        return "analysed as settings: it has a word for a secret, or the name of an environment file"
    found = sorted(prefilter.find_words(seen.loaded.lines[path], needles(made)[0]))
    if found:
        return (
            f"analysed, because it has the words {_listed(found)}"
            if len(found) > 1
            else (f"analysed, because it has the word {found[0]}")
        )
    return "analysed, because a file of the flow leans on it, or it on one; no word of the flow stands in it"


def _why_not(made: Plan, scope: Scope, seen: Seen, path: str) -> str:
    if path in made.of_the_audit:
        return "it belongs to the audit and is not part of the application"
    if ignore.excluder(made.config.exclude)(path):
        return f"`exclude` in {_source(made)} leaves it out"
    entry = next((one for one in seen.tree.entries if one.path == path), None)
    if entry is None:
        return _why_not_listed(made, seen, path)
    role = prefilter.role(seen.tree.relative(entry))
    if not prefilter.is_analysed(role):
        return f"by its path it is {role}, and {_ROLES.get(role, 'that is not judged')}; --in FOLDER audits a folder by itself"
    if path not in seen.loaded.lines:
        return "no frontend reads files of this kind"
    if path in seen.loaded.watched.paths:
        return "there was no room for it any more: too much of this application bears on the flow"
    words = made.known.words.flow
    return (
        f"none of the words of the flow stands in it ({_listed(list(words))}), nor the name of a provider or OAuth library, "
        "and no file of the flow imports it or is called by it"
    )


def _source(made: Plan) -> str:
    return made.source.name if made.source is not None else "the configuration"


def _why_not_listed(made: Plan, seen: Seen, path: str) -> str:
    around = next((one for one in seen.problems if one.path and path.startswith(f"{one.path}/")), None)
    if around is not None:
        return f"{around.path}: {around.message}"
    if seen.tree.kind == "folder":
        return "an ignore file, or the name of its folder, leaves it out"
    if tree.is_ignored(made.root, path):
        return f"git ignores it, and `git check-ignore -v {path}` says why"
    return "git does not list it"


def _listed(words: list[str]) -> str:
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more
