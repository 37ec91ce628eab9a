"""What is installed: the engine, the catalogue beside it, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from auditor import __version__

ROOT = Path(__file__).parents[1]
SOURCES = ("auditor", "rules", "pyproject.toml", "README.md", "LICENSE")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def packages_of(folder: str, name: str) -> set[str]:
    found = (file.parent.relative_to(ROOT / folder).parts for file in (ROOT / folder).rglob("__init__.py"))
    return {".".join((name, *parts)) for parts in found}


def test_the_listed_packages_are_the_folders() -> None:
    listed = project()["tool"]["setuptools"]["packages"]
    assert set(listed) == packages_of("auditor", "auditor") | packages_of("rules", "auditor.rules")
    assert listed == sorted(listed)


def test_every_folder_with_code_is_a_package() -> None:
    assert [file for file in (ROOT / "auditor").rglob("*.py") if not (file.parent / "__init__.py").exists()] == []


def test_rules_hold_no_code() -> None:
    assert [file.name for file in (ROOT / "rules").rglob("*.py")] == ["__init__.py"]
    assert (ROOT / "rules/__init__.py").read_bytes() == b""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built from a copy: building leaves files in its folder."""
    copy = tmp_path_factory.mktemp("copy")
    for name in SOURCES:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, copy / name, ignore=ignored) if source.is_dir() else shutil.copy(source, copy / name)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(copy / "built"), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return copy / "built"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


def expected_files() -> set[str]:
    code = {str(file.relative_to(ROOT)) for file in (ROOT / "auditor").rglob("*.py")}
    data = {f"auditor/{file.relative_to(ROOT)}" for file in (ROOT / "rules").rglob("*.yaml")}
    templates = {str(file.relative_to(ROOT)) for file in (ROOT / "auditor/reports/templates").iterdir()}
    starters = {str(file.relative_to(ROOT)) for file in (ROOT / "auditor/starters").iterdir()}
    return code | data | templates | starters | {"auditor/py.typed", "auditor/rules/__init__.py"}


def test_the_wheel_holds_the_engine_and_the_catalogue(wheel: Path) -> None:
    assert wheel.name == f"connect_auditor-{__version__}-py3-none-any.whl"
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == expected_files()
    assert "auditor/rules/checklist.yaml" in names
    assert "auditor/rules/providers/monei.yaml" in names
    assert "auditor/reports/templates/report.html.j2" in names


def test_the_sdist_builds_what_it_came_from(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "rules/checklist.yaml",
        "rules/providers/monei.yaml",
        "auditor/cli.py",
    } <= names


def test_the_wheel_works_beside_an_unrelated_package_called_rules(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    zipfile.ZipFile(wheel).extractall(site)
    (site / "rules").mkdir()
    (site / "rules/__init__.py").write_text("raise RuntimeError('another project was imported')\n")
    (site / "rules/checklist.yaml").write_text("another project\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import auditor; assert auditor.__file__.startswith(sys.argv[1]), auditor.__file__;"
        "from importlib.resources import files;"
        "print(files('auditor.rules').joinpath('checklist.yaml').read_text(encoding='utf-8'))"
    )
    command = [sys.executable, "-c", code, str(site)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (ROOT / "rules/checklist.yaml").read_text(encoding="utf-8").strip()


def test_the_readme_has_its_two_commands() -> None:
    commands = re.findall(r"^python3 -m venv \.venv && .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(commands) == 2
    assert "connect-auditor audit ./" in commands[0]
    assert commands[1].endswith(".venv/bin/pytest -n auto")
