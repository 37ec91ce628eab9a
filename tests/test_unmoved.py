"""A hook that ends early ends only where an audit of everything would find nothing new."""

from __future__ import annotations

import pytest

from auditor import cli
from tests.conftest import CHECK, Repository

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


def test_another_configuration_is_another_audit(kept: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    kept.write("other.py", "def other():\n    return 2\n")
    kept.git("add", "--all")
    (kept.root / "connect-auditor.toml").write_text("exclude = ['x/']\n")
    assert cli.run(["hook", "--cache"]) == 0
    assert EARLY not in capsys.readouterr().err


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
