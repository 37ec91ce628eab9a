"""Ignore patterns decide as git's do, and cannot be made slow."""

from __future__ import annotations

import time

import pytest

from auditor.discover.ignore import compile_patterns, excluder
from auditor.errors import UsageError


def test_the_last_pattern_decides() -> None:
    patterns = compile_patterns(["*.env", "!keep.env", "# *.py", "", "dist/"])
    assert patterns.decides("a/x.env") is True
    assert patterns.decides("a/keep.env") is False
    assert patterns.decides("x.py") is None
    assert patterns.decides("a/dist/") is True
    assert patterns.decides("a/dist") is None
    assert patterns.refused == ()


def test_invalid_lines_are_refused_by_number_and_the_others_hold() -> None:
    patterns = compile_patterns(["*.log", "[z-a]", "\\"])
    assert [number for number, _ in patterns.refused] == [2, 3]
    assert patterns.decides("x.log") is True


def test_patterns_that_backtrack_are_refused() -> None:
    patterns = compile_patterns(
        ["*a*a*a*a*a*b", "a/*a*a*b/*a*a*b/c", "**/a/**/a/**/*a*b", "/*/*/*/*/*/*/x", "**/*.min.*"]
    )
    assert [number for number, _ in patterns.refused] == [1, 2, 3]
    began = time.perf_counter()
    patterns.decides("x/" + "a" * 250)
    assert time.perf_counter() - began < 1


def test_excluder_takes_what_lies_in_a_folder() -> None:
    excluded = excluder(["legacy/", "*.gen.py", "!legacy/not-so"])
    assert excluded("legacy/a/b.py")
    assert excluded("app/x.gen.py")
    assert not excluded("app/x.py")


def test_excluder_names_a_bad_pattern() -> None:
    with pytest.raises(UsageError, match=r"exclude: '\[z-a\]': not a valid ignore pattern"):
        excluder(["ok", "[z-a]"])
