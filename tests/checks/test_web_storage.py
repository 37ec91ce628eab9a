"""What is put into a store of the browser or phone (N05): by which library, through which state, out of which page."""

from __future__ import annotations

import pathlib

import pytest

from auditor.audit import audit

EXCHANGE = """
  const reply = await fetch('https://api.monei.cc/api/v1/connect/token', {
    method: 'POST',
    body: JSON.stringify({ grant_type: 'authorization_code', code, code_verifier: verifier, client_id: 'mc_1' }),
  });
  const grant = await reply.json();
"""
SCRIPT = "HEAD\ndocument.title = 'Shop';\n\nexport async function finish(code, verifier) {EXCHANGE  BODY\n}\n"
COMPONENT = """
HEAD
export function Callback({ code, verifier }) {
  HOOK
  async function finish() {EXCHANGE    BODY
  }
  return <button onClick={finish}>Go on</button>;
}
"""


def status(folder: pathlib.Path, files: dict[str, str]) -> tuple[str, set[tuple[str, str]]]:
    """The status of N05, and the lines of its findings as (path, text)."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    report = audit(folder)
    found = {
        (one.path, files[one.path].splitlines()[one.line - 1].strip())
        for one in report.findings
        if one.rule == "token-in-web-storage"
    }
    return next(item.status for item in report.items if item.id == "N05"), found


def script(body: str, head: str = "") -> str:
    return SCRIPT.replace("EXCHANGE", EXCHANGE).replace("BODY", body).replace("HEAD", head)


def component(body: str, hook: str, head: str) -> str:
    text = COMPONENT.replace("EXCHANGE", EXCHANGE).replace("BODY", body).replace("HOOK", hook)
    return text.replace("HEAD", head)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("import AsyncStorage from '@react-native-community/async-storage';", "await AsyncStorage.setItem('t', grant.access_token);"),
        ("import { AsyncStorage } from 'react-native';", "await AsyncStorage.setItem('t', grant.access_token);"),
        ("import { Preferences } from '@capacitor/preferences';", "await Preferences.set({ key: 't', value: grant.access_token });"),
        ("import browser from 'webextension-polyfill';", "await browser.storage.local.set({ t: grant.access_token });"),
        ("import store from 'store';", "store.set('t', grant.access_token);"),
        ("import { set } from 'idb-keyval';", "await set('t', grant.refresh_token);"),
        ("", "for (const [key, value] of Object.entries(grant)) localStorage.setItem(key, value);"),
        ("", "['access_token', 'refresh_token'].forEach((key) => localStorage.setItem(key, grant[key]));"),
    ],
)  # fmt: skip
def test_a_store_of_the_browser(tmp_path: pathlib.Path, head: str, body: str) -> None:
    assert status(tmp_path, {"src/callback.js": script(body, head)}) == ("fail", {("src/callback.js", body)})


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        ("", "document.cookie = `t=${grant.access_token}`;", "pass"),
        ("", "localStorage.setItem('expires', grant.expires_in);", "pass"),
        ("import * as Keychain from 'react-native-keychain';", "await Keychain.setGenericPassword('me', grant.access_token);", "pass"),
        ("import { keep } from 'somewhere';", "keep(grant.access_token);", "review"),
        ("", "localStorage.setItem('t', grant.access_token.split('').reverse().join(''));", "review"),
    ],
)  # fmt: skip
def test_what_is_none_or_cannot_be_followed(tmp_path: pathlib.Path, head: str, body: str, expected: str) -> None:
    assert status(tmp_path, {"src/callback.js": script(body, head)})[0] == expected


HOOKS = [
    ("useState", "react", "pass"),
    ("useLocalStorage", "usehooks-ts", "fail"),
    ("useLocalStorage", "react-use", "fail"),
    ("useSessionStorage", "@uidotdev/usehooks", "fail"),
]


@pytest.mark.parametrize(("hook", "library", "expected"), HOOKS)
def test_a_cell_of_state(tmp_path: pathlib.Path, hook: str, library: str, expected: str) -> None:
    text = component(
        "setToken(grant.access_token);",
        f"const [token, setToken] = {hook}('token', null);",
        f"import {{ {hook} }} from '{library}';",
    )
    found = {("src/Callback.jsx", "setToken(grant.access_token);")} if expected == "fail" else set()
    assert status(tmp_path, {"src/Callback.jsx": text}) == (expected, found)


def test_an_effect_that_keeps_what_a_cell_holds(tmp_path: pathlib.Path) -> None:
    own = """
import { useEffect, useState } from 'react';

export function useKept(key, first) {
  const [value, setValue] = useState(first);
  useEffect(() => {
    localStorage.setItem(key, JSON.stringify(value));
  }, [key, value]);
  return [value, setValue];
}
"""
    page = component(
        "setToken(grant.access_token);",
        "const [token, setToken] = useKept('token', null);",
        "import { useKept } from './kept';",
    )
    line = "localStorage.setItem(key, JSON.stringify(value));"
    assert status(tmp_path, {"src/Callback.jsx": page, "src/kept.js": own}) == ("fail", {("src/kept.js", line)})


SLICE = """
import { createSlice } from '@reduxjs/toolkit';

const slice = createSlice({
  name: 'auth',
  initialState: { token: null },
  reducers: { setToken(state, action) { state.token = action.payload; } },
});
export const { setToken } = slice.actions;
export default slice.reducer;
"""
PLAIN = """
import { configureStore } from '@reduxjs/toolkit';
import auth from './slice';

export const store = configureStore({ reducer: { auth } });
"""
PERSISTED = """
import { configureStore } from '@reduxjs/toolkit';
import { persistReducer } from 'redux-persist';
import storage from 'redux-persist/lib/storage';
import auth from './slice';

export const store = configureStore({ reducer: persistReducer({ key: 'root', storage }, auth) });
"""


@pytest.mark.parametrize(("store", "expected"), [(PLAIN, "pass"), (PERSISTED, "review")])
def test_state_that_is_persisted(tmp_path: pathlib.Path, store: str, expected: str) -> None:
    page = component(
        "dispatch(setToken(grant.access_token));",
        "const dispatch = useDispatch();",
        "import { useDispatch } from 'react-redux';\nimport { setToken } from './slice';",
    )
    files = {"src/Callback.jsx": page, "src/slice.js": SLICE, "src/store.js": store}
    assert status(tmp_path, files)[0] == expected


@pytest.mark.parametrize(("persist", "expected"), [("persist: true,", "review"), ("", "pass")])
def test_a_store_that_is_asked_to_persist(tmp_path: pathlib.Path, persist: str, expected: str) -> None:
    text = f"""
import {{ defineStore }} from 'pinia';

export const useAuth = defineStore('auth', {{
  state: () => ({{ token: null }}),
  actions: {{
    async finish(code, verifier) {{{EXCHANGE}
      this.token = grant.access_token;
      document.title = 'Connected';
    }},
  }},
  {persist}
}});
"""
    assert status(tmp_path, {"src/auth.js": text})[0] == expected


EXPRESS = """
import express from 'express';

const app = express();

app.get('/redeem', async (req, res) => {
  const reply = await fetch('https://api.monei.cc/api/v1/connect/token', {
    method: 'POST',
    body: JSON.stringify({ grant_type: 'authorization_code', code: req.query.code, client_secret: process.env.S }),
  });
  const grant = await reply.json();
  ANSWER
});
"""
FLASK = """
import os

import requests
from flask import Flask, render_template, request

app = Flask(__name__)


@app.get("/redeem")
def redeem():
    grant = requests.post("https://api.monei.cc/api/v1/connect/token", timeout=9, json={
        "grant_type": "authorization_code", "code": request.args["code"], "client_secret": os.environ["SECRET"],
    }).json()
    ANSWER
"""
ASKS = """
async function login() {
  const body = await (await fetch('/redeem')).json();
  localStorage.setItem('token', body.token);
  document.title = 'Welcome';
}
"""
LISTENS = """
window.addEventListener('message', (event) => {
  localStorage.setItem('token', event.data.token);
});
"""


@pytest.mark.parametrize(
    ("answer", "page", "expected"),
    [
        ("res.json({ token: grant.access_token });", ASKS, "fail"),
        ("res.json({ token: 'a word', other: grant.access_token });", ASKS, "pass"),
        ("res.send(`<script>localStorage.setItem('token', '${grant.access_token}')</script>`);", "", "review"),
        ("res.send(`<script>opener.postMessage({ token: '${grant.access_token}' }, '*')</script>`);", LISTENS, "review"),
    ],
)  # fmt: skip
def test_what_a_server_hands_on(tmp_path: pathlib.Path, answer: str, page: str, expected: str) -> None:
    files = {"server.js": EXPRESS.replace("ANSWER", answer), "public/page.js": page or "document.title = 'Shop';\n"}
    assert status(tmp_path, files)[0] == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("return f\"<script>localStorage.setItem('token', '{grant['access_token']}')</script>\"", "review"),
        ('return render_template("done.html", token=grant["access_token"])', "review"),
        ('return render_template("done.html", name="Ada")', "pass"),
    ],
)
def test_what_a_page_of_the_server_keeps(tmp_path: pathlib.Path, answer: str, expected: str) -> None:
    page = '<p id="t" data-token="{{ token }}"></p><script>KEEPS</script>'
    keeps = "localStorage.setItem('token', document.getElementById('t').dataset.token);"
    page = page.replace("KEEPS", keeps if "token=" in answer else "localStorage.setItem('theme', 'dark');")
    files = {"app.py": FLASK.replace("ANSWER", answer), "templates/done.html": page}
    assert status(tmp_path, files)[0] == expected
