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
        ("bin/login.js", f"#!/usr/bin/env node\n{TOKEN}", "server", '"#!"', 1),
        ("cli.js", f"{TOKEN};\nconst name = process.argv[2]", "server", "uses process.argv", 2),
        ("src/routes/+page.ts", f"export const load = () => {TOKEN}", "browser", "its path: **/+page.ts", 0),
        ("app/cb+api.ts", f"export const GET = () => {TOKEN}", "server", "its path: **/*+api.ts", 0),
        ("public/sw.js", TOKEN, "browser", "its path: **/sw.js", 0),
        ("worker.js", f"{TOKEN};\nself.addEventListener('fetch', () => 1)", "browser", "uses self.addEventListener", 2),
        ("back.js", f"chrome.identity.launchWebAuthFlow({{url: 'x'}});\n{TOKEN}", "browser", "uses chrome.identity", 1),
        ("src/a.ts", f"const id = import.meta.env.VITE_ID;\n{TOKEN}", "browser", "has VITE_ID built in", 1),
        ("src/a.ts", f"{TOKEN};\nconst {{REACT_APP_ID}} = process.env;", "browser", "has REACT_APP_ID built in", 2),
        ("src/a.ts", f"{TOKEN};\nconst id = process.env.EXPO_PUBLIC_ID;", "mobile", "has EXPO_PUBLIC_ID built in", 2),
        ("src/a.ts", f"import {{ID}} from '@env';\n{TOKEN}", "mobile", "imports @env", 1),
        # both sides read these
        ("src/a.ts", f"{TOKEN};\nconst id = process.env.NEXT_PUBLIC_ID;", "unknown", "nothing shows where it runs", 0),
        # what is only asked for may be missing
        (
            "src/a.ts",
            f"{TOKEN};\nconst on = typeof window === 'undefined';",
            "unknown",
            "nothing shows where it runs",
            0,
        ),
        ("src/a.ts", f"const self = {{}};\n{TOKEN};\nself.clients.get(1)", "unknown", "nothing shows where it runs", 0),
        ("app.py", "import streamlit as st\nclient_id = st.secrets['client_id']", "server", "Python", 0),
        ("views/login.ejs", f"<p><%= client_id %></p><script>\n{TOKEN}\n</script>", "browser", "a page", 0),
        ("templates/a.html", f"<p>{{{{ client_id }}}}</p><script>\n{TOKEN}\n</script>", "browser", "a page", 0),
        (
            "a.component.ts",
            f"import {{Component}} from '@angular/core';\n{TOKEN}",
            "browser",
            "imports @angular/core",
            1,
        ),
        ("src/Login.svelte", f"<script>\n{TOKEN}\n</script>", "browser", "a page", 0),
        ("static/a.js", f"{TOKEN};\n$('#name').text('x')", "browser", "uses $", 2),
        ("middleware.ts", f"import {{NextResponse}} from 'next/server';\n{TOKEN}", "server", "imports next/server", 1),
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


def test_the_imports_of_a_page_are_for_its_functions_on_the_server(tmp_path: pathlib.Path) -> None:
    """Where the path does not tell, what such a file imports must not make a server of its page."""
    text = f"import fs from 'node:fs';\nexport async function loader() {{\n  return {TOKEN};\n}}\nexport default () => <b/>;\n"
    assert seen(tmp_path, {"app/routes/home.tsx": text, "src/home.tsx": text}) == {
        "app/routes/home.tsx": ("browser", "makes markup", 5),
        "app/routes/home.tsx loader": ("server", "loader runs on the server", 2),
        "src/home.tsx": ("server", "imports node:fs", 1),  # there, a loader is a function like others
    }


def test_a_function_that_is_exported_behind_its_definition(tmp_path: pathlib.Path) -> None:
    text = f"async function getServerSideProps() {{\n  return {TOKEN};\n}}\nexport {{ getServerSideProps }};\nexport default () => <b/>;\n"
    assert seen(tmp_path, {"pages/home.tsx": text})["pages/home.tsx getServerSideProps"] == (
        "server",
        "getServerSideProps runs on the server",
        1,
    )


def test_a_function_that_says_that_it_is_for_the_server(tmp_path: pathlib.Path) -> None:
    text = f"import React from 'react';\nexport async function connect() {{\n  'use server';\n  return {TOKEN};\n}}\n"
    assert seen(tmp_path, {"a.tsx": text, "app/page.tsx": text + "export default () => <b/>;\n"}) == {
        "a.tsx": ("browser", "imports react", 1),
        "a.tsx connect": ("server", '"use server"', 2),
        "app/page.tsx": ("server", "its path: **/app/page.tsx", 0),
    }


def test_a_helper_of_functions_on_the_server_alone_runs_there(tmp_path: pathlib.Path) -> None:
    page = (
        "import {exchange} from '../lib/a';\nimport {other} from '../lib/b';\n"
        "export async function getServerSideProps() {\n  return exchange('client_id') || other();\n}\n"
        "export default () => <b onClick={() => other('client_id')}/>;\n"
    )
    sides = seen(
        tmp_path,
        {
            "pages/home.tsx": page,
            "lib/a.ts": f"export const exchange = () => {TOKEN};\n",
            "lib/b.ts": f"export const other = () => {TOKEN};\n",
        },
    )
    assert sides["lib/a.ts"] == ("server", "imported by pages/home.tsx", 0)
    assert sides["lib/b.ts"] == ("browser", "imported by pages/home.tsx", 0)


def test_markup_is_made_where_it_is_asked_for(tmp_path: pathlib.Path) -> None:
    """A component without a sign of its own is rendered by who imports it: a page of the server, or a script."""
    component = f"export const A = async () => <b title={{await {TOKEN}}}/>;\n"
    sides = seen(
        tmp_path,
        {
            "app/page.tsx": "import {A} from '../parts/a';\nexport default () => <A id='client_id'/>;\n",
            "parts/a.tsx": component,
            "parts/b.tsx": component,
            "parts/c.tsx": "'use client';\nimport {A} from './b';\nexport const C = () => <A id='client_id'/>;\n",
        },
    )
    assert sides["parts/a.tsx"] == ("server", "imported by app/page.tsx", 0)
    assert sides["parts/b.tsx"] == ("browser", "imported by parts/c.tsx", 0)


def test_a_library_of_several_sides_runs_where_it_is_imported(tmp_path: pathlib.Path) -> None:
    """React renders on a phone and on a server, too; where nobody imports it, it is a browser's."""
    hook = f"import {{useState}} from 'react';\nexport const useToken = () => useState({TOKEN});\n"
    sides = seen(
        tmp_path,
        {
            "App.tsx": "import {Text} from 'react-native';\nimport {useToken} from './phone';\nuseToken('client_id');\n",
            "phone.ts": hook,
            "alone.ts": hook,
        },
    )
    assert sides["phone.ts"] == ("mobile", "imported by App.tsx", 0)
    assert sides["alone.ts"] == ("browser", "imports react", 1)


def test_what_a_hint_shows_of_one_importer_counts_for_what_others_import_too(tmp_path: pathlib.Path) -> None:
    helper = f"export const exchange = () => {TOKEN};\n"
    sides = seen(
        tmp_path,
        {
            "api.ts": "import express from 'express';\nimport {exchange} from './lib/outer';\nexchange('client_id');\n",
            "page.js": "import React from 'react';\nimport {exchange} from './lib/outer';\nexchange('client_id');\n",
            "lib/outer.ts": f"import {{exchange as inner}} from './inner';\n{helper}",
            "lib/inner.ts": helper,
        },
    )
    assert sides["lib/outer.ts"] == ("browser", "imported by page.js", 0)
    assert sides["lib/inner.ts"] == ("browser", "imported by lib/outer.ts", 0)


SECRET = "mcs_live_" + "4f9d2c7a8b1e6053"


def test_a_secret_in_a_browser_is_in_everybodys_hands(tmp_path: pathlib.Path) -> None:
    page = (
        "import React from 'react';\n"
        f"const clientSecret = '{SECRET}';\n"
        f"export const exchange = () => {TOKEN};\n"
        "export async function getServerSideProps() {\n"
        f"  const clientSecret = '{SECRET}x';\n"
        "  const send = () => {\n"
        f"    const clientSecret = '{SECRET}z';\n"
        f"    return {TOKEN};\n"
        "  };\n"
        "  return send();\n"
        "}\n"
    )
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/home.tsx").write_text(page)
    (tmp_path / "server.js").write_text(f"const express = require('express');\nconst clientSecret = '{SECRET}y';\n")
    found = {(one.path, one.line): one.message for one in audit(tmp_path).findings}
    said = "and it runs in a browser, where everybody can read it"
    assert said in found["pages/home.tsx", 2]
    assert said not in found["pages/home.tsx", 5]
    assert said not in found["pages/home.tsx", 7]
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


EXCHANGE = """\
{head}
export async function finish(code) {{
  return fetch('https://api.monei.cc/api/v1/connect/token', {{
    method: 'POST',
    body: JSON.stringify({{ grant_type: 'authorization_code', code, client_secret: {secret} }}),
  }});
}}
"""


@pytest.mark.parametrize(
    ("head", "secret", "said"),
    [
        (
            "import React from 'react';",
            "process.env.REACT_APP_SECRET",
            "runs in a browser: everybody can read it there",
        ),
        ("import {SECRET} from '@env';", "SECRET", "runs on a phone: everybody can read it there"),
        ("import {SECRET as kept} from '$env/static/private';", "kept", "the client secret comes from the environment"),
        ("import express from 'express';", "process.env.SECRET", "the client secret comes from the environment"),
    ],
)
def test_an_environment_that_is_built_in_is_said_to_be(
    tmp_path: pathlib.Path, head: str, secret: str, said: str
) -> None:
    (tmp_path / "a.js").write_text(EXCHANGE.format(head=head, secret=secret))
    item = next(one for one in audit(tmp_path).items if one.id == "C01")
    assert item.status == "pass"
    assert [(one.line, one.message.endswith(said)) for one in item.evidence] == [(3, True)]
