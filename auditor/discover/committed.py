"""What is committed: which files git tracks, whether environment files are ignored, what else may hold tokens."""

from __future__ import annotations

import base64
import functools
import posixpath
import re

import msgspec

from auditor.discover.tree import Entry, Tree
from auditor.model import Place

# Files that no frontend reads and that keep what an application stored: databases, dumps, compiled code.
_STORES = (".sqlite3", ".sqlite", ".db", ".sql", ".dump", ".rdb", ".bak")
_TOKEN_WORDS = (b"access_token", b"accessToken", b"refresh_token", b"refreshToken")
# A token with its value: as JSON, in a row that is inserted or copied, or by the prefixes of Monei Connect.
_TOKENS = re.compile(
    rb"""\\?["'](access|refresh)_?token\\?["']\s*:\s*\\?["'][^"'\\]{8}|insert\s+into\s[^;()]*\([^;)]*(access|refresh)_?token[^;)]*\)"""
    rb"""|copy\s[^;(]*\([^;)]*(access|refresh)_?token[^;)]*\)\s+from\s+stdin;\n[^\\]|\bmc[tr]_[a-z0-9]{16}""",
    re.IGNORECASE,
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


def committed(tree: Tree) -> Committed:
    """Look at what a tree's repository keeps. Nothing is quoted from any file."""
    tracked = frozenset(entry.path for entry in tree.entries if entry.tracked)
    known = tree.kind != "folder"
    candidates = [entry for entry in tree.entries if entry.tracked and entry.path.lower().endswith(_STORES)]
    stores = [place for entry in candidates if (place := _kept(tree, entry)) is not None]
    return Committed(known, tracked, _ignored(tree), tuple(stores))


def is_looked_at(path: str) -> bool:
    """Whether what a file holds decides anything here."""
    return path.lower().endswith(_STORES) or posixpath.basename(path) == ".gitignore"


def _kept(tree: Tree, entry: Entry) -> Place | None:
    """Where a file holds a token: written out, or within base64 as Django keeps its sessions."""
    data = tree.read(entry)
    if not isinstance(data, bytes):
        return None
    found = _TOKENS.search(data)
    first = found.start() if found else min((at for word in _encoded() if (at := data.find(word)) >= 0), default=-1)
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
