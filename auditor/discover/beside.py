"""The files that belong to a repository and not to what is audited: configuration, rules of its own, decisions.

They are read from the tree that is judged. What is staged is judged by what is staged, whatever the working directory
says meanwhile.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from auditor.discover import git
from auditor.discover.files import read_regular
from auditor.discover.listing import LINK, REGULAR, Listed, of_commit, of_index
from auditor.errors import UsageError

LIMIT = 2 * 1024 * 1024
_LINKS = 8


class LeadsOutError(UsageError):
    """A link leads out of the repository."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: leads out of the repository")


class Beside(NamedTuple):
    """One tree of a repository. `commit` None: the working directory; "": the index. Links inside of it are followed."""

    root: Path
    commit: str | None = None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file by its path relative to the root; None if there is no such file.

        Raises LeadsOutError, and UsageError for what is there and cannot be read.
        """
        if self.commit is None:
            return read_inside(self.root, path)
        found = self._entry(self._followed(path))
        return _bounded(path, self._blob(found, path)) if found is not None and found.kind == REGULAR else None

    def files(self, path: str) -> list[str]:
        """The file of this path, or the files anywhere below this folder, sorted; empty if there is neither."""
        if self.commit is not None:
            found = self._listed(self._followed(path))
            return sorted({os.fsdecode(one.name) for one in found if one.kind in (REGULAR, LINK)})
        chosen = self.root / path
        if not chosen.is_dir():
            return [path] if chosen.exists() else []
        return sorted(file.relative_to(self.root).as_posix() for file in chosen.rglob("*") if file.is_file())

    def texts(self, paths: Iterable[str], key: str) -> dict[str, str]:
        """The YAML files that a configuration names under `key`, files or folders of them: their texts by path.

        Raises UsageError for what is not there or what a link leads out of the repository.
        """
        out: dict[str, str] = {}
        for path in paths:
            found = self.files(path)
            if not found:
                raise UsageError(f"{key}: there is no file or folder {path}")
            for file in (one for one in found if one == path or one.endswith((".yaml", ".yml"))):
                try:
                    out[file] = (self.read(file) or b"").decode()
                except UnicodeDecodeError:
                    raise UsageError(f"{file}: could not be read: not UTF-8") from None
                except UsageError as error:
                    raise UsageError(f"{key}: {error}") from None
        return out

    def has_folder(self, path: str) -> bool:
        """Whether there is such a folder; an index and a commit have none that is empty."""
        if self.commit is None:
            return (self.root / path).is_dir()
        return any(one.name != os.fsencode(path) for one in self._listed(path))

    def _listed(self, path: str) -> list[Listed]:
        """The entries at a path of the index or the commit, and below it."""
        pathspec = ("--", path) if path not in ("", ".") else ()
        try:
            return of_commit(self.root, self.commit, *pathspec) if self.commit else of_index(self.root, *pathspec)
        except git.GitError as error:
            raise UsageError(f"{path}: {error}") from None

    def _entry(self, path: str) -> Listed | None:
        return next((one for one in reversed(self._listed(path)) if one.name == os.fsencode(path)), None)

    def _followed(self, path: str) -> str:
        """Where a path leads to, as far as it is itself a link."""
        now = posixpath.normpath(path)
        for _ in range(_LINKS):
            found = self._entry(now)
            if found is None or found.kind != LINK:
                return now
            pointed = os.fsdecode(self._blob(found, path) or b"")
            now = posixpath.normpath(posixpath.join(posixpath.dirname(now), pointed))
            if now.startswith(("/", "../")) or now == "..":
                raise LeadsOutError(path)
        raise UsageError(f"{path}: too many links")

    def _blob(self, found: Listed, path: str) -> bytes:
        try:
            output = git.run(self.root, "cat-file", "--batch", stdin=f"{found.blob}\n".encode()).output
        except git.GitError as error:
            raise UsageError(f"{path}: {error}") from None
        header, _, rest = output.partition(b"\n")
        if header.endswith(b" missing"):
            raise UsageError(f"{path}: its content is not in this repository")
        return rest[: int(header.split(b" ")[2])]


def read_inside(root: Path, path: str) -> bytes | None:
    """The bytes of a file of the working directory, never outside of the root; None if there is no such file.

    Raises LeadsOutError, and UsageError if it cannot be read.
    """
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root):
            raise LeadsOutError(path)
        return _bounded(path, read_regular(os.fsencode(file), LIMIT))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise UsageError(f"{path}: could not be read: {getattr(error, 'strerror', None) or error}") from None


def _bounded(path: str, data: bytes) -> bytes:
    if len(data) > LIMIT:
        raise UsageError(f"{path}: larger than {LIMIT // 1024 // 1024} MiB")
    return data
