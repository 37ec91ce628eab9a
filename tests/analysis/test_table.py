"""The table: one application in Flask and in Express, in ten forms of the same thing, gives the same facts.

Each form is the whole callback and what it needs. What both languages must say stands beside it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from auditor.analysis.describe import describe
from auditor.checks.application import Application

FLASK = """
import asyncio
import functools
import logging
import os
import secrets
from contextlib import suppress
from urllib.parse import urlencode

import requests
from flask import Flask, abort, redirect, request, session

app = Flask(__name__)


@app.get("/start")
def start():
    st = session["st"] = secrets.token_urlsafe(32)
    return redirect("https://monei.cc/connect/authorize?" + urlencode({
        "response_type": "code", "client_id": os.environ["MONEI_CLIENT_ID"],
        "redirect_uri": os.environ["MONEI_REDIRECT_URI"], "state": st,
    }))


def exchange(code):
    answer = requests.post("https://api.monei.cc/api/v1/connect/token", timeout=9, json={
        "grant_type": "authorization_code", "code": code, "redirect_uri": os.environ["MONEI_REDIRECT_URI"],
        "client_id": os.environ["MONEI_CLIENT_ID"], "client_secret": os.environ["MONEI_CLIENT_SECRET"],
    })
    return answer.json()
"""

EXPRESS = """
const crypto = require('crypto');
const express = require('express');
const session = require('express-session');

const app = express();
app.use(session({ secret: process.env.SESSION_SECRET }));

app.get('/start', (req, res) => {
  const st = crypto.randomBytes(32).toString('hex');
  req.session.st = st;
  res.redirect('https://monei.cc/connect/authorize?' + new URLSearchParams({
    response_type: 'code', client_id: process.env.MONEI_CLIENT_ID,
    redirect_uri: process.env.MONEI_REDIRECT_URI, state: st,
  }));
});

async function exchange(code) {
  const answer = await fetch('https://api.monei.cc/api/v1/connect/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      grant_type: 'authorization_code', code, redirect_uri: process.env.MONEI_REDIRECT_URI,
      client_id: process.env.MONEI_CLIENT_ID, client_secret: process.env.MONEI_CLIENT_SECRET,
    }),
  });
  return answer.json();
}
"""

GUARDED = "exchange(INPUT.code) under INPUT.state == SESSION.st, present SESSION.st"
HOLE = "exchange(INPUT.code) under INPUT.state == SESSION.st"
NAKED = "exchange(INPUT.code)"


class Form(NamedTuple):
    """One way to write the callback, in both languages; `flask_more` and `express_more` are further files."""

    expected: str
    flask: str
    express: str
    flask_more: Mapping[str, str] = {}
    express_more: Mapping[str, str] = {}


FORMS = {
    "compared plainly": Form(
        GUARDED,
        """
        @app.get("/back")
        def back():
            saved = session.pop("st", None)
            if not saved or request.args.get("state") != saved:
                abort(400)
            return exchange(request.args["code"])
        """,
        """
        app.get('/back', async (req, res) => {
          const saved = req.session.st;
          delete req.session.st;
          if (!saved || req.query.state !== saved) {
            return res.status(400).send('state');
          }
          res.json(await exchange(req.query.code));
        });
        """,
    ),
    "in a helper of another file": Form(
        GUARDED,
        """
        from checks import same_state

        @app.get("/back")
        def back():
            if not same_state(request.args.get("state"), session.get("st")):
                abort(400)
            return exchange(request.args["code"])
        """,
        """
        const { sameState } = require('./checks');

        app.get('/back', async (req, res) => {
          if (!sameState(req.query.state, req.session.st)) {
            return res.sendStatus(400);
          }
          res.json(await exchange(req.query.code));
        });
        """,
        {
            "checks.py": """
            def same_state(received, saved):
                return bool(saved) and received == saved
        """
        },
        {
            "checks.js": """
            function sameState(received, saved) {
              return Boolean(saved) && received === saved;
            }
            module.exports = { sameState };
        """
        },
    ),
    "in a decorator or middleware": Form(
        GUARDED,
        """
        def state_checked(view):
            @functools.wraps(view)
            def wrapper(*args, **kwargs):
                if not session.get("st") or request.args.get("state") != session["st"]:
                    abort(400)
                return view(*args, **kwargs)
            return wrapper

        @app.get("/back")
        @state_checked
        def back():
            return exchange(request.args["code"])
        """,
        """
        function stateChecked(req, res, next) {
          if (!req.session.st || req.query.state !== req.session.st) {
            return res.sendStatus(400);
          }
          next();
        }

        app.get('/back', stateChecked, async (req, res) => {
          res.json(await exchange(req.query.code));
        });
        """,
    ),
    "in a class that wraps the client": Form(
        GUARDED,
        """
        class Monei:
            def __init__(self, saved):
                self.saved = saved

            def check(self, received):
                if not self.saved or received != self.saved:
                    raise PermissionError("state")

            def finish(self, query):
                self.check(query.get("state"))
                return exchange(query["code"])

        @app.get("/back")
        def back():
            return Monei(session.get("st")).finish(request.args)
        """,
        """
        class Monei {
          constructor(saved) {
            this.saved = saved;
          }

          check(received) {
            if (!this.saved || received !== this.saved) {
              throw new Error('state');
            }
          }

          async finish(query) {
            this.check(query.state);
            return exchange(query.code);
          }
        }

        app.get('/back', async (req, res) => {
          res.json(await new Monei(req.session.st).finish(req.query));
        });
        """,
    ),
    "across a promise chain": Form(
        GUARDED,
        """
        async def check(received, saved):
            if not saved or received != saved:
                raise PermissionError("state")

        @app.get("/back")
        async def back():
            await check(request.args.get("state"), session.get("st"))
            return await asyncio.to_thread(exchange, request.args["code"])
        """,
        """
        async function check(received, saved) {
          if (!saved || received !== saved) {
            throw new Error('state');
          }
        }

        app.get('/back', (req, res, next) => {
          check(req.query.state, req.session.st)
            .then(() => exchange(req.query.code))
            .then((tokens) => res.json(tokens))
            .catch(next);
        });
        """,
    ),
    "exchange inside the equal branch": Form(
        GUARDED,
        """
        @app.get("/back")
        def back():
            saved = session.get("st")
            if saved and request.args.get("state") == saved:
                return exchange(request.args["code"])
            return "no", 400
        """,
        """
        app.get('/back', async (req, res) => {
          const { st } = req.session;
          if (st && req.query.state === st) {
            res.json(await exchange(req.query.code));
          } else {
            res.status(400).send('no');
          }
        });
        """,
    ),
    "compared too late": Form(
        NAKED,
        """
        @app.get("/back")
        def back():
            tokens = exchange(request.args["code"])
            if not session.get("st") or request.args.get("state") != session["st"]:
                abort(400)
            return tokens
        """,
        """
        app.get('/back', async (req, res) => {
          const tokens = await exchange(req.query.code);
          if (!req.session.st || req.query.state !== req.session.st) {
            return res.sendStatus(400);
          }
          res.json(tokens);
        });
        """,
    ),
    "compared and only logged": Form(
        NAKED,
        """
        @app.get("/back")
        def back():
            if request.args.get("state") != session.get("st"):
                logging.warning("state differs")
            return exchange(request.args["code"])
        """,
        """
        app.get('/back', async (req, res) => {
          if (req.query.state !== req.session.st) {
            console.warn('state differs');
          }
          res.json(await exchange(req.query.code));
        });
        """,
    ),
    "stored and never compared": Form(
        NAKED,
        """
        @app.get("/back")
        def back():
            saved, received = session.pop("st", None), request.args.get("state")
            return exchange(request.args["code"])
        """,
        """
        app.get('/back', async (req, res) => {
          const { st } = req.session, { code, state } = req.query;
          delete req.session.st;
          res.json(await exchange(code));
        });
        """,
    ),
    "holds when both are absent": Form(
        HOLE,
        """
        @app.get("/back")
        def back():
            if request.args.get("state") != session.get("st"):
                abort(400)
            return exchange(request.args["code"])
        """,
        """
        app.get('/back', async (req, res) => {
          if (req.query.state !== req.session.st) {
            return res.sendStatus(400);
          }
          res.json(await exchange(req.query.code));
        });
        """,
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_both_languages_say_the_same(form: Form, analysed: Callable[[Mapping[str, str]], Application]) -> None:
    flask = {"app.py": FLASK + textwrap.dedent(form.flask), **form.flask_more}
    express = {"app.js": EXPRESS + textwrap.dedent(form.express), **form.express_more}
    table = [describe(analysed(files).facts) for files in (flask, express)]
    assert table[0] == table[1]
    assert table[0] == ["authorize(state=fresh)", form.expected]
