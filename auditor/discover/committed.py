"""What is committed: which files git tracks, whether environment files are ignored, what else may hold tokens."""

from __future__ import annotations

import base64
import functools
import posixpath
import re
from collections.abc import Callable

import msgspec

from auditor.discover import prefilter
from auditor.discover.tree import Entry, Tree
from auditor.model import Place, Problem

# Files that no frontend reads and that keep what an application stored: databases, dumps, caches, logs, compiled code.
_STORES = (
    ".sqlite3", ".sqlite", ".db", ".sql", ".dump", ".rdb", ".bak", ".pickle", ".pkl", ".cache", ".log", ".txt", ".har",
)  # fmt: skip
_CACHE = re.compile(r"\.[a-z_-]*cache(?:-[^/]*)?|\.?tokens?")  # `.cache-ada`, as a library names it for each user
_TOKEN_WORDS = (b"access_token", b"accessToken", b"refresh_token", b"refreshToken")
# A row that holds a token, inserted or copied, or one with a prefix of Monei Connect.
_ROWS = re.compile(
    rb"""insert\s{1,9}into\s[^;()]{0,200}\([^;)]{0,1000}?(?:access|refresh)_?token"""
    rb"""|copy\s[^;(]{0,200}\([^;)]{0,1000}?(?:access|refresh)_?token[^;)]{0,1000}\)\s{1,9}from\s{1,9}stdin;\n[^\\]|\bmc[tr]_[a-z0-9]{16}""",
    re.IGNORECASE,
)
# A token beside its name: in JSON, in an assignment, in Python's pickles.
_BESIDE = re.compile(
    rb"""(?:access|refresh)_?token\\?["']?(?:\s*[:=]\s*\\?["']?|[\x80-\xff][^A-Za-z0-9]{1,9}|(?:q.)?X.\0{3})"""
    rb"""([A-Za-z0-9._~+/=-]{8,4000})""",
    re.IGNORECASE | re.DOTALL,
)
_IGNORED = re.compile(r"^/?(\*\*/)?\.env(\b|[*.].*|\*)?$|^\.env.*$|^\*\.env$|^/?\.dev\.vars$")


class Committed(msgspec.Struct, frozen=True):
    """`known`: git tells what is tracked. `ignored`: the line of an ignore file that keeps environment files out.

    `stores`: where tracked files that are no source hold tokens.
    """

    known: bool
    tracked: frozenset[str]
    ignored: Place | None
    stores: tuple[Place, ...]


def committed(tree: Tree, is_real: Callable[[str], bool]) -> Committed:
    """Look at what a tree's repository keeps. Nothing is quoted from any file.

    `is_real`: whether a text is a token and no placeholder.
    """
    tracked = frozenset(entry.path for entry in tree.entries if entry.tracked)
    known = tree.kind != "folder"
    candidates = [entry for entry in tree.entries if entry.tracked and _is_store(entry.path)]
    wanted = [entry for entry in candidates if prefilter.is_analysed(prefilter.role(tree.relative(entry)))]
    stores = [place for entry, data in tree.read_all(wanted) if (place := _kept(entry, data, is_real)) is not None]
    return Committed(known, tracked, _ignored(tree), tuple(stores))


def is_looked_at(path: str) -> bool:
    """Whether what a file holds decides anything here."""
    return _is_store(path) or posixpath.basename(path) == ".gitignore"


def _is_store(path: str) -> bool:
    name = posixpath.basename(path).lower()
    return name.endswith(_STORES) or _CACHE.fullmatch(name) is not None


def _kept(entry: Entry, data: bytes | Problem, is_real: Callable[[str], bool]) -> Place | None:
    """Where a file holds a token: written out, or within base64 as Django keeps its sessions."""
    if not isinstance(data, bytes):
        return None
    row = _ROWS.search(data)
    found = [row.start()] if row is not None else []
    found += [one.start() for one in _BESIDE.finditer(data) if is_real(one[1].decode())][:1]
    first = min(found or [at for word in _encoded() if (at := data.find(word)) >= 0], default=-1)
    if first < 0:
        return None
    line = 1 if b"\0" in data else data.count(b"\n", 0, first) + 1
    return Place(entry.path, line, line)


@functools.cache
def _encoded() -> tuple[bytes, ...]:
    """The words within base64 at each of its three alignments."""
    out: list[bytes] = []
    for word in _TOKEN_WORDS:
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + word)
            start = (shift * 8 + 5) // 6
            out.append(encoded[start : start + (len(word) * 8 - 10) // 6])
    return tuple(out)


def _ignored(tree: Tree) -> Place | None:
    """The first line of an ignore file that names environment files."""
    for entry in tree.entries:
        if posixpath.basename(entry.path) != ".gitignore":
            continue
        data = tree.read(entry)
        if not isinstance(data, bytes):
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if _IGNORED.match(line.strip()):
                return Place(entry.path, number, number, "environment files are ignored here")
    return None
