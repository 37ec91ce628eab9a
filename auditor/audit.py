"""The whole path from a folder to a report, in one function."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable

import auditor
from auditor import catalogue, checks, config, judge, loading
from auditor.analysis.analyse import analyse
from auditor.checks.application import Application
from auditor.discover import ignore, prefilter, tree
from auditor.discover.committed import committed
from auditor.errors import UsageError
from auditor.model import SCHEMA, Files, Observation, Report, Tool

RECURSION = 20_000  # the walk nests as deeply as the programs it reads, whose depth the frontends bound


def audit(
    path: pathlib.Path, *, config_file: pathlib.Path | None = None, progress: Callable[[str], None] | None = None
) -> Report:
    """Audit what lies at `path`. Raises UsageError when there is nothing to audit or the configuration is wrong."""
    root, chosen = tree.root_and_path(path)
    settings, _ = config.load(root, config_file, chosen if chosen.is_dir() else chosen.parent)
    known = catalogue.load()
    libraries = catalogue.libraries_of(known, [root / extra for extra in settings.libraries])
    audited = tree.working_tree(path).excluding(ignore.excluder(settings.exclude))
    if not audited.entries:
        raise UsageError(f"{path}: there is no file to audit")

    words = known.words
    loaded = loading.load(audited, prefilter.compile_needles(words.flow), prefilter.compile_needles(words.hints), progress)
    if progress is not None:
        progress(f"analysing {len(loaded.programs)} files")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION))
    try:
        facts = analyse(loaded.programs.values(), loaded.paths, libraries)
    finally:
        sys.setrecursionlimit(limit)
    problems = (*loaded.problems, *facts.problems)
    application = Application(
        facts, loaded.programs, loaded.hints, loaded.front_end, problems, loaded.committed, committed(audited)
    )

    observations: list[Observation] = []
    for name, rule in sorted(known.rules.items()):
        observations.extend(checks.ask(rule.check, name, rule.items, application))
    lines = {
        one.place.path: loaded.lines[one.place.path].decode("utf-8", "replace").splitlines()
        for one in observations
        if one.place is not None and one.place.path in loaded.lines
    }
    return Report(
        schema=SCHEMA,
        tool=Tool("connect-auditor", auditor.__version__),
        root=".",
        items=judge.items(known, observations, application.connects, loaded.hints, problems),
        findings=judge.findings(known.rules, observations, lines),
        problems=tuple(sorted(set(problems), key=lambda one: (one.path, one.line, one.kind, one.message))),
        files=Files(read=loaded.read, analysed=len(loaded.programs)),
        application=audited.prefix.rstrip("/").rpartition("/")[2] or root.name,
    )
