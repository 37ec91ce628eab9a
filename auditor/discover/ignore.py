"""Ignore patterns as git writes them, for folders without git and for `exclude` in the configuration.

The patterns become regular expressions that backtrack, and a hostile ignore file can make one name take
minutes: four wildcards in `*a*a*a*b` against 250 letters take 0.2 s, six take 8 minutes, and a file may hold thousands
of them. So what stands between two stars is matched where it comes first and never again, which is all that a glob
needs. Some pieces are not so simple; patterns with more than `WILDCARDS` stars are refused, and what they would have
hidden is then audited, which is the safe side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from auditor.errors import UsageError

WILDCARDS = 4

_STAR = r"\[\^/\]\*"
# Between two stars of one segment: escaped and plain letters, `?`, and sets that cannot hold a slash.
_PIECE = r"(?:\\.|\[\^/\](?!\*)|\[(?:[A-Za-z0-9]-[A-Za-z0-9]|[^\^\]/\\\-])+\]|[^\\\[\]/()*+?|$^{}.])+"
_BETWEEN = re.compile(rf"{_STAR}({_PIECE})(?={_STAR})")


class _Pattern(GitIgnoreSpecPattern):
    """A pattern whose pieces between stars are not matched twice."""

    @classmethod
    def pattern_to_regex(cls, pattern: str | bytes) -> tuple[str | bytes | None, bool | None]:  # type: ignore[override]
        regex, include = super().pattern_to_regex(pattern)
        return (_BETWEEN.sub(r"(?>[^/]*?\1)", regex) if isinstance(regex, str) else regex), include


class Patterns(NamedTuple):
    """Compiled patterns, and the lines that were refused: (1-based line number, reason)."""

    spec: GitIgnoreSpec
    refused: tuple[tuple[int, str], ...]

    def decides(self, path: str) -> bool | None:
        """True if the last pattern that matches ignores the path, False if it brings it back, None if none does.

        `path` is relative to where the patterns stand; a folder ends in a slash.
        """
        return self.spec.check_file(path).include


def excluder(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a path relative to the root is excluded by the configuration. Raises UsageError for a bad pattern."""
    lines = tuple(patterns)
    compiled = compile_patterns(lines)
    for number, reason in compiled.refused:
        raise UsageError(f"exclude: {lines[number - 1]!r}: {reason}")
    return compiled.spec.match_file


def compile_patterns(lines: Iterable[str]) -> Patterns:
    """Compile the lines of an ignore file; comments and blank lines are allowed."""
    good: list[str] = []
    refused: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        if _wildcards(line) > WILDCARDS:
            refused.append((number, f"a pattern with more than {WILDCARDS} wildcards"))
            continue
        try:
            _compiled([line])
        except (ValueError, re.error):
            refused.append((number, "not a valid ignore pattern"))
        else:
            good.append(line)
    return Patterns(_compiled(good), tuple(refused))


def _compiled(lines: Iterable[str]) -> GitIgnoreSpec:
    # The other backends of pathspec do not know the syntax.
    return GitIgnoreSpec.from_lines(lines, pattern_factory=_Pattern, backend="simple")


def _wildcards(line: str) -> int:
    """The wildcards that can backtrack: each `**`, and each star that is not a whole segment by itself."""
    if line.startswith("#"):
        return 0
    segments = line.split("/")
    return sum(1 if segment == "**" else 0 if segment == "*" else segment.count("*") for segment in segments)
