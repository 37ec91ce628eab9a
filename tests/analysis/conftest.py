"""Small applications, given as source text, as facts."""

from __future__ import annotations

import functools
import pathlib
import textwrap
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from auditor.analysis.analyse import analyse
from auditor.catalogue import parse
from auditor.checks.application import Application
from auditor.frontends import javascript, python
from auditor.library import Libraries, Library
from auditor.program import Program

FOLDER = pathlib.Path(__file__).parents[2] / "rules" / "libraries"

Analysed: TypeAlias = Callable[[Mapping[str, str]], Application]


@functools.cache
def libraries() -> Libraries:
    return Libraries(tuple(parse(file.read_text(), Library, str(file)) for file in sorted(FOLDER.rglob("*.yaml"))))


def lower(path: str, text: str) -> Program:
    source = textwrap.dedent(text).encode()
    if path.endswith(".py"):
        return python.lower(path, source)
    return javascript.lower(path, "typescript" if path.endswith((".ts", ".tsx")) else "javascript", source)


@pytest.fixture(scope="session")
def analysed() -> Analysed:
    """Path -> source text in; the application's facts out."""

    def application(files: Mapping[str, str]) -> Application:
        programs = {path: lower(path, text) for path, text in files.items()}
        return Application(analyse(programs.values(), files, libraries()), programs)

    return application
