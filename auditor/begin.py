"""What a repository needs to begin: a configuration, an entry for pre-commit, a workflow."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from auditor import __version__, config
from auditor.discover.tree import read_inside
from auditor.errors import UsageError

HOOKS = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/connect-auditor.yml"


class Step(NamedTuple):
    """A file that could be written. `data` None: it is left alone, for the reason in `note`."""

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


def _starter(name: str) -> str:
    text = resources.files("auditor").joinpath("starters", name).read_text(encoding="utf-8")
    return text.replace("VERSION", __version__)


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
    text = data.decode("utf-8", "replace")
    before = _repos(text)
    if before is None:
        raise UsageError(f"{HOOKS}: not a configuration of pre-commit")
    if any(hook.get("id") == "connect-auditor" for repo in before for hook in _dicts(repo.get("hooks"))):
        return Step(HOOKS, None, True, "has the hook already")
    for indent in ("", "  ", "    "):
        added = "".join(f"{indent}{line}\n" for line in entry.splitlines())
        made = f"{text.rstrip()}\n{added}"
        if _repos(made) == [*before, *(_repos(f"repos:\n{entry}") or [])]:
            # Nothing is overwritten: an entry is added.
            return Step(HOOKS, made.encode(), False)
    return Step(HOOKS, None, True, f"could not be added to; put this into it:\n{entry}")


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
