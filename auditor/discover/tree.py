"""The tree that is audited: which files count, and their bytes.

A tree is the working directory (what git tracks and what it neither tracks nor ignores), the index, a commit,
or a folder without git. Files that git ignores are not audited at all.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from auditor.discover import git
from auditor.discover.beside import Beside
from auditor.discover.files import NotRegularError, read_regular, shown
from auditor.discover.listing import LINK, REGULAR, SUBMODULE, Listed, of_commit, of_index, records
from auditor.discover.walk import Walk
from auditor.errors import NothingToAudit, UsageError
from auditor.model import Problem, ProblemKind

Kind: TypeAlias = Literal["working", "index", "commit", "folder"]

SIZE_LIMIT = 2 * 1024 * 1024
"""A source file beyond this is a bundle or a data dump: it becomes a problem and is not read."""

BATCH = 32 * 1024 * 1024
"""Bytes of blobs asked of one git process."""

SUBMODULE_MESSAGE = "a git repository of its own: audit it by itself"


class Entry(msgspec.Struct, frozen=True, order=True):
    """A regular file of a tree.

    `path` is for people and reports: relative to the repository's root, `/`, NFC. `name` is the same path as
    the file system spells it. `mode` is the file's mode with its type; `blob` the object's id in an index or commit.
    """

    path: str
    size: int
    tracked: bool
    mode: int
    name: bytes
    blob: str = ""


class Tree(msgspec.Struct, frozen=True):
    """The files to audit, sorted by path, and what could not be listed.

    `prefix` is the audited folder relative to `root`, "" or ending in a slash; every path starts with it. In a
    "folder" it is not known what is committed, and `tracked` says nothing. `commit`: the id of the commit, if it is one.
    """

    root: Path
    prefix: str
    kind: Kind
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()
    commit: str = ""

    def relative(self, entry: Entry) -> str:
        """The entry's path below the audited folder: what decides its role."""
        return entry.path[len(self.prefix) :]

    def excluding(self, excluded: Callable[[str], bool]) -> Tree:
        """This tree without the entries, and the problems of files, whose path is excluded."""
        return msgspec.structs.replace(
            self,
            entries=tuple(entry for entry in self.entries if not excluded(entry.path)),
            problems=tuple(problem for problem in self.problems if not (problem.path and excluded(problem.path))),
        )

    def read(self, entry: Entry) -> bytes | Problem:
        """The bytes of one entry; for many, `read_all` is faster. What cannot be read is a problem, no exception."""
        return next(data for _, data in self.read_all((entry,)))

    def read_all(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Problem]]:
        """The bytes of these entries, in their order."""
        if self.kind in ("working", "folder"):
            base = os.fsencode(self.root)
            return ((entry, _read_file(base, entry)) for entry in entries)
        return _read_blobs(self.root, entries)

    def read_beside(self, path: str) -> bytes | None:
        """The bytes of a file that belongs to the root and not to what is audited; None if there is no such file.

        Raises UsageError if it is there and cannot be read.
        """
        return Beside(self.root, None if self.kind in ("working", "folder") else self.commit).read(path)


def is_ignored(root: Path, path: str) -> bool:
    """Whether git ignores a file of the working directory that it does not track."""
    try:
        listing = git.run(root, "ls-files", "-z", "-o", "-i", "--exclude-standard", "--", path)
    except git.GitError:
        return False
    return bool(listing.output)


# ------------------------------------------------------------------------------------------------ opening


def root_and_path(path: Path) -> tuple[Path, Path]:
    """The root that PATH belongs to, and PATH itself, both resolved; without git the folder is its own root.

    Raises UsageError if there is no such file or folder.
    """
    try:
        chosen = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a loop of links, before Python 3.13
        raise UsageError(f"no such file or folder: {path}") from None
    folder = chosen if chosen.is_dir() else chosen.parent
    return git.find_root(folder) or folder, chosen


def working_tree(path: Path) -> Tree:
    """What lies at PATH, a file or folder. Raises UsageError if there is nothing, or if git ignores all of it."""
    target = _locate(path)
    problems: list[Problem] = []
    if target.in_git:
        try:
            found = _listed_files(target, problems)
            return _tree(target, "working", found, problems)
        except git.GitError as error:
            reason = str(error)
    else:
        reason = "this is not a git repository"
    problems.append(Problem("", "git", f"{reason}: whether a file is committed is not known"))
    walk = Walk(os.fsencode(target.root), target.prefix)
    names = [(name, False) for name in walk.names() if target.wants(name)]
    found = _existing_files(target, names, problems)
    return _tree(target, "folder", found, problems + walk.problems)


def index_tree(path: Path) -> Tree:
    """What is staged below PATH: what `git commit` would commit. Raises UsageError without a usable repository."""
    target = _locate_stored(path)
    with _usage_errors(target):
        return _blob_tree(target, "index", of_index(target.root, *target.pathspec))


def commit_tree(path: Path, revision: str) -> Tree:
    """What a commit holds below PATH. Raises UsageError for an unknown revision or without a usable repository."""
    target = _locate_stored(path)
    with _usage_errors(target):
        # `--end-of-options`: a revision may not be taken for an option.
        name = git.run(target.root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        commit = name.output.decode().strip()
        listed = of_commit(target.root, commit, *target.pathspec)
        return msgspec.structs.replace(_blob_tree(target, "commit", listed), commit=commit)


class _Target(NamedTuple):
    """What is asked for: a folder (`prefix`, b"" or ending in a slash) or one file (`only`) of a root."""

    root: Path
    prefix: bytes
    only: bytes
    in_git: bool

    def wants(self, name: bytes) -> bool:
        return name == self.only if self.only else name.startswith(self.prefix)

    @property
    def pathspec(self) -> tuple[str, ...]:
        chosen = self.only or self.prefix
        return ("--", os.fsdecode(chosen)) if chosen else ()

    @property
    def shown(self) -> str:
        return shown(self.only or self.prefix.rstrip(b"/")) or "the folder"


def _locate(path: Path) -> _Target:
    root, chosen = root_and_path(path)
    return _target(root, chosen, chosen.is_dir())


def _locate_stored(path: Path) -> _Target:
    """What is asked of the index or of a commit, which need not lie in the working directory (any more): then a folder."""
    if path.exists():
        return _locate(path)
    wanted = path.absolute()
    there = next(folder for folder in wanted.parents if folder.is_dir())
    root = git.find_root(there.resolve())
    if root is None:
        raise UsageError(f"no such file or folder: {path}")
    return _target(root, there.resolve() / wanted.relative_to(there), True)


def _target(root: Path, chosen: Path, is_folder: bool) -> _Target:
    folder = chosen if is_folder else chosen.parent
    below = os.fsencode(folder.relative_to(root).as_posix())
    prefix = b"" if below == b"." else below + b"/"
    only = b"" if is_folder else prefix + os.fsencode(chosen.name)
    return _Target(root, prefix, only, os.path.lexists(root / ".git"))


@contextmanager
def _usage_errors(target: _Target) -> Iterator[None]:
    """Turns git's refusal into the user's error, where there is nothing to fall back to."""
    if not target.in_git:
        raise UsageError("this is not a git repository: it has no index and no commits")
    try:
        yield
    except git.GitError as error:
        raise UsageError(str(error)) from None


def _tree(target: _Target, kind: Kind, entries: Iterable[Entry], problems: list[Problem]) -> Tree:
    """The tree, sorted. Two names that differ only in their Unicode form cannot both be told apart in a report."""
    chosen: dict[str, Entry] = {}
    for entry in sorted(entries):
        if entry.path in chosen:
            message = "another file has the same name in another Unicode form: only one of them was read"
            problems.append(Problem(entry.path, "unsupported", message))
        chosen.setdefault(entry.path, entry)
    if not chosen and not any(problem.path for problem in problems):
        raise NothingToAudit(f"nothing to audit: {target.shown} is empty, or all of it is ignored")
    ordered = sorted(set(problems), key=lambda problem: (problem.path, problem.line, problem.kind, problem.message))
    return Tree(target.root, shown(target.prefix), kind, tuple(chosen.values()), tuple(ordered))


# ------------------------------------------------------------------------------------ the working directory


def _listed_files(target: _Target, problems: list[Problem]) -> list[Entry]:
    """The files that git tracks or does not ignore, as they lie in the working directory."""
    listing = git.run(
        target.root, "ls-files", "-z", "-t", "-s", "-c", "-o", "--exclude-standard", *target.pathspec, index=True
    )
    problems.extend(Problem("", "git", warning) for warning in listing.warnings)
    names: dict[bytes, bool] = {}
    unchecked = 0
    for record in records(listing.output):
        # "? name" is untracked; "H mode id stage\tname" is tracked, with S for what a sparse checkout leaves out.
        tag, _, rest = record.partition(b" ")
        tracked = tag != b"?"
        entry, _, name = rest.partition(b"\t") if tracked else (b"", b"", rest)
        if entry.startswith(b"160000 ") or name.endswith(b"/"):
            problems.append(Problem(shown(name.rstrip(b"/")), "unsupported", SUBMODULE_MESSAGE))
        elif tag == b"S" and not os.path.lexists(os.path.join(os.fsencode(target.root), name)):
            unchecked += 1
        else:
            names[name] = tracked
    if unchecked:
        message = f"{unchecked} tracked files are not checked out (sparse checkout): they were not read"
        problems.append(Problem("", "incomplete", message))
    return _existing_files(target, names.items(), problems)


def _existing_files(target: _Target, names: Iterable[tuple[bytes, bool]], problems: list[Problem]) -> list[Entry]:
    """The entries for those of these (name, tracked) that are regular files; links and pipes become problems."""
    root = os.fsencode(target.root)
    behind_links: dict[bytes, bool] = {}
    entries: list[Entry] = []

    def problem(name: bytes, kind: ProblemKind, message: str) -> None:
        problems.append(Problem(shown(name), kind, message))

    for name, tracked in names:
        folder = posixpath.dirname(name)
        if folder not in behind_links:
            full = os.path.normpath(os.path.join(root, folder))
            behind_links[folder] = os.path.realpath(full) != full
            if behind_links[folder]:
                problem(folder, "link", "the folder is a link: what git tracks behind it was not read")
        if behind_links[folder]:
            continue
        try:
            status = os.lstat(os.path.join(root, name))
        except (FileNotFoundError, NotADirectoryError):
            continue  # tracked and deleted: it is not in the working directory
        except OSError as error:
            problem(name, "unreadable", f"could not be looked at: {error.strerror}")
            continue
        if stat.S_ISREG(status.st_mode):
            entries.append(Entry(shown(name), status.st_size, tracked, status.st_mode, name))
        elif stat.S_ISLNK(status.st_mode):
            reason = _why_not_followed(target, os.path.join(root, name))
            if reason:
                problem(name, "link", reason)
        elif not stat.S_ISDIR(status.st_mode):
            problem(name, "unreadable", "not a regular file")
    return entries


def _why_not_followed(target: _Target, link: bytes) -> str:
    """What a link hides from the audit, "" if nothing: where it points to is audited under its own name."""
    base = os.path.join(os.fsencode(target.root), target.prefix)
    pointed = os.path.realpath(link)
    if not os.path.lexists(pointed) or os.path.islink(pointed):
        return "a broken link"
    if not (pointed + b"/").startswith(base):
        return "a link that leaves the audited folder: not followed"
    return ""


def _read_file(root: bytes, entry: Entry) -> bytes | Problem:
    if entry.size > SIZE_LIMIT:
        return _too_large(entry)
    try:
        data = read_regular(os.path.join(root, entry.name), SIZE_LIMIT)
    except NotRegularError:
        return Problem(entry.path, "unreadable", "not a regular file")
    except OSError as error:
        return Problem(entry.path, "unreadable", f"could not be read: {error.strerror}")
    return data if len(data) <= SIZE_LIMIT else _too_large(entry)


def _too_large(entry: Entry) -> Problem:
    return Problem(entry.path, "too-large", f"larger than {SIZE_LIMIT // 1024 // 1024} MiB: not read")


# -------------------------------------------------------------------------------------- index and commits


class Modified(NamedTuple):
    """What a commit of the index would change.

    `before`, `after`: digests of the two listings. `files`: each path with its old and its new bytes, None where there
    is no such file.
    """

    before: bytes
    after: bytes
    files: tuple[tuple[str, bytes | None, bytes | None], ...]


def modified(root: Path, revision: str) -> Modified | None:
    """How the index differs from a commit; None if what differs is not a regular file, or cannot be read.

    Raises GitError.
    """
    staged, committed = of_index(root), of_commit(root, revision)
    old, new = ({item.name: item for item in listed} for listed in (committed, staged))
    if len(new) != len(staged):
        return None  # a path that is not merged yet
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    items = [item for name in names for item in (old.get(name), new.get(name)) if item is not None]
    if any(item.kind != REGULAR for item in items):
        return None
    sizes = _sizes(root, (item.blob for item in items))
    entries = [
        Entry(shown(item.name), sizes.get(item.blob, 0), True, item.mode, item.name, item.blob) for item in items
    ]
    read: dict[Listed, bytes] = {}
    for item, (_, data) in zip(items, _read_blobs(root, entries), strict=True):
        if isinstance(data, Problem):
            return None
        read[item] = data
    files = tuple((shown(name), _bytes(read, old.get(name)), _bytes(read, new.get(name))) for name in names)
    return Modified(_digest(committed), _digest(staged), files)


def _bytes(read: Mapping[Listed, bytes], item: Listed | None) -> bytes | None:
    return None if item is None else read[item]


def index_digest(root: Path) -> bytes | None:
    """The digest of the index as `Modified.after` has it; None where git cannot tell."""
    try:
        return _digest(of_index(root))
    except git.GitError:
        return None


def _digest(listed: Iterable[Listed]) -> bytes:
    digest = hashlib.blake2b()
    for item in sorted(listed, key=lambda one: one.name):
        digest.update(b"%o %s %s\0" % (item.mode, item.blob.encode(), item.name))
    return digest.digest()


def _blob_tree(target: _Target, kind: Kind, found: Iterable[Listed]) -> Tree:
    """The tree of these blobs. Of an unmerged path, which has up to three, the last is taken: theirs."""
    problems: list[Problem] = []
    listed = {item.name: item for item in found}
    files = [item for item in listed.values() if item.kind == REGULAR]
    links = [item for item in listed.values() if item.kind == LINK]
    for item in listed.values():
        if item.mode == SUBMODULE:
            problems.append(Problem(shown(item.name), "unsupported", SUBMODULE_MESSAGE))
    sizes = _sizes(target.root, (item.blob for item in files + links))
    entries = []
    for item in files:
        size = sizes.get(item.blob)
        if size is None:
            problems.append(Problem(shown(item.name), "git", "its content is not in this repository"))
        else:
            entries.append(Entry(shown(item.name), size, True, item.mode, item.name, item.blob))
    pointers = [
        Entry(shown(item.name), sizes.get(item.blob, 0), True, item.mode, item.name, item.blob) for item in links
    ]
    places = _places(listed)
    for entry, pointed in _read_blobs(target.root, pointers):
        if isinstance(pointed, Problem) or _end_of_link(entry.name, pointed) not in places:
            message = "a link that is broken or leaves the audited folder: not followed"
            problems.append(Problem(entry.path, "link", message))
    return _tree(target, kind, entries, problems)


def _end_of_link(link: bytes, pointed: bytes) -> bytes:
    """Where a link with this text points to, relative to the root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(link), pointed))


def _places(names: Iterable[bytes]) -> set[bytes]:
    """These paths and all folders above them."""
    places = set(names)
    for name in tuple(places):
        while (name := posixpath.dirname(name)) and name not in places:
            places.add(name)
    return places


def _sizes(root: Path, blobs: Iterable[str]) -> dict[str, int]:
    """The size of each blob that the repository holds."""
    asked = "".join(f"{blob}\n" for blob in dict.fromkeys(blobs))
    if not asked:
        return {}
    answer = git.run(root, "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked.encode())
    lines = (line.split(" ") for line in answer.output.decode().splitlines())
    return {blob: int(size) for blob, size in lines if size != "missing"}


def _read_blobs(root: Path, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | Problem]]:
    batch: list[Entry] = []
    waiting = 0
    for entry in entries:
        if entry.size > SIZE_LIMIT:
            yield from _read_batch(root, batch)
            batch, waiting = [], 0
            yield entry, _too_large(entry)
            continue
        batch.append(entry)
        waiting += entry.size
        if waiting > BATCH:
            yield from _read_batch(root, batch)
            batch, waiting = [], 0
    yield from _read_batch(root, batch)


def _read_batch(root: Path, batch: list[Entry]) -> Iterator[tuple[Entry, bytes | Problem]]:
    """The blobs of one `cat-file --batch`: for each "id type size\\n" and its bytes, or "id missing\\n"."""
    if not batch:
        return
    asked = "".join(f"{entry.blob}\n" for entry in batch)
    try:
        output = git.run(root, "cat-file", "--batch", stdin=asked.encode()).output
    except git.GitError as error:
        yield from ((entry, Problem(entry.path, "git", str(error))) for entry in batch)
        return
    at = 0
    for entry in batch:
        end = output.index(b"\n", at)
        header = output[at:end].split(b" ")
        if header[-1] == b"missing":
            at = end + 1
            yield entry, Problem(entry.path, "git", "its content is not in this repository")
            continue
        size = int(header[2])
        at = end + 1 + size + 1
        yield entry, output[end + 1 : end + 1 + size]
