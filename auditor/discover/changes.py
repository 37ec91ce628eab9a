"""What is judged and against what: everything, what is staged, or what came since a commit.

A failure counts as brought by a change when none of the trees before it has it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from auditor.discover import git, tree
from auditor.discover.beside import Beside
from auditor.discover.listing import of_commit, of_index
from auditor.discover.tree import Tree
from auditor.errors import UsageError

_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Change(NamedTuple):
    """The tree that is judged, and the commits before it.

    `of`: the working directory, the index, or the commit `revision`. `bases`: ids of commits, empty before the first
    one; None: everything counts, there is nothing to compare with. `name`: what a person calls the state before.
    """

    of: Literal["working", "index", "commit"] = "working"
    revision: str = ""
    bases: tuple[str, ...] | None = None
    name: str = ""

    def tree(self, path: Path) -> Tree:
        """The judged tree below a path. Raises UsageError when there is nothing in it."""
        if self.of == "index":
            return tree.index_tree(path)
        return tree.commit_tree(path, self.revision) if self.of == "commit" else tree.working_tree(path)

    def beside(self, root: Path) -> Beside:
        """What lies in the judged tree beside what is audited: the configuration, rules, decisions."""
        return Beside(root, None if self.of == "working" else self.revision)


WHOLE = Change()


def since(root: Path, revision: str) -> Change:
    """The working directory against the commit where its branch left `revision`."""
    return Change("working", "", (_fork(root, revision, "HEAD"),), revision)


def between(root: Path, old: str, new: str) -> Change:
    """The commit `new` against the one where it left `old`."""
    return Change("commit", _commit(root, new), (_fork(root, old, new),), old)


def staged(root: Path) -> Change | None:
    """The index against the commits that the next commit will follow; None when the two are equal.

    While a merge goes on these are the heads of all its branches: what comes with one of them is not new.
    """
    head = _known_commit(root, "HEAD")
    try:
        index = of_index(root)
        if head is None:
            return Change("index", "", (), "the first commit") if index else None
        if sorted(index) == sorted(of_commit(root, head)):
            return None
        return Change("index", "", (head, *_merged(root)), "HEAD")
    except git.GitError as error:
        raise UsageError(str(error)) from None


def of_hook(root: Path, environment: Mapping[str, str]) -> Change | None:
    """What pre-commit or git asks of a hook: a range of commits, what is staged, or else everything.

    None when git itself runs the hook for a commit that changes no file: nothing can be new in it.
    """
    old, new = environment.get("PRE_COMMIT_FROM_REF"), environment.get("PRE_COMMIT_TO_REF")
    if old and new:
        return between(root, old, new)
    return staged(root) or (None if environment.get("GIT_INDEX_FILE") else WHOLE)


def _merged(root: Path) -> tuple[str, ...]:
    """The heads that are being merged: git writes them down for `git commit`, and tells a hook of `git merge`."""
    answer = git.run(root, "rev-parse", "--git-path", "MERGE_HEAD").output.decode().strip()
    try:
        written = (root / answer).read_text(encoding="ascii", errors="replace").split()
    except OSError:
        written = []
    told = [name.removeprefix("GITHEAD_") for name in os.environ if name.startswith("GITHEAD_")]
    heads = (_known_commit(root, name) for name in dict.fromkeys([*written, *told]) if _OBJECT.fullmatch(name))
    return tuple(head for head in heads if head is not None)


def _fork(root: Path, old: str, new: str) -> str:
    """The newest commit that both have in common, else `old` itself (in a shallow clone none may be known)."""
    start, end = _commit(root, old), _commit(root, new)
    try:
        lines = git.run(root, "rev-parse", f"{start}...{end}").output.decode().split()
    except git.GitError as error:
        raise UsageError(str(error)) from None
    return next((line[1:] for line in lines if line.startswith("^")), start)


def _commit(root: Path, revision: str) -> str:
    found = _known_commit(root, revision)
    if found is None:
        raise UsageError(
            f"there is no commit {revision!r} in this repository (a shallow clone has only its newest ones)"
        )
    return found


def _known_commit(root: Path, revision: str) -> str | None:
    """The id of a commit, None where it is not known. Raises UsageError without a usable repository."""
    if not os.path.lexists(root / ".git"):
        raise UsageError("this is not a git repository: it has no index and no commits")
    try:
        answer = git.run(root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    except git.GitError as error:
        if "git rev-parse failed" in str(error):
            return None
        raise UsageError(str(error)) from None
    return answer.output.decode().strip()
