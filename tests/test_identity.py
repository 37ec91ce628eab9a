"""A finding keeps its fingerprint through edits that do not touch it, and is new when it is."""

from __future__ import annotations

import pathlib
import random
import re
import shutil
from collections.abc import Callable

import pytest

from auditor import cli
from auditor.audit import audit
from auditor.model import Report

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
EDITS = 100  # in each language
BEGINS = re.compile(r"(@|def |async def |class |app\.|router\.|function |async function )")
ASSIGNED = re.compile(r"^\s+(?:const |let |var )?([a-z_]\w{3,}) = ", re.MULTILINE)


class File:
    """A source as the pieces between its blank lines at the left margin: functions, and what stands between them."""

    def __init__(self, text: str, comment: str) -> None:
        self.pieces = [piece for piece in re.split(r"\n{2,}(?=\S)", text.rstrip("\n")) if piece]
        self.comment = comment
        self.number = 0
        self.found: list[str] = []

    @property
    def text(self) -> str:
        return "\n\n\n".join(self.pieces) + "\n"

    def movable(self) -> list[int]:
        """The pieces that only define: their order says nothing."""
        return [at for at, piece in enumerate(self.pieces) if BEGINS.match(piece) and "before_request" not in piece]


def move(file: File, choose: random.Random) -> None:
    """Two functions change places."""
    one, other = choose.sample(file.movable(), 2)
    file.pieces[one], file.pieces[other] = file.pieces[other], file.pieces[one]


def insert(file: File, choose: random.Random) -> None:
    """Comments and blank lines between the functions."""
    at = choose.choice(file.movable())
    file.pieces.insert(at, "\n".join([f"{file.comment} a note"] * choose.randint(1, 4)))


def define(file: File, choose: random.Random) -> None:
    """A function that has nothing to do with anything."""
    file.number += 1
    python = f"def helper_{file.number}(value):\n    return value + {file.number}"
    javascript = f"function helper_{file.number}(value) {{\n  return value + {file.number};\n}}"
    file.pieces.insert(choose.choice(file.movable()), python if file.comment == "#" else javascript)


def rename(file: File, choose: random.Random) -> None:
    """A variable of one function gets another name, if it does not stand on the line of a finding."""
    at = choose.choice(file.movable())
    piece = file.pieces[at]
    named = [
        one for one in ASSIGNED.findall(piece) if not re.search(rf"[.'\"]{one}\b|\b{one}=|{{{one}}}|\b{one}:", piece)
    ]
    named = [one for one in named if not any(re.search(rf"\b{one}\b", line) for line in file.found)]
    if named:
        file.number += 1
        file.pieces[at] = re.sub(rf"\b{choose.choice(named)}\b", f"renamed_{file.number}", piece)


def import_more(file: File, choose: random.Random) -> None:
    """One more line at the top."""
    line = "import string" if file.comment == "#" else "const os = require('os');"
    if line not in file.pieces[0]:
        file.pieces.insert(0, line)
    file.pieces[-1] += "\n" * choose.randint(0, 3)


KINDS: tuple[Callable[[File, random.Random], None], ...] = (move, move, insert, define, rename, import_more)


def identities(report: Report) -> list[tuple[str, str, tuple[str, ...]]]:
    return sorted((one.rule, one.path, one.identity) for one in report.findings)


@pytest.mark.parametrize(
    ("fixture", "name", "comment"), [("flask-bad", "app.py", "#"), ("express-bad", "server.js", "//")]
)
def test_edits_that_do_not_touch_a_finding_keep_its_identity(
    tmp_path: pathlib.Path, fixture: str, name: str, comment: str
) -> None:
    shutil.copytree(FIXTURES / fixture, tmp_path / "app")
    source = tmp_path / "app" / name
    first = audit(tmp_path / "app")
    before = identities(first)
    assert len(before) > 5
    choose = random.Random(6749)
    file = File(source.read_text(), comment)
    lines = source.read_text().splitlines()
    file.found = [lines[one.line - 1] for one in first.findings if one.path == name]
    for number in range(EDITS):
        kind = choose.choice(KINDS)
        kind(file, choose)
        text = file.text
        source.write_bytes(text.replace("\n", "\r\n").encode() if number % 10 == 9 else text.encode())
        assert identities(audit(tmp_path / "app")) == before, f"edit {number}: {kind.__name__}"


PYTHON = """\
import os
import requests
from flask import Flask, redirect, request, session
app = Flask(__name__)
MONEI = "https://api.monei.cc/api/v1"

@app.get("/cb")
def callback():
    if request.args["state"] != session.pop("state"):
        return "no", 400
    data = {"grant_type": "authorization_code", "code": request.args["code"], "client_secret": os.environ["SECRET"]}
    session["token"] = requests.post(MONEI + "/connect/token", json=data).json()["access_token"]
    return redirect("/")

{uses}
"""
USES = """\
@app.get("/{name}")
def {name}():
    headers = {{"Authorization": "Bearer " + session["token"]}}
    return requests.get(MONEI + "/{name}", headers=headers).json()["{name}"]
"""
RULE = "unhandled-unauthorized"


def used(folder: pathlib.Path, *names: str) -> tuple[str, ...]:
    """The identity of the one finding about the functions of these names."""
    text = PYTHON.replace("{uses}", "\n\n".join(USES.format(name=name) for name in names))
    (folder / "app.py").write_text(text)
    (found,) = (one for one in audit(folder).findings if one.rule == RULE)
    return found.identity


def test_a_finding_of_several_functions_is_known_when_all_of_them_are(tmp_path: pathlib.Path) -> None:
    both = used(tmp_path, "wallet", "bills")
    assert len(both) == 2
    assert used(tmp_path, "bills", "wallet") == both
    assert set(used(tmp_path, "bills")) < set(both)
    assert not set(used(tmp_path, "bills", "wallet", "profile")) <= set(both)


def test_a_baseline_hides_no_function_that_comes_later(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    used(tmp_path, "wallet", "bills")
    cli.run(["baseline", str(tmp_path)])

    def counted() -> list[str]:
        return [one.rule for one in audit(tmp_path).findings if one.rule == RULE and one.suppressed is None]

    assert counted() == []
    used(tmp_path, "bills", "wallet")
    assert counted() == []
    used(tmp_path, "bills")
    assert counted() == []
    used(tmp_path, "bills", "profile")
    assert counted() == [RULE]
