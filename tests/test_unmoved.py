"""A hook that ends early ends only where an audit of everything would find nothing new."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor import audit, cli
from tests.conftest import APP, CHECK, Repository

EARLY = "nothing can be new"


@pytest.fixture
def kept(shop: Repository, capsys: pytest.CaptureFixture[str]) -> Repository:
    """A shop whose index was audited before it was committed, beside files that have nothing to do with it."""
    shop.shop()
    shop.write("other.py", "def other():\n    return 1\n")
    shop.write("tests/test_other.py", "def test_other():\n    assert True\n")
    shop.write("notes.md", "notes\n")
    shop.write("settings.yaml", "a: 1\n")
    shop.git("add", "--all")
    assert cli.run(["hook", "--cache"]) == 0
    shop.commit()
    capsys.readouterr()
    return shop


def hook(shop: Repository, capsys: pytest.CaptureFixture[str]) -> tuple[int, bool]:
    """The exit code, and whether the hook ended early."""
    shop.git("add", "--all")
    code = cli.run(["hook", "--cache"])
    return code, EARLY in capsys.readouterr().err


@pytest.mark.parametrize("path", ["other.py", "tests/test_other.py", "notes.md"])
def test_what_is_not_looked_at_ends_it(kept: Repository, capsys: pytest.CaptureFixture[str], path: str) -> None:
    kept.write(path, kept.read(path) + "\n# nothing\n")
    assert hook(kept, capsys) == (0, True)


def test_from_commit_to_commit(kept: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        kept.write("other.py", f"def other():\n    return {number + 2}\n")
        assert hook(kept, capsys) == (0, True)
        kept.commit()
    kept.replace("app.py", CHECK, "")
    assert hook(kept, capsys) == (1, False)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app.py", "\n# in a file of the flow\n"),
        ("state.py", "\n# in a file that a flow leans on\n"),
        ("other.py", "\nclient_secret = 1\n"),
        ("other.py", "\nimport app\napp.callback()\n"),
        ("other.py", "\n# oauth2\n"),
        ("settings.yaml", "b: 2\n"),
        (".gitignore", "*.log\n"),
        ("connect-auditor-baseline.json", ""),
        ("state/__init__.py", "x = 1\n"),
        ("lib/state.py", "x = 1\n"),
        ("flask.py", "x = 1\n"),
        ("new.py", "import app\napp.callback()\n"),
    ],
)
def test_what_may_matter_is_audited(kept: Repository, capsys: pytest.CaptureFixture[str], path: str, text: str) -> None:
    file = kept.root / path
    kept.write(path, (file.read_text() if file.exists() else "") + text)
    assert hook(kept, capsys)[1] is False


def test_a_file_that_comes_or_goes_and_that_nothing_imports(
    kept: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.write("new.py", "x = 1\n")
    assert hook(kept, capsys) == (0, True)
    kept.commit()
    (kept.root / "new.py").unlink()
    (kept.root / "other.py").rename(kept.root / "another.py")
    assert hook(kept, capsys) == (0, True)


def test_a_helper_that_goes_is_missed(kept: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    (kept.root / "state.py").unlink()
    assert hook(kept, capsys)[1] is False


def test_the_parent_is_known_when_what_came_since_does_not_matter(
    shop: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.shop()
    shop.write("other.py", "parent = 1\n")
    shop.commit()
    shop.write("other.py", "parent = 2\n")
    assert hook(shop, capsys) == (0, False)
    assert hook(shop, capsys) == (0, True)
    shop.write("app.py", shop.read("app.py") + "\n# in a file of the flow\n")
    assert hook(shop, capsys) == (0, False)
    assert hook(shop, capsys) == (0, False)


def test_another_configuration_is_another_audit(
    kept: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.write("other.py", "def other():\n    return 2\n")
    kept.git("add", "--all")
    kept.write("connect-auditor.toml", "exclude = ['x/']\n")
    assert cli.run(["hook", "--cache"]) == 0
    assert EARLY in capsys.readouterr().err, "it is not staged"
    (tmp_path / "outside.toml").write_text("exclude = ['y/']\n")
    assert cli.run(["hook", "--cache", "--config", str(tmp_path / "outside.toml")]) == 0
    assert EARLY not in capsys.readouterr().err
    assert hook(kept, capsys) == (0, False)


def test_a_model_of_ones_own_is_another_audit(kept: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    kept.write("audit/shopkit.yaml", "library: shopkit\nlanguage: python\nnames: {shopkit.answer: {is: input}}\n")
    kept.write("connect-auditor.toml", "libraries = ['audit']\n")
    assert hook(kept, capsys) == (0, False)
    kept.commit()
    kept.write("other.py", "other = 2\n")
    assert hook(kept, capsys) == (0, True)
    kept.replace("audit/shopkit.yaml", "shopkit.answer", "shopkit.question")
    assert hook(kept, capsys) == (0, False)


def test_a_report_that_was_left_out_is_looked_at_in_a_commit(
    kept: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.write("state/__init__.py", "x = 1\n")
    kept.git("add", "--all")
    assert cli.run(["audit", "--staged", "--cache", "-f", "text=state.py"]) == 0
    kept.git("commit", "--quiet", "--no-verify", "-m", "x")
    assert hook(kept, capsys)[1] is False


def test_another_program_is_another_audit(
    kept: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write("other.py", "other = 2\n")
    monkeypatch.setattr(audit, "engine_version", lambda: b"newer")
    assert hook(kept, capsys) == (0, False)


@pytest.mark.parametrize("harm", ["cut", "moved", "empty", "nonsense"])
def test_what_is_damaged_is_not_believed(
    kept: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    entries = sorted(Path(os.environ["XDG_CACHE_HOME"], "connect-auditor").iterdir())
    contents = [one.read_bytes() for one in entries]
    assert len(entries) > 1
    for number, one in enumerate(entries):
        made = {"cut": contents[number][:-1], "moved": contents[number - 1], "empty": b"", "nonsense": b"\x80" * 100}
        one.write_bytes(made[harm])
    kept.write("other.py", "other = 2\n")
    assert hook(kept, capsys) == (0, False)


def test_two_worktrees_share_what_was_kept(
    kept: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "side")
    linked = Repository(tmp_path / "linked")
    monkeypatch.chdir(linked.root)
    linked.write("other.py", "other = 2\n")
    assert hook(linked, capsys) == (0, True)
    linked.replace("app.py", CHECK, "")
    assert hook(linked, capsys) == (1, False)
    monkeypatch.chdir(kept.root)
    kept.write("other.py", "other = 3\n")
    assert hook(kept, capsys) == (0, True)


def test_an_index_that_changes_meanwhile_is_not_taken_for_the_one_that_was_audited(
    shop: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.shop()
    shop.write("helper.py", "def callbacks():\n    return 1\n")
    shop.commit()
    shop.write("more.py", "x = 1\n")
    shop.git("add", "--all")

    def look(*given: Any, **named: Any) -> Any:
        seen = audit.observe(*given, **named)[0]
        shop.write("app.py", "from helper import callbacks\n" + APP)
        shop.git("add", "--all")
        return seen

    with monkeypatch.context() as patch:
        patch.setattr(audit, "look", look)
        assert cli.run(["audit", "--staged", "--cache"]) == 0
    shop.commit()
    shop.write("helper.py", "def callbacks():\n    return 2\n")
    assert hook(shop, capsys) == (0, False)


@pytest.mark.parametrize(
    ("written", "came"),
    [
        ("import { guard } from './user.guard';", "user.guard.ts"),
        ("import { guard } from './user.guard.js';", "user.guard.ts"),
        ("const guard = require('.');", "index.js"),
        ("const guard = require('../');", "index.js"),
        ("import guard from '@/lib/user-guard';", "src/lib/user-guard.tsx"),
        ("import guard from '@/guards';", "src/guards/index.js"),
        ("import guard from '@/guards';", "guards.vue"),
    ],
)
def test_a_file_that_an_import_had_missed_is_looked_at(
    shop: Repository, capsys: pytest.CaptureFixture[str], written: str, came: str
) -> None:
    shop.write("web/app.js", f"{written}\nfetch(url, {{ body: 'grant_type=authorization_code' }});\n")
    shop.git("add", "--all")
    cli.run(["hook", "--cache"])
    shop.commit()
    shop.write("web/unknown.js", "const x = 1;\n")
    assert hook(shop, capsys)[1] is True
    for folder in ("web/", ""):
        shop.write(f"{folder}{came}", "const x = 1;\n")
        assert hook(shop, capsys)[1] is False, folder
        (shop.root / f"{folder}{came}").unlink()


def test_a_package_that_a_relative_import_means(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write("shop/app.py", "from . import helper\ndata = {'grant_type': 'authorization_code'}\n")
    shop.git("add", "--all")
    cli.run(["hook", "--cache"])
    shop.commit()
    shop.write("shop/unknown.py", "x = 1\n")
    assert hook(shop, capsys)[1] is True
    shop.write("shop/__init__.py", "def helper(): ...\n")
    assert hook(shop, capsys)[1] is False


@pytest.mark.parametrize("kind", ["link", "mode", "folder"])
def test_what_else_can_become_of_a_file(kept: Repository, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    file = kept.root / "state.py"
    if kind == "mode":
        file.chmod(0o755)
    else:
        file.unlink()
    if kind == "link":
        file.symlink_to("other.py")
    if kind == "folder":
        kept.write("state.py/other.py", "x = 1\n")
    assert hook(kept, capsys)[1] is False


NAMES = ("state.py", "other.py", "app.py", "lib/state.py", "lib/__init__.py", "web/a.js", "web/b.guard.ts", "notes.md", ".env",
         "flask.py", "tests/test_a.py", "page.html", "x.yaml", "run")  # fmt: skip
LINES = (
    "x = 1\n", "import state\n", "from lib import state\n", "def fresh(): return 'x'\n", "def is_ours(given): return True\n",
    "CLIENT_SECRET=mcs_live_4f9d2c7a8b1e6053\n", "const a = require('./b.guard');\n", "# oauth\n", "#!/usr/bin/env python\n",
    "app.callback()\n", "localStorage.setItem('access_token', token)\n", "<script>x()</script>\n",
)  # fmt: skip


def test_random_commits_never_end_early_where_something_moved(
    shop: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whenever the hook ends early, the report on the new tree is the one on the old tree."""
    choose = random.Random(2026)
    early = 0
    shop.shop()
    shop.git("add", "--all")
    cli.run(["hook", "--cache"])
    shop.commit()
    before = told(shop)
    for number in range(60):
        name, line = choose.choice(NAMES), choose.choice(LINES)
        file = shop.root / name
        text = file.read_text() if file.exists() else ""
        if text and choose.random() < 0.3:
            file.unlink()
        else:
            shop.write(name, text + line if choose.random() < 0.6 else APP if name == "app.py" else line)
        _, ended = hook(shop, capsys)
        shop.git("commit", "--quiet", "--no-verify", "--allow-empty", "-m", str(number))
        after = told(shop)
        if ended:
            early += 1
            assert after == before, (number, name, line)
        before = after
    assert 5 < early < 50


def told(shop: Repository) -> object:
    """The verdicts and the findings, whatever else the report says."""
    report = audit.audit(shop.root)
    return [(one.id, one.status) for one in report.items], [(one.rule, one.identity) for one in report.findings]


def test_a_failure_of_the_parent_is_no_news(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shop.shop(checked=False)
    shop.write("other.py", "x = 1\n")
    shop.git("add", "--all")
    assert cli.run(["hook", "--cache"]) == 1
    shop.commit()
    shop.write("other.py", "x = 2\n")
    assert hook(shop, capsys) == (0, True)


def test_without_what_was_kept_everything_is_audited(kept: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    kept.write("other.py", "def other():\n    return 2\n")
    kept.git("add", "--all")
    assert cli.run(["hook", "--no-cache"]) == 0
    assert EARLY not in capsys.readouterr().err


def test_hooks_at_the_same_time(kept: Repository) -> None:
    """They share what is kept, and none takes half of what another writes for the whole."""
    kept.replace("app.py", CHECK, "")
    kept.git("add", "--all")
    command = [sys.executable, "-m", "auditor", "hook", "--cache"]
    started = [
        subprocess.Popen(command, cwd=kept.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for one in started:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 1, said
        assert "this brings failures" in said
    kept.write("app.py", APP)
    kept.write("other.py", "other = 2\n")
    kept.git("add", "--all")
    assert cli.run(["hook", "--cache"]) == 0
