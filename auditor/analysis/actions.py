"""Recognises the actions of an OAuth flow by what is handed over, whatever the library.

An authorization is an address (or a set of parameters for one) with a client id; an exchange is a request that
carries an authorization code and the grant; a provider call carries a bearer token.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from auditor import program as ir
from auditor.analysis import contents, hooks, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Flow, Model, Reference
from auditor.terms import Term, alternatives, contains, is_text, plain, text_of, value_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_CLIENT_ID = ("client_id", "clientId", "client_key", "app_id")
_ASKS = ("response_type", "redirect_uri", "scope", "state", "code_challenge", "access_type", "approval_prompt")
_SECRET = ("client_secret", "clientSecret")
_TOKEN_FIELDS = frozenset({"access_token", "accesstoken", "oauth_token", "x_access_token", "x_shopify_access_token"})
_SENDS = frozenset(
    {"post", "get", "put", "patch", "delete", "request", "fetch", "send", "execute", "ajax", "urlopen", "call", "head"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart: the literal text before the query, the parameters, and whether others may follow."""

    base: str
    fields: dict[str, Term]
    open: bool


def address(term: Term) -> Address | None:
    """Take a text apart; None when it is no address with parameters."""
    parts = term.args if term.kind == "text" else (term,)
    base: list[str] = []
    fields: dict[str, Term] = {}
    opened = asked = False
    key: str | None = None
    pieces: list[Term | str] = []

    def finish() -> None:
        nonlocal key, pieces
        if key is not None:
            fields[key] = _value(pieces)
        key, pieces = None, []

    for part in parts:
        if part.kind != "literal":
            if part.kind == "serial" and part.data == "query":
                for name, field in collected([part]).items():
                    fields.setdefault(name, field)
                asked = True
            elif key is not None:
                pieces.append(part)
            elif asked:
                opened = True
            else:
                base.append("\0")
            continue
        text = plain(part)
        while text:
            if key is not None:
                value, ampersand, text = _cut(text, "&")
                if value:
                    pieces.append(value)
                if ampersand:
                    finish()
            elif asked:
                name, mark, text = _cut(text, "=&")
                if mark == "=":
                    key = name.strip("&?").removeprefix("amp;")  # an address in markup has its ampersands escaped
            else:
                before, mark, text = _cut(text, "?")
                base.append(before)
                asked = bool(mark)
    finish()
    return Address("".join(base), fields, opened) if asked else None


def _cut(text: str, marks: str) -> tuple[str, str, str]:
    for index, letter in enumerate(text):
        if letter in marks:
            return text[:index], letter, text[index + 1 :]
    return text, "", ""


_literals: dict[str, Term] = {}


def _value(pieces: list[Term | str]) -> Term:
    if len(pieces) == 1 and isinstance(pieces[0], Term):
        return pieces[0]
    if all(isinstance(piece, str) for piece in pieces):
        return Term("literal", ("str", "".join(str(piece) for piece in pieces)), (), -1)
    return Term(
        "text", None, tuple(p if isinstance(p, Term) else Term("literal", ("str", p), (), -1) for p in pieces), -1
    )


def collected(terms: list[Term], depth: int = 6) -> dict[str, Term]:
    """All keys and values in these values, however they are written out; the first of a name counts."""
    out: dict[str, Term] = {}
    for term in terms:
        _collect(term, out, depth)
    return out


def _collect(term: Term, out: dict[str, Term], depth: int) -> None:
    if depth == 0:
        return
    if term.kind == "mapping":
        for key, value in zip(term.data, term.args, strict=True):
            if key is not None:
                out.setdefault(key, value)
        for value in term.args:
            _collect(value, out, depth - 1)
    elif term.kind == "sequence":
        pair = term.args
        if len(pair) == 2 and (name := text_of(pair[0])) is not None:
            out.setdefault(name, pair[1])
        for value in term.args:
            _collect(value, out, depth - 1)
    elif term.kind in ("serial", "parsed"):
        for value in term.args:
            _collect(value, out, depth - 1)
    elif term.kind == "alt":
        for value in values(term):
            _collect(value, out, depth - 1)
    elif term.kind == "text" or text_of(term) is not None:
        taken = _query(term)
        for name, value in taken.items():
            out.setdefault(name, value)
        if term.kind == "text":
            for value in term.args:
                if value.kind in ("serial", "mapping"):
                    _collect(value, out, depth - 1)


def _query(term: Term) -> dict[str, Term]:
    """The parameters of an address, or of a body written as `a=b&c=d`."""
    first = term.args[0] if term.kind == "text" else term
    text = text_of(first) or ""
    if "=" not in text and "?" not in text:
        return {}
    taken = address(term)
    if taken is None and "=" in text and " " not in text.split("=")[0]:
        lead = Term("literal", ("str", "?" + text), (), -1)
        rest = term.args[1:] if term.kind == "text" else ()
        taken = address(Term("text", None, (lead, *rest), -1))
    return taken.fields if taken is not None else {}


def _has(fields: dict[str, Term], names: tuple[str, ...]) -> bool:
    return any(name in fields for name in names)


def _first(fields: dict[str, Term], names: tuple[str, ...]) -> Term | None:
    return next((fields[name] for name in names if name in fields), None)


# ------------------------------------------------------------------------------------------------- texts


def text_seen(w: Walker, text: Term, node: ir.Node, state: State, frame: Frame) -> None:
    """A text was put together or handed on: record it when it begins an authorization."""
    for one in values(text):
        if one.kind not in ("text", "literal"):
            continue
        if one.kind == "literal" and "client_id=" not in (text_of(one) or ""):
            continue
        taken = address(one)
        if taken is not None and _begins(taken):
            _authorize(w, one, taken.fields, taken.open, node, state, frame)


def _begins(taken: Address) -> bool:
    fields = taken.fields
    if _has(fields, _SECRET) or "grant_type" in fields or ("code" in fields and "response_type" not in fields):
        return False
    if _has(fields, _CLIENT_ID):
        return _has(fields, _ASKS) or _authorize_path(taken.base) or taken.open
    return taken.open and _authorize_path(taken.base)


def _authorize_path(base: str) -> bool:
    """Whether an address ends in an authorization endpoint's usual path (RFC 6749 leaves it to the provider)."""
    try:
        path = urlsplit(base.replace("\0", "x")).path.lower().rstrip("/")
    except ValueError:
        return False
    last = path.rsplit("/", 1)[-1]
    return last in ("authorize", "authorise", "authorization") or path.endswith(
        ("/oauth2/auth", "/oauth/auth", "/v2/auth")
    )


def _authorize(
    w: Walker, url: Term, fields: dict[str, Term], opened: bool, node: ir.Node, state: State, frame: Frame
) -> None:
    details: dict[str, Term] = {"url": url}
    if "state" in fields:
        details["state"] = _interned(w, fields["state"])
    elif opened:
        details["state"] = w.terms.unknown("parameters")
    if "scope" in fields:
        details["scope"] = _interned(w, fields["scope"])
    if "redirect_uri" in fields:
        details["redirect_uri"] = _interned(w, fields["redirect_uri"])
    w.record("authorize", node, state, frame, "", **details)


def _interned(w: Walker, term: Term) -> Term:
    """A term made while taking texts apart, as the world's own."""
    if term.n >= 0:
        return term
    if term.kind == "literal":
        return w.terms.literal(value_of(term))
    return w.terms.text(_interned(w, part) for part in term.args)


# ------------------------------------------------------------------------------------------------- calls


def call_seen(
    w: Walker,
    name: str,
    model: Model | None,
    arguments: Arguments,
    result: Term,
    state: State,
    frame: Frame,
    node: ir.Node,
) -> None:
    """A call left the program: record the request of a flow that it sends."""
    everything = arguments.all()
    fields = {key: _interned(w, value) for key, value in collected(everything).items()}
    for key, value in arguments.named.items():
        fields.setdefault(key, value)
    if name.startswith("?.") and _header(fields) is None:
        name = ""  # the method of an unknown object: only a header shows that it sends a request
    if model is None and not _sends(name, everything):
        grant = text_of(fields["grant_type"]) if "grant_type" in fields else None
        if grant not in ("authorization_code", "refresh_token"):
            return
    details = {"call": result, "arguments": w.terms.make("sequence", None, tuple(everything))}
    grant_term = fields.get("grant_type")
    grant = text_of(grant_term) if grant_term is not None else None
    secret = _secret(w, fields, arguments)
    if secret is not None:
        details["secret"] = secret
    url = _based(w, _url(w, everything, fields), arguments.receiver)
    if url is not None:
        details["url"] = url
    if grant == "authorization_code" or (
        grant is None and "code" in fields and (_has(fields, _SECRET) or "code_verifier" in fields)
    ):
        code = _first(fields, ("code",)) or _first(fields, ("authorization_code",))
        w.record("exchange", node, state, frame, name=name, code=code or w.terms.unknown("code"), **details)
    elif grant == "refresh_token" or (grant is None and "refresh_token" in fields and _has(fields, _SECRET)):
        w.record("refresh", node, state, frame, name=name, token=fields.get("refresh_token", w.terms.none), **details)
    elif _has(fields, _CLIENT_ID) and _has(fields, _ASKS) and not _has(fields, _SECRET) and "code" not in fields:
        if grant is None and not isinstance(grant_term, Term):
            _authorize(w, url or result, fields, False, node, state, frame)
    elif url is not None and _revokes(url):
        w.record("revoke", node, state, frame, name=name, **details)
    else:
        token = bearer(w, fields, arguments)
        if token is None and model is not None and model.http is not None:
            token = _kept_token(w, arguments, state, frame, node)
        if token is None and model is not None and model.http is not None and model.http.authorized:
            token = arguments.receiver or result
        if token is not None and not _own_backend(url) and not _is_code(token):
            w.world.http.setdefault(result, "")
            w.record("provider-call", node, state, frame, name=name, token=token, **details)


def _sends(name: str, everything: list[Term]) -> bool:
    if name.rpartition(".")[2].lower() in _SENDS:
        return True
    return any(
        (text_of(part) or "").startswith(("http://", "https://")) for term in everything for part in _heads(term)
    )


def _heads(term: Term) -> tuple[Term, ...]:
    return term.args[:1] if term.kind == "text" else (term,)


def _url(w: Walker, everything: list[Term], fields: dict[str, Term]) -> Term | None:
    for term in [*everything, *(fields[name] for name in ("url", "uri", "href", "baseURL") if name in fields)]:
        for one in values(term):
            head = text_of(_heads(one)[0]) if one.kind in ("text", "literal") else None
            if head is not None and (head.startswith(("http://", "https://", "/")) or "/" in head):
                return _interned(w, one)
    return everything[0] if everything and everything[0].kind in ("text", "load", "external", "op") else None


_BASES = ("baseURL", "base_url", "baseUrl", "prefixUrl", "prefix_url")


def _based(w: Walker, url: Term | None, client: Term | None) -> Term | None:
    """The whole address: a relative one is completed by the base that the client was made with."""
    if url is None or client is None:
        return url
    head = text_of(_heads(url)[0])
    if head is None or "://" in head:
        return url
    base = next((found for name in _BASES if (found := made_with(w, client, name)) is not None), None)
    return w.terms.text((base, w.terms.literal("" if head.startswith("/") else "/"), url)) if base is not None else url


def _own_backend(url: Term | None) -> bool:
    """An address without a host, or on this machine, is the application's own."""
    if url is None:
        return False
    head = text_of(_heads(url)[0])
    if head is None:
        return False
    return head.startswith("/") or any(host in head for host in ("//localhost", "//127.0.0.1", "//0.0.0.0", "//[::1]"))


def _is_code(token: Term) -> bool:
    """An authorization code that is handed on in a header is no token."""
    return token.kind == "load" and text_of(token.args[1]) == "code"


def _revokes(url: Term) -> bool:
    text = "".join(
        plain(part) for part in (url.args if url.kind == "text" else (url,)) if part.kind == "literal"
    ).lower()
    return any(word in text for word in ("revoke", "deauthorize", "disconnect"))


def _secret(w: Walker, fields: dict[str, Term], arguments: Arguments) -> Term | None:
    found = _first(fields, _SECRET)
    if found is not None:
        return _interned(w, found)
    pair = arguments.named.get("auth")
    if pair is not None and pair.kind == "sequence" and len(pair.args) == 2:
        return pair.args[1]
    if pair is not None and pair.kind == "call" and len(pair.args) >= 2:
        return pair.args[1]
    header = _header(fields)
    if header is not None and _scheme(header) == "basic":
        return _interned(w, header)
    return None


def _header(fields: dict[str, Term]) -> Term | None:
    return next((value for key, value in fields.items() if key.lower() == "authorization"), None)


def _scheme(header: Term) -> str:
    head = text_of(_heads(header)[0]) or ""
    return head.split(" ")[0].lower()


def bearer(w: Walker, fields: dict[str, Term], arguments: Arguments) -> Term | None:
    """The token that a request carries, when it is not a constant."""
    header = _header(fields)
    if header is not None:
        for one in values(header):
            if _scheme(one) in ("basic", "digest"):
                return None
            parts = [part for part in (one.args if one.kind == "text" else (one,)) if part.kind != "literal"]
            variable = [part for part in parts if not _constant(part)]
            if variable:
                return variable[0]
        return None
    for name, value in fields.items():
        if name.lower().replace("-", "_") not in _TOKEN_FIELDS:
            continue
        if value.kind != "literal" and not _constant(value):
            return value
    return None


def _kept_token(w: Walker, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> Term | None:
    """The token of a header that a client puts on each call by itself: it was made with it, or given it later."""
    client = arguments.receiver if arguments.receiver is not None else arguments.callee
    header = hooks.header_sent(w, client, state, frame, node)
    if header is None and client is not None:
        made = [argument for one in values(client) if one.kind == "call" for argument in one.args]
        header = _header(collected(made))
    return bearer(w, {"Authorization": header}, arguments) if header is not None else None


def _constant(term: Term) -> bool:
    """Whether a value is the application's own: from the environment or written in the code."""
    return not contains(
        term, lambda leaf: leaf.kind not in ("literal", "root", "text", "serial", "load") or _varies(leaf)
    )


def _varies(leaf: Term) -> bool:
    if leaf.kind == "root":
        return bool(leaf.data[0] != "ENV")
    if leaf.kind == "load":
        root = leaf
        while root.kind == "load":
            root = root.args[0]
        return not (root.kind == "root" and root.data[0] == "ENV")
    return False


# ------------------------------------------------------------------------------------------ library flows


def flow(
    w: Walker, does: Flow, name: str, arguments: Arguments, value: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """A library runs a step of the flow: record it, with what the library itself makes and checks."""
    terms = w.terms
    options = shapes.pick(does.options, arguments)
    fields = collected([options] if options is not None else []) | arguments.named
    details: dict[str, Term] = {"call": value, "arguments": terms.make("sequence", None, tuple(arguments.all()))}
    secret = option(w, does.secret, arguments, fields)
    if secret is not None:
        details["secret"] = secret
    if does.does in ("authorize", "both"):
        value = _library_authorize(w, does, name, arguments, fields, details, value, state, frame, node)
    if does.does in ("exchange", "both"):
        _library_exchange(w, does, name, arguments, fields, details, state, frame, node)
    if does.does in ("refresh", "revoke"):
        w.record(does.does, node, state, frame, name=name, **details)
    return value


def secret_given(
    w: Walker, reference: Reference, name: str, arguments: Arguments, state: State, frame: Frame, node: ir.Node
) -> None:
    """A library is given the client secret before it needs it: when its client is made or registered."""
    given = option(w, reference, arguments, collected(arguments.all()) | arguments.named)
    if given is not None and given is not w.terms.none:
        w.record("secret-use", node, state, frame, name=name, secret=given)


def option(w: Walker, reference: object, arguments: Arguments, fields: dict[str, Term]) -> Term | None:
    """An argument, an option of the options object, or (`object.x`) what the receiver was made with."""
    for one in reference if isinstance(reference, tuple) else (reference,):
        if isinstance(one, str) and one.startswith("object."):
            found = made_with(w, arguments.receiver, one.removeprefix("object."))
        elif isinstance(one, str):
            found = fields.get(one) or (shapes.pick(one, arguments))
        else:
            found = shapes.pick(one, arguments) if isinstance(one, int) else None
        if found is not None:
            return _interned(w, found)
    return None


def made_with(w: Walker, receiver: Term | None, name: str) -> Term | None:
    """The argument or option of this name with which a value was made, if it is the result of a call."""
    if receiver is None:
        return None
    for one in values(receiver):
        if one.kind == "call":
            keywords: tuple[str, ...] = one.data[1]
            extra = 1 if one.data[3] else 0
            named = one.args[len(one.args) - extra - len(keywords) : len(one.args) - extra]
            found = dict(zip(keywords, named, strict=True)).get(name)
            if found is None:
                found = collected(list(one.args)).get(name)
            if found is not None:
                return found
        if one.kind == "object":
            held = w.world.globals.get((one, w.terms.literal(name)))
            if held is not None:
                return held
    return None


def _on(does: Flow, options: Term | None, fields: dict[str, Term]) -> bool | None:
    """Whether the option that turns the library's own check on is set; None: it cannot be seen."""
    if does.option and options is not None and options.kind not in ("mapping", "sequence", "literal", "function"):
        return None
    for name in does.option:
        given = fields.get(name)
        if given is None:
            continue
        if given.kind == "literal":
            return value_of(given) in does.values or (True in does.values and bool(value_of(given)))
        if given.kind in ("sequence", "mapping", "object", "call"):
            words = [value_of(one) for one in given.args if one.kind == "literal"]
            return given.kind != "sequence" or any(word in does.values for word in words)
        return None
    return does.default


def _library_authorize(
    w: Walker, does: Flow, name: str, arguments: Arguments, fields: dict[str, Term], details: dict[str, Term],
    value: Term, state: State, frame: Frame, node: ir.Node,
) -> Term:  # fmt: skip
    terms = w.terms
    given = option(w, does.state, arguments, fields) if does.state is not None else None
    sent: Term | None = given if given is not None and given is not terms.none else None
    if sent is None and (
        does.makes or (does.checks == "option" and _on(does, shapes.pick(does.options, arguments), fields))
    ):
        sent = terms.make("call", ("the library's state", (), w.world.site(frame, node)._replace(startup=False), False))
        w.world.kinds[sent] = "fresh"
    if sent is None and does.checks == "option" and _on(does, shapes.pick(does.options, arguments), fields) is None:
        sent = terms.unknown("option")
    extra = {key: part for key, part in details.items() if key != "call"}
    if sent is not None:
        extra["state"] = sent
    w.record("authorize", node, state, frame, name=name, url=value, **extra)
    if does.result == "pair":
        return terms.make("sequence", None, (value, sent or terms.unknown("state")))
    if does.result == "mapping":
        return terms.make("mapping", ("state", None), (sent or terms.unknown("state"), value))
    return value


def _library_exchange(
    w: Walker, does: Flow, name: str, arguments: Arguments, fields: dict[str, Term], details: dict[str, Term],
    state: State, frame: Frame, node: ir.Node,
) -> None:  # fmt: skip
    terms = w.terms
    if does.does == "both":
        state = state.fork()  # what one client checks says nothing of what comes after
    code = option(w, does.code, arguments, fields) if does.code is not None else None
    no_code = does.response is not None and code is None and not arguments.open
    if no_code and option(w, does.response, arguments, fields) is None:
        return  # another grant
    received = w.read(w.world.root("INPUT", "dict"), terms.literal("state"), state)
    checked = terms.make("completed", None, (terms.make("op", "library-check", (details["call"],)),))
    if does.checks == "always":
        state.assume(checked, terms)
    elif does.checks == "option":
        on = _on(does, shapes.pick(does.options, arguments), fields)
        if on:
            state.assume(checked, terms)
        elif on is None:
            state.assume(terms.make("compare", ("unknown-check", False), (received, received)), terms)
    elif does.checks == "given" and (does.response is None or code is None or code is terms.none):
        expected = option(w, does.expected, arguments, fields)
        if expected is not None:
            same = terms.make("compare", ("same", False), tuple(sorted((expected, received), key=lambda one: one.n)))
            state.assume(terms.any((terms.negate(terms.truth(expected)), same)), terms)
    if code is None or (code is terms.none and does.response is not None):
        code = terms.load(w.world.root("INPUT", ""), terms.literal("code"))
    if code is terms.none:
        return
    w.record("exchange", node, state, frame, name=name, code=code, **details)


# ------------------------------------------------------------------------------------------------- sinks


def sinks(
    w: Walker, model: Model, name: str, arguments: Arguments, result: Term, state: State, frame: Frame, node: ir.Node
) -> None:
    """Record what a library's sink is handed: redirects, answers, pages, log lines."""
    for action, reference in (
        ("redirect", model.redirect), ("respond", model.respond), ("render", model.render), ("log", model.log),
        ("flash", model.flash),
    ):  # fmt: skip
        if reference is None:
            continue
        if reference == "all":
            value = w.terms.make("sequence", None, tuple(arguments.all()))
        else:
            found = shapes.pick(reference, arguments)
            if found is None and action != "redirect":
                found = w.terms.none
            if found is None:
                continue
            value = contents.freeze(w, found, state)
        if action == "redirect":
            text_seen(w, contents.as_text(w, value, state), node, state, frame)
            fields = collected([value])
            if value.kind == "mapping" and _has(fields, _CLIENT_ID) and _has(fields, _ASKS):
                _authorize(w, value, fields, False, node, state, frame)
        if action != "log":
            w.world.answers.add(result)
        details = _handed(w, arguments) if action == "render" else {}
        w.record(action, node, state, frame, name=name, value=value, **details, **_status(w, arguments, state))


def _handed(w: Walker, arguments: Arguments) -> dict[str, Term]:
    """The name of the template that is rendered, and what it is handed by name."""
    template = next((one for one in arguments.all() if text_of(one)), None)
    if template is None:
        return {}
    handed = dict(arguments.named)
    for given in arguments.all():
        if given.kind == "mapping":
            handed.update({key: value for key, value in shapes.mapping_items(given) if key is not None})
    return {"template": template, "context": w.terms.make("mapping", tuple(handed), tuple(handed.values()))}


def _status(w: Walker, arguments: Arguments, state: State) -> dict[str, Term]:
    """The status that was set on the object that answers: `res.status(403)`, `ctx.status = 403`."""
    if arguments.receiver is None:
        return {}
    holder = shapes.holder_of(w, arguments.receiver)
    for name in ("statusCode", "status", "status_code"):
        found = state.slots.get((holder, w.terms.literal(name)))
        if found is not None:
            return {"status": found}
    return {}


__all__ = ["alternatives", "is_text"]
