"""What a refusal of the provider leads to: C14 (a 401) and C19 (a 403), with the stores and the answers of both languages."""

from __future__ import annotations

import pathlib
import textwrap

import pytest

from auditor.audit import audit

FLASK = """
import os
import sqlite3
import psycopg
import requests
from flask import Flask, Response, abort, flash, jsonify, redirect, render_template, request, session, url_for
from flask_session import Session
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
Session(app)
db = SQLAlchemy(app)


class Link(db.Model):
    member = db.Column(db.Integer, primary_key=True)
    access = db.Column(db.Text)
    refresh = db.Column(db.Text)


@app.get("/begin")
def begin():
    return redirect("https://api.monei.cc/authorize?response_type=code&client_id=mc_1&state=" + session["state"])


@app.get("/back")
def back():
    grant = requests.post("https://api.monei.cc/api/v1/connect/token", json={{
        "grant_type": "authorization_code", "code": request.args["code"], "client_secret": os.environ["SECRET"],
    }}, timeout=9).json()
{store}
    return redirect("/wallet")


@app.get("/wallet")
def wallet():
{load}
    reply = requests.get("https://api.monei.cc/api/v1/wallet/me", headers={{"Authorization": f"Bearer {{token}}"}}, timeout=9)
{refused}
    return render_template("wallet.html", wallet=reply.json())
"""
EXPRESS = """
const express = require('express');
const session = require('express-session');
const {{ PrismaClient }} = require('@prisma/client');
const mongoose = require('mongoose');

const {{ Pool }} = require('pg');
const Database = require('better-sqlite3');

const pool = new Pool();
const db = new Database('shop.db');
const prisma = new PrismaClient();
const Link = mongoose.model('Link', new mongoose.Schema({{ access: String, refresh: String }}));
const memory = new Map();
const app = express();
app.use(session({{ secret: process.env.SESSION_SECRET }}));

app.get('/begin', (req, res) => {{
  res.redirect('https://api.monei.cc/authorize?response_type=code&client_id=mc_1&state=' + req.session.state);
}});

app.get('/back', async (req, res) => {{
  const answer = await fetch('https://api.monei.cc/api/v1/connect/token', {{ method: 'POST', body: JSON.stringify({{
    grant_type: 'authorization_code', code: req.query.code, client_secret: process.env.SECRET }}) }});
  const grant = await answer.json();
{store}
  res.redirect('/wallet');
}});

app.get('/wallet', async (req, res) => {{
{load}
  const reply = await fetch('https://api.monei.cc/api/v1/wallet/me', {{ headers: {{ Authorization: `Bearer ${{token}}` }} }});
{refused}
  res.render('wallet', {{ wallet: await reply.json() }});
}});
"""

PYTHON_STORES = {
    "session": (
        'session["access"] = grant["access_token"]\nsession["refresh"] = grant["refresh_token"]',
        'token = session["access"]',
        ('session.pop("access")', 'session.pop("refresh")'),
        "session.clear()",
    ),
    "whole answer": (
        'session["monei"] = grant', 'token = session["monei"]["access_token"]', ('session["monei"] = None',), 'del session["monei"]',
    ),
    "rows": (
        'db.session.merge(Link(member=session["me"], access=grant["access_token"], refresh=grant["refresh_token"]))\ndb.session.commit()',
        'link = Link.query.get(session["me"])\ntoken = link.access',
        ("link.access = None", 'link.refresh = ""'),
        'Link.query.filter_by(member=session["me"]).delete()',
    ),
    "a row deleted": (
        'db.session.add(Link(member=session["me"], access=grant["access_token"], refresh=grant["refresh_token"]))',
        'link = db.session.get(Link, session["me"])\ntoken = link.access',
        (),
        "db.session.delete(link)\ndb.session.commit()",
    ),
    "a table in SQL": (
        'con = sqlite3.connect("shop.db")\ncon.execute("INSERT INTO links (me, access, refresh) VALUES (?, ?, ?)", (session["me"], grant["access_token"], grant["refresh_token"]))',
        'con = sqlite3.connect("shop.db")\nrow = con.execute("SELECT access, refresh FROM links WHERE me = ?", (session["me"],)).fetchone()\ntoken = row[0]',
        (
            'con.execute("UPDATE links SET access = NULL WHERE me = ?", (session["me"],))',
            'con.execute("UPDATE links SET refresh = ? WHERE me = ?", (None, session["me"]))',
        ),
        'con.execute("DELETE FROM links WHERE me = ?", (session["me"],))',
    ),
    "a cursor with names": (
        'cur = psycopg.connect().cursor()\ncur.execute("UPDATE links SET access = %(a)s, refresh = %(r)s", {"a": grant["access_token"], "r": grant["refresh_token"]})',
        'cur = psycopg.connect().cursor()\ncur.execute(f"SELECT * FROM links WHERE me = {session[\'me\']}")\nlink = cur.fetchone()\ntoken = link["access"]',
        (
            "cur.execute(\"UPDATE links SET access = ''\")",
            'cur.execute("UPDATE links SET refresh = NULL")',
        ),
        'cur.execute("DELETE FROM links")',
    ),
}  # fmt: skip
JAVASCRIPT_STORES = {
    "session": (
        "req.session.access = grant.access_token;\nreq.session.refresh = grant.refresh_token;",
        "const token = req.session.access;",
        ("delete req.session.access;", "req.session.refresh = null;"),
        "req.session.destroy();",
    ),
    "memory": (
        "memory.set(req.session.id, { access: grant.access_token, refresh: grant.refresh_token });",
        "const token = memory.get(req.session.id).access;",
        (),
        "memory.delete(req.session.id);",
    ),
    "prisma": (
        "await prisma.user.update({ where: { id: 1 }, data: { access: grant.access_token, refresh: grant.refresh_token } });",
        "const user = await prisma.user.findUnique({ where: { id: 1 } });\nconst token = user.access;",
        (
            "await prisma.user.update({ where: { id: 1 }, data: { access: null } });",
            "await prisma.user.update({ where: { id: 1 }, data: { refresh: null } });",
        ),
        "await prisma.user.delete({ where: { id: 1 } });",
    ),
    "mongoose": (
        "await Link.updateOne({ me: 1 }, { $set: { access: grant.access_token, refresh: grant.refresh_token } });",
        "const link = await Link.findOne({ me: 1 });\nconst token = link.access;",
        ("await Link.updateOne({ me: 1 }, { $unset: { access: 1 } });", "link.refresh = undefined;"),
        "await Link.deleteOne({ me: 1 });",
    ),
    "pg": (
        "await pool.query('UPDATE links SET access = $1, refresh = $2 WHERE me = $3', [grant.access_token, grant.refresh_token, req.session.me]);",
        "const { rows } = await pool.query('SELECT access, refresh FROM links WHERE me = $1', [req.session.me]);\nconst token = rows[0].access;",
        (
            "await pool.query('UPDATE links SET access = NULL WHERE me = $1', [req.session.me]);",
            "await pool.query(`UPDATE links SET refresh = NULL WHERE me = ${req.session.me}`);",
        ),
        "await pool.query('DELETE FROM links WHERE me = $1', [req.session.me]);",
    ),
    "mysql2": (
        "await pool.execute('INSERT INTO links (me, access, refresh) VALUES (?, ?, ?)', [req.session.me, grant.access_token, grant.refresh_token]);",
        "const [rows] = await pool.execute('SELECT * FROM links WHERE me = ?', [req.session.me]);\nconst token = rows[0].access;",
        ("await pool.execute('UPDATE links SET access = NULL');", "await pool.execute('UPDATE links SET refresh = ?', [null]);"),
        "await pool.execute('DELETE FROM links WHERE me = ?', [req.session.me]);",
    ),
    "better-sqlite3": (
        "db.prepare('INSERT INTO links (me, access, refresh) VALUES (@me, @access, @refresh)').run({ me: 1, access: grant.access_token, refresh: grant.refresh_token });",
        "const link = db.prepare('SELECT access FROM links WHERE me = ?').get(1);\nconst token = link.access;",
        ("db.prepare('UPDATE links SET access = NULL').run();", "db.prepare('UPDATE links SET refresh = ?').run(null);"),
        "db.prepare('DELETE FROM links WHERE me = ?').run(1);",
    ),
}  # fmt: skip
ASKS = {
    "python": ('flash("Please connect Monei again.")', 'return redirect("/begin")'),
    "javascript": ("return res.redirect('/begin');",),
}


def statuses(folder: pathlib.Path, language: str, store: str, load: str, refused: str) -> dict[str, str]:
    """The statuses of C14 and C19 of an application that keeps its tokens so and does this with a refusal."""
    template, name = (FLASK, "app.py") if language == "python" else (EXPRESS, "app.js")
    indent = "    " if language == "python" else "  "
    parts = {
        key: textwrap.indent(value, indent) for key, value in {"store": store, "load": load, "refused": refused}.items()
    }
    (folder / name).write_text(template.format(**parts), encoding="utf-8")
    report = audit(folder)
    return {item.id: item.status for item in report.items if item.id in ("C14", "C19")}


def on(language: str, status: int, *statements: str) -> str:
    """Statements that are done when the answer has a status."""
    body = "\n".join(statements)
    if language == "python":
        return f"if reply.status_code == {status}:\n" + textwrap.indent(body, "    ")
    return f"if (reply.status === {status}) {{\n" + textwrap.indent(body, "  ") + "\n}"


STORES = [
    pytest.param(language, *store, id=f"{name} ({language})")
    for language, stores in (("python", PYTHON_STORES), ("javascript", JAVASCRIPT_STORES))
    for name, store in stores.items()
]


@pytest.mark.parametrize(("language", "store", "load", "each", "whole"), STORES)
def test_every_slot_of_the_grant_must_be_emptied(
    tmp_path: pathlib.Path, language: str, store: str, load: str, each: tuple[str, ...], whole: str
) -> None:
    asks = ASKS[language]
    assert statuses(tmp_path, language, store, load, on(language, 401, whole, *asks))["C14"] == "pass"
    if each:
        assert statuses(tmp_path, language, store, load, on(language, 401, *each, *asks))["C14"] == "pass"
    if len(each) > 1:
        for one in each:
            assert statuses(tmp_path, language, store, load, on(language, 401, one, *asks))["C14"] == "review"
    assert statuses(tmp_path, language, store, load, on(language, 401, *asks))["C14"] == "review"
    assert statuses(tmp_path, language, store, load, "")["C14"] == "fail"


PYTHON_ASKS = [
    ('flash("Please connect again.")\nreturn redirect("/")', "pass"),
    ('return redirect("/begin")', "pass"),
    ('return redirect(url_for("begin"))', "pass"),
    ('return jsonify(error="reconnect_required"), 401', "pass"),
    ('return {"needsReauth": True}, 409', "pass"),
    ('return render_template("connect.html")', "pass"),
    ('return redirect("/")', "review"),
    ('return "Unauthorized", 401', "review"),
    ('flash("Could not connect to Monei.")\nreturn redirect("/")', "review"),
    ("abort(401)", "review"),
]
JAVASCRIPT_ASKS = [
    ("return res.redirect('/begin?again=1');", "pass"),
    ("return res.status(401).json({ error: 'Please reconnect your wallet' });", "pass"),
    ("return res.json({ reconnect: '/monei' });", "pass"),
    ("return res.redirect('/');", "review"),
    ("return res.status(401).send('Unauthorized');", "review"),
    ("return res.status(502).send('Cannot connect to Monei');", "review"),
    ("return res.sendStatus(401);", "review"),
]


@pytest.mark.parametrize(
    ("language", "asks", "status"),
    [("python", *one) for one in PYTHON_ASKS] + [("javascript", *one) for one in JAVASCRIPT_ASKS],
)
def test_what_asks_to_connect_again(tmp_path: pathlib.Path, language: str, asks: str, status: str) -> None:
    stores = PYTHON_STORES if language == "python" else JAVASCRIPT_STORES
    store, load, _, whole = stores["session"]
    assert statuses(tmp_path, language, store, load, on(language, 401, whole, asks))["C14"] == status


PYTHON_REFUSALS = [
    ("", "fail"),
    (on("python", 403, 'return render_template("enable.html")'), "pass"),
    (on("python", 403, 'flash("To see your wallet, allow it.")', 'return redirect("/")'), "pass"),
    (on("python", 403, 'return render_template("wallet.html", wallet=None, missing="wallet:read")'), "pass"),
    (on("python", 403, 'return render_template("wallet.html", wallet=[])'), "review"),
    ('if not reply.ok:\n    return render_template("sorry.html")', "review"),
    ('if reply.status_code >= 400:\n    return "Monei is not available", 502', "review"),
    ("if not reply.ok:\n    return Response(reply.content, reply.status_code)", "fail"),
    ("if not reply.ok:\n    return jsonify(reply.json()), 400", "fail"),
    (on("python", 403, "abort(500)"), "fail"),
    ("reply.raise_for_status()", "fail"),
    (
        'try:\n    reply.raise_for_status()\nexcept requests.HTTPError:\n    return render_template("sorry.html")',
        "review",
    ),
    ("try:\n    reply.raise_for_status()\nexcept requests.HTTPError as error:\n    return str(error), 500", "fail"),
]
JAVASCRIPT_REFUSALS = [
    ("", "fail"),
    (on("javascript", 403, "return res.render('enable');"), "pass"),
    (on("javascript", 403, "return res.redirect('/enable');"), "pass"),
    (on("javascript", 403, "return res.status(403).json({ error: 'Please allow us to see your wallet.' });"), "pass"),
    (on("javascript", 403, "return res.render('wallet', { wallet: [] });"), "review"),
    ("if (!reply.ok) return res.status(502).send('Monei is not available');", "review"),
    ("if (!reply.ok) return res.status(reply.status).json(await reply.json());", "fail"),
    ("if (!reply.ok) return res.status(500).end();", "fail"),
    ("if (reply.status === '403') return res.render('enable');", "fail"),
    ("if (reply.status === 403) return res.status(403).send(reply.statusText);", "fail"),
    ("if (reply.status === 403) return res.status(403).json({ ...(await reply.json()) });", "fail"),
]


@pytest.mark.parametrize(
    ("language", "refused", "status"),
    [("python", *one) for one in PYTHON_REFUSALS] + [("javascript", *one) for one in JAVASCRIPT_REFUSALS],
)
def test_a_403(tmp_path: pathlib.Path, language: str, refused: str, status: str) -> None:
    stores = PYTHON_STORES if language == "python" else JAVASCRIPT_STORES
    store, load, *_ = stores["session"]
    assert statuses(tmp_path, language, store, load, refused)["C19"] == status


def test_a_token_that_is_never_used_needs_no_answer_to_a_refusal(tmp_path: pathlib.Path) -> None:
    text = FLASK[: FLASK.index('@app.get("/wallet")')].format(store='    session["monei"] = grant')
    (tmp_path / "app.py").write_text(text)
    report = audit(tmp_path)
    assert {item.status for item in report.items if item.id in ("C14", "C19")} == {"not-applicable"}


@pytest.mark.parametrize(
    "use",
    [
        'requests.get("https://api.monei.cc/api/v1/wallet/me?access_token=" + session["monei"]["access_token"])',
        'helper(session["monei"]["access_token"])',
        'sdk.Client(session["monei"]).wallet()',
    ],
)
def test_a_token_that_may_be_used_is_no_proof(tmp_path: pathlib.Path, use: str) -> None:
    text = FLASK[: FLASK.index('@app.get("/wallet")')].format(store='    session["monei"] = grant')
    rest = f'\n\nfrom elsewhere import helper, sdk\n\n\n@app.get("/wallet")\ndef wallet():\n    {use}\n    return render_template("done.html")\n'
    (tmp_path / "app.py").write_text(text + rest)
    report = audit(tmp_path)
    assert not {item.status for item in report.items if item.id in ("C14", "C19")} & {"not-applicable", "pass"}


def test_functions_of_a_file_that_fail_alike_are_one_finding(tmp_path: pathlib.Path) -> None:
    store, load, *_ = PYTHON_STORES["session"]
    text = FLASK.format(store=textwrap.indent(store, "    "), load=textwrap.indent(load, "    "), refused="")
    again = text[text.index('@app.get("/wallet")') :].replace("/wallet", "/bills").replace("def wallet", "def bills")
    (tmp_path / "app.py").write_text(text + "\n\n" + again)
    report = audit(tmp_path)
    found = [one for one in report.findings if one.rule == "unhandled-unauthorized"]
    assert [text.splitlines()[one.line - 1] for one in found] == ["def wallet():"]
    assert len(found[0].related) == 2


def test_a_handler_for_one_error_does_not_catch_another(tmp_path: pathlib.Path) -> None:
    store, load, _, whole = PYTHON_STORES["session"]
    classes = "class Missing(Exception):\n    pass\n\n\nclass Ended(Exception):\n    pass\n\n\n"
    handler = '\n\n@app.errorhandler(Missing)\ndef missing(_):\n    return redirect("/begin")\n'
    text = FLASK.format(
        store=textwrap.indent(store, "    "),
        load=textwrap.indent(load, "    "),
        refused=textwrap.indent(on("python", 401, whole, "raise Ended"), "    "),
    ).replace('@app.get("/begin")', classes + '@app.get("/begin")')
    (tmp_path / "app.py").write_text(text + handler)
    assert {item.status for item in audit(tmp_path).items if item.id == "C14"} == {"review"}
    (tmp_path / "app.py").write_text(text + handler.replace("(Missing)", "(Ended)"))
    assert {item.status for item in audit(tmp_path).items if item.id == "C14"} == {"pass"}


HOOKED = """
const axios = require('axios');
const express = require('express');
const session = require('express-session');

const app = express();
app.use(session({ secret: process.env.SESSION_SECRET }));

function moneiFor(session, res) {
  const client = axios.create({ baseURL: 'https://api.monei.cc/api/v1' });
  client.interceptors.request.use((config) => {
    config.headers.Authorization = `Bearer ${session.access}`;
    return config;
  });
  client.interceptors.response.use((reply) => reply, (error) => {
    if (error.response.status === 401) {
      delete session.access;
      delete session.refresh;
      ASKS
    }
    return Promise.reject(error);
  });
  return client;
}

app.get('/wallet', async (req, res, next) => {
  try {
    const { data } = await moneiFor(req.session, res).get('/wallet/me');
    res.render('wallet', { wallet: data });
  } catch (error) {
    next(error);
  }
});
"""


@pytest.mark.parametrize(("asks", "status"), [("return res.redirect('/connect-monei');", "pass"), ("", "review")])
def test_an_interceptor_runs_at_each_call_of_its_client(tmp_path: pathlib.Path, asks: str, status: str) -> None:
    (tmp_path / "app.js").write_text(HOOKED.replace("ASKS", asks))
    (tmp_path / "package.json").write_text('{"dependencies": {"simple-oauth2": "5"}}')
    assert {item.status for item in audit(tmp_path).items if item.id == "C14"} == {status}


@pytest.mark.parametrize(
    "name", ["http.HTTPStatus.FORBIDDEN", "requests.codes.forbidden", "httpx.codes.FORBIDDEN", "403"]
)
def test_a_status_by_its_name(tmp_path: pathlib.Path, name: str) -> None:
    store, load, *_ = PYTHON_STORES["session"]
    refused = f'import http, httpx\nif reply.status_code == {name}:\n    return render_template("enable.html")'
    assert statuses(tmp_path, "python", store, load, refused)["C19"] == "pass"


FORGETS = {
    "python": ('session.pop("access", None)', 'session.pop("refresh", None)'),
    "javascript": ("delete req.session.access;", "delete req.session.refresh;"),
}


def when(language: str, condition: str) -> str:
    """Tokens forgotten and the user sent to connect again when a condition holds."""
    body = [*FORGETS[language], ASKS[language][-1]]
    if language == "python":
        return f"if {condition}:\n" + textwrap.indent("\n".join(body), "    ")
    return f"if ({condition}) {{\n" + textwrap.indent("\n".join(body), "  ") + "\n}"


PYTHON_TESTS = [
    ('reply.status_code == "401"', "fail"),
    ('str(reply.status_code) == "401"', "pass"),
    ('reply.json().get("error") == "unauthorized"', "pass"),
    ('reply.json()["status"] == 401', "pass"),
    ('reply.json()["status"] == 403', "fail"),
    ("reply.ok and reply.status_code == 401", "fail"),
    ("reply.status_code in (400, 403)", "fail"),
    ("401 < reply.status_code < 500", "fail"),
    ("reply.status_code == 401 and False", "fail"),
]
JAVASCRIPT_TESTS = [
    ("reply.status === '401'", "fail"),
    ("String(reply.status) === '401'", "pass"),
    ("reply.status == '401'", "pass"),
    ("reply.statusCode === 401", "fail"),
    ("res.statusCode === 401", "fail"),
    ("(await reply.json()).error === 'unauthorized'", "pass"),
    ("(await reply.json()).error.code === 401", "pass"),
    ("(await reply.json()).error.code === 403", "fail"),
    ("['401', '403'].includes(reply.status)", "fail"),
    ("reply.ok ? reply.status === 401 : false", "fail"),
    ("reply.status >= 400 && reply.status < 401", "fail"),
]


@pytest.mark.parametrize(
    ("language", "condition", "status"),
    [("python", *one) for one in PYTHON_TESTS] + [("javascript", *one) for one in JAVASCRIPT_TESTS],
)
def test_what_tells_a_401(tmp_path: pathlib.Path, language: str, condition: str, status: str) -> None:
    stores = PYTHON_STORES if language == "python" else JAVASCRIPT_STORES
    store, load, *_ = stores["session"]
    assert statuses(tmp_path, language, store, load, when(language, condition))["C14"] == status


PYTHON_LOOPS = [
    ('for key in ("access", "refresh"):\n    session.pop(key, None)', "pass"),
    ('for key in ("theme", "basket", "access", "member", "last", "refresh"):\n    session.pop(key, None)', "pass"),
    ('for key in ("access", "theme"):\n    session.pop(key, None)', "review"),
    ('for key in ("access", "refresh"):\n    if key != "refresh":\n        session.pop(key, None)', "review"),
]
JAVASCRIPT_LOOPS = [
    ("for (const key of ['access', 'refresh']) delete req.session[key];", "pass"),
    ("['access', 'refresh'].forEach((key) => { req.session[key] = null; });", "pass"),
    ("for (const key of ['access', 'theme']) delete req.session[key];", "review"),
    ("for (const key of ['access', 'refresh']) if (key !== 'refresh') delete req.session[key];", "review"),
]


def test_a_body_that_nobody_waits_for_tells_nothing(tmp_path: pathlib.Path) -> None:
    store, load, *_ = JAVASCRIPT_STORES["session"]
    refused = when("javascript", "body.error === 'unauthorized'")
    for waits, status in (("await reply.json()", "pass"), ("reply.json()", "fail")):
        text = f"const body = {waits};\n{refused}"
        assert statuses(tmp_path, "javascript", store, load, text)["C14"] == status


@pytest.mark.parametrize(
    ("language", "loop", "status"),
    [("python", *one) for one in PYTHON_LOOPS] + [("javascript", *one) for one in JAVASCRIPT_LOOPS],
)
def test_a_loop_over_names_empties_each(tmp_path: pathlib.Path, language: str, loop: str, status: str) -> None:
    stores = PYTHON_STORES if language == "python" else JAVASCRIPT_STORES
    store, load, *_ = stores["session"]
    refused = on(language, 401, loop, *ASKS[language])
    assert statuses(tmp_path, language, store, load, refused)["C14"] == status


def test_an_answer_that_nobody_gives_back_is_none(tmp_path: pathlib.Path) -> None:
    store, load, _, whole = PYTHON_STORES["session"]
    helper = "def ended():\n    session.clear()\n    return redirect('/begin')\n\n\n"
    for refused, status in (
        (on("python", 401, whole, 'return redirect("/begin")'), "pass"),
        (on("python", 401, whole, 'redirect("/begin")'), "review"),
        (helper + on("python", 401, "return ended()"), "pass"),
        (helper + on("python", 401, "ended()"), "review"),
    ):
        assert statuses(tmp_path, "python", store, load, refused)["C14"] == status


NEXT = """
import { NextResponse } from 'next/server';
import { getIronSession } from 'iron-session';
import { cookies } from 'next/headers';

export async function GET(request) {
  const session = await getIronSession(await cookies(), { password: process.env.PASSWORD, cookieName: 'shop' });
  const reply = await fetch('https://api.monei.cc/api/v1/wallet/me', {
    headers: { Authorization: `Bearer ${session.access}` },
  });
  if (reply.status === 401) {
    session.destroy();
    ANSWER NextResponse.redirect(new URL('/connect-monei', request.url));
  }
  return NextResponse.json({ wallet: await reply.json() });
}
"""


@pytest.mark.parametrize(("answer", "status"), [("return", "pass"), ("", "review")])
def test_a_response_that_a_route_does_not_return_is_none(tmp_path: pathlib.Path, answer: str, status: str) -> None:
    (tmp_path / "app/wallet").mkdir(parents=True)
    (tmp_path / "app/wallet/route.js").write_text(NEXT.replace("ANSWER", answer))
    (tmp_path / "package.json").write_text('{"dependencies": {"simple-oauth2": "5"}}')
    assert {item.status for item in audit(tmp_path).items if item.id == "C14"} == {status}


@pytest.mark.parametrize(
    ("condition", "status"),
    [("error.response.status === 401", "pass"), ("error.status === 401", "pass"), ("error.code === 401", "fail")],
)
def test_where_a_library_keeps_the_status_of_a_refusal(tmp_path: pathlib.Path, condition: str, status: str) -> None:
    text = HOOKED.replace("error.response.status === 401", condition).replace(
        "ASKS", "return res.redirect('/connect');"
    )
    (tmp_path / "app.js").write_text(text)
    (tmp_path / "package.json").write_text('{"dependencies": {"simple-oauth2": "5"}}')
    assert {item.status for item in audit(tmp_path).items if item.id == "C14"} == {status}


DJANGO = """
import requests
from django.shortcuts import redirect, render

from .models import Basket, Profile


def connect(request):
    return redirect("https://api.monei.cc/authorize?response_type=code&client_id=mc_1&state=" + request.session["st"])


def wallet(request):
    profile = Profile.objects.get(user=request.user)
    reply = requests.get("https://api.monei.cc/wallet", headers={"Authorization": f"Bearer {profile.access_token}"})
    if reply.status_code == 401:
        FORGET
        return redirect("connect")
    return render(request, "wallet.html", {"wallet": reply.json()})
"""
MODELS = """
from django.db import models


class Profile(models.Model):
    access_token = models.TextField(null=True)
    refresh_token = models.TextField(null=True)


class Basket(models.Model):
    lines = models.TextField()
"""


@pytest.mark.parametrize(
    ("forget", "status"),
    [
        ("profile.delete()", "pass"),
        ("Profile.objects.filter(user=request.user).update(access_token=None, refresh_token=None)", "pass"),
        ("Profile.objects.filter(user=request.user).update(access_token=None)", "review"),
        ("Basket.objects.filter(user=request.user).delete()", "review"),
        ("request.session.flush()", "review"),
    ],
)
def test_what_is_emptied_is_where_the_token_was_read(tmp_path: pathlib.Path, forget: str, status: str) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/views.py").write_text(DJANGO.replace("FORGET", forget))
    (tmp_path / "shop/models.py").write_text(MODELS)
    (tmp_path / "shop/urls.py").write_text(
        'from django.urls import path\nfrom . import views\nurlpatterns = [path("wallet/", views.wallet), path("connect/", views.connect, name="connect")]\n'
    )
    assert {item.status for item in audit(tmp_path).items if item.id == "C14"} == {status}


@pytest.mark.parametrize(("table", "status"), [("links", "pass"), ("baskets", "review")])
def test_a_table_is_emptied_by_a_helper_of_another_file(tmp_path: pathlib.Path, table: str, status: str) -> None:
    store, load, *_ = PYTHON_STORES["a table in SQL"]
    helper = f"""
import sqlite3


def forget(member):
    with sqlite3.connect("shop.db") as con:
        con.execute("DELETE FROM {table} WHERE me = ?", (member,))
"""
    (tmp_path / "rows.py").write_text(helper)
    refused = "import rows\n" + on("python", 401, 'rows.forget(session["me"])', *ASKS["python"])
    assert statuses(tmp_path, "python", store, load, refused)["C14"] == status


@pytest.mark.parametrize(
    ("host", "token", "status"),
    [
        ("https://api.monei.cc", "member.key", "fail"),
        ("https://api.example.com", "member.key", "review"),
        ("https://api.example.com", "session['access']", "fail"),
    ],
)
def test_a_call_to_somebody_else_is_no_fault(tmp_path: pathlib.Path, host: str, token: str, status: str) -> None:
    store, load, *_ = PYTHON_STORES["session"]
    text = FLASK.format(store=textwrap.indent(store, "    "), load=textwrap.indent(load, "    "), refused="")
    text = (
        text[: text.index('@app.get("/wallet")')]
        + f"""
@app.get("/words")
def words():
    member = Link.query.get(session["me"])
    reply = requests.get("{host}/words", headers={{"Authorization": f"Bearer {{{token}}}"}}, timeout=9)
    return render_template("words.html", words=reply.json())
"""
    )
    (tmp_path / "app.py").write_text(text)
    assert {item.status for item in audit(tmp_path).items if item.id == "C14"} == {status}


def test_a_page_that_asks_its_own_server_is_no_fault(tmp_path: pathlib.Path) -> None:
    store, load, _, whole = JAVASCRIPT_STORES["session"]
    parts = {"store": store, "load": load, "refused": on("javascript", 401, whole, *ASKS["javascript"])}
    (tmp_path / "app.js").write_text(EXPRESS.format(**parts))
    page = """
import { useEffect, useState } from 'react';

export function Basket({ session }) {
  const [lines, setLines] = useState([]);
  useEffect(() => {
    fetch(`${import.meta.env.VITE_API}/basket`, { headers: { Authorization: `Bearer ${session.jwt}` } })
      .then((reply) => reply.json())
      .then(setLines);
  }, []);
  return <ul>{lines.map((line) => <li>{line}</li>)}</ul>;
}
"""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/Basket.jsx").write_text(page)
    report = audit(tmp_path)
    assert not [one for one in report.findings if one.rule == "unhandled-unauthorized"]
