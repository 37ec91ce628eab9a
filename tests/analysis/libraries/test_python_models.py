"""Each model of a Python library, in a small application: a state is made, sent, stored, compared, the code exchanged.

`# check` in an application stands for its comparison. With it the exchange passes; without it, it fails.
"""

from __future__ import annotations

import functools
import pathlib
import textwrap

import pytest

from auditor.analysis.analyse import analyse
from auditor.analysis.attack import Attack, verdict
from auditor.catalogue import parse
from auditor.facts import Facts
from auditor.frontends import python
from auditor.library import Libraries, Library
from auditor.terms import contains

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


def _of_kind(facts, kind):
    return lambda leaf: facts.kinds.get(leaf) == kind


EXCHANGE = """
def exchange(code):
    return requests.post("https://id.example.com/token", data={
        "grant_type": "authorization_code", "code": code, "client_id": os.environ["ID"],
        "client_secret": os.environ["SECRET"],
    }, timeout=9).json()
"""

URL = '"https://id.example.com/oauth/authorize?" + urlencode({"client_id": os.environ["ID"], "state": state})'

HEAD = "import os, secrets\nfrom urllib.parse import urlencode\nimport requests\n" + EXCHANGE


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
    return HEAD + "\n".join(out) + "\n"


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
    assert verdicts(facts) and set(verdicts(facts)) == {"pass"}
    assert freshness(facts) and set(freshness(facts)) == {"fresh"}


@pytest.mark.parametrize("name", WEB)
def test_a_state_nobody_compares_fails(name: str) -> None:
    facts = facts_of({"app.py": app(WEB[name][0])})
    assert verdicts(facts) and set(verdicts(facts)) == {"fail"}
