"""Whether a commit can change any verdict at all, told from what the last audit of its parent looked at.

A hook runs at every commit, and most commits are about other things. When an audit of the index is done it is kept
which files decided what was read, and by which names others would have been. The next commit has that tree as its
parent: if it only concerns files that were not among them, that hold none of the words and names before or after, and
that nothing imports when they come or go, then both trees are read and judged alike, and nothing can be new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.cache import Cache
from auditor.discover import committed, git, prefilter, tree
from auditor.discover.prefilter import Needles
from auditor.loading import Watched


class Part(NamedTuple):
    """One application: where it lies below the root, and which paths are audited."""

    below: str
    holds: Callable[[str], bool]


class Unmoved:
    """What is known of the parent of a commit, for all parts of one plan.

    `context`: everything besides the tree that the audit depends on. `decisions`: files that people's decisions are in.
    """

    def __init__(
        self, cache: Cache, context: bytes, parts: Iterable[Part], decisions: Iterable[str], flow: Needles, hints: Needles
    ) -> None:  # fmt: skip
        self._cache = cache
        self._context = hashlib.blake2b(context).digest()
        self._parts = tuple(parts)
        self._decisions = frozenset(decisions)
        self._flow, self._hints = flow, hints
        self._decoder = msgspec.msgpack.Decoder(Watched)

    def is_sure(self, root: Path, base: str) -> bool:
        """Whether what is staged on top of this commit can change no verdict."""
        change = self._change(root, base)
        if change is None:
            return False
        known = [self._known(part, change.before) for part in self._parts]
        looked_at = [one for one in known if one is not None]
        if len(looked_at) < len(self._parts) or self._moves(change, looked_at):
            return False
        self._keep(change.after, looked_at)
        return True

    def remember(self, root: Path, bases: Sequence[str], staged: bytes, looked_at: Sequence[Watched]) -> None:
        """Keep what the audits of the index looked at, one for each part; also for its parent, if it was the same there.

        `staged`: the digest of the index before the audits. When it is another one now, it is not known which was audited.
        """
        change = self._change(root, bases[0]) if len(bases) == 1 else None
        if staged != (tree.index_digest(root) if change is None else change.after):
            return
        self._keep(staged, looked_at)
        if change is not None and not self._moves(change, looked_at):
            self._keep(change.before, looked_at)

    def _change(self, root: Path, base: str) -> tree.Modified | None:
        try:
            return tree.modified(root, base)
        except git.GitError:
            return None

    def _moves(self, change: tree.Modified, looked_at: Sequence[Watched]) -> bool:
        """Whether a change of one tree into the other may change a verdict; `looked_at`: in either of them."""
        return any(path in self._decisions for path, _, _ in change.files) or any(
            part.holds(file[0]) and self._matters(watched, part, *file)
            for part, watched in zip(self._parts, looked_at, strict=True)
            for file in change.files
        )

    def _keep(self, listing: bytes, looked_at: Sequence[Watched]) -> None:
        for part, watched in zip(self._parts, looked_at, strict=True):
            self._cache.put(self._key(part.below, listing), msgspec.msgpack.encode(watched))

    def _known(self, part: Part, listing: bytes) -> Watched | None:
        data = self._cache.get(self._key(part.below, listing))
        try:
            return None if data is None else self._decoder.decode(data)
        except msgspec.MsgspecError:
            return None

    def _key(self, below: str, listing: bytes) -> bytes:
        return b"\0".join((b"unmoved", self._context, below.encode("utf-8", "surrogatepass"), listing))

    def _matters(self, watched: Watched, part: Part, path: str, before: bytes | None, after: bytes | None) -> bool:
        if committed.is_looked_at(path):
            return True
        if not prefilter.may_be_source(path):
            return False
        kind = prefilter.language(path)
        inner = path[len(part.below) + 1 :] if part.below else path
        if kind not in (None, "settings") and not prefilter.is_analysed(prefilter.role(inner)):
            return False
        states = [data for data in (before, after) if data is not None]
        if len(states) == 1 and watched.may_be_imported(path):
            return True
        return any(watched.matters(path, data, self._flow, self._hints) for data in states)
