"""On which side a program runs, and what shows it."""

from __future__ import annotations

import pathlib

import pytest

from auditor.audit import audit
from auditor.model import SideSeen

TOKEN = "fetch('https://api.monei.cc/api/v1/connect/token', {body: 'client_id=1'})"


def seen(folder: pathlib.Path, files: dict[str, str]) -> dict[str, tuple[str, str, int]]:
    """Path (and function) -> side, reason, line."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return {f"{one.path} {one.unit}".strip(): (one.side, one.reason, one.line) for one in audit(folder).sides}


@pytest.mark.parametrize(
    ("name", "text", "side", "reason", "line"),
    [
        ("app.py", "client_id = 1", "server", "Python", 0),
        ("app.py", "client_id = 1\nimport tkinter", "desktop", "imports tkinter", 2),
        ("app.py", "from PyQt6.QtWidgets import QWidget\nclient_id = 1", "desktop", "imports PyQt6", 1),
        ("app.js", f"const express = require('express');\n{TOKEN}", "server", "imports express", 1),
        ("app.js", f"import fs from 'node:fs';\n{TOKEN}", "server", "imports node:fs", 1),
        ("app.ts", f"{TOKEN};\nconsole.log(__dirname)", "server", "uses __dirname", 2),
        ("app.ts", f"{TOKEN};\nconst key = Deno.env.get('A')", "server", "uses Deno", 2),
        ("app.js", f"{TOKEN};\nwindow.location.href = '/'", "browser", "uses window", 2),
        ("app.js", f"{TOKEN}.then(one => localStorage.setItem('a', one))", "browser", "uses localStorage", 1),
        ("App.jsx", f"export default () => <b onClick={{() => {TOKEN}}}>a</b>", "browser", "makes markup", 1),
        ("app.tsx", f"'use client'\nimport {{headers}} from 'next/headers';\n{TOKEN}", "browser", '"use client"', 1),
        ("app.ts", f"'use server'\nimport React from 'react';\n{TOKEN}", "server", '"use server"', 1),
        ("App.tsx", f"import {{Text}} from 'react-native';\n{TOKEN}", "mobile", "imports react-native", 1),
        ("App.tsx", f"import * as Auth from 'expo-auth-session';\n{TOKEN}", "mobile", "imports expo-auth-session", 1),
        ("main.js", f"const {{app}} = require('electron');\n{TOKEN}", "desktop", "imports electron", 1),
        ("a/pages/api/cb.ts", TOKEN, "server", "its path: **/pages/api/**", 0),
        ("app/cb/route.ts", TOKEN, "server", "its path: **/app/**/route.ts", 0),
        ("pages/home.tsx", TOKEN, "browser", "its path: **/pages/*.tsx", 0),
        ("src/routes/cb/+server.ts", TOKEN, "server", "its path: **/+server.ts", 0),
        ("src/Login.vue", f"<script>\n{TOKEN}\n</script>", "browser", "a page", 0),
        ("lib/oauth.ts", TOKEN, "unknown", "nothing shows where it runs", 0),
    ],
)
def test_what_shows_it(tmp_path: pathlib.Path, name: str, text: str, side: str, reason: str, line: int) -> None:
    assert seen(tmp_path, {name: f"{text}\n"}) == {name: (side, reason, line)}


def test_a_name_that_the_file_gives_a_meaning_of_its_own_shows_nothing(tmp_path: pathlib.Path) -> None:
    text = f"const document = await open('client_id');\ndocument.save();\n{TOKEN};\nexport function f(window) {{ window.move() }}\n"
    assert seen(tmp_path, {"a.js": text}) == {"a.js": ("unknown", "nothing shows where it runs", 0)}


def test_who_imports_it(tmp_path: pathlib.Path) -> None:
    """A helper runs where its callers do; one that both sides use is open to everybody."""
    helper = f"export const exchange = () => {TOKEN};\n"
    sides = seen(
        tmp_path,
        {
            "lib/inner.ts": helper,
            "lib/server.ts": f"export {{exchange}} from './inner';\nimport {{exchange}} from './inner';\n{helper.replace('exchange', 'other')}",
            "lib/both.ts": helper,
            "pages/api/cb.ts": "import {other} from '../../lib/server';\nimport {exchange} from '../../lib/both';\nexport default () => exchange('client_id');\n",
            "pages/home.tsx": "import {exchange} from '../lib/both';\nexport default () => exchange('client_id');\n",
        },
    )
    assert sides["lib/server.ts"] == ("server", "imported by pages/api/cb.ts", 0)
    assert sides["lib/inner.ts"] == ("server", "imported by lib/server.ts", 0)
    assert sides["lib/both.ts"] == ("browser", "imported by pages/home.tsx", 0)


@pytest.mark.parametrize("written", ["export async function", "export const"])
def test_a_function_of_a_page_that_the_server_runs(tmp_path: pathlib.Path, written: str) -> None:
    head = "getServerSideProps(ctx)" if "function" in written else "getServerSideProps = async (ctx) =>"
    text = f"export default () => <b/>;\n\n{written} {head} {{\n  return {TOKEN};\n}}\n"
    assert seen(tmp_path, {"pages/home.tsx": text}) == {
        "pages/home.tsx": ("browser", "its path: **/pages/*.tsx", 0),
        "pages/home.tsx getServerSideProps": ("server", "getServerSideProps runs on the server", 3),
    }


SECRET = "mcs_live_" + "4f9d2c7a8b1e6053"


def test_a_secret_in_a_browser_is_in_everybodys_hands(tmp_path: pathlib.Path) -> None:
    page = (
        "import React from 'react';\n"
        f"const clientSecret = '{SECRET}';\n"
        f"export const exchange = () => {TOKEN};\n"
        "export async function getServerSideProps() {\n"
        f"  const clientSecret = '{SECRET}x';\n"
        f"  return {TOKEN};\n"
        "}\n"
    )
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/home.tsx").write_text(page)
    (tmp_path / "server.js").write_text(f"const express = require('express');\nconst clientSecret = '{SECRET}y';\n")
    found = {(one.path, one.line): one.message for one in audit(tmp_path).findings}
    said = "and it runs in a browser, where everybody can read it"
    assert said in found["pages/home.tsx", 2]
    assert said not in found["pages/home.tsx", 5]
    assert said not in found["server.js", 2]


def test_the_side_is_in_every_detail_of_the_report(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    from auditor import cli

    (tmp_path / "app.js").write_text(f"const express = require('express');\n{TOKEN};\n")
    assert audit(tmp_path).sides == (SideSeen("app.js", "server", "imports express", 1),)
    cli.run(["audit", str(tmp_path)])
    assert "1 analysed (1 on a server)" in capsys.readouterr().out
    cli.run(["audit", str(tmp_path), "--verbose"])
    assert "app.js:1 on a server: imports express" in " ".join(capsys.readouterr().out.split())
    cli.run(["explain", f"{tmp_path}/app.js:2", "--in", str(tmp_path)])
    assert "runs on a server" in capsys.readouterr().out
