"""A folder without git: walk it, honouring the ignore files that lie in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from auditor.discover.files import read_regular, shown
from auditor.discover.ignore import Patterns, compile_patterns
from auditor.model import Problem, ProblemKind

SKIPPED = frozenset(
    {
        b".git", b".hg", b".svn", b"node_modules", b"bower_components", b".venv", b"venv", b"site-packages",
        b"__pycache__", b".tox", b".nox", b".eggs", b".mypy_cache", b".pytest_cache", b".ruff_cache",
        b"dist", b"build", b".next", b".nuxt", b".svelte-kit", b".turbo",
    }
)  # fmt: skip
"""Folders that hardly anybody commits. With git, its index says which of them count."""

IGNORE_FILE_LIMIT = 1024 * 1024


class _Scope(NamedTuple):
    """The patterns of one ignore file and the folder (relative, "" or ending in a slash) that it stands in."""

    base: str
    patterns: Patterns


class Walk:
    """One walk below `start`, a folder relative to `root` (b"" or ending in a slash).

    `names()` gives everything that is not a folder and not ignored, relative to the root; what could not be
    looked into is in `problems` afterwards. Links are names, they are not followed.
    """

    def __init__(self, root: bytes, start: bytes) -> None:
        self.root = root
        self.start = start
        self.problems: list[Problem] = []

    def names(self) -> Iterator[bytes]:
        """Walk, with a stack of our own: a hostile folder may lie deeper than Python recurses."""
        above = self._scopes_above()
        stack = [] if above is None else [(self.start, above)]
        while stack:
            folder, outer = stack.pop()
            try:
                with os.scandir(os.path.join(self.root, folder)) as found:
                    items = {item.name: item.is_dir(follow_symlinks=False) for item in found}
            except OSError as error:
                self._problem(folder, "unreadable", f"the folder could not be opened: {error.strerror}")
                continue
            if b".git" in items and folder != self.start:
                self._problem(folder, "unsupported", "a git repository of its own: audit it by itself")
                continue
            if b"pyvenv.cfg" in items:
                continue
            scopes = self._with_ignore_file(folder, outer) if b".gitignore" in items else outer
            for item, is_folder in sorted(items.items()):
                name = folder + item
                if (is_folder and item in SKIPPED) or _ignored(name, is_folder, scopes):
                    continue
                if is_folder:
                    stack.append((name + b"/", scopes))
                else:
                    yield name

    def _scopes_above(self) -> tuple[_Scope, ...] | None:
        """The ignore files between the root and the start, innermost first; None if they ignore the start."""
        scopes: tuple[_Scope, ...] = ()
        folder = b""
        for segment in self.start.split(b"/")[:-1]:
            scopes = self._with_ignore_file(folder, scopes)
            folder += segment
            if _ignored(folder, True, scopes):
                return None
            folder += b"/"
        return scopes

    def _with_ignore_file(self, folder: bytes, outer: tuple[_Scope, ...]) -> tuple[_Scope, ...]:
        """`outer` with the ignore file of this folder, if it has one, before the others: the innermost decides."""
        name = folder + b".gitignore"
        try:
            data = read_regular(os.path.join(self.root, name), IGNORE_FILE_LIMIT)
        except FileNotFoundError:
            return outer
        except OSError as error:
            self._problem(name, "unreadable", f"the ignore file could not be read: {error.strerror}")
            return outer
        if len(data) > IGNORE_FILE_LIMIT:
            self._problem(name, "too-large", "the ignore file is too large: it ignores nothing")
            return outer
        patterns = compile_patterns(os.fsdecode(data).splitlines())
        for line, reason in patterns.refused:
            self._problem(name, "unsupported", f"{reason}: it ignores nothing", line)
        return (_Scope(os.fsdecode(folder), patterns), *outer)

    def _problem(self, name: bytes, kind: ProblemKind, message: str, line: int = 0) -> None:
        self.problems.append(Problem(shown(name.rstrip(b"/")), kind, message, line))


def _ignored(name: bytes, is_folder: bool, scopes: tuple[_Scope, ...]) -> bool:
    path = os.fsdecode(name) + ("/" if is_folder else "")
    for scope in scopes:
        decided = scope.patterns.decides(path[len(scope.base) :])
        if decided is not None:
            return decided
    return False
