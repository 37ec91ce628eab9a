"""The files that the index or a commit holds, as git lists them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from auditor.discover import git

REGULAR, LINK, SUBMODULE = 0o100000, 0o120000, 0o160000


class Listed(NamedTuple):
    """A file: its mode with its type, the id of its content, its path as git spells it."""

    mode: int
    blob: str
    name: bytes

    @property
    def kind(self) -> int:
        """The type within the mode."""
        return self.mode & 0o170000


def of_index(root: Path, *pathspec: str) -> list[Listed]:
    """What is staged; a path that is not merged yet has up to three entries. Raises GitError."""
    return list(staged(git.run(root, "ls-files", "-z", "-s", *pathspec, index=True).output))


def of_commit(root: Path, revision: str, *pathspec: str) -> list[Listed]:
    """What a commit holds. Raises GitError."""
    return list(committed(git.run(root, "ls-tree", "-r", "-z", "--full-tree", revision, *pathspec).output))


def records(output: bytes) -> list[bytes]:
    """The parts of an output that `-z` ends with zeros."""
    return output.split(b"\0")[:-1]


def staged(output: bytes) -> Iterator[Listed]:
    """Of `ls-files -z -s`: "mode id stage\\tname"."""
    for record in records(output):
        entry, _, name = record.partition(b"\t")
        mode, blob, _stage = entry.split(b" ")
        yield Listed(int(mode, 8), blob.decode(), name)


def committed(output: bytes) -> Iterator[Listed]:
    """Of `ls-tree -r -z`: "mode type id\\tname"."""
    for record in records(output):
        entry, _, name = record.partition(b"\t")
        mode, _type, blob = entry.split(b" ")
        yield Listed(int(mode, 8), blob.decode(), name)
