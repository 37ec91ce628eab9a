"""One small application in six frameworks, with a hole where the callback decides whether to go on.

A `Guard` fills the hole. In its text `code`, `state` and `saved` are the code, the received and the stored state
(None or undefined when absent); SESSION, QUERY and COOKIES are what the framework keeps them in, REFUSE answers 400
and ends the request, ANSWER(…) answers with a value, EXCHANGE exchanges the code and answers. A guard without
EXCHANGE stands before it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import NamedTuple


class Guard(NamedTuple):
    """`body`: the callback; `top`: what the module defines; `sent`: how the state is made; `keep`: how it is stored.

    `wrap`: a line before the callback's registration (a decorator), `last` what stands at the end of the module.
    `only`: the frameworks in which this can be written, all when empty. `files` are further files.
    """

    body: str
    top: str = ""
    sent: str = ""
    keep: str | None = None
    only: tuple[str, ...] = ()
    files: Mapping[str, str] = {}
    above: str = ""
    below: str = ""
    last: str = ""


class Framework(NamedTuple):
    """How a framework writes the application: `words` are what stands for the words of a guard."""

    path: str
    text: str
    words: Mapping[str, str]


PYTHON_HEAD = """\
import asyncio, base64, contextlib, functools, hashlib, hmac, json, logging, os, re, secrets
import random, time, uuid
from urllib.parse import urlencode
import requests
"""

PYTHON_EXCHANGE = """
def exchange(code):
    return requests.post("https://api.monei.cc/api/v1/connect/token", timeout=9, json={
        "grant_type": "authorization_code", "code": code, "redirect_uri": os.environ["REDIRECT_URI"],
        "client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"],
    }).json()

def address(st):
    return "https://monei.cc/connect/authorize?" + urlencode({
        "response_type": "code", "client_id": os.environ["CLIENT_ID"], "redirect_uri": os.environ["REDIRECT_URI"],
        "state": st,
    })
"""

JAVASCRIPT_HEAD = """\
const crypto = require('crypto');
"""

JAVASCRIPT_EXCHANGE = """
async function exchange(code) {
  const answer = await fetch('https://api.monei.cc/api/v1/connect/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      grant_type: 'authorization_code', code, redirect_uri: process.env.REDIRECT_URI,
      client_id: process.env.CLIENT_ID, client_secret: process.env.CLIENT_SECRET,
    }),
  });
  return answer.json();
}

function address(st) {
  return 'https://monei.cc/connect/authorize?' + new URLSearchParams({
    response_type: 'code', client_id: process.env.CLIENT_ID, redirect_uri: process.env.REDIRECT_URI, state: st,
  });
}
"""

FLASK = Framework(
    "app.py",
    PYTHON_HEAD
    + "from flask import Flask, abort, make_response, redirect, request, session\napp = Flask(__name__)\n"
    + PYTHON_EXCHANGE
    + """
TOP

@app.get("/start")
def start():
    st = SENT
    KEEP
    return redirect(address(st))

ABOVE
@app.get("/back")
BELOW
DEF back():
    code, state, saved = request.args["code"], request.args.get("state"), session.get("st")
    BODY

LAST
""",
    {
        "SESSION": "session", "QUERY": "request.args", "COOKIES": "request.cookies", "REFUSE": "abort(400)",
        "EXCHANGE": "return exchange(code)", "REFUSAL": '("no", 400)',
    },
)

DJANGO = Framework(
    "views.py",
    PYTHON_HEAD
    + "from django.http import HttpResponseBadRequest, JsonResponse\n"
    + "from django.shortcuts import redirect\nfrom django.urls import path\n"
    + PYTHON_EXCHANGE
    + """
TOP

def start(request):
    st = SENT
    KEEP
    return redirect(address(st))

BELOW
DEF back(request):
    code, state, saved = request.GET["code"], request.GET.get("state"), request.session.get("st")
    BODY

urlpatterns = [path("start", start), path("back", back)]
""",
    {
        "SESSION": "request.session", "QUERY": "request.GET", "COOKIES": "request.COOKIES",
        "REFUSE": 'return HttpResponseBadRequest("no")', "EXCHANGE": "return JsonResponse(exchange(code))",
        "REFUSAL": 'HttpResponseBadRequest("no")',
    },
)

FASTAPI = Framework(
    "main.py",
    PYTHON_HEAD
    + "from fastapi import FastAPI, HTTPException, Request\n"
    + "from fastapi.responses import JSONResponse, RedirectResponse\n"
    + "from starlette.middleware.sessions import SessionMiddleware\n"
    + 'app = FastAPI()\napp.add_middleware(SessionMiddleware, secret_key=os.environ["KEY"])\n'
    + PYTHON_EXCHANGE
    + """
TOP

@app.get("/start")
def start(request: Request):
    st = SENT
    KEEP
    return RedirectResponse(address(st))

ABOVE
@app.get("/back")
BELOW
DEF back(request: Request, code: str):
    state, saved = request.query_params.get("state"), request.session.get("st")
    BODY

LAST
""",
    {
        "SESSION": "request.session", "QUERY": "request.query_params", "COOKIES": "request.cookies",
        "REFUSE": "raise HTTPException(400)", "EXCHANGE": "return exchange(code)",
        "REFUSAL": 'JSONResponse("no", 400)',
    },
)

EXPRESS = Framework(
    "app.js",
    JAVASCRIPT_HEAD
    + """
const express = require('express');
const session = require('express-session');
const app = express();
app.use(session({ secret: process.env.SESSION_SECRET }));
"""
    + JAVASCRIPT_EXCHANGE
    + """
TOP

app.get('/start', (req, res) => {
  const st = SENT;
  KEEP
  res.redirect(address(st));
});

ABOVE
app.get('/back', STAGE async (req, res, next) => {
  const { code, state } = req.query, saved = req.session.st;
  BODY
});

LAST
""",
    {
        "SESSION": "req.session", "QUERY": "req.query", "COOKIES": "req.cookies", "REQUEST": "req",
        "REFUSE": "return res.sendStatus(400)", "EXCHANGE": "res.json(await exchange(code))",
        "ANSWER": "res.json",
    },
)

KOA = Framework(
    "app.js",
    JAVASCRIPT_HEAD
    + """
const Koa = require('koa');
const Router = require('@koa/router');
const session = require('koa-session');
const app = new Koa();
const router = new Router();
app.use(session(app));
"""
    + JAVASCRIPT_EXCHANGE
    + """
TOP

router.get('/start', async (ctx) => {
  const st = SENT;
  KEEP
  ctx.redirect(address(st));
});

ABOVE
router.get('/back', STAGE async (ctx, next) => {
  const { code, state } = ctx.query, saved = ctx.session.st;
  const answer = (value) => { ctx.body = value; };
  BODY
});

app.use(router.routes());
LAST
""",
    {
        "SESSION": "ctx.session", "QUERY": "ctx.query", "COOKIES": "ctx.cookies", "REQUEST": "ctx",
        "REFUSE": "ctx.throw(400)", "EXCHANGE": "ctx.body = await exchange(code)", "ANSWER": "answer",
    },
)

NEXT = Framework(
    "pages/api/back.ts",
    """
import crypto from 'crypto';
import type { NextApiRequest, NextApiResponse } from 'next';
import { exchange, address } from '../../lib/monei';

TOP

export default async function handler(req: NextApiRequest, res: NextApiResponse) {
  const { code, state } = req.query, saved = req.session.st;
  BODY
}
""",
    EXPRESS.words,
)

NEXT_FILES = {
    "lib/monei.ts": JAVASCRIPT_EXCHANGE.replace("async function", "export async function").replace(
        "\nfunction address", "\nexport function address"
    ),
    "pages/api/start.ts": """
import crypto from 'crypto';
import type { NextApiRequest, NextApiResponse } from 'next';
import { address } from '../../lib/monei';

export default async function handler(req: NextApiRequest, res: NextApiResponse) {
  const st = SENT;
  KEEP
  res.redirect(address(st));
}
""",
}

PYTHON = {"flask": FLASK, "django": DJANGO, "fastapi": FASTAPI}
JAVASCRIPT = {"express": EXPRESS, "koa": KOA, "next": NEXT}
FRAMEWORKS = {**PYTHON, **JAVASCRIPT}


def application(name: str, guard: Guard) -> dict[str, str]:
    """The files of the application with this guard in this framework."""
    framework = FRAMEWORKS[name]
    python = name in PYTHON
    end = "" if python else ";"
    body = textwrap.dedent(guard.body).strip()
    if "EXCHANGE" not in body and "exchange(" not in body:
        body = f"{body}\nEXCHANGE{end}"
    keep = guard.keep if guard.keep is not None else 'SESSION["st"] = st' if python else "SESSION.st = st;"
    holes = {
        "TOP": guard.top, "BODY": body, "ABOVE": guard.above, "BELOW": guard.below if python else "",
        "STAGE": guard.below, "LAST": guard.last, "KEEP": keep or "pass",
        "SENT": guard.sent or ("secrets.token_urlsafe(32)" if python else "crypto.randomBytes(32).toString('hex')"),
        "DEF": "async def" if "await " in body else "def",
    }  # fmt: skip
    files = {framework.path: framework.text, **(NEXT_FILES if name == "next" else {}), **guard.files}
    return {path: _filled(_filled(textwrap.dedent(text), holes), framework.words) for path, text in files.items()}


def _filled(text: str, words: Mapping[str, str]) -> str:
    """The text with each word replaced; what takes the place of a line keeps its indentation."""
    lines = []
    for line in text.splitlines():
        word = line.strip()
        if word in words and "\n" in words[word]:
            lines.append(textwrap.indent(textwrap.dedent(words[word]).strip(), line[: len(line) - len(line.lstrip())]))
            continue
        for name, value in words.items():
            if name in line:
                line = line.replace(name, value)
        lines.append(line)
    return "\n".join(lines) + "\n"
