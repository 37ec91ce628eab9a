"""What a library's name, a member of its objects or a key of a mapping stands for."""

from __future__ import annotations

import http
import re
from typing import TYPE_CHECKING

from auditor.analysis import shapes
from auditor.analysis.state import State
from auditor.analysis.world import Frame
from auditor.library import Model
from auditor.terms import Term, Terms, text_of

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


_STATUS = frozenset({"status", "status_code", "statusCode", "code"})


_ROOTS = {
    "input": "INPUT", "session": "SESSION", "cookies": "COOKIES", "headers": "HEADERS", "callback-url": "CALLBACK_URL",
    "environment": "ENV",
}  # fmt: skip


_TEMPLATE = re.compile(r"(^|/)(templates?|views?|jinja2?)/|\.(ejs|hbs|handlebars|mustache|njk|twig|liquid|jinja2?|j2)$")


_GLOBAL = frozenset({"window", "globalThis", "self"})  # the object whose members a browser's program names directly


def known(w: Walker, term: Term, frame: Frame | None) -> Term:
    """A library's name as what its model says that it is."""
    name, language = str(term.data[0]), str(term.data[1])
    model = w.world.libraries.find(language, name)
    head, dot, tail = name.partition(".")
    if (
        model is None and language == "javascript" and dot and head in _GLOBAL
    ):  # the same object, whichever way it is reached
        model = w.world.libraries.find(language, tail)
        term, name = (w.world.external(tail, language), tail) if model is not None else (term, name)
    if model is not None:
        return as_model(w, term, model, name)
    holder, dot, member = name.rpartition(".")
    of = w.world.libraries.find(language, holder) if dot else None
    if of is not None and of.is_ == "settings":
        return w.setting(member) or term
    if of is not None and of.is_ == "environment":  # imported by its name from what is the environment
        return w.terms.load(as_model(w, w.world.external(holder, language), of, holder), w.terms.literal(member))
    return term


def _status_named(name: str) -> int | None:
    """The HTTP status that a name stands for: `UNAUTHORIZED`, `unauthorized`, `HTTP_401_UNAUTHORIZED`."""
    digits = re.search(r"(?<!\d)[1-5]\d\d(?!\d)", name)
    if digits is not None:
        return int(digits.group())
    flat = name.replace("_", "").lower()
    return next((status.value for status in http.HTTPStatus if status.name.replace("_", "").lower() == flat), None)


def as_model(w: Walker, term: Term, model: Model, name: str) -> Term:
    if model.kind == "status":
        number = _status_named(name.rpartition(".")[2])
        return w.terms.literal(number) if number is not None else term
    if model.is_ in _ROOTS:
        root = w.world.root(_ROOTS[model.is_], model.like or name)
        if model.medium:
            w.world.media.setdefault(shapes.holder_of(w, root), model.medium)
        return root
    if model.is_ in ("request", "response", "client", "store"):
        w.world.types[term] = model.like or name
        if model.medium:
            w.world.media[term] = model.medium
        return term
    if model.like and not model.is_:
        w.world.types[term] = model.like
    if model.kind and model.kind != "secret":
        w.world.kinds[term] = model.kind
    return term


def handed_in(w: Walker, name: str, frame: Frame) -> Term | None:
    """A free name of a template: what the server hands over by this name, unless a browser or a library has it."""
    path = frame.program.path
    if _TEMPLATE.search(path) is None or w.world.libraries.knows(frame.language, name):
        return None
    if name == "session":
        return w.world.root("SESSION", "")
    return w.terms.load(template_root(w.terms, path), w.terms.literal(name))


def template_root(terms: Terms, path: str) -> Term:
    """What holds the names that are handed to a template."""
    return terms.make("root", (f"TEMPLATE:{path}", ""))


def known_member(w: Walker, holder: Term, name: str, state: State, frame: Frame) -> Term | None:
    """A member that a library model, or what every response has, gives a meaning to."""
    if holder.kind == "error":
        return _error_member(w, holder, name)
    if holder in w.world.http and name in _STATUS:
        sent = w.world.sent.get(holder)
        return _status_member(w, holder, name, sent.status if sent is not None else None, holder)
    if holder in w.world.http and name in ("ok", "is_success"):
        return w.terms.make("op", "ok", (holder,))
    if name == "length" and frame.language == "javascript" and holder.kind not in ("object",):
        return w.terms.make("op", "len", (holder,))
    full = w.world.name_of(holder)
    if not full:
        return None
    model = w.world.libraries.find(frame.language, f"{full}.{name}")
    if model is None:
        whole = w.world.libraries.find(frame.language, full) if holder.kind == "object" else None
        if whole is not None and whole.is_ in _ROOTS:  # an instance of a class of settings: its fields come from there
            return w.read(as_model(w, holder, whole, full), w.terms.literal(name), state)
        return None
    if model.same == "object":
        return holder
    if model.is_ == "callback-url" or (holder.kind == "root" and holder.data[0] == "CALLBACK_URL"):
        if model.is_ == "input" or model.is_ == "callback-url":
            return w.world.root(_ROOTS[model.is_], model.like or f"{full}.{name}")
        return w.world.root("CALLBACK_URL", model.like or "str")
    if model.is_ in _ROOTS:
        return as_model(w, holder, model, f"{full}.{name}")
    if model.status:
        return w.terms.make("op", "status", (holder,))
    if model.ok:
        return w.terms.make("op", "ok", (holder,))
    if model.like or model.is_ or model.kind:
        loaded = w.read(holder, w.terms.literal(name), state)
        return as_model(w, loaded, model, f"{full}.{name}") if loaded.kind == "load" else loaded
    return w.world.external(f"{full}.{name}", frame.language)  # a method: it is called with its receiver


def settings_field(w: Walker, holder: Term, name: str, default: Term, state: State) -> Term:
    """A field of an instance; of settings that are filled from the environment it is what stands there, or its default."""
    full = w.world.name_of(holder)
    model = w.world.libraries.find("python", full) if full else None
    if model is None or model.is_ != "environment":
        return default
    loaded = w.terms.load(w.world.root("ENV", ""), w.terms.literal(name))
    there = w.terms.make("exists", None, (loaded,))
    return w.terms.alt([(loaded, there), (default, w.terms.negate(there))])


def _error_member(w: Walker, error: Term, name: str) -> Term | None:
    if not error.args:
        return None
    if name == "response":
        return error.args[0]
    if name in _STATUS:
        sent = w.world.sent.get(error.args[0])
        return _status_member(w, error, name, sent.error_status if sent is not None else None, error.args[0])
    return None


def _status_member(w: Walker, holder: Term, name: str, known: tuple[str, ...] | None, call: Term) -> Term:
    """The status of a call; where the library is known to keep it elsewhere, a word (`code`) or nothing."""
    if known is None or name in known:
        return w.terms.make("op", "status", (call,))
    if name == "code":
        return w.terms.make("serial", "text", (w.terms.load(holder, w.terms.literal(name)),))
    return w.terms.none


def known_item(w: Walker, holder: Term, key: Term, state: State, frame: Frame) -> Term | None:
    """A subscript that means more than a slot: a part of what a query string holds."""
    if holder.kind == "parsed" and holder.args[0].kind == "root":
        return w.read(w.world.root("INPUT", "dict"), key, state)
    return None


def mapping_get(w: Walker, mapping: Term, key: Term) -> Term:
    """A value of a frozen mapping; an unknown key may be any of them."""
    name = text_of(key)
    keys: tuple[str | None, ...] = mapping.data
    if name is not None:
        for own, value in zip(reversed(keys), reversed(mapping.args), strict=True):
            if own == name:
                return value
            if own is None:
                return w.terms.unknown("spread", (value,))
        return w.terms.none
    return w.terms.unknown("any key", mapping.args)
