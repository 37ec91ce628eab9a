"""Where a finding begins and ends, and the lines around it."""

from __future__ import annotations

import pytest

from auditor.model import Finding
from auditor.reports.source import Quoted, Sources, Span

TEXT = "\ufeffone\r\n\ttwo \N{KEY}  \rthree\n\n\n\nseven\n".encode()


def sources(data: bytes = TEXT, *findings: Finding) -> Sources:
    return Sources({"a.py": data}.get, findings)


@pytest.mark.parametrize(
    ("lines", "span"),
    [
        ((1, 1), Span(1, 1, 1, 4)),
        ((2, 2), Span(2, 2, 2, 8)),
        ((2, 3), Span(2, 2, 3, 6)),
        ((4, 4), Span(4, 1, 4, 1)),
        ((0, 0), None),
        ((7, 99), None),
        ((3, 2), None),
    ],
)  # fmt: skip
def test_spans(lines: tuple[int, int], span: Span | None) -> None:
    """A mark at the start of the file is no letter, every end of line counts, a key is two units."""
    assert sources().span("a.py", *lines) == span


def test_a_file_that_cannot_be_read_has_no_lines() -> None:
    assert sources().span("b.py", 1, 1) is None
    assert sources().excerpt("b.py", 1, 1) == []


def test_three_lines_around_without_empty_ones_at_the_ends() -> None:
    data = b"1\n\n3\n4\n5\n6\n\n8\n9\n"
    assert sources(data).excerpt("a.py", 5, 5) == [
        Quoted(3, "3", False), Quoted(4, "4", False), Quoted(5, "5", True), Quoted(6, "6", False),
        Quoted(7, "", False), Quoted(8, "8", False),
    ]  # fmt: skip


def test_a_long_place_is_cut() -> None:
    found = sources(b"x\n" * 100).excerpt("a.py", 10, 90)
    assert [one.number for one in found] == list(range(7, 25))
    assert [one.number for one in found if one.marked] == list(range(10, 22))


def test_a_long_line_is_cut_after_its_secret_was_hidden() -> None:
    line = b"x = " + b"a " * 95 + b"token='" + b"S3" * 40 + b"'\n"
    (found,) = sources(line).excerpt("a.py", 1, 1)
    assert len(found.text) == 200
    assert "S3" not in found.text


def test_lines_that_a_finding_about_secrets_lies_on_are_hidden_in_every_excerpt() -> None:
    data = b'first\nname = "quiet words"\nlast\n'
    finding = Finding("committed-secret", (), "high", "high", "a.py", 2, 2, "m", "f", "p")
    shown = [one.text for one in sources(data, finding).excerpt("a.py", 3, 3, "missing-state")]
    assert shown == ["first", 'name = "•••"', "last"]
    assert sources(data).excerpt("a.py", 2, 2, "missing-state")[1].text == 'name = "quiet words"'
    assert sources(data).excerpt("a.py", 2, 2, "committed-secret")[1].text == 'name = "•••"'
