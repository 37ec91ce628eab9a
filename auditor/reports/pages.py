"""Pages about the catalogue: the checklist, an item, a rule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec

from auditor.catalogue import Catalogue, ChecklistItem, Example, Rule
from auditor.reports import Options, examples
from auditor.reports.terminal import Page
from auditor.reports.text import STYLES


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
    if not rules:
        page.blank()
        page.paragraph(
            "No rule decides this yet: the answer is a review. Look yourself; what you find you can write down "
            f"for the next report: connect-auditor attest {item.id} --by NAME --because REASON.", 0,
        )  # fmt: skip
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
    items = {item.id: item.title for item in catalogue.checklist}
    for item in rule.items:
        page.paragraph(items.get(item, ""), 2, label=f"{item}  ", style="dim")
    if not rule.items:
        page.paragraph("advice: it decides no item of the checklist", 2, style="dim")
    _prose(page, "Why", rule.why)
    _prose(page, "How it is decided", rule.decided)
    for example in examples.telling(rule.examples) if with_examples else ():
        _example(page, example)
    _prose(page, "Fix", rule.fix)
    titles = {one.name: one.title or one.name for one in catalogue.providers}
    for name, more in rule.fix_with.items():
        _prose(page, f"With {titles.get(name, name)}", more)
    if rule.references:
        page.blank()
        page.line(("  References", "bold"))
        for reference in rule.references:
            page.paragraph(reference, 4)


def _prose(page: Page, heading: str, text: str) -> None:
    if text:
        page.blank()
        page.line((f"  {heading}", "bold"))
        page.paragraph(text, 4)


def _example(page: Page, example: Example) -> None:
    page.blank()
    verdict, style = examples.VERDICTS[example.status], STYLES[example.status]
    page.line((f"  {verdict}: ", style), (example.name, "bold"), (f"  {example.language}", "dim"))
    for path, lines in examples.files(example):
        if path:
            page.line((f"    {path}", "dim"))
        for one in lines:
            page.line((f"    {one.text}", ""), (f"  {page.glyphs.found} found here" if one.comment else "", "red"))
