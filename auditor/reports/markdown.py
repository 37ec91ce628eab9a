"""Markdown for a job summary or a comment on a pull request: the checklist, the failures, and folded details."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from auditor.model import Finding, ItemResult, Problem, RelatedPlace, Report, Status
from auditor.reports import Options, shared
from auditor.reports.terminal import escape

LIMIT = 60_000
"""Characters: a comment on GitHub holds 65,536."""

RESERVE = 400
"""Characters kept for the line that says what was cut, and for closing what is open."""

CELL, TEXT, CONNECTIONS, RELATED = 300, 2000, 5, 5
"""Characters of a table's cell and of any other text; connections and related places that are named."""

MARKS: dict[Status, str] = {
    "pass": "✅ pass", "fail": "❌ **fail**", "review": "🔍 review", "not-applicable": "➖ n/a", "attested": "✍️ attested",
}  # fmt: skip

_FITS_BACKTICKS = re.compile(r"[^\s`|](?:[^`|]*[^\s`|])?")
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&$!]|^(?=(?:[-+#=]|\d+[.)]))")
_MENTION = re.compile(r"([@#])(?=\w)")
_ADDRESS = re.compile(r"((?:https?|ftp)(?=://)|\bwww(?=\.))", re.IGNORECASE)
_CODE_SPAN = re.compile(r"`([^`]+)`")


def render(report: Report, options: Options) -> str:
    """The page, cut at a whole entry where it would grow beyond the limit, with a line that says so."""
    page = _Page(LIMIT // options.share)
    page.add(_head(report))
    page.required(_table(report), "checklist")
    page.entries("### Failures", _failures(report), "failure")
    page.entries("### Advice", (_advice(one) for one in shared.advice(report)), "piece of advice")
    reviews = [item for item in report.items if item.status == "review"]
    page.folded(f"To review ({len(reviews)})", [_details(item) for item in reviews], "item to review")
    proved = [item for item in report.items if item.status in ("pass", "attested")]
    page.folded(f"Passed ({len(proved)})", [_details(item) for item in proved], "passed item")
    for heading, problems in shared.problem_groups(report.problems):
        page.folded(f"{heading} ({len(problems)})", [_problem(one) for one in problems], "problem")
    hidden = [one for one in report.findings if one.suppressed is not None]
    page.folded(f"Suppressed ({len(hidden)})", [_suppressed(one) for one in hidden], "suppressed finding")
    return page.text()


class _Page:
    """Blocks of Markdown that stop at the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._blocks: list[str] = []
        self._size = 0
        self._left_out: dict[str, int] = {}

    def add(self, block: str) -> bool:
        """Whether there was room for it."""
        if self._size + len(block) + 2 > self._limit - RESERVE:
            return False
        self._blocks.append(block)
        self._size += len(block) + 2
        return True

    def required(self, block: str, what: str) -> None:
        """A block whose absence is said."""
        self._left_out[what] = 0 if self.add(block) else 1

    def entries(self, heading: str, blocks: Iterable[str], what: str) -> None:
        """A heading with its entries, as many as there is room for."""
        waiting = list(blocks)
        if waiting and self.add(heading):
            while waiting and self.add(waiting[0]):
                del waiting[0]
        self._left_out[what] = len(waiting)

    def folded(self, summary: str, lines: Sequence[str], what: str) -> None:
        """A list that opens on a click."""
        room = self._limit - RESERVE - self._size - len(summary) - 100
        kept = 0
        while kept < len(lines) and len(lines[kept]) + 1 <= room:
            room -= len(lines[kept]) + 1
            kept += 1
        if kept:
            body = "\n".join(lines[:kept])
            self.add(f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>")
        self._left_out[what] = len(lines) - kept

    def text(self) -> str:
        missing = _listed(self._left_out)
        if missing:
            self._blocks.append(f"> **Cut:** there was no room for {missing}. The other formats hold everything.")
        return "\n\n".join(self._blocks) + "\n"


def _listed(left_out: dict[str, int]) -> str:
    plurals = {"piece of advice": "pieces of advice", "item to review": "items to review"}
    return ", ".join(
        f"{number} more {what if number == 1 else plurals.get(what, f'{what}s')}"
        for what, number in left_out.items()
        if number
    )


# ---------------------------------------------------------------------------------------------------- parts


def _head(report: Report) -> str:
    title = f"## {shared.TITLE}"
    if report.application:
        title += f" · {prose(report.application[:CELL])}"
    names = [f"{prose(one.name)} ({place(one.path, one.line)}{shared.unjudged(one)})"
             for one in report.connections[:CONNECTIONS]]  # fmt: skip
    more = len(report.connections) - CONNECTIONS
    if more > 0:
        names.append(f"{more} more")
    lines = [title, f"**{shared.counted(report.items) or 'no items'}**"]
    lines.append(" · ".join((shared.files_line(report), *([f"connects to {', '.join(names)}"] if names else []))))
    return "\n\n".join(lines)


def _table(report: Report) -> str:
    rows = ["| Verdict | Item | | Where |", "| :-- | :-- | :-- | :-- |"]
    for section, items in groupby(report.items, key=lambda item: item.section):
        rows.append(f"| | | **{prose(section)}** | |")
        for item in items:
            where = place(item.evidence[0].path, item.evidence[0].line, CELL) if item.evidence else ""
            text = prose(item.title)
            if item.status != "pass":
                text += f"<br>{prose(_short(item.summary, CELL))}"
            rows.append(f"| {MARKS[item.status]} | {prose(item.id)} | {text} | {where} |")
    return "\n".join(rows)


def _failures(report: Report) -> Iterator[str]:
    """Each finding once, worst first, under the items that it fails; then the items without one."""
    for item in shared.unexplained(report):
        yield f"**{prose(item.id)} {prose(item.title)}**\n\n{prose(item.summary)}"
    fixed: set[str] = set()
    for finding in shared.worst_first(shared.active(report)):
        if finding.items:
            yield _failure(finding, finding.fix in fixed)
            fixed.add(finding.fix)


def _failure(finding: Finding, said: bool) -> str:
    """One finding. Its fix is not said again where it has been `said` above."""
    head = f"**{', '.join(map(prose, finding.items))}** · {finding.severity} · `{_name(finding.rule)}` · "
    blocks = [f"{head}{place(finding.path, finding.line)}", prose(shared.sentence(finding.message))]
    if finding.related:
        blocks.append(_related(finding.related))
    if finding.fix:
        blocks.append("**Fix:** as above for this rule." if said else f"**Fix:** {prose(shared.sentence(finding.fix))}")
    return "\n\n".join(blocks)


def _related(places: Sequence[RelatedPlace]) -> str:
    lines = [f"- {place(one.path, one.line)} {prose(one.message)}".rstrip() for one in places[:RELATED]]
    if len(places) > RELATED:
        lines.append(f"- and {len(places) - RELATED} more")
    return "\n".join(lines)


def _advice(finding: Finding) -> str:
    return f"`{_name(finding.rule)}` · {place(finding.path, finding.line)}\n\n{prose(shared.sentence(finding.message))}"


def _details(item: ItemResult) -> str:
    lines = [f"- **{prose(item.id)} {prose(item.title)}**: {prose(item.summary)}"]
    lines += [f"  - {place(one.path, one.line)} {prose(one.message)}".rstrip() for one in item.evidence]
    return "\n".join(lines)


def _problem(problem: Problem) -> str:
    where = f"{place(problem.path, problem.line)} " if problem.path else ""
    return f"- {where}{prose(problem.message)}"


def _suppressed(finding: Finding) -> str:
    assert finding.suppressed is not None
    reason = f"{finding.suppressed.by}: {prose(finding.suppressed.reason)}"
    return f"- `{_name(finding.rule)}` {place(finding.path, finding.line)} {reason}"


# -------------------------------------------------------------------------------------------------- escaping


def prose(text: str) -> str:
    """Text on one line that Markdown shows as it is; only its `code` is set as code.

    Entities instead of backslashes: they hold in a table's cell too. A zero-width space after @ and # keeps the
    text from calling people and issues, and one in an address keeps it from becoming a link.
    """
    pieces = _CODE_SPAN.split(escape(_short(text, TEXT)))
    return "".join(code(piece) if number % 2 else _entities(piece) for number, piece in enumerate(pieces))


def code(text: str) -> str:
    """Text as code: in backticks where that is safe in a table too, else as HTML in entities."""
    shown = escape(text)
    if _FITS_BACKTICKS.fullmatch(shown):
        return f"`{shown}`"
    inner = "".join(letter if letter.isalnum() or letter in " /.-" else f"&#{ord(letter)};" for letter in shown)
    return f"<code>{inner}</code>" if inner else ""


def place(path: str, line: int, limit: int = TEXT) -> str:
    """path:line as code; of one that is too long the end is shown: that is what tells files apart."""
    text = shared.place(path, line)
    return code(f"…{text[-limit:]}" if len(text) > limit else text)


def _entities(text: str) -> str:
    text = _MENTION.sub("\\1\u200b", text)
    text = _SPECIAL.sub(lambda match: f"&#{ord(match[0])};" if match[0] else "\u200b", text)
    return _ADDRESS.sub("\\1\u200b", text)


def _short(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _name(rule: str) -> str:
    """A rule's name comes from a file's name."""
    return re.sub(r"[^\w-]", "", rule)
