"""What is committed: which files git tracks, whether environment files are ignored, what else may hold tokens."""

from __future__ import annotations

import base64
import posixpath
import re

import msgspec

from auditor.discover.tree import Entry, Tree
from auditor.model import Place

# Files that no frontend reads and that keep what an application stored: databases, dumps, compiled code.
_STORES = (".sqlite3", ".sqlite", ".db", ".sql", ".dump", ".rdb", ".bak")
_TOKEN_WORDS = (b"access_token", b"accessToken", b"refresh_token", b"refreshToken")
_IGNORED = re.compile(r"^/?(\*\*/)?\.env(\b|[*.].*|\*)?$|^\.env.*$|^\*\.env$|^/?\.dev\.vars$")


class Committed(msgspec.Struct, frozen=True):
    """`known`: git tells what is tracked. `ignored`: the line of an ignore file that keeps environment files out.

    `stores`: tracked files that hold the words of tokens although they are no source.
    """

    known: bool
    tracked: frozenset[str]
    ignored: Place | None
    stores: tuple[str, ...]


def committed(tree: Tree) -> Committed:
    """Look at what a tree's repository keeps. Nothing is quoted from any file."""
    tracked = frozenset(entry.path for entry in tree.entries if entry.tracked)
    known = tree.kind != "folder"
    stores = [
        entry.path
        for entry in tree.entries
        if entry.tracked and entry.path.lower().endswith(_STORES) and _holds(tree, entry)
    ]
    return Committed(known, tracked, _ignored(tree), tuple(stores))


def _holds(tree: Tree, entry: Entry) -> bool:
    data = tree.read(entry)
    return isinstance(data, bytes) and any(word in data for word in _spellings())


def _spellings() -> tuple[bytes, ...]:
    """The words as they stand, and within base64 at each of its three alignments: so Django keeps its sessions."""
    out: list[bytes] = [word + b'"' for word in _TOKEN_WORDS]
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
