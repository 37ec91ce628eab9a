"""The git command. No other module starts a program that is not this one.

The repository may be hostile, and its configuration can name programs for git to run. So every call names the
git directory and the work tree, switches off what could start a program or reach the network, drops what the
environment says about git, and asks only for sub-commands that read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from auditor.errors import InternalError

ALLOWED = frozenset({"ls-files", "ls-tree", "rev-parse", "rev-list", "diff-tree", "cat-file"})

HARDENING = (
    "--no-pager",
    # Owned by somebody else is fine: nothing of it will run.
    "-c", "safe.directory=*",
    "-c", "core.fsmonitor=false",
    "-c", f"core.hooksPath={os.devnull}",
    "-c", "protocol.allow=never",
)  # fmt: skip

TIMEOUT = 60.0
"""Seconds for one call. A named pipe where git expects an ignore file would otherwise hang it for ever."""


class GitError(Exception):
    """git is missing, refused, failed or took too long. The message is one line without absolute paths."""


class Answer(NamedTuple):
    """What git wrote: its output, and the warnings among its errors (a folder that it could not open)."""

    output: bytes
    warnings: tuple[str, ...]


def find_root(path: Path) -> Path | None:
    """The root of the repository that an existing, resolved path lies in: the nearest folder with a `.git`.

    git itself is not asked, for `core.worktree` could make it answer with any folder. `.git` may be a file, as
    in linked worktrees and submodules. None outside of any repository.
    """
    return next((folder for folder in (path, *path.parents) if os.path.lexists(folder / ".git")), None)


def run(root: Path, command: str, *arguments: str, stdin: bytes = b"", index: bool = False) -> Answer:
    """Run one reading sub-command in the repository whose work tree is `root`.

    Paths given as arguments are taken literally, relative to the root. `index` honours the GIT_INDEX_FILE with
    which git calls a hook (for `git commit --all` it is not `.git/index`). Raises GitError.
    """
    if command not in ALLOWED:
        raise InternalError(f"git {command} is not one of the commands that only read")
    program = _program()
    line = [program, *HARDENING, f"--git-dir={root / '.git'}", f"--work-tree={root}", command, *arguments]
    try:
        done = subprocess.run(
            line,
            cwd=root,
            env=_environment(root, index),
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git {command} did not finish in {TIMEOUT:g} seconds") from None
    except (OSError, ValueError) as error:
        raise GitError(f"git could not be started: {getattr(error, 'strerror', None) or error}") from None
    said = [text.replace(str(root), ".") for text in done.stderr.decode("utf-8", "replace").splitlines()]
    if done.returncode:
        reason = next((text for text in said if text.startswith(("fatal: ", "error: "))), "")
        raise GitError(f"git {command} failed: {reason.partition(': ')[2] or f'exit code {done.returncode}'}")
    warnings = tuple(text.removeprefix("warning: ") for text in said if text.startswith("warning: "))
    return Answer(done.stdout, warnings)


def _program() -> str:
    """The absolute path of git. A relative entry of PATH could name a program inside the audited repository."""
    found = shutil.which("git")
    if found is None:
        raise GitError("git was not found")
    if not os.path.isabs(found):
        raise GitError("git was found only through a relative entry of PATH, which is not trusted")
    return found


def _environment(root: Path, index: bool) -> dict[str, str]:
    """The environment for git: the user's, without anything that would point it elsewhere."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    index_file = os.environ.get("GIT_INDEX_FILE")
    if index and index_file and find_root(Path.cwd()) == root:
        kept["GIT_INDEX_FILE"] = os.path.abspath(index_file)
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
