"""Pages about the catalogue: the checklist, an item, a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from auditor.catalogue import Catalogue, ChecklistItem, Example, Rule
from auditor.reports import Options
from auditor.reports.terminal import Page


def checklist_text(items: Sequence[ChecklistItem], options: Options) -> str:
    """All items by section."""
    page = Page(options)
    for section, members in groupby(items, key=lambda item: item.section):
        page.blank()
        page.line((section, "bold"))
        for item in members:
            page.paragraph(item.title, 2, label=f"{item.id}  ")
    return page.text()


def checklist_json(items: Sequence[ChecklistItem]) -> str:
    """All items as a JSON list of id, section, title and source."""
    plain = [{"id": one.id, "section": one.section, "title": one.title, "source": one.source} for one in items]
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def item_page(item: ChecklistItem, catalogue: Catalogue, options: Options) -> str:
    """An item, whence it comes, and the rules that decide it."""
    page = Page(options)
    page.line((f"{item.id}  {item.title}", "bold"))
    page.line((item.section, "dim"))
    page.blank()
    page.paragraph(item.source, 0)
    rules = [rule for rule in catalogue.rules.values() if item.id in rule.items]
    for rule in rules:
        page.blank()
        _rule(page, rule, catalogue, with_examples=len(rules) == 1)
    if len(rules) > 1:
        page.blank()
        page.paragraph("connect-auditor explain RULE shows a rule with its examples.", 0, style="dim")
    return page.text()


def rule_page(rule: Rule, catalogue: Catalogue, options: Options) -> str:
    """A rule: what it finds, why that matters, how to mend it, how it is decided, and examples."""
    page = Page(options)
    _rule(page, rule, catalogue, with_examples=True)
    return page.text()


def _rule(page: Page, rule: Rule, catalogue: Catalogue, with_examples: bool) -> None:
    page.line((rule.name, "bold"), (f"  {rule.severity} severity, {rule.confidence} confidence", "dim"))
    page.paragraph(rule.title, 2)
    titles = {item.id: item.title for item in catalogue.checklist}
    for item in rule.items:
        page.paragraph(titles.get(item, ""), 2, label=f"{item}  ", style="dim")
    for heading, text in (("Why", rule.why), ("Fix", rule.fix), ("How it is decided", rule.decided)):
        if text:
            page.blank()
            page.line((f"  {heading}", "bold"))
            page.paragraph(text, 4)
    if with_examples:
        for example in _telling(rule.examples):
            page.blank()
            page.line((f"  Example: {example.name}", "bold"), (f"  {example.language}", "dim"))
            for path, code in example.files.items() or (("", example.code),):
                if path:
                    page.line((f"    {path}", "dim"))
                page.code(code, 4)
    if rule.references:
        page.blank()
        page.paragraph(f" {page.glyphs.dot} ".join(rule.references), 2, style="dim")


def _telling(examples: Iterable[Example]) -> list[Example]:
    """The first example that fails and the first that passes."""
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault(example.status, example)
    return [first[status] for status in ("fail", "pass") if status in first]
