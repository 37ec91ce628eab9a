"""Comments that suppress findings: `# connect-auditor: ignore[rule-name] -- reason`.

The comment stands on the finding's line, or alone on the line before (several may stand there in a row). Of a statement of
several lines its first and its last count, of a function with decorators all lines from the first of them on. Several rules
are separated by commas. `until=2027-01-31` before `--`, or at the end of the reason, ends it. A comment that names an unknown
rule, has no reason, or is not understood suppresses nothing at all and is reported, as are comments that suppress
nothing: a suppression never becomes broader than what somebody wrote.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from auditor.discover import prefilter
from auditor.frontends.comments import Comment, comments
from auditor.model import Finding, Problem, Suppressed

MARK = b"connect-auditor"
LONGEST = 1000
FORM = "write `connect-auditor: ignore[rule-name] -- reason`"

_SIGN = r"(?:\#|//|/\*|<!--|\{\#|\{%\ comment\ %\}|<%\#|\{\{!(?:--)?)"
_DIRECTIVE = re.compile(
    rf"(?:^\s*[*;!]*|{_SIGN})[\s*!#/-]{{0,20}}connect-auditor(?P<colon>:|(?=[ \t]+ignore\b))[ \t]*(?P<said>[^\n]*)"
)
_END = re.compile(r"\s*(?:\*/|-->|--!>|\#\}|\{%\ endcomment\ %\}|%>|--\}\}|\}\})\s*$")
_IGNORE = re.compile(r"ignore\s*\[(?P<rules>[^\]]*)\](?P<rest>.*)")
_UNTIL = re.compile(r"until\s*=\s*(?P<day>[^\s,;.]*)")


class Directive(NamedTuple):
    """One understood comment: the line it stands on, the line it speaks of, its rules and its reason."""

    path: str
    line: int
    target: int
    rules: tuple[str, ...]
    reason: str


class Wrong(NamedTuple):
    """A comment that suppresses nothing, and why."""

    path: str
    line: int
    message: str


def apply(
    findings: Sequence[Finding],
    sources: Mapping[str, bytes],
    rules: Mapping[str, Collection[str]],
    unread: Collection[str],
    today: datetime.date,
    begins: Mapping[tuple[str, int], int] = MappingProxyType({}),
) -> tuple[tuple[Finding, ...], tuple[Problem, ...]]:
    """The findings with those filled in that a comment suppresses, and what is wrong with the comments.

    `sources`: the bytes of every file by path. `rules`: the items of each known rule. `unread`: paths that were not
    judged, where a comment without a finding says nothing. `begins`: where the decorators of the functions begin that are
    defined on the lines of these paths.
    """
    found = [one for path, data in sources.items() if MARK in data for one in directives(path, data, rules, today)]
    good = [one for one in found if isinstance(one, Directive)]
    problems = [Problem(one.path, "suppression", one.message, one.line) for one in found if isinstance(one, Wrong)]
    by_place: dict[tuple[str, int, str], Directive] = {}
    for one in good:
        for rule in one.rules:
            by_place.setdefault((one.path, one.target, rule), one)
    used: set[tuple[str, int, str]] = set()
    out = []
    for finding in findings:
        lines = _lines(finding, begins.get((finding.path, finding.line), finding.line))
        spoken = (by_place.get((finding.path, line, finding.rule)) for line in lines)
        directive = next((one for one in spoken if one is not None), None)
        if directive is None:
            out.append(finding)
            continue
        used.add((directive.path, directive.line, finding.rule))
        out.append(replace(finding, suppressed=Suppressed("comment", directive.reason, directive.path, directive.line)))
    problems.extend(
        Problem(
            one.path,
            "suppression",
            f"nothing to suppress: there is no finding of {rule} on line {one.target}",
            one.line,
        )
        for one in good
        for rule in one.rules
        if (one.path, one.line, rule) not in used and one.path not in unread
    )
    return tuple(out), tuple(problems)


def _lines(finding: Finding, begin: int) -> Iterator[int]:
    """The lines on which a comment speaks of a finding: its first, its last, those of the decorators before it."""
    yield finding.line
    yield finding.end_line
    yield from range(begin, finding.line)


def directives(
    path: str, data: bytes, rules: Mapping[str, Collection[str]], today: datetime.date
) -> Iterator[Directive | Wrong]:
    """What the comments of one file say to this program, in their order."""
    language = prefilter.language(path, data)
    if language is None:
        return
    read = comments(path, language, data)
    marked = [one for one in read.found if MARK.decode() in one.text]
    targets = _targets(marked)
    for comment in marked:
        for line, said in _said(comment):
            yield _understood(path, line, targets[comment], said, rules, today)
    if read.unread_from:
        for number, text in enumerate(data.splitlines(), 1):
            if number >= read.unread_from and MARK in text:
                message = "this file could not be read to its end, so this is not known to be a comment: it suppresses nothing"
                yield Wrong(path, number, message)


def _targets(marked: Sequence[Comment]) -> dict[Comment, int]:
    """The line that each comment speaks of: its own, or if it is alone the next that is not such a comment too."""
    out: dict[Comment, int] = {}
    alone: dict[int, int] = {}
    for comment in reversed(marked):
        below = comment.end_line + 1
        out[comment] = alone.get(below, below) if comment.alone else comment.line
        if comment.alone:
            alone[comment.line] = out[comment]
    return out


def _said(comment: Comment) -> Iterator[tuple[int, str]]:
    """(line, what is said to us) for each line of a comment that speaks to us."""
    for number, text in enumerate(comment.text.split("\n"), comment.line):
        for match in _DIRECTIVE.finditer(text):
            # Without the colon it is not understood, and somebody meant it to be.
            yield number, _END.sub("", match["said"][:LONGEST]).strip() if match["colon"] else ""


def _understood(
    path: str, line: int, target: int, said: str, rules: Mapping[str, Collection[str]], today: datetime.date
) -> Directive | Wrong:
    parsed = _IGNORE.fullmatch(said)
    if parsed is None:
        return Wrong(path, line, f"this comment is not understood and suppresses nothing: {FORM}")
    names = [name.strip() for name in parsed["rules"].split(",")]
    if not all(names):
        return Wrong(path, line, f"this comment names no rule and suppresses nothing: {FORM}")
    for name in names:
        if name not in rules:
            return Wrong(
                path, line, f"there is no rule {name!r}, this comment suppresses nothing{_suggestion(name, rules)}"
            )
    options, dashes, reason = parsed["rest"].partition("--")
    reason = reason.strip()
    if not dashes or not re.search(r"\w", reason):
        return Wrong(path, line, f"this comment gives no reason and suppresses nothing: {FORM}")
    until, options = _UNTIL.search(options), _UNTIL.sub("", options)
    if options.strip():
        return Wrong(path, line, f"this comment is not understood and suppresses nothing: {FORM}")
    if until is None and (at_end := re.search(rf"\b{_UNTIL.pattern}[,;.]?$", reason)):
        until, reason = at_end, reason[: at_end.start()].rstrip(" ,;(")
        if not re.search(r"\w", reason):
            return Wrong(path, line, f"this comment gives no reason and suppresses nothing: {FORM}")
    if until is not None:
        day = day_of(until["day"])
        if day is None:
            return Wrong(path, line, "until= needs a date such as 2027-01-31: this comment suppresses nothing")
        if day < today:
            return Wrong(path, line, f"this comment ended with {day.isoformat()} and suppresses nothing any more")
    return Directive(path, line, target, tuple(dict.fromkeys(names)), reason)


def day_of(text: str) -> datetime.date | None:
    """The date written as 2027-01-31; None if it is none."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _suggestion(name: str, rules: Mapping[str, Collection[str]]) -> str:
    of_item = [rule for rule, items in rules.items() if name.upper() in items]
    if of_item:
        return f": the rules of {name.upper()} are {', '.join(sorted(of_item))}"
    close = difflib.get_close_matches(name, _names(rules), n=1, cutoff=0.5)
    return f": did you mean {close[0]!r}?" if close else ""


def _names(rules: Iterable[str]) -> list[str]:
    return sorted(rules)
