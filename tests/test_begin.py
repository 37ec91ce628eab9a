"""`init`, what it writes, and the action: as far as one machine can try them."""

from __future__ import annotations

import json
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
    said = [line.removeprefix("connect-auditor: ") for line in capsys.readouterr().err.splitlines()]
    assert said[:3] == [f"{path}: written" for path in WRITTEN]
    assert "`connect-auditor audit`" in said[-1]
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


def test_init_changes_no_byte_of_the_hooks_that_are_there(shop: Repository) -> None:
    above = b"repos:\r\n  - repo: local\r\n    hooks:\r\n      - id: x  # \xc3\xa9\r\n        args: [\r\n  a]\r\n        # - id: y\r\n"
    below = b"\r\n# services\r\nci:\r\n  autofix_prs: false"
    (shop.root / begin.HOOKS).write_bytes(above + below)
    assert cli.run(["init", "--yes"]) == 0
    made = (shop.root / begin.HOOKS).read_bytes()
    assert made.startswith(above)
    assert made.endswith(below)
    added = made[len(above) : -len(below)]
    assert added.startswith(b"  - repo: local\r\n    hooks:\r\n      - id: connect-auditor\r\n")
    assert added.count(b"\n") == added.count(b"\r\n")


def test_init_leaves_hooks_alone_that_are_not_utf_8(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    mine = b"repos:\n- repo: local\n  hooks: [] # \xe9\n"
    (shop.root / begin.HOOKS).write_bytes(mine)
    assert cli.run(["init", "--yes"]) == 2
    assert (shop.root / begin.HOOKS).read_bytes() == mine
    assert f"{begin.HOOKS}: not UTF-8 at byte 35" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, (f"connect-auditor=={__version__}", True)),
        ({"url": "file:///home/ada/auditor", "dir_info": {}}, (f"connect-auditor=={__version__}", False)),
        ({"url": "https://example.com/a.git", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
         ("connect-auditor @ git+https://example.com/a.git@0a1b", True)),
        ({"url": "https://example.com/auditor-0.1.0.whl", "archive_info": {}},
         ("connect-auditor @ https://example.com/auditor-0.1.0.whl", True)),
        ({"url": "https://user:password@example.com/a.whl", "archive_info": {}}, (f"connect-auditor=={__version__}", False)),
        ({"url": "https://example.com/$(x).whl", "archive_info": {}}, (f"connect-auditor=={__version__}", False)),
    ],
)  # fmt: skip
def test_what_init_writes_installs_from_where_this_came(
    monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None, expected: tuple[str, bool]
) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return None if origin is None else json.dumps(origin)

    monkeypatch.setattr(begin.metadata, "distribution", lambda _: Installed())
    assert begin.source() == expected
    assert f'additional_dependencies: ["{expected[0]}"]' in begin._starter("pre-commit.yaml")


def test_enter_overwrites_nothing(shop: Repository) -> None:
    shop.write(begin.WORKFLOW, "mine: true\n")
    command = [sys.executable, "-m", "auditor", "init"]
    done = subprocess.run(command, input="\n\n\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Overwrite it? [y/N]" in done.stderr
    assert shop.read(begin.WORKFLOW) == "mine: true\n"
    assert (shop.root / begin.HOOKS).exists()


def test_init_tells_what_it_cannot_add(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    mine = "repos: [{repo: local, hooks: []}]\nexclude: ^x\n"
    shop.write(begin.HOOKS, mine)
    assert cli.run(["init", "--yes"]) == 0
    assert shop.read(begin.HOOKS) == mine
    said = capsys.readouterr().err
    assert f"{begin.HOOKS}: could not be added to; put this into it:\n- repo: local\n  hooks:\n" in said
    shop.write(begin.HOOKS, "nonsense")
    assert cli.run(["init", "--yes"]) == 2


def test_a_configuration_in_pyproject_is_one(shop: Repository) -> None:
    shop.write("pyproject.toml", "[tool.connect-auditor]\nstrict = false\n")
    assert cli.run(["init", "--yes"]) == 0
    assert not (shop.root / "connect-auditor.toml").exists()


def test_nothing_of_the_audit_is_audited(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """What people decided and what was reported speaks of secrets and flows, and pages have scripts."""
    shop.shop(checked=False)
    shop.write("connect-auditor.toml", 'baseline = "audit/known.json"\nattestations = "audit/said.toml"\n')
    (shop.root / "audit").mkdir()
    reports = ["--format=html=report.html", "--format=json=report.json", "--format=sarif=connect-auditor.sarif"]
    assert cli.run(["audit", *reports, "--output=said.txt"]) == 1
    first = json.loads(shop.read("report.json"))
    assert cli.run(["audit", *reports, "--output=said.txt"]) == 1
    assert json.loads(shop.read("report.json")) == first
    assert cli.run(["baseline"]) == 0
    assert (
        cli.run(["attest", "C03", "--by=Ada", "--because=another client_secret for https://connect.example.com"]) == 0
    )
    assert cli.run(["audit", *reports, "--output=said.txt"]) == 0
    last = json.loads(shop.read("report.json"))
    assert last["files"] == first["files"]
    assert last["sides"] == first["sides"]
    capsys.readouterr()
    assert cli.run(["explain", "audit/known.json:1"]) == 0
    assert "it belongs to the audit and is not part of the application" in capsys.readouterr().out


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
