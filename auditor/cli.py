"""The command line: parse, call one function, print, exit.

The report goes to standard output, all else to standard error. Whatever costs time to import is imported in the
command that needs it: `--help` must be instant.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from auditor import __version__
from auditor.errors import InternalError, UsageError
from auditor.reports import FOR_MACHINES, RENDERERS, Options, Reader

if TYPE_CHECKING:
    from auditor.model import Report

NAME = "connect-auditor"
THRESHOLDS = ("low", "medium", "high", "critical", "never")
USAGE, INTERNAL, INTERRUPTED = 2, 3, 130
PATIENCE = 0.7
"""Seconds before progress is shown: most audits end sooner."""


def main() -> None:
    """The command `connect-auditor`."""
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


def _known_formats() -> str:
    return f"the formats are {', '.join(RENDERERS)}"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=NAME, message="%(prog)s %(version)s")
def commands() -> None:
    """Audits an application that connects to OAuth 2.0 accounts against its provider's production checklist.

    Nothing that is read is executed, and nothing is sent anywhere.
    """


@commands.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "-f",
    "formats",
    metavar="NAME[=FILE]",
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
@click.option("--quiet", "-q", is_flag=True, help="Show only what failed or needs a review.")
@click.option("--verbose", "-v", is_flag=True, help="Fold no list.")
@click.option("--no-color", is_flag=True, help="Never use colours; NO_COLOR in the environment does the same.")
def audit(
    path: Path,
    formats: tuple[Target, ...],
    output: Path | None,
    fail_on: str | None,
    strict: bool,
    config_file: Path | None,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Audit the application at PATH, by default the current folder.

    \b
    Exit code, whatever the format:
      0  nothing failed
      1  something failed (with --strict also: something needs a review or could not be read)
      2  wrong arguments or configuration, nothing to audit, or a file that cannot be written
      3  an error of this program
    """
    _check_targets(formats, output)
    from auditor import outcome
    from auditor.audit import audit as run_audit
    from auditor.config import Threshold, load
    from auditor.discover.tree import root_and_path

    root, chosen = root_and_path(path)
    config, source = load(root, config_file, chosen if chosen.is_dir() else chosen.parent)
    if verbose and source is not None:
        _say(f"configuration: {source}")
    with _progress(wanted=not quiet) as progress:
        report: Report = run_audit(path, config_file=config_file, progress=progress)

    detail: Any = "full" if verbose else "brief" if quiet else "normal"
    targets = _targets(formats, config.format, output)
    options = _options(no_color)._replace(
        detail=detail, read=_reader(root), part=_part(root, chosen), rules=_rules(targets)
    )
    _write_report(report, options, targets)
    threshold: Threshold = fail_on or config.fail_on  # type: ignore[assignment]  # click has checked the choice
    result = outcome.outcome(report, threshold, strict or config.strict)
    if result.line and not (quiet and result.code == outcome.PASSED):
        _say(result.line)
    return result.code


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


@commands.command()
@click.argument("name", metavar="RULE|ITEM")
def explain(name: str) -> int:
    """Explain a rule, or an item such as C06."""
    from auditor import catalogue
    from auditor.reports import pages

    known = catalogue.load()
    items = {item.id: item for item in known.checklist}
    if name.upper() in items:
        text = pages.item_page(items[name.upper()], known, _options())
    elif name.lower() in known.rules:
        text = pages.rule_page(known.rules[name.lower()], known, _options())
    else:
        raise UsageError(f"there is no rule or item {name!r}{_suggestion(name, [*items, *known.rules])}")
    _write(text, False)
    return 0


@commands.group()
def schema() -> None:
    """Show the contracts with other programs."""


@schema.command("report")
def schema_report() -> int:
    """Show the JSON Schema of `audit --format json`."""
    from auditor.reports.schema import render_schema

    _write(render_schema(), True)
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


def _rules(targets: Sequence[Target]) -> Any:
    """The catalogue's rules, for the formats that describe them."""
    if {"sarif", "html"}.isdisjoint(target.name for target in targets):
        return {}
    from auditor import catalogue

    return catalogue.load().rules


def _part(root: Path, chosen: Path) -> str:
    """The audited folder or file relative to the repository's root."""
    below = chosen.relative_to(root).as_posix()
    return "" if below == "." else below


def _reader(root: Path) -> Reader:
    """Reads an audited file once more, for a report that needs its lines; never outside of the root."""
    from auditor.discover.files import read_regular
    from auditor.discover.tree import SIZE_LIMIT

    def read(path: str) -> bytes | None:
        file = root / path
        try:
            if not file.parent.resolve().is_relative_to(root):
                return None
            data = read_regular(os.fsencode(file), SIZE_LIMIT)
        except (OSError, ValueError):
            return None
        return data if len(data) <= SIZE_LIMIT else None

    return read


def _write_report(report: Report, options: Options, targets: Sequence[Target]) -> None:
    """Renders all before anything is written, and files before standard output."""
    from auditor.reports.files import write_all

    for_a_file = options._replace(color=False, width=100, unicode=True)
    texts = [RENDERERS[one.name](report, for_a_file if one.file else options) for one in targets]
    write_all({one.file: text.encode() for one, text in zip(targets, texts, strict=True) if one.file})
    for one, text in zip(targets, texts, strict=True):
        if one.file is None:
            _write(text, one.name in FOR_MACHINES)


def _options(no_color: bool = False) -> Options:
    """What standard output can show."""
    is_terminal = sys.stdout.isatty()
    environment = os.environ
    plain = no_color or bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb"
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 100
    return Options(
        color=not plain and (is_terminal or bool(environment.get("FORCE_COLOR"))),
        width=min(max(width, 80), 120),
        unicode=_can_encode("✓✗–○·…"),
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
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    what = str(error) if isinstance(error, InternalError) else f"{type(error).__name__} at {place}"
    _say(f"internal error: {what}; nothing can be said about this application")
    if verbose:
        click.echo("".join(traceback.format_list(frames)), err=True, nl=False)
    _say("this is a bug of connect-auditor: please report it, with what `audit --verbose` adds")
