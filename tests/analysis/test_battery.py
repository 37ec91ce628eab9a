"""The battery: many forms of one safeguard, in six frameworks, each with the verdict that a careful engineer gives.

`battery/` holds one small application for each framework, with holes. A `Guard` fills them. In its text `code`,
`state` and `saved` are the code, the received and the stored state (None or undefined when absent); SESSION, QUERY
and COOKIES are what the framework keeps them in; REFUSE answers 400 and ends the request; EXCHANGE exchanges the code
and answers. A guard that does not say where the code is exchanged stands before it.
"""

from __future__ import annotations

import pathlib
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import pytest
import yaml

from auditor import checks
from auditor.checks.application import Application
from auditor.questions import GuardedQuestion, OriginQuestion

FOLDER = pathlib.Path(__file__).parent / "battery"
FURTHER: list[dict[str, str]] = yaml.safe_load((FOLDER / "javascript.yaml").read_text())
PYTHON = ("flask", "django", "fastapi")
JAVASCRIPT = ("express", "koa", "next")

PATHS = {
    "flask": {"app.py": "flask.py.txt"},
    "django": {"views.py": "django.py.txt"},
    "fastapi": {"main.py": "fastapi.py.txt"},
    "express": {"app.js": "express.js.txt"},
    "koa": {"app.js": "koa.js.txt"},
    "next": {
        "pages/api/back.ts": "next.ts.txt", "pages/api/start.ts": "next-start.ts.txt", "lib/monei.ts": "next-monei.ts.txt",
    },
}  # fmt: skip

_EXPRESS = {
    "SESSION": "req.session", "QUERY": "req.query", "COOKIES": "req.cookies", "REQUEST": "req",
    "REFUSE": "return res.sendStatus(400)", "EXCHANGE": "res.json(await exchange(code))",
}  # fmt: skip
WORDS = {
    "flask": {
        "SESSION": "session", "QUERY": "request.args", "COOKIES": "request.cookies", "REFUSE": "abort(400)",
        "EXCHANGE": "return exchange(code)", "REFUSAL": '("no", 400)',  "REQUEST": "",
    },
    "django": {
        "SESSION": "request.session", "QUERY": "request.GET", "COOKIES": "request.COOKIES",
        "REFUSE": 'return HttpResponseBadRequest("no")', "EXCHANGE": "return JsonResponse(exchange(code))",
        "REFUSAL": 'HttpResponseBadRequest("no")',
    },
    "fastapi": {
        "SESSION": "request.session", "QUERY": "request.query_params", "COOKIES": "request.cookies",
        "REFUSE": "raise HTTPException(400)", "EXCHANGE": "return exchange(code)", "REFUSAL": 'JSONResponse("no", 400)', "REQUEST": "request: Request",
    },
    "express": _EXPRESS,
    "koa": {
        "SESSION": "ctx.session", "QUERY": "ctx.query", "COOKIES": "ctx.cookies", "REQUEST": "ctx",
        "REFUSE": "ctx.throw(400)", "EXCHANGE": "ctx.body = await exchange(code)",
    },
    "next": _EXPRESS,
}  # fmt: skip


class Guard(NamedTuple):
    """`body`: the callback; `top`: what the module defines; `sent`: how the state is made; `keep`: how it is stored.

    `above`: a line before the callback is registered; `below`: between the registration and the callback (a decorator,
    a middleware); `last`: the end of the module. `only`: the frameworks in which it can be written. `fails`: the
    general fact that the analysis lacks, for a guard that it does not yet judge as it should.
    """

    body: str
    top: str = ""
    sent: str = ""
    keep: str | None = None
    above: str = ""
    below: str = ""
    last: str = ""
    only: tuple[str, ...] = ()
    fails: str = ""


class Variant(NamedTuple):
    """What must be said of C06 (`a|b`: either will do) and of C05, and the guard in both languages.

    `fails`: the general fact that the analysis lacks, where it judges neither language as it should.
    """

    guarded: str
    python: Guard | str
    javascript: Guard | str
    fresh: str = "pass"
    fails: str = ""


def files_of(framework: str, guard: Guard) -> dict[str, str]:
    """The files of the application with this guard in this framework."""
    python = framework in PYTHON
    body = textwrap.dedent(guard.body).strip()
    if "EXCHANGE" not in body and "exchange(" not in body:
        body = f"{body}\nEXCHANGE" if python else f"{body}\nEXCHANGE;"
    keep = guard.keep if guard.keep is not None else 'SESSION["st"] = st' if python else "SESSION.st = st;"
    holes = {
        "TOP": guard.top, "BODY": body, "ABOVE": guard.above, "BELOW": guard.below, "LAST": guard.last,
        "KEEP": keep or ("pass" if python else ";"),
        "SENT": guard.sent or ("secrets.token_urlsafe(32)" if python else "crypto.randomBytes(32).toString('hex')"),
        "DEF": "async def" if "await " in body else "def",
    }  # fmt: skip
    templates = {path: (FOLDER / name).read_text() for path, name in PATHS[framework].items()}
    return {path: fill(fill(text, holes), WORDS[framework]) for path, text in templates.items()}


def fill(text: str, words: Mapping[str, str]) -> str:
    """The text with its words replaced; what takes a whole line keeps that line's indentation."""
    lines = []
    for line in text.splitlines():
        word = line.strip()
        if word in words:
            lines.append(textwrap.indent(textwrap.dedent(words[word]).strip(), line[: len(line) - len(line.lstrip())]))
        else:
            lines.append(re.sub(r"\b[A-Z]+\b", lambda found: words.get(found[0], found[0]), line))
    return "\n".join(lines) + "\n"


def judged(application: Application) -> tuple[str, str]:
    """What the checks say of C06 (pass, review, absent, fail, none) and of C05."""
    forged = _statuses(GuardedQuestion(action="exchange", against="forged"), application)
    if "fail" not in forged and _statuses(GuardedQuestion(action="exchange", against="absent"), application):
        forged = ["absent"]
    fresh = _statuses(OriginQuestion(of="sent-state", faults=("weak", "missing")), application)
    return _worst(forged), _worst(fresh)


def _statuses(question: GuardedQuestion | OriginQuestion, application: Application) -> list[str]:
    return [one.status for one in checks.ask(question, "rule", ("C00",), application)]


def _worst(statuses: list[str]) -> str:
    return max(statuses, key=("pass", "review", "absent", "fail").index, default="none")


# fmt: off
# A guard is read as a table, Python beside JavaScript.
VARIANTS: dict[str, Variant] = {}
# ---------------------------------------------------------------------------------------- where it stands
VARIANTS |= {
    "before": Variant("pass", """
        if not saved or state != saved:
            REFUSE
    """, """
        if (!saved || state !== saved) { REFUSE; }
    """),
    "after": Variant("fail", """
        tokens = exchange(code)
        if not saved or state != saved:
            REFUSE
        return tokens
    """, """
        const tokens = await exchange(code);
        if (!saved || state !== saved) { REFUSE; }
    """),
    "in another branch": Variant("fail", """
        if QUERY.get("strict"):
            if not saved or state != saved:
                REFUSE
    """, """
        if (QUERY.strict) {
          if (!saved || state !== saved) { REFUSE; }
        }
    """),
    "in finally": Variant("fail", """
        try:
            tokens = exchange(code)
        finally:
            if not saved or state != saved:
                REFUSE
        return tokens
    """, """
        try {
          await exchange(code);
        } finally {
          if (!saved || state !== saved) { REFUSE; }
        }
    """),
    "in a loop that may not run": Variant("fail", """
        for _ in QUERY.getlist("check"):
            if not saved or state != saved:
                REFUSE
    """, """
        for (const _ of QUERY.check) {
          if (!saved || state !== saved) { REFUSE; }
        }
    """),
    "in a loop that runs once": Variant("pass", """
        while True:
            if not saved or state != saved:
                REFUSE
            break
    """, """
        do {
          if (!saved || state !== saved) { REFUSE; }
        } while (false);
    """),
    "after an await": Variant("pass", """
        await asyncio.sleep(0)
        if not saved or state != saved:
            REFUSE
    """, """
        await new Promise((done) => setTimeout(done, 1));
        if (!saved || state !== saved) { REFUSE; }
    """),
    "in a nested function that is never called": Variant("fail", """
        def check():
            if not saved or state != saved:
                REFUSE
    """, """
        const check = () => {
          if (!saved || state !== saved) { throw new Error('state'); }
        };
    """),
    "in a nested function that is called": Variant("pass", """
        def check():
            if not saved or state != saved:
                raise PermissionError("state")
        check()
    """, """
        const check = () => {
          if (!saved || state !== saved) { throw new Error('state'); }
        };
        check();
    """),
}

# ----------------------------------------------------------------------------------------------- polarity
VARIANTS |= {
    "the equal state is refused": Variant("fail", """
        if saved and state == saved:
            REFUSE
    """, """
        if (saved && state === saved) { REFUSE; }
    """),
    "exchange in the unequal branch": Variant("fail", """
        if state != saved:
            EXCHANGE
        REFUSE
    """, """
        if (state !== saved) { EXCHANGE; return; }
        REFUSE;
    """),
    "exchange in the equal branch": Variant("pass", """
        if saved and state == saved:
            EXCHANGE
        else:
            REFUSE
    """, """
        if (saved && state === saved) { EXCHANGE; } else { REFUSE; }
    """),
    "negated twice": Variant("pass", """
        if not (saved and not (state != saved)):
            REFUSE
    """, """
        if (!(saved && !(state !== saved))) { REFUSE; }
    """),
    "only when there is a stored one": Variant("absent", """
        if saved and state != saved:
            REFUSE
    """, """
        if (saved && state !== saved) { REFUSE; }
    """),
    "only when there is none stored": Variant("fail", """
        if not saved and state != saved:
            REFUSE
    """, """
        if (!saved && state !== saved) { REFUSE; }
    """),
    "only when a state was received": Variant("absent", """
        if state and state != saved:
            REFUSE
    """, """
        if (state && state !== saved) { REFUSE; }
    """),
    "only together with another fault": Variant("fail", """
        if state != saved and not QUERY.get("scope"):
            REFUSE
    """, """
        if (state !== saved && !QUERY.scope) { REFUSE; }
    """),
    "or with another fault": Variant("pass", """
        if not saved or state != saved or not QUERY.get("scope"):
            REFUSE
    """, """
        if (!saved || state !== saved || !QUERY.scope) { REFUSE; }
    """),
    "a block that is left": Variant("fail", """
        while True:
            if not saved or state != saved:
                break
            logging.info("same")
            break
    """, """
        check: {
          if (!saved || state !== saved) { break check; }
          console.info('same');
        }
    """),
    "a refusal that does not end the request": Variant("fail", """
        if not saved or state != saved:
            answer = REFUSAL
    """, Guard("""
        if (!saved || state !== saved) { res.status(400); }
    """, only=("express", "next"))),
    "compared with itself": Variant("fail", """
        if not state or QUERY["state"] != state:
            REFUSE
    """, """
        if (!state || QUERY.state !== state) { REFUSE; }
    """),
    "ternary": Variant("pass", """
        return exchange(code) if saved and state == saved else REFUSAL
    """, """
        const tokens = saved && state === saved ? await exchange(code) : null;
    """),
    "a flag": Variant("pass", """
        ok = bool(saved) and state == saved
        if not ok:
            REFUSE
    """, """
        const ok = Boolean(saved) && state === saved;
        if (!ok) { REFUSE; }
    """),
    "a flag set in a branch": Variant("pass", """
        ok = False
        if saved and state == saved:
            ok = True
        if not ok:
            REFUSE
    """, """
        let ok = false;
        if (saved && state === saved) { ok = true; }
        if (!ok) { REFUSE; }
    """),
    "a flag set again": Variant("fail", """
        ok = bool(saved) and state == saved
        ok = True
        if not ok:
            REFUSE
    """, """
        let ok = Boolean(saved) && state === saved;
        ok = true;
        if (!ok) { REFUSE; }
    """),
    "switch": Variant("pass", """
        match bool(saved) and state == saved:
            case True:
                EXCHANGE
            case _:
                REFUSE
    """, """
        switch (Boolean(saved) && state === saved) {
          case true: EXCHANGE; break;
          default: REFUSE;
        }
    """),
    "switch over the state, which may be missing": Variant("absent", """
        match state:
            case given if given == saved:
                EXCHANGE
            case _:
                REFUSE
    """, """
        switch (state) {
          case saved: EXCHANGE; break;
          default: REFUSE;
        }
    """),
    "walrus and assignment in the test": Variant("pass", """
        if not (known := SESSION.get("st")) or state != known:
            REFUSE
    """, """
        let known;
        if (!(known = SESSION.st) || state !== known) { REFUSE; }
    """),
    "assert": Variant("pass", """
        assert saved and state == saved, "state"
    """, Guard("""
        assert(saved && state === saved);
    """, top="const assert = require('assert');")),
}

# ----------------------------------------------------------------------------------------------- presence
VARIANTS |= {
    "no presence test": Variant("absent", """
        if state != saved:
            REFUSE
    """, """
        if (state !== saved) { REFUSE; }
    """),
    "loose inequality": Variant("absent", """
        if not state == saved:
            REFUSE
    """, """
        if (state != saved) { REFUSE; }
    """),
    "presence of the received one": Variant("pass", """
        if not state or state != saved:
            REFUSE
    """, """
        if (!state || state !== saved) { REFUSE; }
    """),
    "is None, undefined": Variant("pass", """
        if saved is None or state != saved:
            REFUSE
    """, """
        if (saved === undefined || state !== saved) { REFUSE; }
    """),
    "equal and not undefined": Variant("pass", """
        if saved is not None and state == saved:
            EXCHANGE
        else:
            REFUSE
    """, """
        if (saved !== undefined && state === saved) { EXCHANGE; } else { REFUSE; }
    """),
    "loosely null": Variant("pass", """
        if None in (saved, state) or state != saved:
            REFUSE
    """, """
        if (saved == null || state !== saved) { REFUSE; }
    """),
    "taken out of a set of states": Variant("pass", Guard("""
        if state not in begun:
            REFUSE
        begun.discard(state)
    """, top="begun = set()", keep="begun.add(st)", only=("flask",)), Guard("""
        if (!begun.delete(state)) { REFUSE; }
    """, top="const begun = new Set();", keep="begun.add(st);", only=("express", "koa"))),
    "taken out of a set whatever is in it": Variant("fail", Guard("""
        begun.discard(state)
    """, top="begun = set()", keep="begun.add(st)", only=("flask",)), Guard("""
        begun.delete(state);
        if (begun.has(state)) { REFUSE; }
    """, top="const begun = new Set();", keep="begun.add(st);")),
    "made null and tested for it": Variant("pass", """
        received = state or None
        if received is None or received != saved:
            REFUSE
    """, """
        const received = state || null;
        if (received === null || received !== saved) { REFUSE; }
    """),
    "made undefined and tested for null": Variant("absent", """
        received = state or ""
        if received is None or received != (saved or ""):
            REFUSE
    """, """
        const received = state || undefined;
        if (received === null || received !== saved) { REFUSE; }
    """),
    "tested for another kind of absence": Variant("absent", """
        if saved == "" or state != saved:
            REFUSE
    """, """
        if (saved === null || state !== saved) { REFUSE; }
    """),
    "a look-up that raises": Variant("pass", """
        if QUERY["state"] != SESSION["st"]:
            REFUSE
    """, Guard("""
        if (state !== SESSION.oauth.st) { REFUSE; }
    """, keep="SESSION.oauth = { st };")),
    "key in session": Variant("pass", """
        if "st" not in SESSION or state != SESSION["st"]:
            REFUSE
    """, """
        if (!('st' in SESSION) || state !== SESSION.st) { REFUSE; }
    """),
    "pop that raises": Variant("pass", """
        if state != SESSION.pop("st"):
            REFUSE
    """, """
        const { st } = SESSION;
        delete SESSION.st;
        if (!st || state !== st) { REFUSE; }
    """),
    "default on the received side": Variant("pass", """
        if QUERY.get("state", "") != saved:
            REFUSE
    """, """
        if ((state ?? '') !== saved) { REFUSE; }
    """),
    "default on the stored side": Variant("absent", """
        if state != SESSION.get("st", ""):
            REFUSE
    """, """
        if (state !== (saved ?? '')) { REFUSE; }
    """),
    "default on both sides": Variant("absent", """
        if QUERY.get("state", "") != SESSION.get("st", ""):
            REFUSE
    """, """
        const { state: given = '' } = QUERY, { st = '' } = SESSION;
        if (given !== st) { REFUSE; }
    """),
    "different defaults": Variant("pass|review", """
        if QUERY.get("state", "a") != (SESSION.get("st") or object()):
            REFUSE
    """, """
        if ((state || 'a') !== (saved || Symbol('none'))) { REFUSE; }
    """),
    "both as text": Variant("absent", """
        if str(state) != str(saved):
            REFUSE
    """, """
        if (String(state) !== String(saved)) { REFUSE; }
    """),
    "both in a template": Variant("absent", """
        if f"{state}" != f"{saved}":
            REFUSE
    """, """
        if (`${state}` !== `${saved}`) { REFUSE; }
    """),
    "optional chaining": Variant("absent", """
        if (QUERY or {}).get("state") != (SESSION or {}).get("st"):
            REFUSE
    """, """
        if (QUERY?.state !== SESSION?.st) { REFUSE; }
    """),
    "optional chaining and presence": Variant("pass", """
        if not (SESSION or {}).get("st") or state != saved:
            REFUSE
    """, """
        if (!SESSION?.st || QUERY?.state !== SESSION?.st) { REFUSE; }
    """),
    "length": Variant("pass", """
        if len(saved or "") == 0 or state != saved:
            REFUSE
    """, """
        if (!saved?.length || state !== saved) { REFUSE; }
    """),
    "type": Variant("pass", """
        if not isinstance(saved, str) or state != saved:
            REFUSE
    """, """
        if (typeof saved !== 'string' || state !== saved) { REFUSE; }
    """),
    "a type that is refused, and nothing compared": Variant("fail", """
        if isinstance(state, list):
            REFUSE
    """, """
        if (typeof state === 'object') { REFUSE; }
    """),
    "an array that is refused, and nothing compared": Variant("fail", """
        if type(state) is list:
            REFUSE
    """, """
        if (Array.isArray(state)) { REFUSE; }
    """),
    "type, length and equality in one value": Variant("pass", Guard("""
        if not owns(SESSION.pop("st", None), state):
            REFUSE
    """, top="""
        def owns(known, given):
            return isinstance(known, str) and len(known) > 0 and known == given
    """), Guard("""
        const owns = () => typeof saved === 'string' && saved.length > 0 && saved === state;
        if (!owns()) { REFUSE; }
    """)),
    "all": Variant("pass", """
        if not all((state, saved)) or state != saved:
            REFUSE
    """, """
        if (![state, saved].every(Boolean) || state !== saved) { REFUSE; }
    """),
}

# ----------------------------------------------------------------------------- who writes the stored value
VARIANTS |= {
    "overwritten just before": Variant("fail", """
        SESSION["st"] = QUERY["state"]
        if not state or state != SESSION["st"]:
            REFUSE
    """, """
        SESSION.st = QUERY.state;
        if (!state || state !== SESSION.st) { REFUSE; }
    """),
    "written by another route with what its visitor sends": Variant("fail", Guard("""
        if not saved or state != saved:
            REFUSE
    """, top="""
        @app.get("/resume")
        def resume(REQUEST):
            SESSION["st"] = QUERY["st"]
            return {}
    """, only=("flask", "fastapi")), Guard("""
        if (!saved || state !== saved) { REFUSE; }
    """, top="""
        app.get('/resume', (req, res) => {
          SESSION.st = QUERY.st;
          res.send('');
        });
    """, only=("express",))),
    "never written": Variant("review", Guard("""
        if not saved or state != saved:
            REFUSE
    """, keep=""), Guard("""
        if (!saved || state !== saved) { REFUSE; }
    """, keep="")),
    "something else of the session": Variant("review|fail", Guard("""
        if not state or state != SESSION["user_id"]:
            REFUSE
    """), Guard("""
        if (!state || state !== SESSION.userId) { REFUSE; }
    """)),
    "cleared to null elsewhere": Variant("pass", Guard("""
        if not saved or state != saved:
            REFUSE
    """, keep='SESSION["st"] = None\nSESSION["st"] = st'), Guard("""
        if (!saved || state !== saved) { REFUSE; }
    """, keep="SESSION.st = null; SESSION.st = st;")),
    "cleared to null elsewhere, key in session": Variant("absent", Guard("""
        if "st" not in SESSION or state != SESSION["st"]:
            REFUSE
        SESSION["st"] = None
    """), Guard("""
        if (!('st' in SESSION) || state !== SESSION.st) { REFUSE; }
        SESSION.st = undefined;
    """)),
    "written only when missing": Variant("pass", Guard("""
        if not saved or state != saved:
            REFUSE
    """, keep='if "st" not in SESSION:\n    SESSION["st"] = st\nst = SESSION["st"]'), Guard("""
        if (!saved || state !== saved) { REFUSE; }
    """, sent="SESSION.st || crypto.randomUUID()")),
    "kept as a hash": Variant("pass", Guard("""
        if not saved or hashlib.sha256(state.encode()).hexdigest() != saved:
            REFUSE
    """, keep='SESSION["st"] = hashlib.sha256(st.encode()).hexdigest()'), Guard("""
        if (!saved || hash(state) !== saved) { REFUSE; }
    """, top="const hash = (text) => crypto.createHash('sha256').update(text).digest('hex');",
        keep="SESSION.st = hash(st);", only=("express", "koa"))),
    "a nonce within a JSON state": Variant("pass", Guard("""
        given = json.loads(base64.urlsafe_b64decode(state or ""))
        if not saved or given["nonce"] != saved:
            REFUSE
    """, sent="secrets.token_urlsafe(32)", keep="""
        SESSION["st"] = st
        st = base64.urlsafe_b64encode(json.dumps({"nonce": st, "next": "/"}).encode())
    """), Guard("""
        const given = JSON.parse(atob(state));
        if (!saved || given.nonce !== saved) { REFUSE; }
    """, sent="crypto.randomUUID()", keep="SESSION.st = st;")),
    "double-submit cookie": Variant("pass", Guard("""
        if not COOKIES.get("st") or state != COOKIES["st"]:
            REFUSE
    """, keep="""
        answer = redirect(address(st))
        answer.set_cookie("st", st, httponly=True)
        return answer
    """, only=("flask", "django")), Guard("""
        const cookie = COOKIES.st;
        if (!cookie || state !== cookie) { REFUSE; }
    """, keep="res.cookie('st', st, { httpOnly: true });", only=("express",))),
}

# ------------------------------------------------------------------------- swallowed, unread, not awaited
PY_CHECK = """
def check(received, saved):
    if not saved or received != saved:
        raise PermissionError("state")
"""
JS_CHECK = """
function check(received, saved) {
  if (!saved || received !== saved) { throw new Error('state'); }
}
"""
PY_ASYNC = PY_CHECK.replace("def", "async def")
JS_ASYNC = JS_CHECK.replace("function", "async function")

VARIANTS |= {
    "a helper that raises": Variant("pass", Guard("check(state, saved)", top=PY_CHECK), Guard("check(state, saved);", top=JS_CHECK)),
    "swallowed": Variant("fail", Guard("""
        try:
            check(state, saved)
        except PermissionError:
            pass
    """, top=PY_CHECK), Guard("""
        try { check(state, saved); } catch {}
    """, top=JS_CHECK)),
    "suppressed, and a catch that only logs": Variant("fail", Guard("""
        with contextlib.suppress(PermissionError):
            check(state, saved)
    """, top=PY_CHECK), Guard("""
        try { check(state, saved); } catch (error) { console.error(error); }
    """, top=JS_CHECK)),
    "the except clause names another error": Variant("pass", Guard("""
        try:
            check(state, saved)
        except KeyError:
            pass
    """, top=PY_CHECK), Guard("""
        try { check(state, saved); } catch (error) { if (error instanceof Error) throw error; }
    """, top=JS_CHECK), fails="which errors the body of a try can raise"),
    "caught and answered": Variant("pass", Guard("""
        try:
            check(state, saved)
        except PermissionError:
            REFUSE
    """, top=PY_CHECK), Guard("""
        try { check(state, saved); } catch { REFUSE; }
    """, top=JS_CHECK)),
    "try around all of it": Variant("pass", Guard("""
        try:
            check(state, saved)
            EXCHANGE
        except PermissionError:
            REFUSE
    """, top=PY_CHECK), Guard("""
        try { check(state, saved); EXCHANGE; } catch { REFUSE; }
    """, top=JS_CHECK)),
    "exchanged in finally": Variant("fail", Guard("""
        try:
            check(state, saved)
        finally:
            EXCHANGE
    """, top=PY_CHECK), Guard("""
        try { check(state, saved); } finally { EXCHANGE; }
    """, top=JS_CHECK)),
    "awaited": Variant("pass", Guard("await check(state, saved)", top=PY_ASYNC), Guard("await check(state, saved);", top=JS_ASYNC)),
    "not awaited": Variant("fail", Guard("check(state, saved)", top=PY_ASYNC), Guard("check(state, saved);", top=JS_ASYNC)),
    "errors gathered and not read": Variant("fail", Guard("""
        await asyncio.gather(check(state, saved), return_exceptions=True)
    """, top=PY_ASYNC), Guard("""
        await Promise.allSettled([check(state, saved)]);
    """, top=JS_ASYNC)),
    "gathered": Variant("pass", Guard("""
        await asyncio.gather(check(state, saved))
    """, top=PY_ASYNC), Guard("""
        await Promise.all([check(state, saved)]);
    """, top=JS_ASYNC)),
    "the first of several": Variant("fail", Guard("""
        await asyncio.wait({asyncio.ensure_future(check(state, saved))})
    """, top=PY_ASYNC), Guard("""
        await Promise.race([check(state, saved), new Promise((done) => setTimeout(done, 1))]);
    """, top=JS_ASYNC)),
    "run in the background": Variant("fail", Guard("""
        asyncio.create_task(check(state, saved))
        await asyncio.sleep(0)
    """, top=PY_ASYNC), Guard("""
        setTimeout(() => check(state, saved), 0);
    """, top=JS_CHECK)),
    "a rejection that is logged before the exchange": Variant("fail", Guard("""
        try:
            await check(state, saved)
        except Exception as error:
            logging.warning("%s", error)
    """, top=PY_ASYNC), Guard("""
        await check(state, saved).catch((error) => console.warn(error)).then(() => exchange(code));
    """, top=JS_ASYNC)),
    "exchanged in then": Variant("pass", Guard("""
        await check(state, saved)
        return await asyncio.to_thread(exchange, code)
    """, top=PY_ASYNC), Guard("""
        await check(state, saved).then(() => exchange(code)).catch((error) => console.warn(error));
    """, top=JS_ASYNC)),
    "exchanged in the rejection's own branch": Variant("fail", Guard("""
        try:
            await check(state, saved)
        except PermissionError:
            EXCHANGE
        REFUSE
    """, top=PY_ASYNC), Guard("""
        await check(state, saved).then(null, () => exchange(code));
    """, top=JS_ASYNC)),
}

# --------------------------------------------------------------------------------------- helpers, aliases
PY_SAME = "def same(received, saved):\n    return bool(saved) and received == saved\n"
JS_SAME = "function same(received, saved) { return Boolean(saved) && received === saved; }"
PY_PROBLEM = """
def problem(received, saved):
    if not saved or received != saved:
        return "bad state"
    return None
"""
JS_PROBLEM = """
function problem(received, saved) {
  if (!saved || received !== saved) { return { status: 400 }; }
  return null;
}
"""

VARIANTS |= {
    "a helper that answers yes or no": Variant("pass", Guard("""
        if not same(state, saved):
            REFUSE
    """, top=PY_SAME), Guard("""
        if (!same(state, saved)) { REFUSE; }
    """, top=JS_SAME)),
    "a helper whose answer is ignored": Variant("fail", Guard("same(state, saved)", top=PY_SAME), Guard("same(state, saved);", top=JS_SAME)),
    "a helper whose answer is turned round": Variant("fail", Guard("""
        if same(state, saved):
            REFUSE
    """, top=PY_SAME), Guard("""
        if (same(state, saved)) { REFUSE; }
    """, top=JS_SAME)),
    "a helper that gives a problem": Variant("pass", Guard("""
        found = problem(state, saved)
        if found:
            REFUSE
    """, top=PY_PROBLEM), Guard("""
        const found = problem(state, saved);
        if (found) { REFUSE; }
    """, top=JS_PROBLEM)),
    "a helper whose problem is not looked at": Variant("fail", Guard("""
        found = problem(state, saved)
    """, top=PY_PROBLEM), Guard("""
        const found = problem(state, saved);
    """, top=JS_PROBLEM)),
    "a pair of answer and reason": Variant("pass", Guard("""
        ok, reason = examine(state, saved)
        if not ok:
            REFUSE
    """, top="""
        def examine(received, saved):
            if saved and received == saved:
                return True, ""
            return False, "differs"
    """), Guard("""
        const { ok } = examine(state, saved);
        if (!ok) { REFUSE; }
    """, top="""
        function examine(received, saved) {
          if (saved && received === saved) { return { ok: true }; }
          return { ok: false, reason: 'differs' };
        }
    """)),
    "a pair that is always truthy": Variant("fail", Guard("""
        if not examine(state, saved):
            REFUSE
    """, top="""
        def examine(received, saved):
            return (bool(saved) and received == saved), "reason"
    """), Guard("""
        if (!examine(state, saved)) { REFUSE; }
    """, top="const examine = (received, saved) => ({ ok: Boolean(saved) && received === saved });")),
    "an async helper's answer, not awaited": Variant("fail", Guard("""
        if not same(state, saved):
            REFUSE
    """, top="async " + PY_SAME), Guard("""
        if (!same(state, saved)) { REFUSE; }
    """, top="async " + JS_SAME)),
    "an unknown helper decides": Variant("review", Guard("""
        if not valid_state(state, saved):
            REFUSE
    """, top="from acme.guards import valid_state"), Guard("""
        if (!validState(state, saved)) { REFUSE; }
    """, top="const { validState } = require('acme-guards');")),
    "an unknown helper is told, and not asked": Variant("fail", Guard("""
        note_state(state, saved)
    """, top="from acme.guards import note_state"), Guard("""
        noteState(state, saved);
    """, top="const { noteState } = require('acme-guards');")),
    "an unknown helper decides beside the comparison": Variant("pass", Guard("""
        if not saved or state != saved or not valid_state(state):
            REFUSE
    """, top="from acme.guards import valid_state"), Guard("""
        if (!saved || state !== saved || !validState(state)) { REFUSE; }
    """, top="const { validState } = require('acme-guards');")),
    "an unknown helper is enough": Variant("review", Guard("""
        if not (valid_state(state) or (saved and state == saved)):
            REFUSE
    """, top="from acme.guards import valid_state"), Guard("""
        if (!(validState(state) || (saved && state === saved))) { REFUSE; }
    """, top="const { validState } = require('acme-guards');")),
    "an alias of the session": Variant("pass", """
        s = SESSION
        if not s.get("st") or state != s["st"]:
            REFUSE
    """, """
        const s = SESSION;
        if (!s.st || state !== s.st) { REFUSE; }
    """),
    "a destructured session": Variant("pass", """
        known, given = (SESSION.get("st"), QUERY.get("state"))
        if not known or given != known:
            REFUSE
    """, """
        const { session } = REQUEST;
        if (!session.st || state !== session.st) { REFUSE; }
    """),
    "the session handed to a helper": Variant("pass", Guard("""
        if not owns(SESSION, QUERY):
            REFUSE
    """, top="""
        def owns(store, query):
            return "st" in store and query.get("state") == store["st"]
    """), Guard("""
        if (!owns(SESSION, QUERY)) { REFUSE; }
    """, top="const owns = (store, query) => Boolean(store.st) && query.state === store.st;")),
    "the session in an attribute": Variant("pass", Guard("""
        Flow(SESSION).check(state)
    """, top="""
        class Flow:
            def __init__(self, store):
                self.store = store

            def check(self, received):
                known = self.store.get("st")
                if not known or received != known:
                    raise PermissionError("state")
    """), Guard("""
        new Flow(SESSION).check(state);
    """, top="""
        class Flow {
          constructor(store) { this.store = store; }
          check(received) {
            if (!this.store.st || received !== this.store.st) { throw new Error('state'); }
          }
        }
    """)),
    "a subclass that forgets": Variant("fail", Guard("""
        Loose(SESSION).check(state)
    """, top="""
        class Flow:
            def __init__(self, store):
                self.store = store

            def check(self, received):
                if not self.store.get("st") or received != self.store["st"]:
                    raise PermissionError("state")

        class Loose(Flow):
            def check(self, received):
                logging.info("not checked")
    """), Guard("""
        new Loose(SESSION).check(state);
    """, top="""
        class Flow {
          constructor(store) { this.store = store; }
          check(received) {
            if (!this.store.st || received !== this.store.st) { throw new Error('state'); }
          }
        }
        class Loose extends Flow {
          check(received) { console.info('not checked'); }
        }
    """)),
}

# --------------------------------------------------------------------------------------- how it compares
VARIANTS |= {
    "in constant time": Variant("pass", """
        if not saved or not hmac.compare_digest(saved, state or ""):
            REFUSE
    """, """
        if (!saved || !crypto.timingSafeEqual(Buffer.from(saved), Buffer.from(state ?? ''))) { REFUSE; }
    """),
    "in constant time, which raises without a value": Variant("pass", """
        if not hmac.compare_digest(saved, state):
            REFUSE
    """, """
        if (!crypto.timingSafeEqual(Buffer.from(saved), Buffer.from(state))) { REFUSE; }
    """),
    "in constant time, with defaults on both sides": Variant("absent", """
        if not hmac.compare_digest(saved or "", state or ""):
            REFUSE
    """, """
        if (!crypto.timingSafeEqual(Buffer.from(saved ?? ''), Buffer.from(state ?? ''))) { REFUSE; }
    """),
    "in constant time, and not asked": Variant("fail", """
        hmac.compare_digest(saved or "", state or "")
    """, """
        crypto.timingSafeEqual(Buffer.from(saved ?? ''), Buffer.from(state ?? ''));
    """),
    "one of several": Variant("pass", Guard("""
        if state not in SESSION.get("states", []):
            REFUSE
    """, keep='SESSION["states"] = [*SESSION.get("states", []), st]'), Guard("""
        if (!(SESSION.states ?? []).includes(state)) { REFUSE; }
    """, keep="SESSION.states = [...(SESSION.states ?? []), st];")),
    "any of several": Variant("pass", Guard("""
        if not any(one == state for one in SESSION.get("states", [])):
            REFUSE
    """, keep='SESSION["states"] = [*SESSION.get("states", []), st]'), Guard("""
        if (!(SESSION.states ?? []).some((one) => one === state)) { REFUSE; }
    """, keep="SESSION.states = [...(SESSION.states ?? []), st];")),
    "beside the time, in a mapping of the session": Variant("pass", Guard("""
        kept = SESSION.pop("st", None)
        if not state or not kept or state != kept.get("value"):
            REFUSE
        if time.time() - kept.get("made", 0) > 600:
            REFUSE
    """, keep='SESSION["st"] = {"value": st, "made": time.time()}'), Guard("""
        const kept = SESSION.st;
        if (!state || !kept || state !== kept.value) { REFUSE; }
        if (Date.now() - kept.made > 600000) { REFUSE; }
    """, keep="SESSION.st = { value: st, made: Date.now() };")),
    "beside the time, and only the time is looked at": Variant("fail", Guard("""
        kept = SESSION.pop("st", None)
        if not state or not kept or time.time() - kept.get("made", 0) > 600:
            REFUSE
    """, keep='SESSION["st"] = {"value": st, "made": time.time()}'), Guard("""
        const kept = SESSION.st;
        if (!state || !kept || Date.now() - kept.made > 600000) { REFUSE; }
    """, keep="SESSION.st = { value: st, made: Date.now() };")),
    "a mapping of pending states": Variant("pass", Guard("""
        flow = SESSION.get("flows", {}).pop(state, None)
        if flow is None:
            REFUSE
    """, keep='SESSION["flows"] = {st: {"next": "/"}}'), Guard("""
        const flow = SESSION.flows?.[state];
        if (!flow) { REFUSE; }
    """, keep="SESSION.flows = { [st]: { next: '/' } };")),
    "a prefix": Variant("review|fail", """
        if not saved or not saved.startswith(state or ""):
            REFUSE
    """, """
        if (!saved || !saved.startsWith(state ?? '')) { REFUSE; }
    """),
    "a prefix of both": Variant("review|fail", """
        if not saved or not state or state[:4] != saved[:4]:
            REFUSE
    """, """
        if (!saved || !state || state.slice(0, 4) !== saved.slice(0, 4)) { REFUSE; }
    """),
    "the first letter": Variant("review|fail", """
        if not saved or not state or state[0] != saved[0]:
            REFUSE
    """, """
        if (!saved || !state || state[0] !== saved[0]) { REFUSE; }
    """),
    "the stored one begins the received one": Variant("review|fail", """
        if not saved or not (state or "").startswith(saved):
            REFUSE
    """, """
        if (!saved || !state?.startsWith(saved)) { REFUSE; }
    """),
    "contained in": Variant("review|fail", """
        if not saved or (state or "") not in saved:
            REFUSE
    """, """
        if (!saved || !saved.includes(state ?? '')) { REFUSE; }
    """),
    "in lower case": Variant("pass", """
        if not saved or not state or state.lower() != saved.lower():
            REFUSE
    """, """
        if (!saved || !state || state.toLowerCase() !== saved.toLowerCase()) { REFUSE; }
    """),
    "lengths only": Variant("fail", """
        if not saved or not state or len(state) != len(saved):
            REFUSE
    """, """
        if (!saved || !state || state.length !== saved.length) { REFUSE; }
    """),
    "types only": Variant("fail", """
        if not saved or type(state) != type(saved):
            REFUSE
    """, """
        if (!saved || typeof state !== typeof saved) { REFUSE; }
    """),
    "the shape only": Variant("fail", """
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", state or ""):
            REFUSE
    """, """
        if (!/^[0-9a-f]{64}$/.test(state)) { REFUSE; }
    """),
    "presence only": Variant("fail", """
        if not saved or not state:
            REFUSE
    """, """
        if (!saved || !state) { REFUSE; }
    """),
    "less than": Variant("review|fail", """
        if not saved or state < saved:
            REFUSE
    """, """
        if (!saved || state < saved) { REFUSE; }
    """),
}

# ------------------------------------------------------------------------- signed, or in a store of its own
PY_SEAL = 'from itsdangerous import BadSignature, URLSafeTimedSerializer\nseal = URLSafeTimedSerializer(os.environ["KEY"])'
JS_SEAL = "const jwt = require('jsonwebtoken');"
PY_REDIS = 'import redis\nstore = redis.from_url(os.environ["REDIS"])'
JS_REDIS = "const Redis = require('ioredis');\nconst store = new Redis(process.env.REDIS);"

VARIANTS |= {
    "signed, for whoever asks": Variant("fail", Guard("""
        try:
            seal.loads(state or "", max_age=600)
        except BadSignature:
            REFUSE
    """, top=PY_SEAL, sent='seal.dumps({"nonce": secrets.token_urlsafe(16)})', keep=""), Guard("""
        try { jwt.verify(state, process.env.KEY); } catch { REFUSE; }
    """, top=JS_SEAL, sent="jwt.sign({ nonce: crypto.randomUUID() }, process.env.KEY)", keep="", only=("express", "koa"))),
    "signed, and for this user": Variant("pass|review", Guard("""
        try:
            claim = seal.loads(state or "", max_age=600)
        except BadSignature:
            REFUSE
        if claim["user"] != SESSION["user_id"]:
            REFUSE
    """, top=PY_SEAL, sent='seal.dumps({"user": SESSION["user_id"], "nonce": secrets.token_urlsafe(16)})', keep=""), Guard("""
        let claim;
        try { claim = jwt.verify(state, process.env.KEY); } catch { REFUSE; }
        if (!SESSION.userId || claim.user !== SESSION.userId) { REFUSE; }
    """, top=JS_SEAL, keep="", only=("express", "koa"),
        sent="jwt.sign({ user: SESSION.userId, nonce: crypto.randomUUID() }, process.env.KEY)")),
    "decoded, and not verified": Variant("fail", Guard("""
        claim = json.loads(base64.b64decode(state or ""))
        if not claim["user"]:
            REFUSE
    """, keep=""), Guard("""
        const claim = jwt.decode(state);
        if (!claim.user) { REFUSE; }
    """, top=JS_SEAL, keep="")),
    "kept in redis for this user": Variant("pass", Guard("""
        known = store.get(f"state:{SESSION['user_id']}")
        if not known or state != known:
            REFUSE
    """, top=PY_REDIS, keep="""store.setex(f"state:{SESSION['user_id']}", 600, st)"""), Guard("""
        const known = await store.get(`state:${SESSION.userId}`);
        if (!known || state !== known) { REFUSE; }
    """, top=JS_REDIS, keep="await store.setex(`state:${SESSION.userId}`, 600, st);", only=("express", "koa"))),
}

# What refuses a forged state and yet is not tied to one browser is advice of a rule of its own: C06 asks whether what
# comes back is compared with what was stored.
VARIANTS |= {
    "a store that is asked for the state": Variant("pass", Guard("""
        if not state or not store.get(f"state:{state}"):
            REFUSE
    """, top=PY_REDIS, keep='store.setex(f"state:{st}", 600, "1")'), Guard("""
        const known = state && (await store.get(`state:${state}`));
        if (!known) { REFUSE; }
    """, top=JS_REDIS, keep="await store.setex(`state:${st}`, 600, '1');", only=("express", "koa"))),
    "a global of the module": Variant("pass|review", Guard("""
        if not pending.get("st") or state != pending["st"]:
            REFUSE
    """, top="pending = {}", keep='pending["st"] = st'), Guard("""
        if (!pending.st || state !== pending.st) { REFUSE; }
    """, top="const pending = {};", keep="pending.st = st;", only=("express", "koa"))),
    "a mapping that is keyed by who asks": Variant("fail|review", Guard("""
        if QUERY.get("user") not in pending:
            REFUSE
    """, top="pending = {}", keep='pending[SESSION["user"]] = st'), Guard("""
        if (!(QUERY.user in pending)) { REFUSE; }
    """, top="const pending = {};", keep="pending[SESSION.user] = st;", only=("express", "koa"))),
    "a mapping that another route fills with what its visitor sends": Variant("fail|review", Guard("""
        if state not in pending:
            REFUSE
    """, top="""
        pending = {}

        @app.get("/other")
        def other():
            pending[request.args["state"]] = True
            return "kept"
    """, keep="pending[st] = True", only=("flask",)), Guard("""
        if (!pending.has(state)) { REFUSE; }
    """, top="""
        const pending = new Map();
        app.get('/other', (req, res) => { pending.set(req.query.state, true); res.send('kept'); });
    """, keep="pending.set(st, true);", only=("express",))),
    "a mapping that is asked only when it holds something": Variant("absent|fail", Guard("""
        if pending and state not in pending:
            REFUSE
    """, top="pending = {}", keep="pending[st] = True"), Guard("""
        if (pending.size && !pending.has(state)) { REFUSE; }
    """, top="const pending = new Map();", keep="pending.set(st, true);", only=("express", "koa"))),
    "a mapping that makes what is missing": Variant("fail|review", Guard("""
        if pending[state] is None:
            REFUSE
    """, top="from collections import defaultdict\npending = defaultdict(dict)", keep='pending[st] = {"next": "/"}'), Guard("""
        pending[state] ??= {};
        if (!pending[state]) { REFUSE; }
    """, top="const pending = {};", keep="pending[st] = { next: '/' };", only=("express", "koa"))),
    "a mapping that keeps what was used": Variant("pass", Guard("""
        if pending.pop(state, None) is None:
            REFUSE
        pending[state] = "used"
    """, top="pending = {}", keep='pending[st] = "new"'), Guard("""
        if (!pending.has(state)) { REFUSE; }
        pending.set(state, 'used');
    """, top="const pending = new Map();", keep="pending.set(st, 'new');", only=("express", "koa"))),
    "a list of the module": Variant("pass", Guard("""
        if state not in pending:
            REFUSE
        pending.remove(state)
    """, top="pending = []", keep="pending.append(st)"), Guard("""
        if (!pending.includes(state)) { REFUSE; }
    """, top="const pending = [];", keep="pending.push(st);", only=("express", "koa"))),
    "another list of the module": Variant("fail|review", Guard("""
        if state not in others:
            REFUSE
    """, top="pending = []\nothers = []", keep="pending.append(st)"), Guard("""
        if (!others.includes(state)) { REFUSE; }
    """, top="const pending = [], others = [];", keep="pending.push(st);", only=("express", "koa"))),
    "a set of the module": Variant("pass", Guard("""
        if state not in pending:
            REFUSE
    """, top="pending = set()", keep="pending.add(st)"), Guard("""
        if (!pending.has(state)) { REFUSE; }
    """, top="const pending = new Set();", keep="pending.add(st);", only=("express", "koa"))),
}

# ------------------------------------------------------------------------------- what stands around a handler
PY_DECORATOR = """
def checked(view):
    @functools.wraps(view)
    def wrapper(*args, **kwargs):
        CHECK
        return view(*args, **kwargs)
    return wrapper
"""
PY_STRICT = PY_DECORATOR.replace("CHECK", """if not session.get("st") or request.args.get("state") != session["st"]:
            abort(400)""")
PY_DJANGO = """
def checked(view):
    @functools.wraps(view)
    def wrapper(request, *args, **kwargs):
        if not request.session.get("st") or request.GET.get("state") != request.session["st"]:
            return HttpResponseBadRequest("no")
        return view(request, *args, **kwargs)
    return wrapper
"""
JS_STAGE = """
function checked(req, res, next) {
  if (!req.session.st || req.query.state !== req.session.st) { return res.sendStatus(400); }
  next();
}
"""
JS_BOTH = """
function checked(req, res, next) {
  if (!req.session.st || req.query.state !== req.session.st) { console.warn('state differs'); next(); } else { next(); }
}
"""
JS_KOA = """
async function checked(ctx, next) {
  if (!ctx.session.st || ctx.query.state !== ctx.session.st) { ctx.status = 400; return; }
  await next();
}
"""

VARIANTS |= {
    "a decorator below the route": Variant("pass", Guard("EXCHANGE", top=PY_STRICT, below="@checked", only=("flask",)), Guard(
        "EXCHANGE;", top=JS_STAGE, below="checked,", only=("express",))),
    "a decorator, a stage of koa": Variant("pass", Guard("EXCHANGE", top=PY_DJANGO, below="@checked", only=("django",)), Guard(
        "EXCHANGE;", top=JS_KOA, below="checked,", only=("koa",))),
    "a decorator above the route, a stage after it": Variant("fail", Guard(
        "EXCHANGE", top=PY_STRICT, above="@checked", only=("flask",)), Guard(
        "EXCHANGE;", top=JS_STAGE, last="app.use(checked);", only=("express",))),
    "a stage of koa after the route": Variant("fail", Guard("EXCHANGE", top=PY_DJANGO, only=("django",)), Guard(
        "EXCHANGE;", top=JS_KOA, last="router.use(checked);", only=("koa",))),
    "a stage for all, before": Variant("pass", Guard("EXCHANGE", top="""
        @app.before_request
        def checked():
            if request.path == "/back" and (not session.get("st") or request.args.get("state") != session["st"]):
                abort(400)
    """, only=("flask",)), Guard("EXCHANGE;", top=JS_STAGE, above="app.use('/back', checked);", only=("express",))),
    "a stage for another path": Variant("fail", Guard("EXCHANGE", top="""
        @app.before_request
        def checked():
            if request.path == "/callback" and (not session.get("st") or request.args.get("state") != session["st"]):
                abort(400)
    """, only=("flask",)), Guard("EXCHANGE;", top=JS_STAGE, above="app.use('/callback', checked);", only=("express",))),
    "a stage for one of two paths": Variant("fail", Guard("EXCHANGE", top="""
        @app.before_request
        def checked():
            if request.path == "/back" and (not session.get("st") or request.args.get("state") != session["st"]):
                abort(400)
    """, above='@app.get("/again")', only=("flask",)), Guard(
        "EXCHANGE;", top=JS_STAGE, above="app.use('/back/again', checked);", only=("express",))),
    "a stage for a part that may be mounted anywhere": Variant("fail", Guard("EXCHANGE", top="""
        from flask import Blueprint
        shop = app
        app = Blueprint("shop", __name__)

        @shop.before_request
        def checked():
            if request.path == "/back" and (not session.get("st") or request.args.get("state") != session["st"]):
                abort(400)
    """, last='shop.register_blueprint(app, url_prefix="/shop")', only=("flask",)), Guard(
        "EXCHANGE;", top=JS_STAGE, above="app.use('/shop/back', checked);", only=("express",))),
    "a stage that goes on either way": Variant("fail", Guard("EXCHANGE", top="""
        @app.before_request
        def checked():
            if not session.get("st") or request.args.get("state") != session["st"]:
                logging.warning("state differs")
                return None
            return None
    """, only=("flask",)), Guard("EXCHANGE;", top=JS_BOTH, below="checked,", only=("express",))),
    "a stage that hands on an error": Variant("pass", Guard("EXCHANGE", top="""
        @app.before_request
        def checked():
            if request.endpoint == "back":
                if not session.get("st") or request.args.get("state") != session["st"]:
                    return "no", 400
    """, only=("flask",)), Guard("EXCHANGE;", top="""
        function checked(req, res, next) {
          if (!req.session.st || req.query.state !== req.session.st) { return next(new Error('state')); }
          next();
        }
    """, below="checked,", only=("express",))),
    "a stage that hands on an error, and goes on": Variant("fail", Guard(
        "EXCHANGE", top=PY_DECORATOR.replace("CHECK", 'if request.args.get("state") != session.get("st"): redirect("/")'),
        below="@checked", only=("flask",)), Guard("EXCHANGE;", top="""
        function checked(req, res, next) {
          if (!req.session.st || req.query.state !== req.session.st) { res.status(400).send('no'); }
          next();
        }
    """, below="checked,", only=("express",))),
    "a stage of another path": Variant("fail", Guard("EXCHANGE", top="""
        @app.before_request
        def checked():
            if request.path == "/other" and (not session.get("st") or request.args.get("state") != session["st"]):
                abort(400)
    """, only=("flask",)), Guard("EXCHANGE;", top=JS_STAGE, above="app.use('/other', checked);", only=("express",))),
    "a decorator made of an unknown": Variant("fail|review", Guard(
        "EXCHANGE", top="from acme.guards import checked", below="@checked", only=("flask",)), Guard(
        "EXCHANGE;", top="const { checked } = require('acme-guards');", below="checked,", only=("express",))),
    "two flows, one of them guarded": Variant("fail", Guard("""
        if not saved or state != saved:
            REFUSE
    """, last="""
        @app.get("/other")
        def other():
            return exchange(request.args["code"])
    """, only=("flask",)), Guard("""
        if (!saved || state !== saved) { REFUSE; }
    """, last="app.get('/other', async (req, res) => { res.json(await exchange(req.query.code)); });", only=("express",))),
    "two exchanges, one of them guarded": Variant("fail", """
        if QUERY.get("fast"):
            exchange(code)
        elif not saved or state != saved:
            REFUSE
        EXCHANGE
    """, """
        if (QUERY.fast) { await exchange(code); } else if (!saved || state !== saved) { REFUSE; }
        EXCHANGE;
    """),
}

# ------------------------------------------------------------------- what manages a block, what runs when it is asked
PY_QUIET = """
class Quiet:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        return True
"""
PY_MANAGED = """
@contextlib.contextmanager
def managed():
    try:
        yield
    except PermissionError:
        CAUGHT
"""
JS_TRY = """
async function managed(body) {
  try { return await body(); } catch (error) { CAUGHT; }
}
"""
PY_REFUSED = """
with managed():
    if not saved or state != saved:
        raise PermissionError("state")
"""
JS_REFUSED = """
await managed(async () => { if (!saved || state !== saved) { throw new Error('state'); } });
"""
JS_GENERATOR = """
function* check(state, saved) {
  if (!saved || state !== saved) { throw new Error('state'); }
  yield true;
}
"""
PY_GENERATOR = """
def check(state, saved):
    if not saved or state != saved:
        raise PermissionError("state")
    yield True
"""
VARIANTS |= {
    "a manager that passes over what is raised": Variant("fail", Guard(
        PY_REFUSED, top=PY_MANAGED.replace("CAUGHT", 'logging.warning("state")')), Guard(
        JS_REFUSED, top=JS_TRY.replace("CAUGHT", "console.warn('state')"))),
    "a manager that raises again": Variant("pass", Guard(
        PY_REFUSED, top=PY_MANAGED.replace("CAUGHT", 'logging.warning("state")\n        raise')), Guard(
        JS_REFUSED, top=JS_TRY.replace("CAUGHT", "console.warn('state'); throw error"))),
    "a manager whose exit says that all is well": Variant("fail", Guard(
        PY_REFUSED.replace("managed", "Quiet"), top=PY_QUIET), Guard(
        JS_REFUSED, top=JS_TRY.replace("CAUGHT", "return true"))),
    "a manager whose exit says nothing": Variant("pass", Guard(
        PY_REFUSED.replace("managed", "Quiet"), top=PY_QUIET.replace("return True", 'logging.info("done")')), Guard(
        JS_REFUSED, top=JS_TRY.replace("CAUGHT", "console.info('done'); throw error"))),
    "a manager that checks before the block": Variant("pass", Guard("""
        with managed(state, saved):
            EXCHANGE
    """, top="""
        @contextlib.contextmanager
        def managed(state, saved):
            if not saved or state != saved:
                raise PermissionError("state")
            yield
    """), Guard("""
        await managed(state, saved, async () => { EXCHANGE; });
    """, top="""
        async function managed(state, saved, body) {
          if (!saved || state !== saved) { throw new Error('state'); }
          await body();
        }
    """)),
    "a manager that checks after the block": Variant("fail", Guard("""
        with managed(state, saved):
            EXCHANGE
    """, top="""
        @contextlib.contextmanager
        def managed(state, saved):
            yield
            if not saved or state != saved:
                raise PermissionError("state")
    """), Guard("""
        await managed(state, saved, async () => { EXCHANGE; });
    """, top="""
        async function managed(state, saved, body) {
          await body();
          if (!saved || state !== saved) { throw new Error('state'); }
        }
    """)),
    "a generator that nobody asks": Variant("fail", Guard(
        "check(state, saved)", top=PY_GENERATOR), Guard("check(state, saved);", top=JS_GENERATOR)),
    "a generator that is asked": Variant("pass", Guard(
        "next(check(state, saved))", top=PY_GENERATOR), Guard(
        "for (const _ of check(state, saved)) { console.info('checked'); }", top=JS_GENERATOR)),
}

# ------------------------------------------------------------------------------ where the sent state comes from
PY_PLAIN = """
if not saved or state != saved:
    REFUSE
"""
JS_PLAIN = "if (!saved || state !== saved) { REFUSE; }"

VARIANTS |= {
    f"sent: {name}": Variant("pass", Guard(PY_PLAIN, sent=python), Guard(JS_PLAIN, sent=javascript), fresh)
    for name, fresh, python, javascript in (
        ("uuid4", "pass", "str(uuid.uuid4())", "crypto.randomUUID()"),
        ("random bytes, written out", "pass", "os.urandom(16).hex()", "crypto.randomBytes(16).toString('base64url')"),
        ("joined with something fixed", "pass", 'f"monei-{secrets.token_hex(16)}"', "'monei-' + crypto.randomUUID()"),
        ("hashed", "pass", "hashlib.sha256(os.urandom(32)).hexdigest()",
         "crypto.createHash('sha256').update(crypto.randomBytes(32)).digest('hex')"),
        ("letters, each picked at random", "pass", '"".join(secrets.choice("abcdef") for _ in range(16))',
         "Array.from(crypto.randomBytes(16), (one) => 'abcdef'[one % 6]).join('')"),
        ("letters, each picked weakly", "fail", '"".join(random.choice("abcdef") for _ in range(16))',
         "[...Array(16)].map(() => 'abcdef'.charAt(Math.floor(Math.random() * 6))).join('')"),
        ("a constant", "fail", '"connect-monei"', "'connect-monei'"),
        ("a weak generator", "fail", 'str(random.randint(0, 10**9))', "Math.random().toString(36).slice(2)"),
        ("the time", "fail", "str(time.time())", "String(Date.now())"),
        ("a hash of the time", "fail", "hashlib.sha256(str(time.time()).encode()).hexdigest()",
         "crypto.createHash('sha256').update(String(Date.now())).digest('hex')"),
    )
}
VARIANTS |= {
    "sent: fresh or else a constant": Variant("pass|review", Guard(PY_PLAIN, sent='SESSION.get("seed") or "monei"'), Guard(
        JS_PLAIN, sent="process.env.STATE || 'monei'"), "fail"),
    "sent: letters in a loop": Variant("pass", Guard(PY_PLAIN, top="""
        def letters(length):
            text = ""
            for number in os.urandom(length):
                text += "abcdef"[number % 6]
            return text
    """, sent="letters(16)"), Guard(JS_PLAIN, top="""
        function letters(length) {
          const picked = crypto.randomBytes(length);
          let text = '';
          for (let i = 0; i < length; i++) { text += 'abcdef'[picked[i] % 6]; }
          return text;
        }
    """, sent="letters(16)")),
    "sent: weak letters in a loop": Variant("pass", Guard(PY_PLAIN, top="""
        def letters(length):
            text = ""
            while len(text) < length:
                text += random.choice("abcdef")
            return text
    """, sent="letters(16)"), Guard(JS_PLAIN, top="""
        function letters(length) {
          let text = '';
          for (let i = 0; i < length; i++) { text += 'abcdef'.charAt(Math.floor(Math.random() * 6)); }
          return text;
        }
    """, sent="letters(16)"), "fail"),
    "sent: what the visitor asks for": Variant("fail", Guard(PY_PLAIN, sent='QUERY["state"]'), Guard(JS_PLAIN, sent="QUERY.state"), "fail"),
    "sent: made when the program starts": Variant(
        "pass", Guard(PY_PLAIN, top="ONCE = secrets.token_hex(16)".replace("ONCE", "once"), sent="once"),
        Guard(JS_PLAIN, top="const once = crypto.randomUUID();", sent="once"), "fail"),
    "sent: none": Variant("fail", Guard("EXCHANGE", sent="None", keep=""), Guard("EXCHANGE;", sent="undefined", keep=""), "fail"),
}
# ------------------------------------------------------------- which member is meant, and what is worked out once
PY_CHECKED = """
class Plain:
    def check(self, state, saved):
        pass

    def handle(self, code, state, saved):
        self.check(state, saved)
        return exchange(code)

class Mine(Plain):
    pass

class Checked(BASE):
    def check(self, state, saved):
        if not saved or state != saved:
            raise PermissionError("state")

class Back(Mine, Checked):
    pass
"""
VARIANTS |= {
    "a mixin behind the class that says nothing": Variant("fail", Guard(
        "return Back().handle(code, state, saved)\n# EXCHANGE", top=PY_CHECKED.replace("(BASE)", ""), only=("flask",)), Guard("EXCHANGE;")),
    "a mixin that derives from the class that says nothing": Variant("pass", Guard(
        "return Back().handle(code, state, saved)\n# EXCHANGE", top=PY_CHECKED.replace("BASE", "Plain"), only=("flask",)), Guard(JS_PLAIN)),
    "a check that is replaced": Variant("fail", Guard(
        "Checked().check(state, saved)", top=PY_CHECKED.replace("(BASE)", "") + "Checked.check = lambda self, state, saved: None"), Guard("""
        new Checked().check(state, saved);
    """, top="""
        class Checked { check(state, saved) { if (!saved || state !== saved) { throw new Error('state'); } } }
        Checked.prototype.check = () => undefined;
    """, fails="what is assigned to a prototype")),
    "a decorator that is a class": Variant("pass", Guard("EXCHANGE", top="""
        class Checked:
            def __init__(self, view):
                functools.update_wrapper(self, view)
                self.view = view

            def __call__(self, *args, **kwargs):
                if not session.get("st") or request.args.get("state") != session["st"]:
                    abort(400)
                return self.view(*args, **kwargs)
    """, below="@Checked", only=("flask",)), Guard(JS_PLAIN)),
    "a check with its first argument": Variant("pass", Guard("""
        functools.partial(check, saved)(state)
    """, top="""
        def check(saved, state):
            if not saved or state != saved:
                raise PermissionError("state")
    """), Guard(JS_PLAIN)),
    "sent: a default that is worked out once": Variant("pass", Guard(
        PY_PLAIN, top="def made(value=secrets.token_hex(16)):\n    return value", sent="made()"), Guard(
        JS_PLAIN, top="const kept = crypto.randomUUID();\nconst made = (value = kept) => value;", sent="made()"), "fail"),
    "sent: what a cache keeps": Variant("pass", Guard(
        PY_PLAIN, top="@functools.lru_cache(maxsize=1)\ndef made():\n    return secrets.token_hex(16)", sent="made()"), Guard(
        JS_PLAIN, top="const kept = crypto.randomUUID();\nconst made = () => kept;", sent="made()"), "fail"),
}
# fmt: on


def _cases() -> Iterator[object]:
    for name, variant in VARIANTS.items():
        for frameworks, given in ((PYTHON, variant.python), (JAVASCRIPT, variant.javascript)):
            guard = Guard(given) if isinstance(given, str) else given
            reason = guard.fails or variant.fails
            for framework in guard.only or frameworks:
                yield pytest.param(
                    framework, guard, variant.guarded, variant.fresh, id=f"{name} ({framework})",
                    marks=[pytest.mark.xfail(strict=True, reason=reason)] if reason else [],
                )  # fmt: skip


@pytest.mark.parametrize(("framework", "guard", "guarded", "fresh"), list(_cases()))
def test_verdict(
    framework: str, guard: Guard, guarded: str, fresh: str, analysed: Callable[[Mapping[str, str]], Application]
) -> None:
    found = judged(analysed(files_of(framework, guard)))
    assert found[0] in guarded.split("|")
    assert found[1] == fresh


@pytest.mark.parametrize("case", FURTHER, ids=[one["name"] for one in FURTHER])
def test_verdict_in_javascript(case: Mapping[str, str], analysed: Callable[[Mapping[str, str]], Application]) -> None:
    holes = {key: case[key] for key in ("body", "top", "sent", "keep", "last") if key in case}
    guarded, fresh = judged(analysed(files_of("express", Guard(**holes))))
    assert guarded in case["guarded"].split("|")
    assert fresh in case.get("fresh", "pass").split("|")


def test_forty_variants_in_each_language() -> None:
    assert len(VARIANTS) >= 40
