"""What hostile input can do to the command: nothing but a problem in the report.

Each test puts one attack beside a small application with a known failure. The command must come to an end soon, name
what it could not read, find the failure all the same, and never show the secret that is written there.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from auditor.reports import RENDERERS
from tests.conftest import APP, CHECK, STATE

SECONDS = 20.0
"""Of the processor, for one run: a machine that does other things at the same time must not fail a test."""
PATIENCE = 90.0
PLANTED = "mcs_live_" + "9f8e7d6c5b4a39281706"  # in two parts, for those who scan this repository for secrets
MARK = "# client_secret access_token oauth\n"  # has a file read in the first round
SLASHES = MARK.replace("#", "//")

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


class Run(NamedTuple):
    """What a run of the command left behind. `seconds` of the processor, its children's among them."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def report(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.out)
        return made

    @property
    def problems(self) -> set[tuple[str, str]]:
        return {(one["path"], one["kind"]) for one in self.report["problems"]}

    @property
    def found(self) -> set[tuple[str, str]]:
        return {(one["rule"], one["path"]) for one in self.report["findings"]}


def run(root: Path, *arguments: str, cache: Path | None = None) -> Run:
    """Run the command as a user would, in the folder that is audited."""
    environment = {key: value for key, value in os.environ.items() if key != "CI" and not key.startswith("GIT_")}
    environment |= {"XDG_CACHE_HOME": str(cache or root.parent / "cache"), "PYTHONUTF8": "1"}
    output, errors = root.parent / "out.txt", root.parent / "err.txt"
    before = _spent()
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "auditor", *arguments], cwd=root, env=environment, stdout=out, stderr=err,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            pytest.fail(f"the command did not end in {PATIENCE:g} seconds")
    text, said = (file.read_text("utf-8", "surrogateescape") for file in (output, errors))
    assert "Traceback" not in said
    assert PLANTED not in text + said
    return Run(process.returncode, text, said, _spent() - before)


def _spent() -> float:
    """The processor's time of all children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the application, whose failure is that state is not compared, and with the secret."""
    made = tmp_path / "shop"
    made.mkdir()
    (made / "app.py").write_text(APP.replace(CHECK, ""))
    (made / "state.py").write_text(STATE)
    (made / "legacy.py").write_text(f'MONEI_CLIENT_SECRET = "{PLANTED}"\n')
    return made


def audited(root: Path, *arguments: str) -> Run:
    """Audit the folder, and see that the rest of it was judged as ever."""
    made = run(root, "audit", "--format", "json", *arguments)
    assert made.code == 1, made.err
    assert {("missing-state-validation", "app.py"), ("hardcoded-client-secret", "legacy.py")} <= made.found
    assert made.seconds < SECONDS
    assert len(made.err.splitlines()) == 1
    return made


# ------------------------------------------------------------------------------------- files that cannot be read

UNREADABLE: dict[str, tuple[str, bytes, str]] = {
    "a syntax error": ("old.py", f"{MARK}def (:\n".encode(), "syntax"),
    "a syntax error in JavaScript": ("old.js", f"{SLASHES}function ( {{ = ;\n".encode(), "partial"),
    "binary": ("old.py", MARK.encode() + bytes(range(256)) * 20, "encoding"),
    "NUL": ("old.py", MARK.encode() + b"x = 1\0\n", "encoding"),
    "more than 2 MiB": ("old.py", MARK.encode() * 70_000, "too-large"),
    "more than libcst is given": ("old.py", MARK.encode() * 16_000, "too-large"),
    "500 calls in each other": ("old.py", f"{MARK}x = {'f(' * 500}{')' * 500}\n".encode(), "too-deep"),
    "5,000 additions": ("old.py", f"{MARK}x = {'a + ' * 5_000}a\n".encode(), "too-complex"),
    "3,000 brackets": ("old.py", f"{MARK}x = {'(' * 3_000}1{')' * 3_000}\n".encode(), "too-deep"),
    "2,000 functions in each other": (
        "old.py", (MARK + "".join(f"{' ' * depth}def f{depth}():\n" for depth in range(700)) + " " * 700 + "pass\n").encode(), "too-deep",
    ),
    "YAML that is none": ("old.yaml", b"client_secret: [\n  - {a: b\n c: d\n", "syntax"),
    "TOML that is none": ("old.toml", b"client_secret = = 1\n", "syntax"),
    "JSON that is none": ("old.json", b'{"client_secret": "a", ]\n', "syntax"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_a_problem(root: Path, name: str) -> None:
    path, data, kind = UNREADABLE[name]
    (root / path).write_bytes(data)
    assert (path, kind) in audited(root).problems


# ------------------------------------------------------------------------------------------- files that can be


def _elif(count: int) -> str:
    arms = "".join(
        f"    elif kind == {number}:\n        session['access_token'] = {number}\n" for number in range(count)
    )
    return f"{MARK}from flask import session\ndef chosen(kind):\n    if kind is None:\n        return 1\n{arms}    return 2\n"


def _switch(count: int) -> str:
    arms = "".join(f"    case {number}: session.access_token = {number}; break;\n" for number in range(count))
    return f"{SLASHES}function chosen(kind, session) {{\n  switch (kind) {{\n{arms}  }}\n}}\nmodule.exports = {{chosen}};\n"


def _routes(count: int) -> str:
    routes = "".join(
        f"@app.get('/r{number}')\ndef route{number}():\n    return requests.get('https://api.example.com', "
        f"headers={{'Authorization': 'Bearer ' + session['access_token']}}).json()\n"
        for number in range(count)
    )
    return f"{MARK}import requests\nfrom flask import Flask, session\napp = Flask(__name__)\n{routes}"


def _recursive(count: int) -> str:
    calls = "".join(
        f"def f{number}(access_token):\n    return f{(number + 1) % count}(access_token) or f{(number + 7) % count}(access_token)\n"
        for number in range(count)
    )
    return MARK + calls


def _classes(count: int) -> str:
    classes = "".join(
        f"class A{number}(A{max(number - 1, 0)}):\n    def __init__(self, access_token):\n        super().__init__(access_token)\n"
        f"        self.access_token = access_token\n    def get(self):\n        return super().get() or self.access_token\n"
        for number in range(count)
    )
    return MARK + classes


def _statuses(count: int) -> str:
    """Calls to a provider in one function, each with its status compared, and with that of another."""
    asked = "".join(
        f"    r{number} = requests.get('https://api.example.com/{number}', headers={{'Authorization': 'Bearer ' + token}})\n"
        f"    if r{number}.status_code == 401 and r{(number * 7) % (number + 1)}.status_code != 403:\n"
        f"        session.pop('access_token')\n        return redirect('/connect')\n"
        for number in range(count)
    )
    head = "import requests\nfrom flask import Flask, redirect, session\napp = Flask(__name__)\n@app.get('/all')\n"
    return f"{MARK}{head}def everything():\n    token = session['access_token']\n{asked}    return 'ok'\n"


def _doubling(count: int) -> str:
    """Each function calls the next one twice: 2 to the power of `count` ways."""
    calls = "".join(
        f"def f{number}(access_token):\n    f{number + 1}(access_token)\n    return f{number + 1}(access_token)\n"
        for number in range(count)
    )
    return f"{MARK}{calls}def f{count}(access_token):\n    print(access_token)\n"


HEAVY: dict[str, dict[str, str | bytes]] = {
    "UTF-16": {"old.py": f"{MARK}x = 1\n".encode("utf-16")},
    "100,000 brackets": {"old.js": f"{SLASHES}x = {'[' * 100_000}{']' * 100_000};\n"},
    "one line of 2 MB": {"old.js": "client_secret=" + "a(b,c);" * 280_000},
    "many lines of nothing": {"old.py": MARK + "\n" * 400_000},
    "3,000 arms of an if": {"old.py": _elif(3_000)},
    "3,000 arms of a switch": {"old.js": _switch(3_000)},
    "5,000 routes": {"old.py": _routes(5_000)},
    "mutual recursion": {"old.py": _recursive(300)},
    "2,000 closures in each other": {
        "old.js": SLASHES + "".join(f"function f{depth}(access_token) {{\n" for depth in range(2_000)) + "}\n" * 2_000
    },
    "JSX 1,000 deep": {"old.jsx": f"{SLASHES}export const Page = () => {'<div>' * 1_000}oauth{'</div>' * 1_000};\n"},
    "HTML 5,000 deep": {"old.html": f"<!-- oauth client_secret -->{'<div>' * 5_000}{'</div>' * 5_000}"},
    "a bomb of YAML": {
        "old.yaml": "client_secret: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    },
    "YAML that holds itself": {"old.yaml": "client_secret: &a [*a, *a]\n"},
    "JSON 100,000 deep": {"old.json": '{"client_secret": ' + "[" * 100_000 + "]" * 100_000 + "}"},
    "a template bomb": {
        "templates/old.html": "{# oauth client_secret #}"
        + "{% for a in b %}" * 3_000
        + "{{ a }}"
        + "{% endfor %}" * 3_000,
        "templates/self.html": "{% extends 'self.html' %}{% include 'self.html' %}{{ access_token }}",
        "templates/sum.html": "{{ access_token " + "+ a" * 20_000 + " }}",
    },
    "1,000 classes that inherit": {"old.py": _classes(1_000)},
    "200 statuses": {"old.py": _statuses(200)},
    "2 to the power of 60": {"old.py": _doubling(60)},
    "3,000 patterns that backtrack": {
        ".gitignore": "".join(f"*a*a*a*{number}\n" for number in range(3_000)),
        f"{'a' * 240}.py": MARK,
    },
    "a value that doubles": {"old.js": f"{SLASHES}let x = access_token;\n" + "x = {...x, a: x, b: [x, x]};\n" * 2_000},
    "an import cycle": {
        f"m{number}.py": f"{MARK}from m{(number + 1) % 50} import g{(number + 1) % 50}\n"
        f"def g{number}(access_token):\n    return g{(number + 1) % 50}(access_token)\n"
        for number in range(50)
    },
    "an import of everything from itself": {
        "pkg/__init__.py": f"{MARK}from pkg import *\nfrom . import __init__\nfrom .pkg import access_token\n",
    },
    "an alias of itself": {
        "old.py": f"{MARK}class A(A): pass\nx = x\naccess_token = access_token\ndel access_token.a\n"
    },
    "a suppression that never ends": {"old.py": MARK + "# connect-auditor: ignore" * 3_000 + "\n"},
}


@pytest.mark.parametrize("name", HEAVY)
def test_a_heavy_file_costs_little(root: Path, name: str) -> None:
    for path, content in HEAVY[name].items():
        file = root / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    kinds = {kind for _, kind in audited(root).problems}
    assert "crashed" not in kinds


# ----------------------------------------------------------------------------------------- links, pipes, names


@POSIX
def test_links_are_not_followed_out_of_the_root(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "leak.py").write_text(f'MONEI_CLIENT_SECRET = "{PLANTED}"\n')
    (root / "out.py").symlink_to(outside / "leak.py")
    (root / "folder").symlink_to(outside)
    (root / "broken.py").symlink_to("nowhere.py")
    (root / "loop.py").symlink_to("loop.py")
    (root / "round").symlink_to(".")
    made = audited(root)
    assert {("out.py", "link"), ("broken.py", "link"), ("loop.py", "link")} <= made.problems
    assert not {path for _, path in made.found} & {"out.py", "folder/leak.py", "round/legacy.py"}


@POSIX
def test_a_pipe_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "old.py")
    os.mkfifo(root / ".gitignore")
    assert ("old.py", "unreadable") in audited(root).problems


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(root: Path) -> None:
    (root / "old.py").write_text(MARK)
    (root / "old.py").chmod(0)
    assert ("old.py", "unreadable") in audited(root).problems


@pytest.mark.skipif(sys.platform != "linux", reason="only here any bytes are a name")
@pytest.mark.parametrize("format_", RENDERERS)
def test_names_steer_nothing(root: Path, format_: str) -> None:
    names = [b"new\nline.py", b"\x1b[2J\x07.py", b"tab\t\x7f.py", b"x" * 247 + b".py", b"caf\xe9.py", b"::error::a,b.py",
             b"<script>.py", b"`|[x](y).py", "\u202egnp.py".encode()]  # fmt: skip
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(root), name))).write_text(APP.replace(CHECK, ""))
    made = run(root, "audit", "--format", format_)
    assert made.code == 1
    assert made.seconds < SECONDS
    steering = (
        "[\x00-\x08\x0b-\x1f]" if format_ == "json" else "[\x00-\x08\x0b-\x1f\x7f\u202e]"
    )  # JSON says them as they are
    assert not re.search(steering, made.out + made.err)
    if format_ == "json":
        assert sum(rule == "missing-state-validation" for rule, _ in made.found) == len(names) + 1


# ------------------------------------------------------------------------------------------------ repositories


def test_a_git_file_that_points_nowhere(root: Path) -> None:
    (root / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert ("", "git") in audited(root).problems


def test_a_git_folder_that_is_none(root: Path) -> None:
    (root / ".git").mkdir()
    assert ("", "git") in audited(root).problems


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_somebody_else(root: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    for file in (root, *root.rglob("*")):
        os.chown(file, 12345, 12345)
    assert ("", "git") not in audited(root).problems


@POSIX
def test_the_configuration_of_a_repository_starts_nothing(root: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    started = root.parent / "started"
    program = root.parent / "program"
    program.write_text(f"#!/bin/sh\ntouch '{started}'\n")
    program.chmod(0o755)
    with (root / ".git/config").open("a") as file:
        file.write(f'[core]\n\tfsmonitor = "{program}"\n\tpager = "{program}"\n\teditor = "{program}"\n'
                   f'[filter "x"]\n\tclean = "{program}"\n\tsmudge = "{program}"\n[diff "x"]\n\ttextconv = "{program}"\n'
                   f'\tcommand = "{program}"\n[credential]\n\thelper = "{program}"\n')  # fmt: skip
    (root / ".gitattributes").write_text("* filter=x diff=x\n")
    (root / ".git/hooks").mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (root / ".git/hooks" / name).write_bytes(program.read_bytes())
        (root / ".git/hooks" / name).chmod(0o755)
    audited(root)
    run(root, "audit", "--staged", "--format", "json")
    assert not started.exists()


@POSIX
def test_nothing_of_the_repository_is_imported(root: Path) -> None:
    started = root.parent / "started"
    for name in ("libcst", "msgspec", "click", "json", "sitecustomize", "usercustomize", "auditor", "yaml"):
        (root / f"{name}.py").write_text(f"open({str(started)!r}, 'w')\n")
    command = [str(Path(sys.executable).parent / "connect-auditor")]
    if not Path(command[0]).exists():
        pytest.skip("the command is not installed beside the interpreter")
    done = subprocess.run([*command, "audit"], cwd=root, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1, done.stderr
    assert not started.exists()


def test_a_folder_without_git(root: Path) -> None:
    assert ("", "git") in audited(root).problems


# ----------------------------------------------------------------------------------------- the user's own fault


def test_an_empty_folder(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    made = run(empty, "audit")
    assert (made.code, made.out) == (2, "")
    assert "nothing to audit" in made.err


BROKEN = {
    "no TOML": "= = =",
    "an unknown key": 'secrecy = "high"\n',
    "a wrong type": "exclude = 7\n",
    "nested without end": "a = " + "[" * 100_000,
    "not UTF-8": "exclude = ['\udce9']\n",
    "a pattern that takes for ever": "exclude = ['*a*a*a*a*a*a*a*a*b']\n",
    "a way out": "baseline = '../../etc/passwd'\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_configuration(root: Path, name: str) -> None:
    (root / "connect-auditor.toml").write_bytes(BROKEN[name].encode("utf-8", "surrogateescape"))
    made = run(root, "audit")
    assert (made.code, made.out) == (2, ""), made.err
    assert "connect-auditor.toml" in made.err or "exclude: " in made.err


# ---------------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize("format_", RENDERERS)
def test_a_secret_is_shown_nowhere(root: Path, format_: str) -> None:
    """`run` looks at both outputs; here for each format, and at what is kept for the next run."""
    (root / "pay.js").write_text(f"const clientSecret = '{PLANTED}'; // access_token oauth\n")
    (root / ".env").write_text(f"MONEI_CLIENT_SECRET={PLANTED}\n")
    (root / "old.py").write_text(f'{MARK}MONEI_CLIENT_SECRET = "{PLANTED}"\ndef (:\n')
    (root / "text.py").write_text(
        f'{MARK}NOTE = """Use {PLANTED} for the shop."""\nX = f"https://x.example.com/?k={PLANTED}"\n'
    )
    (root / "kept.py").write_text(f"{MARK}def nothing():\n    return 1\n")
    cache = root.parent / "kept"
    for _ in range(2):
        made = run(root, "audit", "--cache", "--verbose", "--format", format_, cache=cache)
        assert made.code == 1
    files = [file for file in cache.rglob("*") if file.is_file()]
    assert files  # else this would prove nothing
    assert [file for file in files if PLANTED.encode() in file.read_bytes()] == []


def test_a_secret_is_not_shown_by_an_error_of_ours(root: Path) -> None:
    """With --verbose the frames are shown, and neither their values nor the message of a foreign exception."""
    code = (
        "import os, sys; from auditor import cli, judge\n"
        "def broken(*_): raise ValueError(os.environ['PLANTED'])\n"
        "judge.items = broken\n"
        "sys.exit(cli.run(['audit', '--verbose', '--no-cache']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=os.environ | {"PLANTED": PLANTED}, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "internal error: ValueError" in done.stderr
    assert PLANTED not in done.stdout + done.stderr
