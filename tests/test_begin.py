"""`init`, what it writes, and the action: as far as one machine can try them."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from auditor import __version__, begin, cli
from auditor.config import load
from tests.conftest import Repository

ROOT = Path(__file__).parents[1]
WRITTEN = ["connect-auditor.toml", begin.HOOKS, begin.WORKFLOW]


def test_init_writes_what_is_missing(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shop.shop()
    assert cli.run(["init", "--yes"]) == 0
    assert [line.removeprefix("connect-auditor: ") for line in capsys.readouterr().err.splitlines()] == [
        f"{path}: written" for path in WRITTEN
    ]
    assert load(shop.root)[1] == shop.root / "connect-auditor.toml"
    assert cli.run(["audit"]) == 0
    assert all(__version__ in shop.read(path) for path in WRITTEN[1:])


def test_init_overwrites_nothing_with_yes(shop: Repository) -> None:
    assert cli.run(["init", "--yes"]) == 0
    shop.write(begin.WORKFLOW, "mine: true\n")
    before = [shop.read(path) for path in WRITTEN]
    assert cli.run(["init", "--yes"]) == 0
    assert [shop.read(path) for path in WRITTEN] == before


def test_init_asks(shop: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write(begin.WORKFLOW, "mine: true\n")
    asked: list[str] = []

    def confirm(question: str, **_: Any) -> bool:
        asked.append(question)
        return begin.HOOKS in question

    monkeypatch.setattr(click, "confirm", confirm)
    assert cli.run(["init"]) == 0
    assert asked[2] == f"{begin.WORKFLOW} is there already. Overwrite it?"
    assert [(shop.root / path).exists() for path in WRITTEN] == [False, True, True]
    assert shop.read(begin.WORKFLOW) == "mine: true\n"


def test_init_with_nobody_to_answer(shop: Repository) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "init"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "use --yes" in done.stderr
    assert not (shop.root / WRITTEN[0]).exists()


@pytest.mark.parametrize("indent", ["", "  "])
def test_init_adds_to_the_hooks_that_are_there(shop: Repository, indent: str) -> None:
    mine = f"# mine\nrepos:\n{indent}- repo: https://example.com/x\n{indent}  rev: v1\n{indent}  hooks:\n{indent}    - id: x # keep\n"
    shop.write(begin.HOOKS, mine)
    assert cli.run(["init", "--yes"]) == 0
    assert shop.read(begin.HOOKS).startswith(mine)
    assert [hook["id"] for repo in yaml.safe_load(shop.read(begin.HOOKS))["repos"] for hook in repo["hooks"]] == [
        "x", "connect-auditor"]  # fmt: skip
    before = shop.read(begin.HOOKS)
    assert cli.run(["init", "--yes"]) == 0
    assert shop.read(begin.HOOKS) == before


def test_init_tells_what_it_cannot_add(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    mine = "repos:\n- repo: local\n  hooks: []\nexclude: ^x\n"
    shop.write(begin.HOOKS, mine)
    assert cli.run(["init", "--yes"]) == 0
    assert shop.read(begin.HOOKS) == mine
    assert "could not be added to; put this into it" in capsys.readouterr().err
    shop.write(begin.HOOKS, "nonsense")
    assert cli.run(["init", "--yes"]) == 2


def test_a_configuration_in_pyproject_is_one(shop: Repository) -> None:
    shop.write("pyproject.toml", "[tool.connect-auditor]\nstrict = false\n")
    assert cli.run(["init", "--yes"]) == 0
    assert not (shop.root / "connect-auditor.toml").exists()


# ---- what they run


def fake_tools(folder: Path) -> dict[str, str]:
    """An environment in which pip installs nothing, and connect-auditor is the one that is tested."""
    tools = folder / "tools"
    tools.mkdir()
    scripts = {
        "python": '#!/bin/sh\ncase "$*" in *pip*) echo "$@" >> "$PIP_CALLS";; *) exec "$REAL_PYTHON" "$@";; esac\n',
        "apt-get": "#!/bin/sh\n",
        "connect-auditor": '#!/bin/sh\nexec "$REAL_PYTHON" -m auditor "$@"\n',
    }
    for name, text in scripts.items():
        (tools / name).write_text(text)
        (tools / name).chmod(stat.S_IRWXU)
    return os.environ | {
        "PATH": f"{tools}:{os.environ['PATH']}", "REAL_PYTHON": sys.executable, "PIP_CALLS": str(folder / "pip"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "RUNNER_TEMP": str(folder), "GITHUB_ACTION_PATH": str(ROOT),
    }  # fmt: skip


def bash(script: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("checked", [True, False])
def test_the_steps_of_the_workflow(shop: Repository, tmp_path: Path, checked: bool) -> None:
    shop.shop(checked=checked)
    assert cli.run(["init", "--yes"]) == 0
    workflow = yaml.safe_load(shop.read(begin.WORKFLOW))
    steps = workflow["jobs"]["audit"]["steps"]
    environment = fake_tools(tmp_path)
    codes = [bash(step["run"], environment, shop.root).returncode for step in steps if "run" in step]
    assert codes == [0, 0 if checked else 1]
    assert f"connect-auditor=={__version__}" in (tmp_path / "pip").read_text()
    assert "Connect Auditor" in (tmp_path / "summary.md").read_text()
    assert '"version": "2.1.0"' in shop.read("connect-auditor.sarif")
    assert steps[-1]["with"]["sarif_file"] == "connect-auditor.sarif"
    assert workflow["permissions"] == {"contents": "read"}


def test_the_script_of_the_gitlab_job(shop: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.shop(checked=False)
    assert cli.run(["init", "--gitlab"]) == 0
    assert list(shop.root.glob("*.yml")) == []
    job = yaml.safe_load(capsys.readouterr().out)["connect-auditor"]
    done = bash("\n".join(job["script"]), fake_tools(tmp_path), shop.root)
    assert done.returncode == 1, done.stderr
    for file in job["artifacts"]["reports"].values():
        assert "missing-state-validation" in shop.read(file)


# ---- the action


def action() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return made


def test_the_scripts_of_the_action_hold_no_expression() -> None:
    scripts = [step["run"] for step in action()["runs"]["steps"] if "run" in step]
    assert len(scripts) == 2
    assert all("${{" not in script for script in scripts)
    assert all(step.get("shell") == "bash" for step in action()["runs"]["steps"] if "run" in step)


def test_every_input_of_the_action_is_used() -> None:
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", text)) == set(action()["inputs"])


@pytest.mark.parametrize(
    ("inputs", "code"),
    [({}, 1), ({"fail-on": "never"}, 0), ({"fail-on": "never", "strict": "true"}, 1), ({"changed-since": "HEAD"}, 0),
     ({"path": "a b/$(exit 9)"}, 0), ({"summary": "false"}, 1), ({"path": "--version"}, 2)],
)  # fmt: skip
def test_the_audit_of_the_action(shop: Repository, tmp_path: Path, inputs: dict[str, str], code: int) -> None:
    shop.shop(checked=False)
    shop.write("a b/$(exit 9)/app.py", "x = 1\n")
    shop.commit()
    given = {name: one["default"] for name, one in action()["inputs"].items()} | inputs
    step = action()["runs"]["steps"][-1]
    environment = fake_tools(tmp_path)
    for name, value in step["env"].items():
        environment[name] = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], value)
    folder = tmp_path / "connect-auditor/bin"
    folder.mkdir(parents=True)
    (tmp_path / "tools/connect-auditor").rename(folder / "connect-auditor")
    done = bash(step["run"], environment, shop.root)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "summary.md").exists() is (given["summary"] == "true" and code != 2)
    assert (shop.root / "connect-auditor.sarif").exists() is (code != 2)


@pytest.mark.slow
def test_the_action_installs_itself(tmp_path: Path) -> None:
    install = next(step for step in action()["runs"]["steps"] if step.get("name") == "Install")
    environment = os.environ | {
        "PYTHON": sys.executable, "RUNNER_TEMP": str(tmp_path), "GITHUB_ACTION_PATH": str(copy_of_the_project(tmp_path)),
    }  # fmt: skip
    done = bash(install["run"], environment, tmp_path)
    assert done.returncode == 0, done.stderr
    version = subprocess.run(
        [tmp_path / "connect-auditor/bin/connect-auditor", "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout.split() == ["connect-auditor", __version__]


def copy_of_the_project(folder: Path) -> Path:
    """What is installed, away from the checkout: building leaves files behind."""
    import shutil

    copy = folder / "project"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("auditor", "rules"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, copy / name)
    return copy
