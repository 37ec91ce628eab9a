"""Several callbacks that exchange their codes by one helper: what is known of one proves nothing of another."""

from __future__ import annotations

import pathlib

import pytest

from auditor.audit import audit

PYTHON = {
    "client.py": """\
import os
import requests

def exchange(code):
    data = {"grant_type": "authorization_code", "code": code, "client_secret": os.environ["SECRET"]}
    return requests.post("https://api.monei.cc/api/v1/connect/token", json=data).json()["id"]
""",
    "app.py": """\
import secrets
from flask import Flask, abort, redirect, request, session
from client import exchange
app = Flask(__name__)

@app.get("/connect")
def connect():
    session["state"] = secrets.token_urlsafe(32)
    return redirect("https://monei.cc/connect/authorize?client_id=a&state=" + session["state"])

@app.get("/cb")
def callback():
    if request.args["state"] != session.pop("state"):
        abort(400)
    return exchange(request.args["code"])
""",
    "other.py": """\
from client import exchange

def {name}(incoming):
    return exchange(incoming.get("code"))
""",
}
JAVASCRIPT = {
    "client.js": """\
const axios = require('axios');
exports.exchange = async (code) => {
  const data = { grant_type: 'authorization_code', code, client_secret: process.env.SECRET };
  return (await axios.post('https://api.monei.cc/api/v1/connect/token', data)).data.id;
};
""",
    "app.js": """\
const crypto = require('crypto');
const express = require('express');
const client = require('./client');
const app = express();

app.get('/connect', (req, res) => {
  req.session.state = crypto.randomUUID();
  res.redirect(`https://monei.cc/connect/authorize?client_id=a&state=${req.session.state}`);
});

app.get('/cb', async (req, res) => {
  const expected = req.session.state;
  delete req.session.state;
  if (!expected || req.query.state !== expected) return res.sendStatus(400);
  res.send(await client.exchange(req.query.code));
});
""",
    "other.js": """\
const client = require('./client');

exports.{name} = async (incoming) => {
  return client.exchange(incoming.code);
};
""",
}
CASES = [(PYTHON, "other.py", 4), (JAVASCRIPT, "other.js", 4)]


def verdict(folder: pathlib.Path, files: dict[str, str], left_out: str = "") -> tuple[str, list[tuple[str, int]]]:
    for name, text in files.items():
        if name != left_out:
            (folder / name).write_text(text.replace("{name}", "finish"))
    item = next(one for one in audit(folder).items if one.id == "C06")
    return item.status, [(one.path, one.line) for one in item.evidence]


@pytest.mark.parametrize(("files", "other", "line"), CASES)
def test_a_second_callback_whose_caller_is_not_seen_is_for_a_person_to_judge(
    tmp_path: pathlib.Path, files: dict[str, str], other: str, line: int
) -> None:
    status, places = verdict(tmp_path, files, left_out=other)
    assert status == "pass"
    status, places = verdict(tmp_path, files)
    assert status == "review"
    assert {path for path, _ in places} <= {other, other.replace("other", "client")}


def test_a_request_of_the_applications_own_kind_is_a_request(tmp_path: pathlib.Path) -> None:
    files = {
        "http.py": "from django.http import HttpRequest\n\nclass OwnRequest(HttpRequest):\n    user: object\n",
        "client.py": PYTHON["client.py"],
        "views.py": """\
import secrets
from django.http import HttpRequest, HttpResponseForbidden
from django.shortcuts import redirect
from client import exchange
from .http import OwnRequest

def connect(request: HttpRequest):
    request.session["state"] = secrets.token_urlsafe(32)
    return redirect("https://monei.cc/connect/authorize?client_id=a&state=" + request.session["state"])

def checked(request: OwnRequest):
    if request.GET["state"] != request.session.pop("state"):
        return HttpResponseForbidden()
    return redirect(exchange(request.GET["code"]))

def unchecked(request: OwnRequest):
    return redirect(exchange(request.GET["code"]))
""",
    }
    (tmp_path / "shop").mkdir()
    for name, text in files.items():
        (tmp_path / "shop" / name).write_text(text.replace("from client", "from .client"))
    (tmp_path / "shop" / "__init__.py").write_text("")
    report = audit(tmp_path)
    found = [(one.path, one.line) for one in report.findings if one.rule == "missing-state-validation"]
    assert found == [("shop/views.py", 16)]
