"""The command line: parse, call one function, print, exit.

The report goes to standard output, all else to standard error. Whatever costs time to import is imported in the
command that needs it: `--help` must be instant.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from auditor import __version__
from auditor.errors import InternalError, UsageError
from auditor.reports import FOR_MACHINES, RENDERERS, Options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from auditor.audit import Audited, Scope
    from auditor.cache import Cache
    from auditor.discover.changes import Change
    from auditor.lookup import Point
    from auditor.outcome import Outcome

NAME = "connect-auditor"
THRESHOLDS = ("low", "medium", "high", "critical", "never")
USAGE, INTERNAL, INTERRUPTED = 2, 3, 130
PATIENCE = 0.7
"""Seconds before progress is shown: most audits end sooner."""


def main() -> None:
    """The command `connect-auditor`."""
    # A run is short and leaves few cycles behind; looking for them takes a quarter of the analysis.
    gc.disable()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; no exception leaves here."""
    try:
        code = commands.main(args=list(arguments), prog_name=NAME, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except UsageError as error:
        _say(str(error))
        return USAGE
    except Exception as error:  # noqa: BLE001  the boundary: whatever else happened is our fault
        _apologise(error, not {"-v", "--verbose"}.isdisjoint(arguments))
        return INTERNAL
    return code if isinstance(code, int) else 0


class Target(NamedTuple):
    """A format and the file it is written to; None for standard output, or for the file of --output."""

    name: str
    file: Path | None


def _parse_formats(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[Target, ...]:
    """NAME or NAME=FILE, each."""
    targets = []
    for value in values:
        name, equals, file = value.partition("=")
        if name not in RENDERERS:
            raise click.BadParameter(
                f"there is no format {name!r}{_suggestion(name, list(RENDERERS), _known_formats())}"
            )
        if equals and not file:
            raise click.BadParameter(f"{value} names no file")
        targets.append(Target(name, Path(file) if file else None))
    return tuple(targets)


def _complete_formats(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in RENDERERS if name.startswith(begun)]


def _known_formats() -> str:
    return f"the formats are {', '.join(RENDERERS)}"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=NAME, message="%(prog)s %(version)s")
def commands() -> None:
    """Audits an application that connects to OAuth 2.0 accounts against its provider's production checklist.

    Nothing that is read is executed, and nothing is sent anywhere.

    \b
    Begin with:
      connect-auditor audit          what the application in this folder does right and wrong
      connect-auditor explain C06    why a point matters, and how to mend it
      connect-auditor init           write a configuration, a commit hook and a CI job
    """


@commands.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "-f",
    "formats",
    metavar="NAME[=FILE]",
    shell_complete=_complete_formats,
    callback=_parse_formats,
    multiple=True,
    help=f"How to write the report, once for each format: {', '.join(RENDERERS)}. With =FILE it goes to that file, "
    "and what goes to standard output stays as it is.  [text]",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Write to this file what would go to standard output."
)
@click.option("--fail-on", type=click.Choice(THRESHOLDS), help="Exit 1 for findings at or above this severity.  [low]")
@click.option("--strict", is_flag=True, help="Exit 1 also for items to review and for problems.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Read this configuration file.")
@click.option("--staged", is_flag=True, help="Audit what is staged; only what is new since HEAD counts.")
@click.option("--changed-since", metavar="REV", help="Only what is new since the branch left this commit counts.")
@click.option("--no-baseline", is_flag=True, help="Count what is in the baseline, too.")
@click.option(
    "--cache/--no-cache", default=None, help="Keep what was read for the next run.  [on, off where CI is set]"
)
@click.option("--quiet", "-q", is_flag=True, help="Show only what failed or needs a review.")
@click.option("--verbose", "-v", is_flag=True, help="Fold no list; say which configuration is read.")
@click.option("--no-color", is_flag=True, help="Never use colours; NO_COLOR in the environment does the same.")
def audit(
    path: Path,
    formats: tuple[Target, ...],
    output: Path | None,
    fail_on: str | None,
    strict: bool,
    config_file: Path | None,
    staged: bool,
    changed_since: str | None,
    no_baseline: bool,
    cache: bool | None,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Audit the application at PATH, by default the current folder.

    With --staged or --changed-since the report is still about the whole application, and findings that were there
    before are in it as suppressed ones.

    \b
    Exit code, whatever the format:
      0  nothing failed
      1  something failed (with --strict also: something needs a review or could not be read)
      2  wrong arguments or configuration, nothing to audit, or a file that cannot be written
      3  an error of this program
    """
    _check_targets(formats, output)
    from auditor.audit import audit_all, plan
    from auditor.discover.tree import root_and_path

    root, _ = root_and_path(path)
    change = _change(root, staged, changed_since)
    made = plan(path, config_file, change)
    made = made.writing(target.file for target in (*formats, Target("", output)) if target.file is not None)
    if verbose:
        _say(f"configuration: {made.source or 'none, the defaults hold'}")
    targets = _targets(formats, made.config.format, output)
    with _progress(wanted=not quiet) as progress:
        results = audit_all(
            made, change, progress=progress, with_baseline=not no_baseline, cache=_cache(made.root, cache)
        )
    detail: Any = "full" if verbose else "brief" if quiet else "normal"
    _write_report(results, _options(no_color)._replace(detail=detail, rules=made.known.rules), targets)
    return _concluded(results, fail_on or made.config.fail_on, strict or made.config.strict, quiet)


@commands.command()
@click.argument("path", default=None, required=False, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Audit everything, whatever is staged.")
@click.option("--fail-on", type=click.Choice(THRESHOLDS), help="Exit 1 for findings at or above this severity.  [low]")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Read this configuration file.")
@click.option(
    "--cache/--no-cache", default=None, help="Keep what was read for the next run.  [on, off where CI is set]"
)
def hook(path: Path | None, everything: bool, fail_on: str | None, config_file: Path | None, cache: bool | None) -> int:
    """Audit what a commit brings; for git hooks and pre-commit.

    Judged is what is staged, or the commits from PRE_COMMIT_FROM_REF to PRE_COMMIT_TO_REF, and only what is new in
    them fails. When nothing is staged everything is audited and every failure counts. Nothing is written, but the cache.
    """
    from auditor.audit import audit_all, nothing_moves, plan
    from auditor.discover import changes
    from auditor.discover.tree import root_and_path
    from auditor.errors import NothingToAudit

    root, _ = root_and_path(path or Path())
    change = changes.WHOLE if everything else changes.of_hook(root, os.environ)
    if change is None:
        _say("no file is staged: nothing can be new")
        return 0
    made = plan(path or root, config_file, change)
    kept = _cache(made.root, cache)
    if nothing_moves(made, change, kept):
        _say(f"no file that matters differs from {change.name}: nothing can be new")
        return 0
    try:
        results = audit_all(made, change, cache=kept)
    except NothingToAudit:
        if change.of == "working" or len(made.scopes) > 1:
            raise
        _say("no file is left to audit")
        return 0
    failed = [one for one in results if _outcome(one, fail_on or made.config.fail_on).code]
    if failed:
        _write_report(
            [_only_failures(one) for one in failed], _options()._replace(detail="normal"), [Target("text", None)]
        )
    _say(_of_hook(results, change.name, bool(failed)))
    if failed:
        _say(_way_out(failed))
    return 1 if failed else 0


@commands.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--prune", is_flag=True, help="Only drop what is there no more.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Read this configuration file.")
def baseline(path: Path, prune: bool, config_file: Path | None) -> int:
    """Write down the failures of today, so that only new ones count.

    What the baseline knows of files outside of PATH stays. Neither `audit` nor `hook` ever changes it.
    """
    from auditor.audit import audit_all, is_audited, plan
    from auditor.decisions import baseline as decisions
    from auditor.discover.beside import read_inside
    from auditor.reports.files import write_all

    made = plan(path, config_file)
    data = read_inside(made.root, made.baseline)
    if data is None and prune:
        raise UsageError(f"{made.baseline}: there is no baseline to prune")
    try:
        old = decisions.parse(data, made.baseline) if data is not None else None
    except UsageError:
        if prune:
            raise
        old = None  # it is written anew
    results = audit_all(made, with_baseline=False)
    audited = [is_audited(made, one.scope) for one in results]
    findings = [finding for one in results for finding in one.report.findings]
    entries = decisions.updated(old, findings, lambda name: any(one(name) for one in audited), prune)
    write_all({made.root / made.baseline: decisions.render(entries)})
    before, after = set(old.findings if old else ()), set(entries)
    added, dropped = len(after - before), len(before - after)
    count = f"{len(after)} failure{'' if len(after) == 1 else 's'}, {added} added, {dropped} dropped"
    _say(f"{made.baseline}: {count}{'; commit it, and only others count' if after else ''}")
    return 0


def _complete_items(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The items that a half-typed word may become."""
    from click.shell_completion import CompletionItem

    from auditor import catalogue

    items = catalogue.load().checklist
    return [CompletionItem(item.id, help=item.title) for item in items if item.id.lower().startswith(begun.lower())]


@commands.command()
@click.argument("item", metavar="ITEM", shell_complete=_complete_items)
@click.option("--by", required=True, help="Who says so.")
@click.option("--because", required=True, help="Why it is so, for those who review it.")
@click.option("--expires", metavar="DATE", help="The last day on which it holds, as in 2027-01-31.")
@click.option("--application", help="Of which application, where the configuration names several.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Read this configuration file.")
def attest(
    item: str, by: str, because: str, expires: str | None, application: str | None, config_file: Path | None
) -> int:
    """Vouch for an item that only a person can judge.

    It is written to a file in the repository, to be reviewed. It answers a review, and never hides a failure.
    """
    from datetime import date

    from auditor.audit import plan
    from auditor.decisions import attest as decisions
    from auditor.decisions.suppress import day_of
    from auditor.discover.beside import read_inside
    from auditor.reports.files import write_all

    made = plan(Path(), config_file)
    known = decisions.known_item(item, made.items)
    ends = day_of(expires) if expires is not None else None
    if expires is not None and (ends is None or ends < date.today()):
        raise UsageError(f"--expires {expires}: give a date that is still to come, as in 2027-01-31")
    if not (by.strip() and because.strip()):
        raise UsageError("--by and --because may not be empty")
    scope = _scope_named(made.scopes, application)
    data = read_inside(made.root, scope.attestations)
    given = decisions.parse(data, scope.attestations, made.items) if data is not None else {}
    given[known] = decisions.Attestation(by.strip(), " ".join(because.split()), date.today(), ends)
    write_all({made.root / scope.attestations: decisions.render(given, made.items)})
    _say(f"{scope.attestations}: {known} is attested by {by.strip()}; commit it with your change")
    return 0


@commands.command()
@click.option("--yes", "-y", is_flag=True, help="Ask nothing; existing files stay as they are.")
@click.option("--gitlab", is_flag=True, help="Only print a job for .gitlab-ci.yml.")
def init(yes: bool, gitlab: bool) -> int:
    """Write a configuration, a hook and a CI job.

    Each is written after asking. The hook goes to .pre-commit-config.yaml, where the entries that are there stay as they are; the job is a workflow
    for GitHub. They install what is installed here, from where it came.
    """
    from auditor import begin
    from auditor.discover.tree import root_and_path
    from auditor.reports.files import write_all

    if gitlab:
        _write(begin.gitlab(), True)
        return 0
    root, _ = root_and_path(Path())
    for step in begin.steps(root):
        if step.data is None:
            note, *entry = step.note.splitlines()
            _say(f"{step.path}: {note}")
            click.echo("".join(f"{line}\n" for line in entry), err=True, nl=False)
        elif step.exists and yes:
            _say(f"{step.path}: is there already and stays as it is")
        elif yes or _asked(step.question, default=not step.exists):
            (root / step.path).parent.mkdir(parents=True, exist_ok=True)
            write_all({root / step.path: step.data})
            _say(f"{step.path}: {step.note or 'written'}")
    source = begin.source()
    if not source.found:
        _say(f"where these run, pip has to find {source.requirement}: this one was installed from a folder")
    _say(
        "next: `connect-auditor audit` shows what there is, `connect-auditor baseline` lets it be for now; commit both"
    )
    return 0


@commands.command()
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="How to write it.")
def checklist(format_: str) -> int:
    """Show the points that are audited."""
    from auditor import catalogue
    from auditor.reports import pages

    items = catalogue.load().checklist
    is_json = format_ == "json"
    _write(pages.checklist_json(items) if is_json else pages.checklist_text(items, _options()), is_json)
    return 0


def _complete_names(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The rules and items that a half-typed word may become, else files."""
    from click.shell_completion import CompletionItem

    from auditor import catalogue

    known = catalogue.load()
    names = [*(item.id for item in known.checklist), *known.rules]
    fitting = [CompletionItem(name) for name in names if name.lower().startswith(begun.lower())]
    return fitting or [CompletionItem(begun, type="file")]


@commands.command()
@click.argument("name", metavar="RULE|ITEM|PATH:LINE", shell_complete=_complete_names)
@click.option("--in", "folder", default=".", type=click.Path(path_type=Path), help="The application to look at.  [.]")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Read this configuration file.")
@click.option("--no-color", is_flag=True, help="Never use colours; NO_COLOR in the environment does the same.")
def explain(name: str, folder: Path, config_file: Path | None, no_color: bool) -> int:
    """Explain a rule, an item or a line of code.

    Of a rule or an item such as C06 it says why it matters, how it is decided and how to mend it; of a line what was
    seen there, what was decided and why.

    A line is given as PATH:LINE, as reports write it: app/oauth.py:58.
    """
    from auditor import lookup
    from auditor.reports import pages

    options = _options(no_color)
    asked = lookup.point(name)
    if asked is not None:
        _write(_line_page(asked, folder, config_file, options), False)
        return 0
    known = lookup.catalogue_of(folder, config_file)
    items = {item.id: item for item in known.checklist}
    if name.upper() in items:
        text = pages.item_page(items[name.upper()], known, options)
    elif name.lower() in known.rules:
        text = pages.rule_page(known.rules[name.lower()], known, options)
    else:
        raise UsageError(f"there is no rule or item {name!r}{_suggestion(name, [*items, *known.rules])}")
    _write(text, False)
    return 0


def _line_page(asked: Point, folder: Path, config_file: Path | None, options: Options) -> str:
    from auditor import lookup
    from auditor.reports import place

    with _progress(wanted=True) as progress:
        looked = lookup.explain(asked, folder, config_file, progress)
    return place.render(looked.explanation, looked.findings, options._replace(read=looked.sources.get))


@commands.group()
def schema() -> None:
    """Show the contracts with other programs."""


@schema.command("report")
def schema_report() -> int:
    """Show the JSON Schema of `audit --format json`."""
    from auditor.reports.schema import render_schema

    _write(render_schema(), True)
    return 0


@schema.command("config")
def schema_config() -> int:
    """Show the JSON Schema of the configuration."""
    import msgspec

    from auditor import config

    _write(msgspec.json.format(msgspec.json.encode(config.schema()), indent=2).decode() + "\n", True)
    return 0


# ------------------------------------------------------------------------------------------- input, output


def _say(text: str) -> None:
    """One line on standard error, without anything that could steer a terminal."""
    from auditor.reports.terminal import escape

    click.echo(f"{NAME}: {escape(text)}", err=True)


def _suggestion(name: str, known: Sequence[str], otherwise: str = f"`{NAME} checklist` shows the items") -> str:
    import difflib

    begun = [one for one in known if len(name) > 1 and one.lower().startswith(name.lower())]
    close = (
        begun
        or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        or difflib.get_close_matches(name.upper(), known, n=1)
    )
    return f": did you mean {close[0]!r}?" if close else f": {otherwise}"


def _check_targets(formats: Sequence[Target], output: Path | None) -> None:
    """Raises UsageError for what cannot all be written: said before the audit, which may take long."""
    unnamed = [target.name for target in formats if target.file is None]
    if len(unnamed) > 1:
        raise UsageError(
            f"--format {unnamed[0]} and --format {unnamed[1]} would both go to standard output: "
            f"give one of them a file, as in --format {unnamed[1]}=FILE"
        )
    files = [target.file for target in formats if target.file] + ([output] if output else [])
    for number, file in enumerate(files):
        if file in files[:number]:
            raise UsageError(f"{file}: two formats cannot go to the same file")
        folder = file.parent
        if file.is_dir():
            raise UsageError(f"{file}: could not be written: Is a directory")
        if not folder.is_dir():
            reason = "Not a directory" if folder.exists() else "No such file or directory"
            raise UsageError(f"{file}: could not be written: {reason}")


def _targets(formats: Sequence[Target], default: str, output: Path | None) -> list[Target]:
    """All that is to be written. What has no file of its own, else the default, goes to `output`."""
    named = [target for target in formats if target.file is not None]
    unnamed = [target.name for target in formats if target.file is None] or [default]
    return [*named, Target(unnamed[0], output)]


def _change(root: Path, staged: bool, changed_since: str | None) -> Change:
    """What the options ask to judge, and against what."""
    from auditor.discover import changes

    if staged and changed_since is not None:
        raise UsageError("--staged and --changed-since exclude each other")
    if changed_since is not None:
        return changes.since(root, changed_since)
    return (changes.staged(root) if staged else None) or changes.WHOLE


def _cache(root: Path, wanted: bool | None) -> Cache | None:
    from auditor import cache

    return cache.opened(root, wanted)


def _scope_named(scopes: Sequence[Scope], name: str | None) -> Scope:
    names = ", ".join(scope.name for scope in scopes)
    found = [scope for scope in scopes if name in (None, scope.name)]
    if not found:
        raise UsageError(f"there is no application {name!r}: there are {names}")
    if len(found) > 1:
        raise UsageError(f"say which application is meant: --application with one of {names}")
    return found[0]


def _asked(question: str, default: bool) -> bool:
    try:
        return click.confirm(question, default=default, err=True)
    except click.Abort:
        raise UsageError("there is nobody to answer: use --yes") from None


# ------------------------------------------------------------------------------------------------- results


def _outcome(result: Audited, fail_on: str, strict: bool = False) -> Outcome:
    from auditor import outcome
    from auditor.config import Threshold

    threshold: Threshold = fail_on  # type: ignore[assignment]  # click or the configuration has checked the choice
    return outcome.outcome(result.report, threshold, strict)


def _concluded(results: Sequence[Audited], fail_on: str, strict: bool, quiet: bool) -> int:
    """The exit code of the worst application; says what each one's rests on."""
    worst = 0
    for one in results:
        result = _outcome(one, fail_on, strict)
        worst = max(worst, result.code)
        if result.line and not (quiet and not result.code):
            _say(result.line if len(results) == 1 else f"{one.scope.name}: {result.line}")
    return worst


def _only_failures(result: Audited) -> Audited:
    """The result with nothing but what failed, and what is wrong with people's decisions."""
    from msgspec.structs import replace

    report = result.report
    decisions = ("suppression", "attestation")
    return result._replace(
        report=replace(
            report,
            items=tuple(item for item in report.items if item.status == "fail"),
            findings=tuple(one for one in report.findings if one.suppressed is None and one.items),
            problems=tuple(problem for problem in report.problems if problem.kind in decisions),
        )
    )


def _way_out(failed: Sequence[Audited]) -> str:
    """What somebody does whose commit is blocked and who means it."""
    counted = [one.rule for result in failed for one in result.report.findings if one.suppressed is None and one.items]
    return f"what is meant to stay gets a comment with a reason: `connect-auditor: ignore[{counted[0]}] -- because …`"


def _of_hook(results: Sequence[Audited], name: str, failed: bool) -> str:
    """What the hook did, in one line: how much it looked at, and what it did not count."""
    from auditor.outcome import counted

    read = sum(one.report.files.read for one in results)
    analysed = sum(one.report.files.analysed for one in results)
    hidden = [one.suppressed.by for result in results for one in result.report.findings if one.suppressed is not None]
    before = counted(sum(by == "base" for by in hidden), "failure was there before", "failures were there before")
    verdict = f"this brings failures that {name} does not have" if name else "there are failures"
    parts = [f"{read} files read, {analysed} analysed", verdict if failed else "nothing new failed", *before]
    return f"{', '.join(parts)} (exit {int(failed)})"


def _write_report(results: Sequence[Audited], options: Options, targets: Sequence[Target]) -> None:
    """Renders all before anything is written, and files before standard output."""
    from auditor.reports.files import write_all

    for_a_file = options._replace(color=False, width=100, unicode=True)
    texts = [_rendered(results, one.name, for_a_file if one.file else options) for one in targets]
    write_all({one.file: text.encode() for one, text in zip(targets, texts, strict=True) if one.file})
    for one, text in zip(targets, texts, strict=True):
        if one.file is None:
            _write(text, one.name in FOR_MACHINES)


def _rendered(results: Sequence[Audited], format_: str, options: Options) -> str:
    """The report on all applications in one format. What it quotes is what was judged, whatever lies there now."""
    from auditor.reports.several import Part, join

    shared = options._replace(share=len(results))
    return join(
        format_,
        [
            Part(one.scope.name, one.report, shared._replace(read=one.sources.get, part=one.scope.below))
            for one in results
        ],
    )


def _options(no_color: bool = False) -> Options:
    """What standard output can show."""
    is_terminal = sys.stdout.isatty()
    environment = os.environ
    plain = no_color or bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 100
    return Options(
        color=not plain and (is_terminal or bool(environment.get("FORCE_COLOR"))),
        width=min(max(width, 60), 120),
        unicode=_can_encode("✓✗–○·…←"),
    )


def _can_encode(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _write(text: str, for_machines: bool) -> None:
    """A page to standard output; a reader that has gone away is no error."""
    encoding = "utf-8" if for_machines else sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes once more on its way out: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _progress(wanted: bool) -> Iterator[Callable[[str], None] | None]:
    """What the audit tells where it is: a line on a terminal's standard error, once it takes long."""
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    began = time.monotonic()
    shown: list[Any] = []

    def progress(text: str) -> None:
        if shown:
            shown[0].update(text)
        elif time.monotonic() - began > PATIENCE:
            from rich.console import Console

            shown.append(Console(stderr=True, markup=False, emoji=False).status(text))
            shown[0].start()

    try:
        yield progress
    finally:
        for status in shown:
            status.stop()


def _apologise(error: Exception, verbose: bool) -> None:
    """An error of ours. The message of a foreign exception is left out: it could hold a value that was audited."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    what = str(error) if isinstance(error, InternalError) else f"{type(error).__name__} at {place}"
    _say(f"internal error: {what}; nothing can be said about this application")
    if verbose:
        click.echo("".join(traceback.format_list(frames)), err=True, nl=False)
    _say("this is a bug of connect-auditor: please report it, with what `audit --verbose` adds")
