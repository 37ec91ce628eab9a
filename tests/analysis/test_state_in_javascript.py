"""State across files, plug-ins and schemas of JavaScript: which callbacks are found, and what guards them."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Callable, Mapping

import pytest

from auditor import catalogue
from auditor.audit import audit
from auditor.checks.application import Application
from auditor.model import Finding
from auditor.terms import show

EXCHANGE = """await fetch('https://api.monei.cc/api/v1/connect/token', {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      grant_type: 'authorization_code', code, redirect_uri: process.env.REDIRECT_URI,
      client_id: process.env.CLIENT_ID, client_secret: process.env.CLIENT_SECRET,
    }),
  });"""
ADDRESS = """'https://monei.cc/connect/authorize?' + new URLSearchParams({
    response_type: 'code', client_id: process.env.CLIENT_ID, redirect_uri: process.env.REDIRECT_URI, state,
  })"""


def found(folder: pathlib.Path, files: Mapping[str, str]) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """The statuses of C05 and C06, and the findings, of files that are committed to a repository."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    report = audit(folder)
    return {one.id: one.status for one in report.items if one.id in ("C05", "C06")}, report.findings


ROUTES = f"""
const crypto = require('crypto');

module.exports = (app) => {{
  app.get('/start', (req, res) => {{
    const state = crypto.randomUUID();
    res.cookie('st', state);
    res.redirect({ADDRESS});
  }});
  app.get('/back', async (req, res) => {{
    const {{ code, state }} = req.query;
    GUARD
    {EXCHANGE}
    res.sendStatus(204);
  }});
}};
"""
CHECK = "if (!state || state !== req.cookies.st) return res.sendStatus(400);"


def test_routes_on_an_app_that_another_file_hands_in(tmp_path: pathlib.Path) -> None:
    index = (
        "const express = require('express');\nconst app = express();\nrequire('./lib/back')(app);\napp.listen(3000);\n"
    )
    statuses, findings = found(tmp_path, {"index.js": index, "lib/back.js": ROUTES.replace("GUARD", CHECK)})
    assert statuses == {"C05": "pass", "C06": "pass"}
    assert findings == ()


def test_routes_on_an_app_that_another_file_hands_in_without_a_guard(tmp_path: pathlib.Path) -> None:
    index = (
        "const express = require('express');\nconst app = express();\nrequire('./lib/back')(app);\napp.listen(3000);\n"
    )
    statuses, findings = found(tmp_path, {"index.js": index, "lib/back.js": ROUTES.replace("GUARD", "")})
    assert statuses == {"C05": "pass", "C06": "fail"}
    assert [(one.rule, one.path, one.line) for one in findings] == [("missing-state-validation", "lib/back.js", 12)]


def test_an_application_whose_only_sign_is_the_name_of_a_library(tmp_path: pathlib.Path) -> None:
    statuses, findings = found(
        tmp_path,
        {
            "src/index.ts": """import { GitHub } from 'arctic';
import { Hono } from 'hono';
const github = new GitHub(process.env.ID!, process.env.SECRET!, null);
const app = new Hono();
app.get('/back', async (c) => {
  const tokens = await github.validateAuthorizationCode(c.req.query('code')!);
  return c.json({});
});
export default app;
"""
        },
    )
    assert statuses["C06"] == "fail"
    assert [(one.rule, one.line) for one in findings if "C06" in one.items] == [("missing-state-validation", 5)]


def test_names_of_libraries_that_are_searched_are_no_words_of_other_things() -> None:
    names = catalogue.oauth_names(catalogue.load())
    assert {"arctic", "passport", "authlib"} <= set(names)
    assert not {"googleapis", "identity", "grant", "oauth"} & set(names)


PLUGIN = f"""
import type {{ FastifyInstance, FastifyReply, FastifyRequest }} from 'fastify';
import {{ randomBytes }} from 'node:crypto';

export async function connect(server: FastifyInstance): Promise<void> {{
  HOOK
  server.get('/start', async (request: FastifyRequest, reply: FastifyReply) => {{
    const state = randomBytes(32).toString('hex');
    reply.setCookie('st', state);
    return reply.redirect({ADDRESS});
  }});
  server.get('/back', async (request: FastifyRequest<{{ Querystring: {{ code: string; state: string }} }}>, reply) => {{
    const {{ code, state }} = request.query;
    GUARD
    {EXCHANGE}
    return reply.send('ok');
  }});
}}
"""
APP = """
import Fastify from 'fastify';
import { connect } from './connect';
import { other } from './other';

export async function build() {
  const app = Fastify();
  await app.register(OTHER);
  await app.register(connect, { prefix: '/monei' });
  return app;
}
"""
OTHER = """
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';

async function checked(server: FastifyInstance) {
  server.addHook('preHandler', async (request, reply) => {
    if (!request.cookies.st || request.query.state !== request.cookies.st) return reply.code(400).send('no');
  });
}
export const other = WRAP;
"""
IN_HANDLER = "if (!request.cookies.st || state !== request.cookies.st) return reply.code(400).send('no');"
HOOK = """server.addHook('preHandler', async (request, reply) => {
    if (!request.cookies.st || request.query.state !== request.cookies.st) return reply.code(400).send('no');
  });"""


@pytest.mark.parametrize(
    ("guard", "hook", "wrap", "status"),
    [
        ("", "", "checked", "fail"),  # the hook of another plug-in is not for this one
        ("", "", "fp(checked)", "pass"),  # … unless that plug-in has no shell
        (IN_HANDLER, "", "checked", "pass"),
        ("", HOOK, "checked", "pass"),
    ],
)
def test_plug_ins(guard: str, hook: str, wrap: str, status: str, tmp_path: pathlib.Path) -> None:
    statuses, _ = found(
        tmp_path,
        {
            "src/app.ts": APP.replace("OTHER", "other"),
            "src/connect.ts": PLUGIN.replace("GUARD", guard).replace("HOOK", hook),
            "src/other.ts": OTHER.replace("WRAP", wrap),
        },
    )
    assert statuses == {"C05": "pass", "C06": status}


SCHEMA = f"""
import express from 'express';
import {{ z }} from 'zod';
const app = express();
const schema = z.object({{ code: z.string(), state: z.string() }}).strict();
app.get('/start', (req, res) => {{
  const state = crypto.randomUUID();
  res.cookie('st', state);
  res.redirect({ADDRESS});
}});
app.get('/back', async (req, res) => {{
  READ
  if (!req.cookies.st || state !== req.cookies.st) return res.sendStatus(400);
  {EXCHANGE}
  res.sendStatus(204);
}});
"""


@pytest.mark.parametrize(
    ("read", "status"),
    [
        ("const { code, state } = schema.parse(req.query);", "pass"),
        (("const parsed = schema.safeParse(req.query);\n  if (!parsed.success) return res.sendStatus(400);\n"
         "  const { code, state } = parsed.data;"), "pass"),
        ("const { code } = schema.parse(req.query); const state = schema.parse(req.cookies).st;", "fail"),
        ("const code = req.query.code; const state = unknown(req.query);", "review"),
    ],
)  # fmt: skip
def test_what_a_schema_lets_through(read: str, status: str, tmp_path: pathlib.Path) -> None:
    statuses, _ = found(tmp_path, {"app.js": SCHEMA.replace("READ", read)})
    assert statuses == {"C05": "pass", "C06": status}


def test_the_query_of_an_address_that_is_assigned(analysed: Callable[[Mapping[str, str]], Application]) -> None:
    application = analysed(
        {
            "a.js": """
export function start(state) {
  const url = new URL('https://monei.cc/connect/authorize');
  url.search = new URLSearchParams({ response_type: 'code', client_id: 'x', redirect_uri: 'y', state }).toString();
  window.open(url.toString());
}
"""
        }
    )
    sent = {show(event.details["state"]) for event in application.of("authorize")}
    assert sent == {"<state>"}


NULLS = f"""
import express from 'express';
const app = express();
app.get('/start', (req, res) => {{
  const state = crypto.randomUUID();
  res.cookie('st', state);
  res.redirect({ADDRESS});
}});
app.get('/back', async (req, res) => {{
  const query = new URL(req.url, 'https://a.example').searchParams;
  const code = query.get('code');
  READ
  if (state === null || state !== req.cookies.st) return res.sendStatus(400);
  {EXCHANGE}
  res.sendStatus(204);
}});
"""


@pytest.mark.parametrize(
    ("read", "status"),
    [
        ("const state = query.get('state');", "pass"),  # null where it is missing
        ("const state = req.query.state;", "fail"),  # undefined where it is missing
        ("const state = req.query.state ?? null;", "pass"),
        ("const state = req.query.state ?? undefined;", "fail"),
    ],
)
def test_null_is_not_undefined(read: str, status: str, tmp_path: pathlib.Path) -> None:
    statuses, findings = found(tmp_path, {"app.js": NULLS.replace("READ", read)})
    assert statuses == {"C05": "pass", "C06": status}
    assert [one.rule for one in findings if "C06" in one.items] == ["absent-state-accepted"] * (status == "fail")


WRAPPED = f"""
const express = require('express');
const wrap = require('./lib/wrap');
const {{ back }} = require('./lib/back');
const app = express();
app.get('/start', (req, res) => {{
  const state = crypto.randomUUID();
  res.cookie('st', state);
  res.redirect({ADDRESS});
}});
app.get('/back', wrap(back));
"""
BACK = f"""
async function back(req, res) {{
  const {{ code }} = req.query;
  {EXCHANGE}
  res.sendStatus(204);
}}
module.exports = {{ back }};
"""


def test_a_handler_in_a_wrapper_of_another_file_is_what_is_found(tmp_path: pathlib.Path) -> None:
    wrap = "module.exports = (run) => (req, res, next) => Promise.resolve(run(req, res, next)).catch(next);\n"
    statuses, findings = found(tmp_path, {"app.js": WRAPPED, "lib/wrap.js": wrap, "lib/back.js": BACK})
    assert statuses == {"C05": "pass", "C06": "fail"}
    assert [(one.rule, one.path, one.line) for one in findings] == [("missing-state-validation", "lib/back.js", 2)]


def test_a_way_that_another_condition_excludes(tmp_path: pathlib.Path) -> None:
    read = """const { code, state } = req.query;
  if (!code && !process.env.APP_ONLY) return res.sendStatus(400);
  if (code && (!state || state !== req.cookies.st)) return res.sendStatus(400);
  if (process.env.APP_ONLY) return res.sendStatus(204);"""
    statuses, _ = found(tmp_path, {"app.js": NULLS.replace("READ", "").replace("const code = query.get('code');", read)
                        .replace("if (state === null || state !== req.cookies.st) return res.sendStatus(400);", "")})  # fmt: skip
    assert statuses == {"C05": "pass", "C06": "pass"}


def test_cookies_that_the_application_takes_apart_itself(tmp_path: pathlib.Path) -> None:
    read = """const state = query.get('state');
  const jar = {};
  (req.headers.cookie || '').split(';').forEach((one) => { const [name, value] = one.split('='); jar[name.trim()] = value; });
  if (!jar.st || jar.st !== state) return res.sendStatus(400);"""
    files = {"app.js": NULLS.replace("READ", read).replace("req.cookies.st) return", "jar.st) return")}
    assert found(tmp_path, files)[0] == {"C05": "pass", "C06": "review"}


@pytest.mark.parametrize(
    ("path", "opening", "status"), [("pages/index.vue", "<script setup>", "pass"), ("start.mjs", "", "fail")]
)
def test_a_page_is_loaded_for_each_visitor(path: str, opening: str, status: str, tmp_path: pathlib.Path) -> None:
    closing = opening.replace("<script setup>", "</script>")
    text = (
        f"{opening}\nconst state = crypto.randomUUID();\nexport const go = () => window.open({ADDRESS});\n{closing}\n"
    )
    statuses, findings = found(tmp_path, {path: text})
    assert statuses["C05"] == status
    assert [one.rule for one in findings if "C05" in one.items] == ["weak-state"] * (status == "fail")
