"""The page of `explain PATH:LINE`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.explanation import Action, Decision, Explanation, Guard, UnitSeen
from auditor.model import Finding
from auditor.reports import Options, shared
from auditor.reports.source import Sources
from auditor.reports.terminal import Page
from auditor.reports.text import STYLES, mark

GUARDS_SHOWN = 10
ENTRIES_SHOWN = 4
ROLES_SHOWN = 8
NEARBY_SHOWN = 12
TELLING = ("key", "code", "state", "token", "value")
"""What says most of an action in one line: its key and the first other of these."""
LABEL = 18
"""Where what a label says begins."""


def render(seen: Explanation, findings: Sequence[Finding], options: Options) -> str:
    """What was seen at a line, top down: the line, whether it was read, what it does, what was decided and why."""
    page = Page(options)
    dot = f" {page.glyphs.dot} "
    head = dot.join(part for part in (shared.place(seen.path, seen.line), seen.language, seen.application) if part)
    page.line((head, "bold"))
    for sentence in seen.reading:
        page.paragraph(sentence, 2, style="dim")
    _excerpt(page, seen, findings)
    if seen.unit is not None:
        _unit(page, seen.unit)
    _asked(page, seen.asked)
    for action in seen.actions:
        page.blank()
        _action(page, action)
    if seen.unit is not None and not (seen.actions or seen.asked):
        page.blank()
        page.paragraph("No action of the flow was recognised on this line.", 0)
    _nearby(page, seen)
    _list(page, "Could not be followed", seen.unfollowed)
    _decisions(page, seen)
    return page.text()


def _excerpt(page: Page, seen: Explanation, findings: Sequence[Finding]) -> None:
    quoted = Sources(page.options.read, findings).excerpt(seen.path, seen.line, seen.line)
    if quoted:
        page.blank()
    width = len(str(quoted[-1].number)) if quoted else 0
    for line in quoted:
        bar = ">" if line.marked else "|"
        page.line((f"  {line.number:>{width}} {bar} ", "dim"), (line.text, "bold" if line.marked else ""))


def _unit(page: Page, unit: UnitSeen) -> None:
    page.blank()
    called = "a function without a name" if unit.name.rpartition(".")[2].startswith("<") else unit.name
    name = f"In {called}" if called else "In the body of the file"
    page.line((name, "bold"), (f"  lines {unit.line} to {unit.end_line}", "dim"))
    _labelled(page, "roles", unit.roles, ROLES_SHOWN)
    _labelled(page, "reached from", unit.entries)


def _asked(page: Page, asked: Sequence[Guard]) -> None:
    if asked:
        page.blank()
        page.line(("On this line", "bold"))
        for one in asked:
            page.paragraph(f"{one.text}{_origin(0, one.note)}", 2)


def _action(page: Page, action: Action) -> None:
    page.line((action.name, "bold"), (f"  {action.call}" if action.call else "", ""), (f"  line {action.line}", "dim"))
    for label, text in action.values:
        _row(page, label.replace("_", " "), text)
    _labelled(page, "reached from", action.entries)
    guards = [f"{one.text}{_origin(one.line, one.note)}" for one in action.guards]
    _labelled(page, "guards", guards or ["none: nothing has to hold"], GUARDS_SHOWN)


def _origin(line: int, note: str) -> str:
    said = ", ".join(part for part in (f"line {line}" if line else "", note) if part)
    return f" ({said})" if said else ""


def _nearby(page: Page, seen: Explanation) -> None:
    if not seen.nearby:
        return
    page.blank()
    page.line(("Elsewhere in it" if seen.unit is not None and seen.unit.name else "Elsewhere in the file", "bold"))
    for action in seen.nearby[:NEARBY_SHOWN]:
        known = dict(action.values)
        told = [known[label] for label in TELLING if label in known]
        page.paragraph(": ".join((action.name, *told[: 1 + ("key" in known)])), 2, label=f"line {action.line}  ")
    if len(seen.nearby) > NEARBY_SHOWN:
        page.line((f"  {page.glyphs.ellipsis} and {len(seen.nearby) - NEARBY_SHOWN} more", "dim"))


def _decisions(page: Page, seen: Explanation) -> None:
    page.blank()
    if not seen.decisions:
        page.paragraph("No rule found or proved anything on this line.", 0)
        return
    page.line(("Decided", "bold"))
    explained: set[str] = set()
    for one in seen.decisions:
        page.line(
            (f"  {mark(page.glyphs, one.status)} {' '.join(one.items) or 'advice'}  ", STYLES[one.status]),
            (f"{one.rule}  ", ""),
            (_how(one, seen.line), "dim"),
        )
        page.paragraph(one.message, 6)
        if one.note:
            page.paragraph(one.note, 6, style="dim")
        if one.decided and one.rule not in explained:
            explained.add(one.rule)
            page.paragraph(one.decided, 6, label="How: ", style="dim")
    page.blank()
    page.line((f"connect-auditor explain {seen.decisions[0].rule}  says why that matters and how to mend it", "dim"))


def _how(one: Decision, line: int) -> str:
    if one.touch == "here" and one.line == line:
        return "on this line"
    where = f"at {shared.place(one.path, one.line)}"
    return f"{where}, this line: {one.role}" if one.role else where


def _list(page: Page, heading: str, texts: Sequence[str]) -> None:
    if texts:
        page.blank()
        page.line((heading, "bold"))
        for text in texts:
            page.paragraph(text, 2)


def _labelled(page: Page, label: str, texts: Iterable[str], limit: int = ENTRIES_SHOWN) -> None:
    """Texts below one another, the first beside the label."""
    given = list(texts)
    limit = len(given) if len(given) <= limit + 1 else limit
    for text in given[:limit]:
        _row(page, label, text)
        label = ""
    if len(given) > limit:
        _row(page, "", f"{page.glyphs.ellipsis} and {len(given) - limit} more")


def _row(page: Page, label: str, text: str) -> None:
    page.paragraph(text, 2, label=f"{label:<{LABEL - 2}}")
