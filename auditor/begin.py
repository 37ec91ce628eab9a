"""What a repository needs to begin: a configuration, an entry for pre-commit, a workflow."""

from __future__ import annotations

import json
import re
from importlib import metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from auditor import __version__, config
from auditor.discover.beside import read_inside
from auditor.errors import UsageError

HOOKS = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/connect-auditor.yml"


_ADDRESS = re.compile(r"(https|ssh)://([\w.-]+@)?[\w.:/~+-]+")
"""An address that others can reach and that holds nothing which a shell, YAML or a log should not see."""


class Source(NamedTuple):
    """What pip is told to install; `found`: that it is known to find it elsewhere than on this machine."""

    requirement: str
    found: bool


class Step(NamedTuple):
    """A file that could be written; `exists`: over one that is there.

    `note` says what is done to it, if not that it is written. `data` None: it is left alone, for the reason in `note`.
    """

    path: str
    data: bytes | None
    exists: bool = False
    note: str = ""

    @property
    def question(self) -> str:
        """What to ask before it is written."""
        return f"{self.path} is there already. Overwrite it?" if self.exists else f"Write {self.path}?"


def steps(root: Path) -> list[Step]:
    """What to write in this repository, in order. Nothing is written here. Raises UsageError for what cannot be read."""
    return [_configuration(root), _hooks(root), _workflow(root)]


def gitlab() -> str:
    """The job for GitLab."""
    return _starter("gitlab.yml")


def source() -> Source:
    """Where others get what runs here: the address that pip installed it from, else this version from an index."""
    pinned = f"connect-auditor=={__version__}"
    try:
        written = metadata.distribution("connect-auditor").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return Source(pinned, False)
    if written is None:
        return Source(pinned, True)
    origin = json.loads(written)
    address, revision = origin.get("url", ""), origin.get("vcs_info", {})
    if not _ADDRESS.fullmatch(address):
        return Source(pinned, False)
    if revision:
        address = f"{revision['vcs']}+{address}@{revision['commit_id']}"
    return Source(f"connect-auditor @ {address}", True)


def _starter(name: str) -> str:
    text = resources.files("auditor").joinpath("starters", name).read_text(encoding="utf-8")
    return text.replace("REQUIREMENT", source().requirement)


def _configuration(root: Path) -> Step:
    _, source = config.load(root)
    if source is not None:
        return Step(source.relative_to(root).as_posix(), None, True, "there is a configuration already")
    return Step(config.FILE_NAME, _starter("connect-auditor.toml").encode())


def _workflow(root: Path) -> Step:
    return Step(WORKFLOW, _starter("github.yml").encode(), read_inside(root, WORKFLOW) is not None)


def _hooks(root: Path) -> Step:
    """The configuration of pre-commit with our entry, which goes to the end of the list of an existing one."""
    entry = _starter("pre-commit.yaml")
    data = read_inside(root, HOOKS)
    if data is None:
        return Step(HOOKS, f"repos:\n{entry}".encode())
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{HOOKS}: not UTF-8 at byte {error.start}") from None
    before = _repos(text)
    if before is None:
        raise UsageError(f"{HOOKS}: not a configuration of pre-commit")
    if any(hook.get("id") == "connect-auditor" for repo in before for hook in _dicts(repo.get("hooks"))):
        return Step(HOOKS, None, True, "has the hook already")
    made = _with_entry(text, entry)
    if _repos(made) != [*before, *(_repos(f"repos:\n{entry}") or [])]:
        return Step(HOOKS, None, True, f"could not be added to; put this into it:\n{entry}")
    return Step(HOOKS, made.encode(), note="the hook is added")


def _with_entry(text: str, entry: str) -> str:
    """A configuration of pre-commit with one more entry below its last one; all else stays, byte for byte."""
    root = yaml.compose(text, yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)  # `_repos` has found a list in it
    repos = next(value for key, value in root.value if key.value == "repos")
    column = repos.start_mark.column
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    at = _last_line(repos)
    while at < len(lines) and re.match(rf" {{{column + 1},}}#", lines[at]):
        at += 1  # a comment that belongs to the entry before
    if not lines[at - 1].endswith(("\n", "\r")):
        lines[at - 1] += end
    added = [f"{' ' * column}{line}{end}" for line in entry.splitlines()]
    return "".join([*lines[:at], *added, *lines[at:]])


def _last_line(node: yaml.Node) -> int:
    """The 1-based line that the node ends on, without the comments and blank lines after it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        mark = node.end_mark
        return int(mark.line if mark.column == 0 else mark.line + 1)
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _repos(text: str) -> list[dict[str, Any]] | None:
    """The entries of a configuration of pre-commit; None if it is none."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    repos = found.get("repos") if isinstance(found, dict) else None
    return _dicts(repos) if isinstance(repos, list) and all(isinstance(one, dict) for one in repos) else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
