"""Recognises the actions of an OAuth flow by what is handed over, whatever the library.

An authorization is an address (or a set of parameters for one) with a client id; an exchange is a request that
carries an authorization code and the grant; a provider call carries a bearer token.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from auditor import program as ir
from auditor.analysis import addresses, contents, flows, hooks, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Model
from auditor.terms import Term, alternatives, contains, is_text, plain, text_of, value_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_CLIENT_ID = ("client_id", "clientId", "client_key", "app_id")
_ASKS = ("response_type", "redirect_uri", "scope", "state", "code_challenge", "access_type", "approval_prompt")
_SECRET = ("client_secret", "clientSecret")
_PASSWORDS = ("password", "pass")
_TOKEN_FIELDS = frozenset({"access_token", "accesstoken", "oauth_token", "x_access_token", "x_shopify_access_token"})
_SENDS = frozenset(
    {"post", "get", "put", "patch", "delete", "request", "fetch", "send", "execute", "ajax", "urlopen", "call", "head"}
)


_literals: dict[str, Term] = {}


def text_seen(w: Walker, text: Term, node: ir.Node, state: State, frame: Frame) -> None:
    """A text was put together or handed on: record it when it begins an authorization."""
    for one in values(text):
        if one.kind not in ("text", "literal"):
            continue
        if one.kind == "literal" and "client_id=" not in (text_of(one) or ""):
            continue
        taken = addresses.address(one)
        if taken is not None and _begins(taken):
            _authorize(w, one, taken.fields, taken.open, node, state, frame)


def _begins(taken: addresses.Address) -> bool:
    fields = taken.fields
    if addresses.has(fields, _SECRET) or "grant_type" in fields or ("code" in fields and "response_type" not in fields):
        return False
    if addresses.has(fields, _CLIENT_ID):
        return addresses.has(fields, _ASKS) or _authorize_path(taken.base) or taken.open
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
        details["state"] = interned(w, fields["state"])
    elif opened:
        details["state"] = w.terms.unknown("parameters")
    if "scope" in fields:
        details["scope"] = interned(w, fields["scope"])
    if "redirect_uri" in fields:
        details["redirect_uri"] = interned(w, fields["redirect_uri"])
    w.record("authorize", node, state, frame, "", **details)


def interned(w: Walker, term: Term) -> Term:
    """A term made while taking texts apart, as the world's own."""
    if term.n >= 0:
        return term
    if term.kind == "literal":
        return w.terms.literal(value_of(term))
    return w.terms.text(interned(w, part) for part in term.args)


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
    fields = {key: interned(w, value) for key, value in addresses.collected(everything).items()}
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
        grant is None and "code" in fields and (addresses.has(fields, _SECRET) or "code_verifier" in fields)
    ):
        code = addresses.first(fields, ("code",)) or addresses.first(fields, ("authorization_code",))
        w.record("exchange", node, state, frame, name=name, code=code or w.terms.unknown("code"), **details)
    elif grant == "refresh_token" or (grant is None and "refresh_token" in fields and addresses.has(fields, _SECRET)):
        w.record("refresh", node, state, frame, name=name, token=fields.get("refresh_token", w.terms.none), **details)
    elif (
        addresses.has(fields, _CLIENT_ID)
        and addresses.has(fields, _ASKS)
        and not addresses.has(fields, _SECRET)
        and "code" not in fields
    ):
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
                return interned(w, one)
    return everything[0] if everything and everything[0].kind in ("text", "load", "external", "op") else None


_BASES = ("baseURL", "base_url", "baseUrl", "prefixUrl", "prefix_url")


def _based(w: Walker, url: Term | None, client: Term | None) -> Term | None:
    """The whole address: a relative one is completed by the base that the client was made with."""
    if url is None or client is None:
        return url
    head = text_of(_heads(url)[0])
    if head is None or "://" in head:
        return url
    base = next((found for name in _BASES if (found := flows.made_with(w, client, name)) is not None), None)
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
    found = addresses.first(fields, _SECRET)
    if found is not None:
        return interned(w, found)
    pair = arguments.named.get("auth", fields.get("auth"))
    if pair is not None and pair.kind == "mapping":
        password = addresses.first(addresses.collected([pair]), _PASSWORDS)
        if password is not None:
            return interned(w, password)
    if pair is not None and pair.kind == "sequence" and len(pair.args) == 2:
        return pair.args[1]
    if pair is not None and pair.kind == "call" and len(pair.args) >= 2:
        return pair.args[1]
    header = _header(fields)
    if header is not None and _scheme(header) == "basic":
        return interned(w, header)
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
        header = _header(addresses.collected(made))
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
            fields = addresses.collected([value])
            if value.kind == "mapping" and addresses.has(fields, _CLIENT_ID) and addresses.has(fields, _ASKS):
                _authorize(w, value, fields, False, node, state, frame)
        if action != "log":
            w.world.answers.add(result)
        details = _handed(w, arguments) if action == "render" else {}
        before = len(w.world.events)
        w.record(action, node, state, frame, name=name, value=value, **details, **_status(w, arguments, state))
        if model.unsent and len(w.world.events) > before:
            w.world.unsent.setdefault(result, []).append(before)


def never_sent(w: Walker, answer: Term, first: int) -> None:
    """A value is dropped: where it is an answer that was made since the event `first`, nobody is answered with it."""
    events = w.world.events
    for index in w.world.unsent.get(answer, ()):
        if first <= index < len(events) and events[index].action in ("redirect", "respond", "render"):
            events[index] = dataclasses.replace(events[index], action="unsent")


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
