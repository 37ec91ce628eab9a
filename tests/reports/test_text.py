"""What a person reads."""

from __future__ import annotations

import re

import msgspec
import pytest

from auditor.model import Evidence, Finding, ItemResult, Problem, Report, Status
from auditor.reports import RENDERERS, Options
from auditor.reports.terminal import escape


def text(report: Report, **options: object) -> str:
    return RENDERERS["text"](report, Options(**options))  # type: ignore[arg-type]


def test_the_whole_page(report: Report) -> None:
    assert (
        text(report)
        == """\
Connect Auditor · shop · Monei Connect (app/oauth.py:14), bank.example (app/x.py:8, not judged)
41 files read, 7 analysed, 2 problems

Credentials
  ✓ C01  the secret comes from the environment  app/settings.py:12  os.environ
  ? C03  separate credentials                   app/settings.py:12
         One secret and no sign of environments.

Authorization flow
  ✗ C06  state is validated                     app/oauth.py:58
         The code is exchanged before state is compared. [missing-state-validation]
           app/oauth.py:71  state is compared here
         Fix: compare first.

Tokens
  ✗ C10  access tokens are encrypted            8 findings
         Eight stores write them in clear.
         app/s7.py:1  In clear: 7. [unencrypted-token-storage]
         app/s0.py:1  In clear: 0. [unencrypted-token-storage]
         app/s1.py:1  In clear: 1. [unencrypted-token-storage]
         app/s2.py:1  In clear: 2. [unencrypted-token-storage]
         … and 4 more, --verbose shows them
         Fix: encrypt it.
  – C15  tokens are revoked                     no token is stored

Scopes
  ○ C18  the interface hides it                 app/ui.html:2
         By dana: behind a flag.

Advice
  plain-http  app/a.py:3
    Plain HTTP.

1 finding suppressed, --verbose shows them

Could not be read or followed (2)
  this is not a git repository
  app/legacy.py:40  syntax error; nothing in it was judged

2 fail · 1 pass · 1 to review · 1 attested · 1 does not apply
connect-auditor explain C06 says why that matters, explain PATH:LINE what was seen at a line
"""
    )


def test_neighbours_with_the_same_reason_share_it(report: Report) -> None:
    def item(name: str, status: Status, summary: str) -> ItemResult:
        return ItemResult(name, "title", "Section", status, summary)

    items = (
        *(item(f"C0{number}", "not-applicable", "no token is stored") for number in (1, 2, 3)),
        item("C04", "review", "a person must look"),
        item("C05", "not-applicable", "no token is stored"),
    )
    page = text(msgspec.structs.replace(report, items=items, findings=(), problems=()))
    assert page.partition("Section\n")[2].partition("\n\n")[0].splitlines() == [
        "  – C01  title",
        "  – C02  title",
        "  – C03  title",
        "         C01 to C03: no token is stored",
        "  ? C04  title",
        "         a person must look",
        "  – C05  title  no token is stored",
    ]


def test_neighbours_with_the_same_places_share_them_and_a_fix_is_told_once(report: Report) -> None:
    places = tuple(Evidence(f"{name}.py", 3, 3, "a sign") for name in "abc")
    items = (
        *(ItemResult(name, "title", "S", "review", "a person must look", places) for name in ("C01", "C02")),
        *(ItemResult(name, "title", "S", "fail", "It is not.", ()) for name in ("C03", "C04")),
    )
    finding = Finding("r", ("C03", "C04"), "high", "high", "a.py", 9, 9, "It is not.", "mend it", "f")
    again = msgspec.structs.replace(finding, line=12)
    page = text(msgspec.structs.replace(report, items=items, findings=(finding, again), problems=()))
    assert page.partition("S\n")[2].partition("\n\n")[0].splitlines() == [
        "  ? C01  title  a.py:3",
        "  ? C02  title  a.py:3",
        "         C01 to C02: a person must look",
        "         b.py:3  a sign",
        "         c.py:3  a sign",
        "  ✗ C03  title  2 findings",
        "         It is not. [r]",
        "         a.py:9",
        "         a.py:12",
        "         Fix: mend it",
        "  ✗ C04  title  2 findings",
        "         It is not. [r]",
        "         a.py:9",
        "         a.py:12",
        "         Fix: as for C03.",
    ]


def test_ascii_where_the_encoding_needs_it(report: Report) -> None:
    page = text(report, unicode=False)
    assert page.isascii()
    assert "  x C06  " in page
    assert "  + C01  " in page
    assert "  - C15  " in page
    assert "  o C18  " in page
    assert "... and 4 more" in page


def test_colours_change_nothing_else(report: Report) -> None:
    colored = text(report, color=True)
    assert "\x1b[31m\x1b[1m  ✗ C06  \x1b[0m" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == text(report)
    assert "\x1b" not in text(report)


def test_full_folds_nothing_and_shows_what_was_suppressed_and_why(report: Report) -> None:
    page = text(report, detail="full")
    assert page.count("In clear: ") == 8
    assert "--verbose" not in page
    assert "b.py:3  os.getenv" in page
    assert "  secret-in-log  app/log.py:9\n    comment: a fake of the provider" in page


def test_brief_shows_only_what_failed_or_needs_a_look(report: Report) -> None:
    page = text(report, detail="brief")
    assert re.findall(r"[CN]\d\d(?=  )", page) == ["C03", "C06", "C10"]
    assert "Advice" not in page
    assert "2 fail · 1 pass" in page


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_lines_are_wrapped_to_the_width(report: Report, width: int) -> None:
    message = "The code is exchanged, and only then is the state that came back compared with the one sent. " * 3
    long = msgspec.structs.replace(report.findings[0], message=message, fix=message)
    page = text(msgspec.structs.replace(report, findings=(long,), problems=()), width=width)
    assert max(map(len, page.splitlines())) <= width
    assert " ".join(page.split()).count("compared with the one sent.") == 6


def test_a_long_path_is_never_cut(report: Report) -> None:
    path = "a/very/long/path/" * 8 + "x.py"
    long = msgspec.structs.replace(report.findings[0], path=path)
    page = text(msgspec.structs.replace(report, findings=(long, msgspec.structs.replace(long, line=60)), problems=()))
    assert f"{path}:58\n" in page


def test_hostile_text_cannot_steer_the_terminal(report: Report) -> None:
    evil = "evil\n\x1b[2J\x9b\u202e\u2066\r.py"
    bad = Finding("rule", ("C06",), "high", "high", evil, 1, 1, evil, evil, "f")
    hostile = msgspec.structs.replace(
        report, application=evil, findings=(bad,), problems=(Problem(evil, "link", evil),),
        items=tuple(msgspec.structs.replace(item, summary=evil) for item in report.items),
    )  # fmt: skip
    page = text(hostile, detail="full")
    assert not set(page) & set("\x1b\x9b\u202e\u2066\r")
    assert "  evil\\n\\x1b[2J\\x9b\\u202e\\u2066\\r.py  evil \\x1b[2J\\x9b\\u202e\\u2066 .py\n" in page


def test_escape_leaves_ordinary_text_alone() -> None:
    assert (
        escape("caf\N{LATIN SMALL LETTER E WITH ACUTE} – “x” \\n") == "caf\N{LATIN SMALL LETTER E WITH ACUTE} – “x” \\n"
    )
