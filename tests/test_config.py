"""Where the configuration is found, and what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.config import CHOICES, Config, load
from auditor.errors import UsageError
from auditor.reports import RENDERERS

OWN = "connect-auditor.toml"


@pytest.fixture(autouse=True)
def _recursion_as_at_the_start() -> Iterator[None]:
    """The configuration is read before anything; an audit that ran before in this process has raised the limit."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(limit)


def load_text(tmp_path: Path, text: str) -> Config:
    (tmp_path / OWN).write_text(text)
    return load(tmp_path)[0]


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path) == (Config(), None)
    assert (Config().fail_on, Config().format, Config().strict) == ("low", "text", False)


def test_all_keys(tmp_path: Path) -> None:
    text = """
        exclude = ["legacy/"]
        provider = ["monei"]
        fail-on = "never"
        rules = ["audit/rules"]
        libraries = ["audit/libraries/http.yaml"]
        providers = []
        format = "json"
        strict = true
    """
    assert load_text(tmp_path, text) == Config(
        ("legacy/",), ("monei",), "never", ("audit/rules",), ("audit/libraries/http.yaml",), (), "json", True
    )


def test_a_table_of_pyproject(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "shop"\n[tool.connect-auditor]\nstrict = true\n')
    assert load(tmp_path) == (Config(strict=True), project)


@pytest.mark.parametrize("text", ["", "[tool.other]\n", "not toml at all", "tool = 1  # connect-auditor\n"])
def test_a_pyproject_without_our_table_is_no_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert load(tmp_path) == (Config(), None)


def test_the_nearest_file_between_the_audited_folder_and_the_root(tmp_path: Path) -> None:
    app = tmp_path / "repository/app"
    app.mkdir(parents=True)
    (tmp_path / OWN).write_text('fail-on = "never"')
    root = tmp_path / "repository"
    assert load(root, start=app) == (Config(), None)
    (root / OWN).write_text("strict = true")
    assert load(root, start=app)[1] == root / OWN
    (app / "pyproject.toml").write_text("[tool.connect-auditor]\n")
    assert load(root, start=app)[1] == app / "pyproject.toml"
    (app / OWN).write_text("")
    assert load(root, start=app)[1] == app / OWN
    assert load(root)[1] == root / OWN


def test_an_explicit_file_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / OWN).write_text("broken")
    other = tmp_path / "other.toml"
    other.write_text("strict = true")
    assert load(tmp_path, other) == (Config(strict=True), other)


def test_an_explicit_file_that_is_missing_or_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.toml: could not be read: No such file"):
        load(tmp_path, tmp_path / "nothing.toml")
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    with pytest.raises(UsageError, match=r"pyproject.toml: there is no table \[tool.connect-auditor\]"):
        load(tmp_path, tmp_path / "pyproject.toml")


def test_a_link_out_of_the_repository_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (tmp_path / "outside.toml").write_text("strict = true")
    (root / OWN).symlink_to("../outside.toml")
    assert load(root) == (Config(), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exlude = []", "connect-auditor.toml:1: unknown key 'exlude': did you mean 'exclude'?"),
        ("fail_on = 'low'", "connect-auditor.toml:1: unknown key 'fail_on': did you mean 'fail-on'?"),
        ("zzz = 1", "connect-auditor.toml:1: unknown key 'zzz': known are exclude, provider, fail-on"),
        ("fail-on = 'hgh'", "connect-auditor.toml:1: fail-on: 'hgh' is not one of low, medium, high, critical, never"),
        ("format = 'xml'", "connect-auditor.toml:1: format: 'xml' is not one of text, json"),
        ("fail-on = 3", "connect-auditor.toml:1: fail-on: expected a text, got a number"),
        ("exclude = 'a'", "connect-auditor.toml:1: exclude: expected a list, got a text"),
        ("exclude = ['a', 1]", "connect-auditor.toml:1: exclude[1]: expected a text, got a number"),
        ("strict = 'yes'", "connect-auditor.toml:1: strict: expected true or false, got a text"),
        ("rules = ['../x']", "connect-auditor.toml:1: rules[0]: '../x' is not a path inside the repository"),
        ("rules = ['/x']", "connect-auditor.toml:1: rules[0]: '/x' is not a path inside the repository"),
        ("providers = ['C:/x']", "connect-auditor.toml:1: providers[0]: 'C:/x' is not a path inside the repository"),
        ("libraries = ['a\\..\\..\\x']", "connect-auditor.toml:1: libraries[0]:"),
        (
            "# exclude\nstrict = true\nexclude = [\n  'a',\n  3,\n]",
            "connect-auditor.toml:3: exclude[1]: expected a text",
        ),
        ("strict = true\r\n\r\nfail-on = 3\r\n", "connect-auditor.toml:3: fail-on: expected a text, got a number"),
        (
            "[severity]\nmissing-state = 'high'\nweak-state = 'hi'",
            "connect-auditor.toml:3: severity.weak-state: 'hi' is not one of low",
        ),
        (
            "[[applications]]\npath = 'a'\n[[applications]]\npath = 'b'\nnam = 'c'",
            "connect-auditor.toml:5: applications[1]: unknown key 'nam': did you mean 'name'?",
        ),
        ("applications = [{ name = 'a' }]", "connect-auditor.toml:1: applications[0]: it has no path"),
        (
            "\napplications = [{ path = 'a' }, { path = 'a', name = 'b' }]",
            "connect-auditor.toml:2: applications[1]: 'a' is the folder of two",
        ),
        (
            "attestations = 'a'\napplications = [{ path = 'a' }]",
            "connect-auditor.toml:1: attestations: with `applications` the",
        ),
        (
            "[tool.connect-auditor]\nstrict = true",
            "connect-auditor.toml:1: in a file of its own the keys stand at the top, without [tool",
        ),
        ("strict = true\nexclude = [", "connect-auditor.toml:2: "),
        ("a = 1\n\nstrict = tru", "connect-auditor.toml:3: Invalid value"),
        ("a = " + "[" * 5000, "connect-auditor.toml: nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_text(tmp_path, text)
    assert str(raised.value).startswith(message)


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / OWN).write_bytes(b"a = '\xff'")
    with pytest.raises(UsageError, match=r"connect-auditor.toml: not UTF-8 at byte 5"):
        load(tmp_path)


def test_a_broken_pyproject_that_mentions_us(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.connect-auditor]\nstrict = \n")
    with pytest.raises(UsageError, match=r"pyproject\.toml:2: "):
        load(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool]\nconnect-auditor = 1\n")
    with pytest.raises(UsageError, match="is not a table"):
        load(tmp_path)


def test_every_format_of_the_command_can_be_configured() -> None:
    assert set(CHOICES["format"]) == set(RENDERERS)


def test_the_line_in_a_pyproject_is_that_of_our_table(tmp_path: Path) -> None:
    project = '[project]\nname = "x"\nstrict = 1\n\n[tool.connect-auditor]\n'
    (tmp_path / "pyproject.toml").write_text(f"{project}strict = 1\n")
    with pytest.raises(UsageError, match=r"^pyproject\.toml:6: strict: expected true or false, got a number$"):
        load(tmp_path)


def test_the_line_is_left_out_where_it_takes_long(tmp_path: Path) -> None:
    values = "".join(f"  'strict {number}',\n" for number in range(1000))
    with pytest.raises(UsageError, match=r"^connect-auditor\.toml: strict: expected true or false, got a number$"):
        load_text(tmp_path, f"exclude = [\n{values}]\nstrict = 1\n")
