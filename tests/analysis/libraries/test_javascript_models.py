"""Tiny applications of each library: a state is made, sent, stored, compared, and the code exchanged; or not quite."""

from __future__ import annotations

import pathlib
from typing import NamedTuple

import pytest

from auditor.analysis.analyse import analyse
from auditor.analysis.attack import Attack, verdict
from auditor.catalogue import parse
from auditor.facts import Facts
from auditor.frontends import javascript
from auditor.library import Libraries, Library
from auditor.terms import contains

RULES = pathlib.Path(__file__).parents[3] / "rules" / "libraries"
LIBRARIES = Libraries(
    tuple(parse(file.read_text(), Library, str(file)) for file in sorted((RULES / "javascript").glob("*.yaml")))
)


class Seen(NamedTuple):
    """What the games say of each exchange, and whether each authorization's state is fresh (None: none is sent)."""

    exchanges: set[str]
    fresh: set[bool | None]


def facts_of(files: dict[str, str]) -> Facts:
    programs = [
        javascript.lower(path, "typescript" if path.endswith((".ts", ".tsx")) else "javascript", text.encode())
        for path, text in files.items()
    ]
    return analyse(programs, files, LIBRARIES)


def seen(files: dict[str, str]) -> Seen:
    facts = facts_of(files)
    attack = Attack(facts)
    exchanges = {verdict(attack, event)[0] for event in facts.events if event.action == "exchange"}
    fresh: set[bool | None] = set()
    for event in facts.events:
        if event.action == "authorize":
            state = event.details.get("state")
            fresh.add(None if state is None else contains(state, lambda leaf: facts.kinds.get(leaf) == "fresh"))
    return Seen(exchanges, fresh)


QUERY = "`https://id.example.com/oauth/authorize?client_id=${process.env.CLIENT_ID}&response_type=code&state=${state}`"


def exchange(code: str, fetch: str = "fetch") -> str:
    return f"""{fetch}('https://id.example.com/oauth/token', {{
    method: 'POST',
    body: new URLSearchParams({{
      grant_type: 'authorization_code', code: {code},
      client_id: process.env.CLIENT_ID, client_secret: process.env.CLIENT_SECRET,
    }}),
  }})"""


# Each framework: the path, the program with GUARD where the callback compares, and three ways to write the guard:
# one that holds, one that lets two absent values through, and none.
class Framework(NamedTuple):
    path: str
    program: str
    guard: str
    hole: str


EXPRESS = Framework(
    "app.js",
    f"""
const express = require('express');
const session = require('express-session');
const crypto = require('crypto');
const app = express();
app.use(session({{ secret: process.env.SECRET }}));
app.use((err, req, res, next) => {{ res.status(500).send('sorry'); }});
app.get('/start', (req, res) => {{
  const state = crypto.randomBytes(16).toString('hex');
  req.session.state = state;
  req.session.save(() => res.redirect({QUERY}));
}});
app.get('/callback', async (req, res) => {{
  GUARD
  const reply = await {exchange("req.query.code")};
  res.json({{ ok: reply.ok }});
}});
""",
    "if (!req.session.state || req.query.state !== req.session.state) return res.status(400).send('no');",
    "if (req.query.state !== req.session.state) return res.status(400).send('no');",
)

EXPRESS_ROUTE = Framework(
    "routes.ts",
    f"""
import {{ Router, Request, Response, NextFunction }} from 'express';
import {{ randomUUID }} from 'node:crypto';
const router = Router();
function check(req: Request, res: Response, next: NextFunction) {{
  GUARD
  next();
}}
router.route('/start').get((req: Request, res: Response) => {{
  const state = randomUUID();
  res.cookie('state', state, {{ httpOnly: true, secure: true }});
  res.redirect(302, {QUERY});
}});
router.route('/callback').get(check, async (req: Request, res: Response) => {{
  await {exchange("req.query.code")};
  res.clearCookie('state').end();
}});
export default router;
""",
    "if (!req.cookies.state || req.query.state !== req.cookies.state) { res.sendStatus(400); return; }",
    "if (req.query.state !== req.cookies.state) { res.sendStatus(400); return; }",
)

KOA = Framework(
    "app.js",
    f"""
import Koa from 'koa';
import Router from '@koa/router';
import session from 'koa-session';
import {{ nanoid }} from 'nanoid';
const app = new Koa();
const router = new Router();
router.get('/start', (ctx) => {{
  const state = nanoid();
  ctx.session.state = state;
  ctx.redirect({QUERY});
}});
router.get('/callback', async (ctx) => {{
  GUARD
  await {exchange("ctx.request.query.code")};
  ctx.body = 'done';
}});
app.use(session(app)).use(router.routes());
""",
    "ctx.assert(ctx.session.state && ctx.query.state === ctx.session.state, 400);",
    "if (ctx.query.state !== ctx.session.state) ctx.throw(400);",
)

KOA_COOKIES = Framework(
    "app.js",
    f"""
const Koa = require('koa');
const Router = require('koa-router');
const router = new Router();
router.get('/start', async (ctx, next) => {{
  const state = require('crypto').randomUUID();
  ctx.cookies.set('state', state, {{ httpOnly: true }});
  ctx.redirect({QUERY});
}});
router.get('/callback', async (ctx) => {{
  const {{ code, state }} = ctx.query;
  const saved = ctx.cookies.get('state');
  GUARD
  await {exchange("code")};
  ctx.body = 'done';
}});
""",
    "if (!saved || state !== saved) { ctx.status = 400; return; }",
    "if (state !== saved) { ctx.status = 400; return; }",
)

HONO = Framework(
    "index.ts",
    f"""
import {{ Hono }} from 'hono';
import {{ getCookie, setCookie, deleteCookie }} from 'hono/cookie';
import {{ HTTPException }} from 'hono/http-exception';
const app = new Hono();
app.get('/start', (c) => {{
  const state = crypto.randomUUID();
  setCookie(c, 'state', state, {{ httpOnly: true }});
  return c.redirect({QUERY});
}});
app.get('/callback', async (c) => {{
  const state = c.req.query('state');
  const saved = getCookie(c, 'state');
  GUARD
  deleteCookie(c, 'state');
  await {exchange("c.req.query('code')")};
  return c.json({{ ok: true }});
}});
export default app;
""",
    "if (!saved || state !== saved) throw new HTTPException(400);",
    "if (state !== saved) return c.text('no', 400);",
)

FASTIFY = Framework(
    "server.js",
    f"""
import Fastify from 'fastify';
import {{ randomBytes }} from 'crypto';
const fastify = Fastify();
fastify.get('/start', async (request, reply) => {{
  const state = randomBytes(20).toString('base64url');
  request.session.state = state;
  return reply.redirect({QUERY});
}});
fastify.get('/callback', async (request, reply) => {{
  const {{ code, state }} = request.query;
  GUARD
  await {exchange("code")};
  return reply.send({{ ok: true }});
}});
""",
    "if (!state || state !== request.session.state) return reply.code(400).send({ error: 'state' });",
    "if (state !== request.session.state) return reply.code(400).send({ error: 'state' });",
)

NEXT_APP = Framework(
    "app/callback/route.ts",
    f"""
import {{ NextRequest, NextResponse }} from 'next/server';
import {{ cookies }} from 'next/headers';
export async function POST() {{
  const state = crypto.randomUUID();
  (await cookies()).set('state', state, {{ httpOnly: true }});
  return NextResponse.redirect({QUERY});
}}
export async function GET(request: NextRequest) {{
  const state = request.nextUrl.searchParams.get('state');
  const {{ searchParams }} = new URL(request.url);
  const jar = await cookies();
  const saved = jar.get('state')?.value;
  GUARD
  await {exchange("searchParams.get('code')")};
  jar.delete('state');
  return NextResponse.json({{ ok: true }});
}}
""",
    "if (!saved || state !== saved) return NextResponse.json({ error: 'state' }, { status: 400 });",
    "if (state != saved) return NextResponse.json({ error: 'state' }, { status: 400 });",
)

NEXT_RESPONSE = Framework(
    "src/app/api/callback/route.ts",
    f"""
import {{ NextRequest, NextResponse }} from 'next/server';
import {{ redirect }} from 'next/navigation';
export async function POST(request: NextRequest) {{
  const state = crypto.randomUUID();
  const response = NextResponse.redirect({QUERY});
  response.cookies.set('state', state, {{ httpOnly: true }});
  return response;
}}
export async function GET(request: NextRequest) {{
  const state = request.nextUrl.searchParams.get('state');
  const saved = request.cookies.get('state')?.value;
  GUARD
  await {exchange("request.nextUrl.searchParams.get('code')")};
  redirect('/done');
}}
""",
    "if (!state || state !== saved) redirect('/login');",
    "if (state != saved) redirect('/login');",
)

NEXT_PAGES = Framework(
    "pages/api/callback.ts",
    f"""
import type {{ NextApiRequest, NextApiResponse }} from 'next';
import {{ getIronSession }} from 'iron-session';
import {{ randomUUID }} from 'crypto';
export default async function handler(req: NextApiRequest, res: NextApiResponse) {{
  const session = await getIronSession(req, res, {{ password: process.env.PASSWORD, cookieName: 'app' }});
  if (!req.query.code) {{
    const state = randomUUID();
    session.state = state;
    await session.save();
    return res.redirect({QUERY});
  }}
  GUARD
  await {exchange("req.query.code")};
  res.status(200).json({{ ok: true }});
}}
""",
    "if (!session.state || req.query.state !== session.state) return res.status(400).end();",
    "if (req.query.state !== session.state) return res.status(400).end();",
)

NEXT_PROPS = Framework(
    "pages/callback.tsx",
    f"""
import {{ parse }} from 'cookie';
import Cookies from 'js-cookie';
export async function getServerSideProps({{ query, req, res }}) {{
  const saved = req.cookies.state;
  GUARD
  await {exchange("query.code")};
  return {{ props: {{}} }};
}}
export default function Page() {{
  const start = () => {{
    const state = crypto.randomUUID();
    Cookies.set('state', state);
    window.location.href = {QUERY};
  }};
  return <button onClick={{start}}>Connect</button>;
}}
""",
    "if (!saved || query.state !== saved) return { redirect: { destination: '/login' } };",
    "if (query.state != saved) return { redirect: { destination: '/login' } };",
)

REMIX = Framework(
    "app/routes/callback.tsx",
    f"""
import {{ createCookieSessionStorage, redirect }} from '@remix-run/node';
import {{ randomUUID }} from 'crypto';
const {{ getSession, commitSession }} = createCookieSessionStorage({{ cookie: {{ name: 's' }} }});
export async function action({{ request }}) {{
  const session = await getSession(request.headers.get('Cookie'));
  const state = randomUUID();
  session.set('state', state);
  return redirect({QUERY}, {{ headers: {{ 'Set-Cookie': await commitSession(session) }} }});
}}
export async function loader({{ request }}) {{
  const url = new URL(request.url);
  const session = await getSession(request.headers.get('Cookie'));
  GUARD
  await {exchange("url.searchParams.get('code')")};
  return redirect('/done');
}}
""",
    "if (!session.get('state') || url.searchParams.get('state') !== session.get('state')) throw new Response('no', { status: 400 });",
    "if (url.searchParams.get('state') != session.get('state')) throw new Response('no', { status: 400 });",
)

SVELTEKIT = Framework(
    "src/routes/callback/+server.ts",
    f"""
import {{ error, redirect }} from '@sveltejs/kit';
export async function POST({{ cookies }}) {{
  const state = crypto.randomUUID();
  cookies.set('state', state, {{ path: '/' }});
  redirect(302, {QUERY});
}}
export async function GET({{ url, cookies }}) {{
  const state = url.searchParams.get('state');
  GUARD
  await {exchange("url.searchParams.get('code')")};
  redirect(302, '/done');
}}
""",
    "if (!state || state !== cookies.get('state')) error(400, 'state');",
    "if (state != cookies.get('state')) throw error(400, 'state');",
)

NUXT = Framework(
    "server/api/callback.ts",
    f"""
export const start = defineEventHandler((event) => {{
  const state = crypto.randomUUID();
  setCookie(event, 'state', state);
  return sendRedirect(event, {QUERY});
}});
export default defineEventHandler(async (event) => {{
  const {{ code, state }} = getQuery(event);
  GUARD
  await {exchange("code")};
  return {{ ok: true }};
}});
""",
    "if (!state || state !== getCookie(event, 'state')) throw createError({ statusCode: 400 });",
    "if (state !== getCookie(event, 'state')) throw createError({ statusCode: 400 });",
)

NODE = Framework(
    "server.js",
    f"""
const http = require('http');
const url = require('url');
const crypto = require('crypto');
const pending = new Map();
http.createServer(async (req, res) => {{
  const {{ pathname, query }} = url.parse(req.url, true);
  if (pathname === '/start') {{
    const state = crypto.randomBytes(16).toString('hex');
    pending.set(state, true);
    res.writeHead(302, {{ Location: {QUERY} }});
    return res.end();
  }}
  GUARD
  await {exchange("query.code")};
  res.end('done');
}}).listen(8080);
""",
    "if (!pending.has(query.state)) { res.writeHead(400); return res.end(); }",
    "",
)

LAMBDA = Framework(
    "netlify/functions/auth.js",
    f"""
const cookie = require('cookie');
const {{ randomUUID }} = require('crypto');
exports.handler = async (event) => {{
  const {{ code, state: received }} = event.queryStringParameters;
  if (!code) {{
    const state = randomUUID();
    return {{ statusCode: 302, headers: {{ Location: {QUERY}, 'Set-Cookie': cookie.serialize('state', state) }} }};
  }}
  const saved = cookie.parse(event.headers.cookie || '').state;
  GUARD
  await {exchange("code")};
  return {{ statusCode: 200 }};
}};
""",
    "if (!saved || received !== saved) return { statusCode: 400 };",
    "if (received !== saved) return { statusCode: 400 };",
)

FIREBASE = Framework(
    "index.js",
    f"""
const functions = require('firebase-functions');
const {{ randomUUID }} = require('crypto');
exports.start = functions.https.onRequest((req, res) => {{
  const state = randomUUID();
  res.cookie('__session', state);
  res.redirect({QUERY});
}});
exports.callback = functions.https.onRequest(async (req, res) => {{
  GUARD
  await {exchange("req.query.code")};
  res.end();
}});
""",
    "if (!req.cookies.__session || req.query.state !== req.cookies.__session) { res.status(400).end(); return; }",
    "if (req.query.state !== req.cookies.__session) { res.status(400).end(); return; }",
)

NEST = Framework(
    "auth.controller.ts",
    f"""
import {{ Controller, Get, Query, Req, Res, Session, BadRequestException }} from '@nestjs/common';
import {{ randomUUID }} from 'crypto';
import {{ Request, Response }} from 'express';
@Controller('auth')
export class AuthController {{
  @Get('start')
  start(@Session() session: Record<string, any>, @Res() res: Response) {{
    const state = randomUUID();
    session.state = state;
    res.redirect({QUERY});
  }}
  @Get('callback')
  async callback(@Req() req: Request) {{
    GUARD
    await {exchange("req.query.code")};
    return {{ ok: true }};
  }}
}}
""",
    "if (!req.session.state || req.query.state !== req.session.state) throw new BadRequestException();",
    "if (req.query.state !== req.session.state) throw new BadRequestException();",
)

BROWSER = Framework(
    "callback.js",
    f"""
export function start() {{
  const state = crypto.randomUUID();
  window.sessionStorage.setItem('state', state);
  window.location.assign({QUERY});
}}
export async function finish() {{
  const params = new URLSearchParams(window.location.search);
  const saved = sessionStorage.getItem('state');
  GUARD
  await {exchange("params.get('code')")};
  sessionStorage.removeItem('state');
}}
""",
    "if (!saved || params.get('state') !== saved) throw new Error('state');",
    "if (params.get('state') != saved) throw new Error('state');",
)

REDIS = Framework(
    "app.js",
    f"""
import express from 'express';
import Redis from 'ioredis';
import {{ v4 as uuid }} from 'uuid';
const redis = new Redis(process.env.REDIS_URL);
const app = express();
app.get('/start', async (req, res) => {{
  const state = uuid();
  await redis.setex(`state:${{req.session.userId}}`, 600, state);
  res.redirect({QUERY});
}});
app.get('/callback', async (req, res) => {{
  const saved = await redis.getdel(`state:${{req.session.userId}}`);
  GUARD
  await {exchange("req.query.code")};
  res.end();
}});
""",
    "if (!saved || saved !== req.query.state) return res.sendStatus(400);",
    "if (saved != req.query.state) return res.sendStatus(400);",
)

FRAMEWORKS = {
    "express": EXPRESS, "express route and middleware": EXPRESS_ROUTE, "koa": KOA, "koa cookies": KOA_COOKIES,
    "hono": HONO, "fastify": FASTIFY, "next app": NEXT_APP, "next response": NEXT_RESPONSE, "next pages": NEXT_PAGES,
    "next props": NEXT_PROPS, "remix": REMIX, "sveltekit": SVELTEKIT, "nuxt": NUXT, "node": NODE, "lambda": LAMBDA,
    "firebase": FIREBASE, "nest": NEST, "browser": BROWSER, "redis": REDIS,
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_framework_that_compares(name: str) -> None:
    framework = FRAMEWORKS[name]
    found = seen({framework.path: framework.program.replace("GUARD", framework.guard)})
    assert found == Seen({"pass"}, {True})


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_framework_that_does_not_compare(name: str) -> None:
    framework = FRAMEWORKS[name]
    found = seen({framework.path: framework.program.replace("GUARD", "")})
    assert found == Seen({"fail"}, {True})


@pytest.mark.parametrize("name", [name for name, framework in FRAMEWORKS.items() if framework.hole])
def test_framework_that_takes_two_absent_values(name: str) -> None:
    framework = FRAMEWORKS[name]
    found = seen({framework.path: framework.program.replace("GUARD", framework.hole)})
    assert found == Seen({"absent"}, {True})


# ------------------------------------------------------------------------------------ libraries for OAuth


def in_express(head: str, start: str, callback: str) -> dict[str, str]:
    return {
        "app.js": f"""
import express from 'express';
import crypto from 'node:crypto';
{head}
const app = express();
app.get('/start', async (req, res) => {{
  {start}
}});
app.get('/callback', async (req, res) => {{
  {callback}
  res.end();
}});
"""
    }


FRESH = "const state = crypto.randomBytes(16).toString('hex'); req.session.state = state;"
GUARD = "if (!req.session.state || req.query.state !== req.session.state) return res.status(400).end();"

SIMPLE = """
import { AuthorizationCode } from 'simple-oauth2';
const client = new AuthorizationCode({ client: { id: process.env.ID, secret: process.env.SECRET }, auth: { tokenHost: 'https://x.example' } });
"""
ISSUER = """
import { Issuer, generators } from 'openid-client';
const issuer = await Issuer.discover('https://id.example.com');
const client = new issuer.Client({ client_id: process.env.ID, client_secret: process.env.SECRET });
"""
OPENID = """
import * as client from 'openid-client';
const config = await client.discovery(new URL('https://id.example.com'), process.env.ID, process.env.SECRET);
"""
ARCTIC = """
import { GitHub, generateState } from 'arctic';
const github = new GitHub(process.env.ID, process.env.SECRET, null);
"""
INTUIT = """
import OAuthClient from 'intuit-oauth';
const oauth = new OAuthClient({ clientId: process.env.ID, clientSecret: process.env.SECRET, environment: 'sandbox' });
"""
GOOGLE = """
import { google } from 'googleapis';
const oauth = new google.auth.OAuth2(process.env.ID, process.env.SECRET, process.env.REDIRECT);
"""
OCTOKIT = """
import { OAuthApp } from '@octokit/oauth-app';
const oauth = new OAuthApp({ clientType: 'oauth-app', clientId: process.env.ID, clientSecret: process.env.SECRET });
"""
DISCORD = """
import DiscordOauth2 from 'discord-oauth2';
const oauth = new DiscordOauth2({ clientId: process.env.ID, clientSecret: process.env.SECRET });
"""

HANDS_ON = {
    "simple-oauth2": (
        SIMPLE,
        "res.redirect(client.authorizeURL({ redirect_uri: 'https://a.example/cb', scope: 'read', STATE }));",
        "const token = await client.getToken({ code: req.query.code, redirect_uri: 'https://a.example/cb' });",
    ),
    "arctic": (
        ARCTIC,
        "const url = github.createAuthorizationURL(STATE, ['repo']); res.redirect(url.toString());",
        "const tokens = await github.validateAuthorizationCode(req.query.code);",
    ),
    "googleapis": (
        GOOGLE,
        "res.redirect(oauth.generateAuthUrl({ access_type: 'offline', scope: ['openid'], STATE }));",
        "const { tokens } = await oauth.getToken(req.query.code);",
    ),
    "discord-oauth2": (
        DISCORD,
        "res.redirect(oauth.generateAuthUrl({ scope: ['identify'], STATE }));",
        "const token = await oauth.tokenRequest({ code: req.query.code, scope: 'identify', grantType: 'authorization_code' });",
    ),
    "octokit": (
        OCTOKIT,
        "const { url } = oauth.getWebFlowAuthorizationUrl({ scopes: ['repo'], STATE }); res.redirect(url);",
        "const { authentication } = await oauth.createToken({ code: req.query.code });",
    ),
    "axios": (
        "import axios from 'axios';",
        f"res.redirect({QUERY});",
        "const { data } = await axios.post('https://id.example.com/oauth/token', { grant_type: 'authorization_code', code: req.query.code, client_secret: process.env.SECRET });",
    ),
    "got": (
        "import got from 'got';\nimport qs from 'qs';",
        "res.redirect('https://id.example.com/authorize?' + qs.stringify({ client_id: process.env.ID, response_type: 'code', STATE }));",
        "const body = await got.post('https://id.example.com/oauth/token', { form: { grant_type: 'authorization_code', code: req.query.code } }).json();",
    ),
    "request": (
        "import request from 'request';\nimport querystring from 'querystring';",
        "res.redirect('https://id.example.com/authorize?' + querystring.stringify({ client_id: process.env.ID, response_type: 'code', STATE }));",
        "request.post({ url: 'https://id.example.com/oauth/token', form: { grant_type: 'authorization_code', code: req.query.code } }, (error, answer, body) => { res.send('ok'); });",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HANDS_ON)
def test_library_that_leaves_the_state_to_the_application(name: str) -> None:
    head, start, callback = HANDS_ON[name]
    sending = in_express(head, f"{FRESH}\n  {start.replace('STATE', 'state')}", f"{GUARD}\n  {callback}")
    assert seen(sending) == Seen({"pass"}, {True})
    careless = in_express(head, f"{FRESH}\n  {start.replace('STATE', 'state')}", callback)
    assert seen(careless) == Seen({"fail"}, {True})


CASES: dict[str, tuple[dict[str, str], Seen]] = {
    "simple-oauth2 without a state": (
        in_express(SIMPLE, "res.redirect(client.authorizeURL({ scope: 'read' }));", HANDS_ON["simple-oauth2"][2]),
        Seen({"fail"}, {None}),
    ),
    "google without a state": (
        in_express(GOOGLE, "res.redirect(oauth.generateAuthUrl({ scope: ['openid'] }));", HANDS_ON["googleapis"][2]),
        Seen({"fail"}, {None}),
    ),
    "octokit's middleware": (
        in_express(OCTOKIT + "\nimport { createNodeMiddleware } from '@octokit/oauth-app';", "", "")
        | {"server.js": OCTOKIT.replace("OAuthApp }", "OAuthApp, createNodeMiddleware }") + "createNodeMiddleware(oauth);"},
        Seen({"fail"}, {None}),
    ),
    "arctic's own generateState, kept in a cookie": (
        in_express(
            ARCTIC,
            "const state = generateState(); res.cookie('st', state); res.redirect(github.createAuthorizationURL(state, []));",
            "const { code, state } = req.query; if (!code || !state || state !== req.cookies.st) { return res.sendStatus(400); }"
            " await github.validateAuthorizationCode(code);",
        ),
        Seen({"pass"}, {True}),
    ),
    "openid-client 5 with checks": (
        in_express(
            ISSUER,
            "const state = generators.state(); req.session.state = state; res.redirect(client.authorizationUrl({ scope: 'openid', state }));",
            "if (!req.session.state) return res.sendStatus(400);"
            " const set = await client.callback('https://a.example/cb', client.callbackParams(req), { state: req.session.state });",
        ),
        Seen({"pass"}, {True}),
    ),
    "openid-client 5, when nothing was begun": (
        in_express(
            ISSUER,
            "const state = generators.state(); req.session.state = state; res.redirect(client.authorizationUrl({ scope: 'openid', state }));",
            "const set = await client.callback('https://a.example/cb', client.callbackParams(req), { state: req.session.state });",
        ),
        Seen({"absent"}, {True}),
    ),
    "openid-client 5 without checks": (
        in_express(
            ISSUER,
            "res.redirect(client.authorizationUrl({ scope: 'openid' }));",
            "const set = await client.callback('https://a.example/cb', client.callbackParams(req));",
        ),
        Seen({"fail"}, {None}),
    ),
    "openid-client 5 compared with what was received": (
        in_express(
            ISSUER,
            "const state = generators.state(); res.redirect(client.authorizationUrl({ scope: 'openid', state }));",
            "const set = await client.callback('https://a.example/cb', client.callbackParams(req), { state: req.query.state });",
        ),
        Seen({"fail"}, {True}),
    ),
    "openid-client 6 with expectedState": (
        in_express(
            OPENID,
            "const state = client.randomState(); req.session.state = state; res.redirect(client.buildAuthorizationUrl(config, { scope: 'openid', state }).href);",
            "if (!req.session.state) return res.sendStatus(400);"
            " const set = await client.authorizationCodeGrant(config, new URL(req.url), { expectedState: req.session.state });",
        ),
        Seen({"pass"}, {True}),
    ),
    "openid-client 6 without expectedState": (
        in_express(
            OPENID,
            "res.redirect(client.buildAuthorizationUrl(config, { scope: 'openid' }).href);",
            "const set = await client.authorizationCodeGrant(config, new URL(req.url), { pkceCodeVerifier: req.session.verifier });",
        ),
        Seen({"fail"}, {None}),
    ),
    "openid-client 6 told to skip": (
        in_express(
            OPENID,
            "res.redirect(client.buildAuthorizationUrl(config, { scope: 'openid' }).href);",
            "const set = await client.authorizationCodeGrant(config, new URL(req.url), { expectedState: client.skipStateCheck });",
        ),
        Seen({"fail"}, {None}),
    ),
    "intuit-oauth makes a state that nobody compares": (
        in_express(
            INTUIT,
            "res.redirect(oauth.authorizeUri({ scope: ['accounting'] }));",
            "const token = await oauth.createToken(req.url);",
        ),
        Seen({"fail"}, {True}),
    ),
    "intuit-oauth given a state that the application compares": (
        in_express(
            INTUIT,
            f"{FRESH} res.redirect(oauth.authorizeUri({{ scope: ['accounting'], state }}));",
            f"{GUARD} const token = await oauth.createToken(req.url);",
        ),
        Seen({"pass"}, {True}),
    ),
    "passport by its strategy's state": (
        {
            "auth.js": """
const passport = require('passport');
const GoogleStrategy = require('passport-google-oauth20').Strategy;
passport.use(new GoogleStrategy({ clientID: process.env.ID, clientSecret: process.env.SECRET, callbackURL: '/cb', state: true },
  (accessToken, refreshToken, profile, done) => done(null, profile)));
"""
        },
        Seen({"pass"}, {True}),
    ),
    "passport with a store": (
        {
            "auth.js": """
import { Strategy as GitHubStrategy } from 'passport-github2';
import passport from 'passport';
passport.use(new GitHubStrategy({ clientID: process.env.ID, clientSecret: process.env.SECRET, store: new Store() }, verify));
"""
        },
        Seen({"pass"}, {True}),
    ),
    "passport without either": (
        {
            "auth.js": """
import { Strategy as GitHubStrategy } from 'passport-github2';
import passport from 'passport';
passport.use(new GitHubStrategy({ clientID: process.env.ID, clientSecret: process.env.SECRET }, () => {}));
"""
        },
        Seen({"fail"}, {None}),
    ),
    "next-auth": (
        {
            "app/api/auth/[...nextauth]/route.ts": """
import NextAuth from 'next-auth';
import GithubProvider from 'next-auth/providers/github';
const handler = NextAuth({ providers: [GithubProvider({ clientId: process.env.ID, clientSecret: process.env.SECRET })] });
export { handler as GET, handler as POST };
"""
        },
        Seen({"pass"}, {True}),
    ),
    "next-auth whose own provider has no checks": (
        {
            "pages/api/auth/[...nextauth].js": """
import NextAuth from 'next-auth';
export default NextAuth({ providers: [{ id: 'monei', type: 'oauth', checks: ['none'], clientId: process.env.ID }] });
"""
        },
        Seen({"fail"}, {None}),
    ),
    "expo-auth-session": (
        {
            "App.tsx": """
import { useAuthRequest, exchangeCodeAsync } from 'expo-auth-session';
export function useConnect() {
  const [request, response, promptAsync] = useAuthRequest({ clientId: 'a', redirectUri: 'b' }, discovery);
  if (response?.type === 'success') exchangeCodeAsync({ code: response.params.code, clientId: 'a' }, discovery);
}
"""
        },
        Seen({"pass"}, {True}),
    ),
    "react-native-app-auth": (
        {
            "auth.ts": """
import { authorize } from 'react-native-app-auth';
export const connect = () => authorize({ issuer: 'https://id.example.com', clientId: 'a', redirectUrl: 'app://cb' });
"""
        },
        Seen({"pass"}, {True}),
    ),
    "a state that is a signed token, compared with a member nobody is seen to write": (
        in_express(
            "import jwt from 'jsonwebtoken';",
            "const state = jwt.sign({ sub: req.session.userId, nonce: crypto.randomUUID() }, process.env.KEY); res.redirect("
            + QUERY
            + ");",
            "const { sub } = jwt.verify(req.query.state, process.env.KEY); if (!sub || sub !== req.session.userId) return res.sendStatus(403);"
            f" await {exchange('req.query.code')};",
        ),
        Seen({"review"}, {True}),
    ),
    "a state that is a signed token and says nothing of the user": (
        in_express(
            "import jwt from 'jsonwebtoken';",
            "const state = jwt.sign({ nonce: crypto.randomUUID() }, process.env.KEY); res.redirect(" + QUERY + ");",
            f"jwt.verify(req.query.state, process.env.KEY); await {exchange('req.query.code')};",
        ),
        Seen({"fail"}, {True}),
    ),
    "an assertion": (
        in_express(
            "import assert from 'node:assert';",
            f"{FRESH} res.redirect({QUERY});",
            "assert(req.session.state && req.query.state === req.session.state); "
            f"await {exchange('req.query.code')};",
        ),
        Seen({"pass"}, {True}),
    ),
    "koa without a comparison of its state": (
        {"app.js": KOA.program.replace("GUARD", "ctx.assert(ctx.query.state, 400);")},
        Seen({"fail"}, {True}),
    ),
    "a weak state": (
        in_express(
            "import randomstring from 'randomstring';",
            f"const state = randomstring.generate(); req.session.state = state; res.redirect({QUERY});",
            f"{GUARD} await {exchange('req.query.code')};",
        ),
        Seen({"pass"}, {False}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    files, expected = CASES[name]
    assert seen(files) == expected


# ------------------------------------------------------------------------------------------------- gaps

START = f"app.get('/start', (req, res) => {{ {FRESH} res.redirect({QUERY}); }});"
CALLBACK = f"app.get('/callback', async (req, res) => {{ await {exchange('req.query.code')}; res.end(); }});"
STAGE = "(req, res, next) => { if (!req.session.state || req.query.state !== req.session.state) return res.sendStatus(400); next(); }"
HEAD = "const express = require('express');\nconst crypto = require('crypto');\nconst app = express();\n"

GAPS: dict[str, tuple[dict[str, str], Seen]] = {
    "an option that is on unless it is false, and it is false": (
        {
            "auth.js": """
import { Strategy } from 'passport-auth0';
new Strategy({ clientID: process.env.ID, clientSecret: process.env.SECRET, state: false }, () => {});
"""
        },
        Seen({"fail"}, {None}),
    ),
    "a strategy after one that checks": (
        {
            "auth.js": """
const One = require('passport-github2').Strategy;
const Two = require('passport-discord').Strategy;
new One({ clientID: process.env.ID, clientSecret: process.env.SECRET, state: true }, () => {});
new Two({ clientID: process.env.ID, clientSecret: process.env.SECRET }, () => {});
"""
        },
        Seen({"pass", "fail"}, {True, None}),
    ),
    "a stage registered after the handler": (
        {"app.js": f"{HEAD}{START}\n{CALLBACK}\napp.use({STAGE});"},
        Seen({"fail"}, {True}),
    ),
    "a stage for other paths": (
        {"app.js": f"{HEAD}{START}\napp.use('/admin', {STAGE});\n{CALLBACK}"},
        Seen({"fail"}, {True}),
    ),
    "another router's stage (koa)": (
        {
            "app.js": f"""
import Router from '@koa/router';
const one = new Router(), two = new Router();
one.use(async (ctx, next) => {{ if (!ctx.session.state || ctx.query.state !== ctx.session.state) ctx.throw(400); await next(); }});
two.get('/start', (ctx) => {{ const state = crypto.randomUUID(); ctx.session.state = state; ctx.redirect({QUERY}); }});
two.get('/callback', async (ctx) => {{ await {exchange('ctx.query.code')}; }});
"""
        },
        Seen({"fail"}, {True}),
    ),
    "parameters by decorator (nest)": (
        {
            "x.controller.ts": f"""
import {{ Controller, Get, Query, Session, Redirect, ForbiddenException }} from '@nestjs/common';
@Controller('x')
export class XController {{
  @Get('start') @Redirect()
  start(@Session() session: any) {{ const state = crypto.randomUUID(); session.state = state; return {{ url: {QUERY} }}; }}
  @Get('callback')
  async callback(@Query('code') code: string, @Query('state') state: string, @Session() session: any) {{
    if (!state || state !== session.state) throw new ForbiddenException();
    await {exchange('code')};
  }}
}}
"""
        },
        Seen({"pass"}, {True}),
    ),
    "a key within an options object (next)": (
        {
            "app/x/route.ts": f"""
import {{ cookies }} from 'next/headers';
import {{ NextResponse }} from 'next/server';
export async function POST() {{
  const state = crypto.randomUUID();
  (await cookies()).set({{ name: 'state', value: state, httpOnly: true }});
  return NextResponse.redirect({QUERY});
}}
export async function GET(request) {{
  const saved = (await cookies()).get('state')?.value;
  if (!saved || saved !== request.nextUrl.searchParams.get('state')) return NextResponse.json({{}}, {{ status: 400 }});
  await {exchange("request.nextUrl.searchParams.get('code')")};
}}
"""
        },
        Seen({"pass"}, {True}),
    ),
    "stages among a route's options (fastify)": (
        {
            "server.js": FASTIFY.program.replace("GUARD", "").replace(
                "'/callback', async",
                "'/callback', { preHandler: async (request, reply) => {"
                " if (!request.session.state || request.query.state !== request.session.state) return reply.code(400).send('no');"
                " } }, async",
            )
        },
        Seen({"pass"}, {True}),
    ),
    "options that cannot be seen": (
        {
            "auth.js": """
const { Strategy } = require('passport-github2');
new Strategy(require('./config.json').github, () => {});
"""
        },
        Seen({"review"}, {False}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GAPS)
def test_what_needs_more_than_a_model(name: str) -> None:
    files, expected = GAPS[name]
    assert seen(files) == expected


def test_random_bytes_filled_in_place() -> None:
    start = (
        "const bytes = new Uint8Array(16); crypto.getRandomValues(bytes);"
        " const state = Array.from(bytes, (one) => one.toString(16)).join(''); req.session.state = state;"
    )
    files = in_express("", f"{start} res.redirect({QUERY});", f"{GUARD} await {exchange('req.query.code')};")
    assert seen(files) == Seen({"pass"}, {True})
