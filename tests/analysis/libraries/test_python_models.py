"""Each Python library's model in a small application: a state is made, sent, stored, compared, the code exchanged.

`# check` in an application stands for its comparison. With it the exchange passes; without it, it fails.
"""

from __future__ import annotations

import functools
import pathlib
import textwrap
from collections.abc import Callable

import pytest

from auditor.analysis.analyse import analyse
from auditor.analysis.attack import Attack, verdict
from auditor.catalogue import parse
from auditor.facts import Facts
from auditor.frontends import python
from auditor.library import Libraries, Library
from auditor.terms import Term, contains

FOLDER = pathlib.Path(__file__).parents[3] / "rules" / "libraries"


@functools.cache
def libraries() -> Libraries:
    return Libraries(tuple(parse(file.read_text(), Library, str(file)) for file in sorted(FOLDER.rglob("*.yaml"))))


def facts_of(files: dict[str, str]) -> Facts:
    programs = [python.lower(path, textwrap.dedent(text).encode()) for path, text in files.items()]
    return analyse(programs, files, libraries())


def verdicts(facts: Facts) -> list[str]:
    """The verdict of every exchange, in order."""
    attack = Attack(facts)
    return [verdict(attack, event)[0] for event in facts.events if event.action == "exchange"]


def freshness(facts: Facts) -> list[str]:
    """For every authorization: fresh, weak, other, or none when no state is sent."""
    found = []
    for event in facts.events:
        if event.action == "authorize":
            state = event.details.get("state")
            kinds = {kind for kind in ("fresh", "weak") if state is not None and contains(state, _of_kind(facts, kind))}
            found.append("none" if state is None else "weak" if "weak" in kinds else "fresh" if kinds else "other")
    return found


def _of_kind(facts: Facts, kind: str) -> Callable[[Term], bool]:
    return lambda leaf: facts.kinds.get(leaf) == kind


EXCHANGE = """
def exchange(code):
    return requests.post("https://id.example.com/token", data={
        "grant_type": "authorization_code", "code": code, "client_id": os.environ["ID"],
        "client_secret": os.environ["SECRET"],
    }, timeout=9).json()
"""

URL = '"https://id.example.com/oauth/authorize?" + urlencode({"client_id": os.environ["ID"], "state": state})'

HEAD = "import os, secrets\nfrom urllib.parse import urlencode\nimport requests\n"


def app(text: str, check: str | None = None) -> str:
    """An application with its check, or without one."""
    lines = textwrap.dedent(text).replace("AUTHORIZE", URL).splitlines()
    out = []
    for line in lines:
        if line.strip() == "# check":
            if check is not None:
                indent = line[: len(line) - len(line.lstrip())]
                out.extend(indent + one for one in textwrap.dedent(check).strip().splitlines())
        else:
            out.append(line)
    return HEAD + (EXCHANGE if " exchange(" in text or "(exchange(" in text else "") + "\n".join(out) + "\n"


# library -> (application, its check)
WEB = {
    "flask": ("""
        from flask import Flask, abort, redirect, request, session
        app = Flask(__name__)

        @app.route("/start")
        def start():
            state = session["s"] = secrets.token_urlsafe(16)
            return redirect(AUTHORIZE)

        @app.route("/back")
        def back():
            saved = session.pop("s", None)
            # check
            return exchange(request.args["code"])
    """, """
        if not saved or request.args.get("state", default="") != saved:
            abort(400)
    """),
    "flask application factory": ("""
        from flask import Blueprint, Flask, abort, redirect, request, session

        def create_app():
            app = Flask(__name__)

            @app.get("/start")
            def start():
                state = session["s"] = secrets.token_urlsafe(16)
                return redirect(AUTHORIZE)

            @app.get("/back")
            def back():
                saved = session.pop("s", None)
                # check
                return exchange(request.args["code"])

            return app
    """, """
        if not saved or request.args.get("state") != saved:
            abort(400)
    """),
    "flask blueprint with before_request": ("""
        from flask import Blueprint, Flask, abort, redirect, request, session
        app = Flask(__name__)
        bp = Blueprint("bp", __name__)

        @bp.before_request
        def guard():
            # check
            return None

        @app.get("/start")
        def start():
            state = session["s"] = secrets.token_urlsafe(16)
            return redirect(AUTHORIZE)

        @bp.get("/back")
        def back():
            return exchange(request.args["code"])
    """, """
        if not session.get("s") or request.args.get("state") != session["s"]:
            return "no", 400
    """),
    "flask method view": ("""
        from flask import Flask, abort, redirect, request, session
        from flask.views import MethodView
        app = Flask(__name__)

        class Start(MethodView):
            def get(self):
                state = session["s"] = secrets.token_urlsafe(16)
                return redirect(AUTHORIZE)

        class Back(MethodView):
            def get(self):
                saved = session.pop("s", None)
                # check
                return exchange(request.args["code"])

        app.add_url_rule("/start", view_func=Start.as_view("start"))
        app.add_url_rule("/back", view_func=Back.as_view("back"))
    """, """
        if not saved or request.args.get("state") != saved:
            return "no", 400
    """),
    "flask cookie": ("""
        from flask import Flask, abort, make_response, redirect, request
        app = Flask(__name__)

        @app.route("/start")
        def start():
            state = secrets.token_urlsafe(16)
            answer = redirect(AUTHORIZE)
            answer.set_cookie("s", state, httponly=True)
            return answer

        @app.route("/back")
        def back():
            saved = request.cookies.get("s")
            # check
            return exchange(request.args["code"])
    """, """
        if not saved or request.args.get("state") != saved:
            abort(400)
    """),
    "quart": ("""
        from quart import Quart, abort, redirect, request, session
        app = Quart(__name__)

        @app.get("/start")
        async def start():
            state = session["s"] = secrets.token_urlsafe(16)
            return redirect(AUTHORIZE)

        @app.get("/back")
        async def back():
            saved = session.pop("s", None)
            # check
            return exchange(request.args["code"])
    """, """
        if not saved or request.args.get("state") != saved:
            abort(400)
    """),
    "django": ("""
        from django.http import HttpResponseBadRequest, JsonResponse
        from django.shortcuts import redirect
        from django.urls import path
        from django.utils.crypto import constant_time_compare, get_random_string
        from django.views.decorators.http import require_GET

        def start(request):
            state = request.session["s"] = get_random_string(32)
            return redirect(AUTHORIZE)

        @require_GET
        def back(request):
            saved = request.session.pop("s", "")
            # check
            return JsonResponse(exchange(request.GET["code"]))

        urlpatterns = [path("start", start), path("back", back)]
    """, """
        if not saved or not constant_time_compare(request.GET.get("state", ""), saved):
            return HttpResponseBadRequest()
    """),
    "django class": ("""
        from django.contrib.auth.mixins import LoginRequiredMixin
        from django.core.exceptions import PermissionDenied
        from django.shortcuts import redirect
        from django.views import View

        class Start(View):
            def get(self, request):
                state = secrets.token_hex(8)
                request.session["s"] = state
                return redirect(AUTHORIZE)

        class Back(LoginRequiredMixin, View):
            def get(self, request, *args, **kwargs):
                # check
                return exchange(self.request.GET["code"])
    """, """
        saved = self.request.session.get("s")
        if saved is None or saved != self.request.GET.get("state"):
            raise PermissionDenied
    """),
    "django rest framework": ("""
        from rest_framework.decorators import api_view
        from rest_framework.response import Response
        from django.shortcuts import redirect

        def start(request):
            state = request.session["s"] = secrets.token_hex(8)
            return redirect(AUTHORIZE)

        @api_view(["GET"])
        def back(request):
            # check
            return Response(exchange(request.query_params.get("code")))
    """, """
        saved = request.session.pop("s", None)
        if not saved or saved != request.query_params.get("state"):
            return Response({"detail": "no"}, status=400)
    """),
    "django cache": ("""
        from django.core.cache import cache
        from django.http import HttpResponseForbidden
        from django.shortcuts import redirect

        def start(request):
            state = secrets.token_hex(8)
            cache.set("state:" + state, request.user.id, 600)
            return redirect(AUTHORIZE)

        def back(request):
            # check
            return exchange(request.GET["code"])
    """, """
        owner = cache.get("state:" + request.GET["state"])
        if owner is None:
            return HttpResponseForbidden()
    """),
    "fastapi": ("""
        from fastapi import FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()

        @app.get("/start")
        async def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)

        @app.get("/back")
        async def back(request: Request, code: str, state: str):
            # check
            return exchange(code)
    """, """
        if state != request.session.pop("s", None):
            raise HTTPException(400, "no")
    """),
    "fastapi cookie and router": ("""
        from fastapi import APIRouter, Cookie, HTTPException, Query
        from fastapi.responses import RedirectResponse
        router = APIRouter()

        @router.get("/start")
        def start():
            state = secrets.token_urlsafe(16)
            answer = RedirectResponse(url=AUTHORIZE)
            answer.set_cookie(key="s", value=state, httponly=True)
            return answer

        @router.get("/back")
        def back(code: str = Query(...), state: str = Query(None), s: str = Cookie(None)):
            # check
            return exchange(code)
    """, """
        if not s or not secrets.compare_digest(s, state or ""):
            raise HTTPException(status_code=400)
    """),
    "fastapi dependency": ("""
        from fastapi import Depends, FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()

        def checked(request: Request, state: str | None = None):
            saved = request.session.pop("s", None)
            # check
            return state

        @app.get("/start")
        def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)

        @app.get("/back")
        def back(code: str, state: str = Depends(checked)):
            return exchange(code)
    """, """
        if not saved or state != saved:
            raise HTTPException(400)
    """),
    "starlette": ("""
        from starlette.applications import Starlette
        from starlette.requests import Request
        from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
        from starlette.routing import Route

        async def start(request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)

        async def back(request):
            saved = request.session.get("s")
            # check
            return JSONResponse(exchange(request.query_params["code"]))

        app = Starlette(routes=[Route("/start", start), Route("/back", endpoint=back)])
    """, """
        if saved is None or request.query_params.get("state") != saved:
            return PlainTextResponse("no", 400)
    """),
    "aiohttp": ("""
        from aiohttp import web
        from aiohttp_session import get_session

        async def start(request):
            session = await get_session(request)
            state = session["s"] = secrets.token_urlsafe(16)
            raise web.HTTPFound(location=AUTHORIZE)

        async def back(request):
            session = await get_session(request)
            saved = session.pop("s", None)
            # check
            return web.json_response(exchange(request.rel_url.query["code"]))

        def make():
            app = web.Application()
            app.router.add_get("/start", start)
            app.add_routes([web.get("/back", back)])
            return app
    """, """
        if not saved or saved != request.query.get("state"):
            raise web.HTTPBadRequest(text="no")
    """),
    "streamlit": ("""
        import streamlit as st

        def link():
            state = secrets.token_urlsafe(16)
            st.session_state["s"] = state
            st.link_button("Connect", AUTHORIZE)

        def back():
            # check
            st.session_state.token = exchange(st.query_params["code"])

        if "code" in st.query_params:
            back()
        else:
            link()
    """, """
        saved = st.session_state.get("s")
        if not saved or saved != st.query_params.get("state"):
            st.error("no")
            st.stop()
    """),
    "streamlit before 1.30": ("""
        import streamlit as st
        params = st.experimental_get_query_params()
        if "code" in params:
            # check
            st.session_state["token"] = exchange(params["code"][0])
        else:
            state = st.session_state.s = secrets.token_urlsafe(16)
            st.markdown(AUTHORIZE)
    """, """
        if "s" not in st.session_state or params.get("state", [None])[0] != st.session_state.s:
            st.stop()
    """),
    "sanic": ("""
        from sanic import Sanic
        from sanic.response import json, redirect, text
        app = Sanic("a")

        @app.get("/start")
        async def start(request):
            state = secrets.token_urlsafe(16)
            response = redirect(AUTHORIZE)
            response.add_cookie("s", state)
            return response

        @app.get("/back")
        async def back(request):
            saved = request.cookies.get("s")
            # check
            return json(exchange(request.args.get("code")))
    """, """
        if not saved or saved != request.args.get("state"):
            return text("no", status=400)
    """),
    "bottle": ("""
        from bottle import abort, redirect, request, response, route

        @route("/start")
        def start():
            state = secrets.token_urlsafe(16)
            response.set_cookie("s", state, secret=os.environ["KEY"])
            redirect(AUTHORIZE)

        @route("/back")
        def back():
            saved = request.get_cookie("s", secret=os.environ["KEY"])
            # check
            return exchange(request.query.code)
    """, """
        if not saved or saved != request.query.get("state"):
            abort(400, "no")
    """),
    "tornado": ("""
        import tornado.web

        class Start(tornado.web.RequestHandler):
            def get(self):
                state = secrets.token_urlsafe(16)
                self.set_secure_cookie("s", state)
                self.redirect(AUTHORIZE)

        class Back(tornado.web.RequestHandler):
            async def get(self):
                # check
                self.write(exchange(self.get_argument("code")))
    """, """
        saved = self.get_secure_cookie("s")
        if saved is None or saved.decode() != self.get_argument("state", None):
            raise tornado.web.HTTPError(400)
    """),
    "pyramid": ("""
        from pyramid.httpexceptions import HTTPBadRequest, HTTPFound
        from pyramid.view import view_config

        @view_config(route_name="start")
        def start(request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return HTTPFound(location=AUTHORIZE)

        @view_config(route_name="back", renderer="json")
        def back(request):
            # check
            return exchange(request.params["code"])
    """, """
        saved = request.session.pop("s", None)
        if not saved or saved != request.params.get("state"):
            raise HTTPBadRequest()
    """),
    "redis": ("""
        import redis
        from flask import Flask, abort, redirect, request
        app = Flask(__name__)
        store = redis.from_url(os.environ["REDIS"])

        @app.get("/start")
        def start():
            state = secrets.token_urlsafe(16)
            store.setex(f"oauth:{state}", 600, "1")
            return redirect(AUTHORIZE)

        @app.get("/back")
        def back():
            # check
            return exchange(request.args["code"])
    """, """
        if store.getdel(f"oauth:{request.args.get('state')}") is None:
            abort(400)
    """),
    "redis.asyncio": ("""
        from redis import asyncio as aioredis
        from fastapi import FastAPI, HTTPException
        from fastapi.responses import RedirectResponse
        app = FastAPI()
        store = aioredis.from_url(os.environ["REDIS"])

        @app.get("/start")
        async def start():
            state = secrets.token_urlsafe(16)
            await store.set("oauth:" + state, "1", ex=600)
            return RedirectResponse(AUTHORIZE)

        @app.get("/back")
        async def back(code: str, state: str):
            # check
            return exchange(code)
    """, """
        known = await store.get("oauth:" + state)
        if not known:
            raise HTTPException(400)
    """),
    "rows of django, where none raises": ("""
        from django.db import models
        from django.http import HttpResponseBadRequest
        from django.shortcuts import redirect

        class Pending(models.Model):
            value = models.CharField(max_length=99)

        def start(request):
            state = secrets.token_urlsafe(16)
            Pending.objects.create(value=state)
            return redirect(AUTHORIZE)

        def back(request):
            # check
            return exchange(request.GET["code"])
    """, """
        try:
            Pending.objects.get(value=request.GET.get("state")).delete()
        except Pending.DoesNotExist:
            return HttpResponseBadRequest()
    """),
    "rows of django, counted": ("""
        from django.db import models
        from django.http import HttpResponseBadRequest
        from django.shortcuts import redirect

        class Pending(models.Model):
            value = models.CharField(max_length=99)

        def start(request):
            state = secrets.token_urlsafe(16)
            Pending.objects.create(value=state)
            return redirect(AUTHORIZE)

        def back(request):
            # check
            return exchange(request.GET["code"])
    """, """
        if not Pending.objects.filter(value=request.GET.get("state")).order_by("id").exists():
            return HttpResponseBadRequest()
    """),
    "rows of django, or a page that says 404": ("""
        from django.db import models
        from django.shortcuts import get_object_or_404, redirect

        class Pending(models.Model):
            value = models.CharField(max_length=99)

        def start(request):
            state = secrets.token_urlsafe(16)
            Pending(value=state).save()
            return redirect(AUTHORIZE)

        def back(request):
            # check
            return exchange(request.GET["code"])
    """, """
        get_object_or_404(Pending, value=request.GET.get("state"))
    """),
    "rows of sqlalchemy": ("""
        from flask import Flask, abort, redirect, request
        from flask_sqlalchemy import SQLAlchemy
        app = Flask(__name__)
        db = SQLAlchemy(app)

        class Pending(db.Model):
            value = db.Column(db.String(99), primary_key=True)

        @app.get("/start")
        def start():
            state = secrets.token_urlsafe(16)
            db.session.add(Pending(value=state))
            db.session.commit()
            return redirect(AUTHORIZE)

        @app.get("/back")
        def back():
            # check
            return exchange(request.args["code"])
    """, """
        if Pending.query.filter_by(value=request.args.get("state")).first() is None:
            abort(400)
    """),
    "rows of sqlalchemy, compared in a query": ("""
        from flask import Flask, abort, redirect, request
        from flask_sqlalchemy import SQLAlchemy
        app = Flask(__name__)
        db = SQLAlchemy(app)

        class Pending(db.Model):
            value = db.Column(db.String(99), primary_key=True)

        @app.get("/start")
        def start():
            state = secrets.token_urlsafe(16)
            db.session.add(Pending(value=state))
            return redirect(AUTHORIZE)

        @app.get("/back")
        def back():
            # check
            return exchange(request.args["code"])
    """, """
        if not db.session.query(Pending).filter(Pending.value == request.args.get("state")).one_or_none():
            abort(400)
    """),
    "itsdangerous": ("""
        from flask import Flask, abort, redirect, request
        from flask_login import current_user
        from itsdangerous import BadData, URLSafeTimedSerializer
        app = Flask(__name__)
        sealer = URLSafeTimedSerializer(os.environ["KEY"])

        @app.get("/start")
        def start():
            state = sealer.dumps({"user": current_user.id, "n": secrets.token_hex(8)})
            return redirect(AUTHORIZE)

        @app.get("/back")
        def back():
            try:
                claim = sealer.loads(request.args.get("state", ""), max_age=600)
            except BadData:
                abort(400)
            # check
            return exchange(request.args["code"])
    """, """
        if claim["user"] != current_user.id:
            abort(400)
    """),
    "pyjwt": ("""
        import jwt
        from flask import Flask, abort, redirect, request
        from flask_login import current_user
        app = Flask(__name__)

        @app.get("/start")
        def start():
            state = jwt.encode({"user": current_user.id, "n": secrets.token_hex(8)}, os.environ["KEY"], algorithm="HS256")
            return redirect(AUTHORIZE)

        @app.get("/back")
        def back():
            try:
                claim = jwt.decode(request.args["state"], os.environ["KEY"], algorithms=["HS256"])
            except jwt.InvalidTokenError:
                abort(400)
            # check
            return exchange(request.args["code"])
    """, """
        if claim["user"] != current_user.id:
            abort(400)
    """),
    "django signing": ("""
        from django.core import signing
        from django.http import HttpResponseBadRequest
        from django.shortcuts import redirect

        def start(request):
            state = signing.dumps({"user": request.user.id, "n": secrets.token_hex(8)})
            return redirect(AUTHORIZE)

        def back(request):
            try:
                claim = signing.loads(request.GET["state"], max_age=600)
            except signing.BadSignature:
                return HttpResponseBadRequest()
            # check
            return exchange(request.GET["code"])
    """, """
        if claim["user"] != request.user.id:
            return HttpResponseBadRequest()
    """),
}  # fmt: skip


@pytest.mark.parametrize("name", WEB)
def test_a_compared_state_passes(name: str) -> None:
    text, check = WEB[name]
    facts = facts_of({"app.py": app(text, check)})
    assert set(verdicts(facts)) == {"pass"}
    assert set(freshness(facts)) == {"fresh"}


@pytest.mark.parametrize("name", WEB)
def test_a_state_nobody_compares_fails(name: str) -> None:
    facts = facts_of({"app.py": app(WEB[name][0])})
    assert set(verdicts(facts)) == {"fail"}


# Look-ups of rows that refuse nothing: (what the callback does first, the verdicts that are right).
ROWS = {
    "an error that is passed over": ("""
        try:
            Pending.objects.get(value=request.GET.get("state"))
        except Pending.DoesNotExist:
            pass
    """, {"fail"}),
    "rows that are made where they are missing": ('Pending.objects.get_or_create(value=request.GET.get("state"))', {"fail"}),
    "rows that nobody counts": ('Pending.objects.filter(value=request.GET.get("state"))', {"fail"}),
    "rows of the user": ("""
        if not Pending.objects.filter(owner=request.user).exists():
            return HttpResponseBadRequest()
    """, {"fail", "review"}),
    "all rows but this": ("""
        if not Pending.objects.exclude(value=request.GET.get("state")).exists():
            return HttpResponseBadRequest()
    """, {"fail", "review"}),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_look_up_that_refuses_nothing(name: str) -> None:
    check, right = ROWS[name]
    assert set(verdicts(facts_of({"app.py": app(WEB["rows of django, where none raises"][0], check)}))) <= right


# Libraries that run a part of the flow themselves: (application, what its exchanges and authorizations are).
FLOWS = {
    "requests-oauthlib given the address and the state": ("""
        from flask import Flask, redirect, request, session
        from requests_oauthlib import OAuth2Session
        app = Flask(__name__)

        @app.get("/start")
        def start():
            url, session["s"] = OAuth2Session(os.environ["ID"]).authorization_url("https://id.example.com/authorize")
            return redirect(url)

        @app.get("/back")
        def back():
            oauth = OAuth2Session(os.environ["ID"], state=session["s"])
            return oauth.fetch_token("https://id.example.com/token", authorization_response=request.url)
    """, ["pass"], ["fresh"]),
    "requests-oauthlib given a state that may be absent": ("""
        from flask import Flask, redirect, request, session
        from requests_oauthlib import OAuth2Session
        app = Flask(__name__)

        @app.get("/start")
        def start():
            url, session["s"] = OAuth2Session(os.environ["ID"]).authorization_url("https://id.example.com/authorize")
            return redirect(url)

        @app.get("/back")
        def back():
            oauth = OAuth2Session(os.environ["ID"], state=session.get("s"))
            return oauth.fetch_token("https://id.example.com/token", authorization_response=request.url)
    """, ["absent"], ["fresh"]),
    "requests-oauthlib without a state": ("""
        from flask import Flask, redirect, request, session
        from requests_oauthlib import OAuth2Session
        app = Flask(__name__)

        @app.get("/start")
        def start():
            url, session["s"] = OAuth2Session(os.environ["ID"]).authorization_url("https://id.example.com/authorize")
            return redirect(url)

        @app.get("/back")
        def back():
            oauth = OAuth2Session(os.environ["ID"])
            return oauth.fetch_token("https://id.example.com/token", authorization_response=request.url)
    """, ["fail"], ["fresh"]),
    "requests-oauthlib given the code compares nothing": ("""
        from flask import Flask, redirect, request, session
        from requests_oauthlib import OAuth2Session
        app = Flask(__name__)

        @app.get("/start")
        def start():
            url, session["s"] = OAuth2Session(os.environ["ID"]).authorization_url("https://id.example.com/authorize")
            return redirect(url)

        @app.get("/back")
        def back():
            oauth = OAuth2Session(os.environ["ID"], state=session["s"])
            return oauth.fetch_token("https://id.example.com/token", code=request.args["code"])
    """, ["fail"], ["fresh"]),
    "requests-oauthlib for another grant": ("""
        from oauthlib.oauth2 import BackendApplicationClient
        from requests_oauthlib import OAuth2Session

        def token():
            oauth = OAuth2Session(client=BackendApplicationClient(client_id=os.environ["ID"]))
            return oauth.fetch_token(token_url="https://id.example.com/token", client_secret=os.environ["SECRET"])
    """, [], []),
    "google-auth-oauthlib with the state": ("""
        from flask import Flask, redirect, request, session
        from google_auth_oauthlib.flow import Flow
        app = Flask(__name__)

        @app.get("/start")
        def start():
            flow = Flow.from_client_secrets_file("client.json", scopes=["email"])
            url, state = flow.authorization_url(access_type="offline")
            session["state"] = state
            return redirect(url)

        @app.get("/back")
        def back():
            flow = Flow.from_client_secrets_file("client.json", scopes=["email"], state=session["state"])
            flow.fetch_token(authorization_response=request.url)
            return "ok"
    """, ["pass"], ["fresh"]),
    "google-auth-oauthlib with the code alone": ("""
        from flask import Flask, redirect, request, session
        import google_auth_oauthlib.flow
        app = Flask(__name__)

        @app.get("/start")
        def start():
            flow = google_auth_oauthlib.flow.Flow.from_client_config({}, scopes=["email"])
            url, session["state"] = flow.authorization_url()
            return redirect(url)

        @app.get("/back")
        def back():
            flow = google_auth_oauthlib.flow.Flow.from_client_config({}, scopes=["email"], state=session["state"])
            flow.fetch_token(code=request.args["code"])
            return "ok"
    """, ["fail"], ["fresh"]),
    "oauthlib's client": ("""
        from flask import Flask, redirect, request, session
        from oauthlib.oauth2 import WebApplicationClient
        app = Flask(__name__)
        client = WebApplicationClient(os.environ["ID"])

        @app.get("/start")
        def start():
            session["s"] = secrets.token_urlsafe(16)
            return redirect(client.prepare_request_uri("https://id.example.com/authorize", state=session["s"]))

        @app.get("/back")
        def back():
            url, headers, body = client.prepare_token_request(
                "https://id.example.com/token", authorization_response=request.url, state=session["s"])
            return requests.post(url, headers=headers, data=body, timeout=9).json()
    """, ["pass"], ["fresh"]),
    "authlib's client of Flask": ("""
        from authlib.integrations.flask_client import OAuth
        from flask import Flask, url_for
        app = Flask(__name__)
        oauth = OAuth(app)
        oauth.register("example", client_id=os.environ["ID"], client_secret=os.environ["SECRET"])

        @app.get("/start")
        def start():
            return oauth.example.authorize_redirect(url_for("back", _external=True))

        @app.get("/back")
        def back():
            return oauth.example.authorize_access_token()
    """, ["pass"], ["fresh"]),
    "authlib's client of Starlette": ("""
        from authlib.integrations.starlette_client import OAuth, OAuthError
        from fastapi import FastAPI, Request
        from fastapi.responses import HTMLResponse
        app = FastAPI()
        oauth = OAuth()
        example = oauth.register(name="example")

        @app.get("/start")
        async def start(request: Request):
            return await example.authorize_redirect(request, request.url_for("back"))

        @app.get("/back")
        async def back(request: Request):
            try:
                token = await oauth.create_client("example").authorize_access_token(request)
            except OAuthError as error:
                return HTMLResponse(error.error)
            return token
    """, ["pass"], ["fresh"]),
    "authlib's client sending a constant": ("""
        from authlib.integrations.django_client import OAuth
        oauth = OAuth()
        oauth.register("example")

        def start(request):
            return oauth.example.authorize_redirect(request, "https://shop.example/back", state="shop")

        def back(request):
            return oauth.example.authorize_access_token(request)
    """, ["pass"], ["other"]),
    "authlib's bare client with the state": ("""
        from authlib.integrations.requests_client import OAuth2Session
        from flask import Flask, redirect, request, session
        app = Flask(__name__)
        client = OAuth2Session(os.environ["ID"], os.environ["SECRET"])

        @app.get("/start")
        def start():
            uri, state = client.create_authorization_url("https://id.example.com/authorize")
            session["s"] = state
            return redirect(uri)

        @app.get("/back")
        def back():
            return client.fetch_token(
                "https://id.example.com/token", authorization_response=request.url, state=session["s"])
    """, ["pass"], ["fresh"]),
    "authlib's bare client without the state": ("""
        from authlib.integrations.httpx_client import AsyncOAuth2Client
        from fastapi import FastAPI, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()

        @app.get("/start")
        async def start(request: Request):
            async with AsyncOAuth2Client(os.environ["ID"], os.environ["SECRET"]) as client:
                uri, request.session["s"] = client.create_authorization_url("https://id.example.com/authorize")
                return RedirectResponse(uri)

        @app.get("/back")
        async def back(request: Request):
            async with AsyncOAuth2Client(os.environ["ID"], os.environ["SECRET"]) as client:
                return await client.fetch_token("https://id.example.com/token", authorization_response=str(request.url))
    """, ["fail"], ["fresh"]),
    "authlib's bare client given the code and a state": ("""
        from authlib.integrations.requests_client import OAuth2Session
        from flask import Flask, redirect, request, session
        app = Flask(__name__)

        @app.get("/start")
        def start():
            uri, session["s"] = OAuth2Session(os.environ["ID"]).create_authorization_url("https://id.example.com/a")
            return redirect(uri)

        @app.get("/back")
        def back():
            client = OAuth2Session(os.environ["ID"], state=session["s"])
            return client.fetch_token("https://id.example.com/token", code=request.args["code"])
    """, ["fail"], ["fresh"]),
    "spotipy, whose state the application compares": ("""
        from flask import Flask, abort, redirect, request, session
        from spotipy.oauth2 import SpotifyOAuth
        app = Flask(__name__)

        def manager(state=None):
            return SpotifyOAuth(client_id=os.environ["ID"], client_secret=os.environ["SECRET"], redirect_uri="https://a.example.com/back", state=state)

        @app.get("/start")
        def start():
            session["s"] = secrets.token_urlsafe(16)
            return redirect(manager(session["s"]).get_authorize_url())

        @app.get("/back")
        def back():
            if not session.get("s") or request.args.get("state") != session["s"]:
                abort(400)
            return manager().get_access_token(request.args["code"], check_cache=False)
    """, ["pass"], ["fresh"]),
    "spotipy, which compares nothing": ("""
        from flask import Flask, redirect, request
        import spotipy
        app = Flask(__name__)
        manager = spotipy.SpotifyOAuth(os.environ["ID"], os.environ["SECRET"], "https://a.example.com/back")

        @app.get("/start")
        def start():
            return redirect(manager.get_authorize_url())

        @app.get("/back")
        def back():
            return manager.get_access_token(code=request.args["code"])
    """, ["fail"], ["none"]),
    "spotipy, which signs in by itself": ("""
        from spotipy.oauth2 import SpotifyOAuth

        def main():
            print(SpotifyOAuth(os.environ["ID"], os.environ["SECRET"], "http://127.0.0.1:8080").get_access_token(as_dict=False))

        main()
    """, [], []),
    "stravalib, which compares nothing": ("""
        from flask import Flask, redirect, request, session
        from stravalib import Client
        app = Flask(__name__)

        @app.get("/start")
        def start():
            session["s"] = secrets.token_urlsafe(16)
            url = Client().authorization_url(client_id=os.environ["ID"], redirect_uri="https://a.example.com/back", state=session["s"])
            return redirect(url)

        @app.get("/back")
        def back():
            return Client().exchange_code_for_token(client_id=os.environ["ID"], client_secret=os.environ["SECRET"], code=request.args["code"])
    """, ["fail"], ["fresh"]),
    "msal's flow": ("""
        import msal
        from flask import Flask, redirect, request, session
        app = Flask(__name__)
        client = msal.ConfidentialClientApplication(os.environ["ID"], client_credential=os.environ["SECRET"])

        @app.get("/start")
        def start():
            session["flow"] = client.initiate_auth_code_flow(["User.Read"])
            return redirect(session["flow"]["auth_uri"])

        @app.get("/back")
        def back():
            return client.acquire_token_by_auth_code_flow(session.pop("flow", {}), request.args)
    """, ["pass"], ["fresh"]),
    "msal's older pair, compared": ("""
        import msal, uuid
        from flask import Flask, abort, redirect, request, session
        app = Flask(__name__)

        def client():
            return msal.ConfidentialClientApplication(os.environ["ID"], client_credential=os.environ["SECRET"])

        @app.get("/start")
        def start():
            session["s"] = str(uuid.uuid4())
            return redirect(client().get_authorization_request_url(["User.Read"], state=session["s"]))

        @app.get("/back")
        def back():
            if not session.get("s") or request.args.get("state") != session["s"]:
                abort(400)
            return client().acquire_token_by_authorization_code(request.args["code"], scopes=["User.Read"])
    """, ["pass"], ["fresh"]),
    "msal's older pair, not compared": ("""
        import msal
        from flask import Flask, redirect, request, session
        app = Flask(__name__)
        client = msal.ConfidentialClientApplication(os.environ["ID"], client_credential=os.environ["SECRET"])

        @app.get("/start")
        def start():
            return redirect(client.get_authorization_request_url(["User.Read"]))

        @app.get("/back")
        def back():
            return client.acquire_token_by_authorization_code(request.args["code"], scopes=["User.Read"])
    """, ["fail"], ["none"]),
    "Flask-Dance": ("""
        from flask import Flask, redirect, url_for
        from flask_dance.contrib.google import google, make_google_blueprint
        app = Flask(__name__)
        app.register_blueprint(make_google_blueprint(client_id=os.environ["ID"], client_secret=os.environ["SECRET"]))

        @app.get("/")
        def index():
            if not google.authorized:
                return redirect(url_for("google.login"))
            return google.get("/oauth2/v1/userinfo").json()
    """, ["pass"], ["fresh"]),
    "Flask-OAuthlib": ("""
        from flask import Flask, redirect, request, session, url_for
        from flask_oauthlib.client import OAuth
        app = Flask(__name__)
        oauth = OAuth(app)
        example = oauth.remote_app("example", consumer_key=os.environ["ID"], consumer_secret=os.environ["SECRET"])

        @app.get("/start")
        def start():
            return example.authorize(callback=url_for("back", _external=True))

        @app.get("/back")
        def back():
            return example.authorized_response()
    """, ["fail"], ["none"]),
    "Flask-OAuthlib, compared by the application": ("""
        from flask import Flask, abort, redirect, request, session, url_for
        from flask_oauthlib.client import OAuth
        app = Flask(__name__)
        oauth = OAuth(app)
        example = oauth.remote_app("example", consumer_key=os.environ["ID"], consumer_secret=os.environ["SECRET"])

        @app.get("/start")
        def start():
            session["s"] = secrets.token_urlsafe(16)
            return example.authorize(callback=url_for("back", _external=True), state=session["s"])

        @app.get("/back")
        def back():
            if not session.get("s") or session.pop("s") != request.args.get("state"):
                abort(400)
            return example.authorized_response()
    """, ["pass"], ["fresh"]),
    "httpx-oauth": ("""
        from fastapi import FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        from httpx_oauth.clients.google import GoogleOAuth2
        app = FastAPI()
        client = GoogleOAuth2(os.environ["ID"], os.environ["SECRET"])

        @app.get("/start")
        async def start(request: Request):
            request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(await client.get_authorization_url("https://a.example/back", state=request.session["s"]))

        @app.get("/back")
        async def back(request: Request, code: str, state: str):
            if state != request.session.pop("s", None):
                raise HTTPException(400)
            return await client.get_access_token(code, "https://a.example/back")
    """, ["pass"], ["fresh"]),
    "httpx-oauth without a comparison": ("""
        from fastapi import FastAPI, Request
        from fastapi.responses import RedirectResponse
        from httpx_oauth.oauth2 import OAuth2
        app = FastAPI()
        client = OAuth2(os.environ["ID"], os.environ["SECRET"], "https://id.example.com/a", "https://id.example.com/t")

        @app.get("/start")
        async def start(request: Request):
            return RedirectResponse(await client.get_authorization_url("https://a.example/back"))

        @app.get("/back")
        async def back(code: str):
            return await client.get_access_token(code, "https://a.example/back")
    """, ["fail"], ["none"]),
    "authlib's client in an application factory": ("""
        from authlib.integrations.flask_client import OAuth
        from flask import Flask, url_for
        def create_app():
            app = Flask(__name__)
            oauth = OAuth(app)
            oauth.register("x")
            @app.get("/start")
            def start():
                return oauth.x.authorize_redirect(url_for("back"))
            @app.get("/back")
            def back():
                return oauth.x.authorize_access_token()
            return app
    """, ["pass"], ["fresh"]),
    "flask, posted as JSON": ("""
        from flask import Flask, abort, redirect, request, session
        app = Flask(__name__)
        @app.get("/start")
        def start():
            state = session["s"] = secrets.token_urlsafe(16)
            return redirect(AUTHORIZE)
        @app.post("/back")
        def back():
            body = request.get_json()
            if not session.get("s") or body.get("state") != session["s"]:
                abort(400)
            return exchange(body["code"])
    """, ["pass"], ["fresh"]),
    "django, posted as JSON": ("""
        import json
        from django.http import HttpResponseBadRequest
        from django.shortcuts import redirect
        def start(request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return redirect(AUTHORIZE)
        def back(request):
            body = json.loads(request.body)
            if not request.session.get("s") or body.get("state") != request.session["s"]:
                return HttpResponseBadRequest()
            return exchange(body["code"])
    """, ["pass"], ["fresh"]),
    "requests-oauthlib kept by a class of the application": ("""
        from requests_oauthlib import OAuth2Session
        from flask import Flask, redirect, request, session
        app = Flask(__name__)
        class Client:
            def __init__(self, state=None):
                self.oauth = OAuth2Session(os.environ["ID"], state=state)
            def url(self):
                return self.oauth.authorization_url("https://id.example.com/authorize")
            def token(self, address):
                return self.oauth.fetch_token("https://id.example.com/token", authorization_response=address)
        @app.get("/start")
        def start():
            url, session["s"] = Client().url()
            return redirect(url)
        @app.get("/back")
        def back():
            return Client(session["s"]).token(request.url)
    """, ["pass"], ["fresh"]),
    "a mapping in the session": ("""
        from flask import Flask, abort, redirect, request, session
        app = Flask(__name__)
        @app.get("/start")
        def start():
            state = secrets.token_urlsafe(16)
            session["oauth"] = {"state": state, "next": request.args.get("next")}
            return redirect(AUTHORIZE)
        @app.get("/back")
        def back():
            kept = session.pop("oauth", None)
            if kept is None or kept["state"] != request.args.get("state"):
                abort(400)
            return exchange(request.args["code"])
    """, ["pass"], ["fresh"]),
    "flask-restful": ("""
        from flask import redirect, request, session
        from flask_restful import Api, Resource, abort
        class Start(Resource):
            def get(self):
                state = session["s"] = secrets.token_urlsafe(16)
                return redirect(AUTHORIZE)
        class Back(Resource):
            def get(self):
                if not session.get("s") or session["s"] != request.args.get("state"):
                    abort(400)
                return exchange(request.args["code"])
    """, ["pass"], ["fresh"]),
    "an annotated dependency of FastAPI": ("""
        from typing import Annotated
        from fastapi import Depends, FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()
        async def checked(request: Request, state: str) -> str:
            if state != request.session.pop("s", None):
                raise HTTPException(400)
            return state
        @app.get("/start")
        def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)
        @app.get("/back")
        def back(code: str, state: Annotated[str, Depends(checked)]):
            return exchange(code)
    """, ["pass"], ["fresh"]),
    "tornado, both may be absent": ("""
        import tornado.web
        class Start(tornado.web.RequestHandler):
            def get(self):
                state = secrets.token_urlsafe(16)
                self.set_secure_cookie("s", state)
                self.redirect(AUTHORIZE)
        class Back(tornado.web.RequestHandler):
            def get(self):
                if self.get_argument("state", None) != self.get_secure_cookie("s"):
                    raise tornado.web.HTTPError(400)
                self.write(exchange(self.get_argument("code")))
    """, ["absent"], ["fresh"]),
    "django, both may be absent": ("""
        from django.http import HttpResponseBadRequest
        from django.shortcuts import redirect
        def start(request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return redirect(AUTHORIZE)
        def back(request):
            if request.GET.get("state") != request.session.get("s"):
                return HttpResponseBadRequest()
            return exchange(request.GET["code"])
    """, ["absent"], ["fresh"]),
    "bottle, both may be absent": ("""
        from bottle import Bottle, abort, redirect, request, response
        app = Bottle()
        @app.get("/start")
        def start():
            state = secrets.token_urlsafe(16)
            response.set_cookie("s", state)
            redirect(AUTHORIZE)
        @app.get("/back")
        def back():
            if request.get_cookie("s") != request.query.get("state"):
                abort(400)
            return exchange(request.query["code"])
    """, ["absent"], ["fresh"]),
    "a token whose signature nobody looks at": ("""
        import jwt
        from flask import Flask, abort, redirect, request
        from flask_login import current_user
        app = Flask(__name__)

        @app.get("/start")
        def start():
            state = jwt.encode({"user": current_user.id, "n": secrets.token_hex(8)}, os.environ["KEY"])
            return redirect(AUTHORIZE)

        @app.get("/back")
        def back():
            claim = jwt.decode(request.args["state"], options={"verify_signature": False})
            if claim["user"] != current_user.id:
                abort(400)
            return exchange(request.args["code"])
    """, ["fail"], ["fresh"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOWS)
def test_what_a_library_checks_itself(name: str) -> None:
    text, exchanges, authorizations = FLOWS[name]
    facts = facts_of({"app.py": app(text)})
    assert verdicts(facts) == exchanges
    assert sorted(set(freshness(facts))) == authorizations


CLIENTS = {
    "requests": "answer = requests.post(TOKEN, data=BODY)",
    "requests.Session": "with requests.Session() as http:\n    answer = http.post(TOKEN, data=BODY)",
    "httpx": "import httpx\nanswer = httpx.post(TOKEN, data=BODY)",
    "httpx.Client": "import httpx\nwith httpx.Client() as http:\n    answer = http.request('POST', TOKEN, data=BODY)",
    "httpx.AsyncClient": "import httpx\nasync with httpx.AsyncClient() as http:\n    answer = await http.post(TOKEN, data=BODY)",
    "aiohttp": (
        "import aiohttp\nasync with aiohttp.ClientSession() as http:\n"
        "    async with http.post(TOKEN, data=BODY) as answer:\n        token = await answer.json()"
    ),
    "urllib": (
        "import json, urllib.request\n"
        "query = urllib.request.Request(TOKEN, data=urlencode(BODY).encode(), method='POST')\n"
        "with urllib.request.urlopen(query) as answer:\n    token = json.load(answer)"
    ),
    "urllib3": "import urllib3\nanswer = urllib3.PoolManager().request('POST', TOKEN, fields=BODY)",
    "tornado": (
        "from tornado.httpclient import AsyncHTTPClient\n"
        "answer = await AsyncHTTPClient().fetch(TOKEN, method='POST', body=urlencode(BODY))"
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_sends_the_exchange(name: str) -> None:
    text = (
        "import os, requests\nfrom urllib.parse import urlencode\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        "TOKEN = 'https://id.example.com/token'\n@app.get('/back')\nasync def back(code: str):\n"
        "    BODY = {'grant_type': 'authorization_code', 'code': code, 'client_secret': os.environ['SECRET']}\n"
        + textwrap.indent(CLIENTS[name], "    ")
        + "\n"
    )
    assert verdicts(facts_of({"app.py": text})) == ["fail"]


REFUSALS = {
    "requests": ("requests.get(URL)", "requests.HTTPError"),
    "requests, the broad one": ("requests.get(URL)", "requests.exceptions.RequestException"),
    "httpx": ("httpx.get(URL)", "httpx.HTTPStatusError"),
    "aiohttp": ("await aiohttp.ClientSession().get(URL)", "aiohttp.ClientError"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_refusal_raises(name: str) -> None:
    call, error = REFUSALS[name]
    text = (
        "import aiohttp, httpx, requests\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        "URL = 'https://api.example.com/me'\n@app.get('/me')\nasync def me():\n"
        f"    answer = {call}\n    try:\n        answer.raise_for_status()\n    except {error}:\n"
        "        requests.post('https://id.example.com/token', data={'grant_type': 'refresh_token'})\n"
    )
    events = [event for event in facts_of({"app.py": text}).events if event.action == "refresh"]
    assert any(
        condition.kind == "not" and condition.args[0].kind == "op" and condition.args[0].data == "ok"
        for event in events
        for condition in event.conditions
    )


SETTINGS = {
    "decouple": "from decouple import config\nSECRET = config('SECRET', default='')",
    "environs": "from environs import Env\nenv = Env()\nenv.read_env()\nSECRET = env.str('SECRET')",
    "django-environ": "import environ\nenv = environ.Env()\nSECRET = env('SECRET')",
    "dotenv": "from dotenv import dotenv_values\nconfig = dotenv_values('.env')\nSECRET = config['SECRET']",
    "starlette": "from starlette.config import Config\nconfig = Config('.env')\nSECRET = config('SECRET', cast=str)",
    "streamlit": "import streamlit as st\nSECRET = st.secrets['example']['secret']",
    "pydantic-settings": (
        "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    secret: str\n"
        "settings = Settings()\nSECRET = settings.secret"
    ),
    "pydantic-settings in a function": (
        "from functools import lru_cache\nfrom pydantic import SecretStr\nfrom pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n    secret: SecretStr\n@lru_cache\ndef get_settings():\n    return Settings()\n"
        "SECRET = get_settings().secret.get_secret_value()"
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_come_from_the_environment(name: str) -> None:
    text = (
        f"import requests\n{SETTINGS[name]}\nrequests.post('https://id.example.com/token', data={{"
        "'grant_type': 'authorization_code', 'code': '1', 'client_secret': SECRET})\n"
    )
    secret = next(event.details["secret"] for event in facts_of({"app.py": text}).events if event.action == "exchange")
    assert contains(secret, lambda leaf: leaf.kind == "root" and leaf.data[0] == "ENV")


# What the engine cannot follow yet: application, why. Each holds a real comparison.
GAPS = {
    "dependencies of a FastAPI route": ("""
        from fastapi import Depends, FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()
        def checked(request: Request, state: str):
            if state != request.session.pop("s", None):
                raise HTTPException(400)
        @app.get("/start")
        def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)
        @app.get("/back", dependencies=[Depends(checked)])
        def back(code: str):
            return exchange(code)
    """, "`dependencies=[Depends(f)]` of a route registers no guard"),
    "dependencies of a FastAPI router": ("""
        from fastapi import APIRouter, Depends, HTTPException, Request
        from fastapi.responses import RedirectResponse
        def checked(request: Request, state: str):
            if state != request.session.pop("s", None):
                raise HTTPException(400)
        router = APIRouter(dependencies=[Depends(checked)])
        other = APIRouter()
        @other.get("/start")
        def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)
        @router.get("/back")
        def back(code: str):
            return exchange(code)
    """, "`dependencies=` of a router registers no guard for its routes"),
    "FastAPI's annotated cookie": ("""
        from typing import Annotated
        from fastapi import Cookie, FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()
        @app.get("/start")
        def start():
            state = secrets.token_urlsafe(16)
            answer = RedirectResponse(AUTHORIZE)
            answer.set_cookie("s", state)
            return answer
        @app.get("/back")
        def back(code: str, state: str, s: Annotated[str | None, Cookie()] = None):
            if not s or s != state:
                raise HTTPException(400)
            return exchange(code)
    """, "the marker in `Annotated[..., Cookie()]` is not looked at"),
    "FastAPI's cookie under an alias": ("""
        from fastapi import Cookie, FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()
        @app.get("/start")
        def start():
            state = secrets.token_urlsafe(16)
            answer = RedirectResponse(AUTHORIZE)
            answer.set_cookie("oauth_state", state)
            return answer
        @app.get("/back")
        def back(code: str, state: str, saved: str = Cookie(None, alias="oauth_state")):
            if not saved or saved != state:
                raise HTTPException(400)
            return exchange(code)
    """, "`alias=` of a parameter is not looked at"),
    "a middleware of FastAPI": ("""
        from fastapi import FastAPI, Request
        from fastapi.responses import RedirectResponse, JSONResponse
        app = FastAPI()
        @app.middleware("http")
        async def guard(request: Request, call_next):
            if request.query_params.get("state") is None or request.query_params.get("state") != request.session.get("s"):
                return JSONResponse({}, 400)
            return await call_next(request)
        @app.get("/start")
        def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)
        @app.get("/back")
        def back(code: str):
            return exchange(code)
    """, "`call_next(request)` is taken for `next(error)`"),
    "a middleware of aiohttp": ("""
        from aiohttp import web
        from aiohttp_session import get_session
        @web.middleware
        async def guard(request, handler):
            session = await get_session(request)
            if not session.get("s") or request.query.get("state") != session["s"]:
                raise web.HTTPBadRequest()
            return await handler(request)
        async def start(request):
            session = await get_session(request)
            state = session["s"] = secrets.token_urlsafe(16)
            raise web.HTTPFound(AUTHORIZE)
        async def back(request):
            return web.json_response(exchange(request.query["code"]))
        app = web.Application(middlewares=[guard])
        app.router.add_get("/back", back)
    """, "functions in `middlewares=` are no stages, and `handler(request)` is taken for `next(error)`"),
    "a store made in an application factory": ("""
        import redis
        from flask import Flask, abort, redirect, request
        def create_app():
            app = Flask(__name__)
            store = redis.Redis.from_url(os.environ["R"])
            @app.get("/start")
            def start():
                state = secrets.token_urlsafe(16)
                store.set("s:" + state, "1", ex=60)
                return redirect(AUTHORIZE)
            @app.get("/back")
            def back():
                if not store.get("s:" + request.args["state"]):
                    abort(400)
                return exchange(request.args["code"])
            return app
    """, "what an entry's closures captured is gone when they are walked"),
    "required fields of a body": ("""
        from fastapi import FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        from pydantic import BaseModel
        app = FastAPI()
        class Body(BaseModel):
            code: str
            state: str
        @app.get("/start")
        def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)
        @app.post("/back")
        def back(body: Body, request: Request):
            if body.state != request.session.get("s"):
                raise HTTPException(400)
            return exchange(body.code)
    """, "a field without a default of a body's class is not known to be there"),
    "a class as a dependency": ("""
        from fastapi import Depends, FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()
        class Service:
            def __init__(self, request: Request):
                self.request = request
            def check(self, state):
                if not state or state != self.request.session.pop("s", None):
                    raise HTTPException(400)
        @app.get("/start")
        def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)
        @app.get("/back")
        def back(code: str, state: str, service: Service = Depends(Service)):
            service.check(state)
            return exchange(code)
    """, "a class as a dependency is not constructed"),
    "an instance as a dependency": ("""
        from fastapi import Depends, FastAPI, HTTPException, Request
        from fastapi.responses import RedirectResponse
        app = FastAPI()
        class Checked:
            def __call__(self, request: Request, state: str = ""):
                if not state or state != request.session.pop("s", None):
                    raise HTTPException(400)
        @app.get("/start")
        def start(request: Request):
            state = request.session["s"] = secrets.token_urlsafe(16)
            return RedirectResponse(AUTHORIZE)
        @app.get("/back")
        def back(code: str, ok=Depends(Checked())):
            return exchange(code)
    """, "an instance as a dependency is not called"),
}  # fmt: skip


@pytest.mark.parametrize("name", GAPS)
def test_a_comparison_made_by_the_framework(name: str) -> None:
    facts = facts_of({"app.py": app(GAPS[name][0])})
    assert set(verdicts(facts)) == {"pass"}
