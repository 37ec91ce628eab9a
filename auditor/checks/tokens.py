"""Which values are secrets of the flow: tokens, whole token responses, the client secret; and whether they are clear.

A token is known by whence it comes, the result of an exchange or a refresh, or by whither it goes, a bearer header of
a call to the provider. A slot in which a token was stored holds a token wherever it is loaded; so does a name that a
template is handed, and the answer of a route of the application's own, where the front end asks for it.
"""

from __future__ import annotations

import dataclasses
import itertools
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from auditor.analysis.names import template_root
from auditor.analysis.shapes import mapping_items
from auditor.checks.statuses import body_of
from auditor.facts import Event, Facts
from auditor.terms import Term, plain, text_of, value_of, values

Kind: TypeAlias = Literal["access-token", "refresh-token", "token-response", "client-secret"]

ACCESS = frozenset({"access_token", "accesstoken", "access", "token", "bearer", "oauth_token"})
REFRESH = frozenset({"refresh_token", "refreshtoken", "refresh"})
_WHOLE = frozenset({"data", "body", "json", "text", "payload", "result", "response", "tokens", "content", "value"})
_CIPHERS = frozenset({"cipher", "hash", "sealed"})
_DROPPING = frozenset({"op", "compare", "not", "and", "or", "exists", "present", "completed", "error"})
_PARTS = frozenset({"text", "serial", "mapping", "sequence", "parsed", "element", "op"})
_HIDDEN = frozenset({"slice"})  # a few letters, as a mask shows them
_ROUNDS = 4  # a token may be stored, loaded, answered and stored again by the front end
_VARIABLE = re.compile(r"[:<{\[*\0]")
_LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0", ""})  # noqa: S104  compared with, not listened on


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """A secret that a value holds, in the clear or not."""

    kind: Kind
    clear: bool


Slots: TypeAlias = dict[tuple[Term, Term], frozenset[Held]]


class Tokens:
    """The secrets of one application. `paths` are those of its programs, among which a template is found by its name."""

    def __init__(self, facts: Facts, actions: Mapping[str, tuple[Event, ...]], paths: Iterable[str] = ()) -> None:
        steps = [event for action in ("exchange", "refresh") for event in actions.get(action, ())]
        self._calls = {event.details["call"] for event in steps if "call" in event.details}
        self._given = frozenset(facts.tokens)
        self._secrets = {event.details["secret"] for event in steps if "secret" in event.details}
        self._terms = facts.terms
        self._sent = [call for call, sends in facts.outside.items() if sends and call not in self._calls]
        self._pages = [path for path in paths if not path.endswith((".py", ".js", ".ts"))]
        self._slots: Slots = {}
        self._known: dict[Term, frozenset[Held]] = {}
        self._answered: dict[Term, frozenset[Held]] = {}
        self._values: dict[Term, list[Term]] = {}  # a request to an own route -> what the route answers
        self.bearers: set[tuple[Term, Term]] = set()
        """Slots whose value is sent to the provider as a bearer token."""
        self.doubtful: set[tuple[Term, Term]] = set()
        """Slots whose value is sent as a bearer token, but to a host that is not the flow's."""
        self._sent_as_bearer(actions)
        self._settle(actions)

    def held(self, term: Term) -> frozenset[Held]:
        """The secrets that a value holds."""
        found = self._known.get(term)
        if found is None:
            self._known[term] = frozenset()  # a value within itself adds nothing
            found = self._known[term] = self._held(term)
        return found

    def clear(self, term: Term, kinds: Iterable[Kind]) -> frozenset[Kind]:
        """The kinds of secrets that a value holds in the clear."""
        wanted = set(kinds)
        return frozenset(one.kind for one in self.held(term) if one.clear and one.kind in wanted)

    # ------------------------------------------------------------------------------------------- where they lie

    def _sent_as_bearer(self, actions: Mapping[str, tuple[Event, ...]]) -> None:
        """Slots whose value goes to a provider as a bearer token hold one."""
        domains = {
            domain
            for action in ("exchange", "refresh", "authorize")
            for event in actions.get(action, ())
            if (domain := _domain(event))
        }
        for event in actions.get("provider-call", ()):
            domain = _domain(event)
            if not domain:
                continue
            for one in values(event.details.get("token", event.details["call"])):
                if one.kind != "load":
                    continue
                slot = one.args[0], one.args[1]
                if not domains or domain in domains:
                    self.bearers.add(slot)
                    self._slots[slot] = frozenset({Held("access-token", True)})
                else:
                    self.doubtful.add(slot)

    def _settle(self, actions: Mapping[str, tuple[Event, ...]]) -> None:
        """Follow tokens through stores, templates and the application's own answers until nothing is added."""
        for _ in range(_ROUNDS):
            before = len(self._slots), len(self._answered), sum(len(held) for held in self._slots.values())
            self._known.clear()
            for event in (*actions.get("store", ()), *actions.get("set", ())):
                self._put(event.details["holder"], event.details["key"], event.details["value"])
            for event in actions.get("render", ()):
                self._hand_over(event)
            self._answer(actions.get("respond", ()))
            if before == (len(self._slots), len(self._answered), sum(len(held) for held in self._slots.values())):
                break
        self._known.clear()

    def _put(self, holder: Term, key: Term, value: Term) -> None:
        held = self.held(value)
        if held:
            self._slots[holder, key] = self._slots.get((holder, key), frozenset()) | held

    def _hand_over(self, event: Event) -> None:
        """What a template is handed by name, it holds by this name."""
        template = text_of(event.details["template"]) if "template" in event.details else None
        if template is None:
            return
        for path in self._pages:
            if _is_page(path, template):
                root = template_root(self._terms, path)
                for key, value in mapping_items(event.details["context"]):
                    self._put(root, self._terms.literal(key), value)

    def _answer(self, events: Iterable[Event]) -> None:
        """What a route answers is what a request to it gives."""
        routes = [
            (event.entry.route, one, self.held(one))
            for event in events
            if "value" in event.details and event.entry.route.strip("/")
            for one in _whole(event.details["value"])
        ]
        telling = {route for route, _, held in routes if held}
        self._values.clear()
        for call in self._sent if telling else ():
            asked = _own_path(call)
            for route, value, held in routes:
                if asked is not None and route in telling and _same_path(asked, route):
                    self._values.setdefault(call, []).append(value)
                    self._answered[call] = self._answered.get(call, frozenset()) | held

    # ------------------------------------------------------------------------------------------ what a value holds

    def _held(self, term: Term) -> frozenset[Held]:
        if term in self._given:
            return frozenset({Held("refresh-token" if _is_refresh(term) else "access-token", True)})
        if term in self._calls:
            return frozenset({Held("token-response", True)})
        if term in self._answered:
            return self._answered[term]
        if term in self._secrets and term.kind != "literal":
            return frozenset({Held("client-secret", True)})
        kind = term.kind
        if kind in _DROPPING and not (kind == "op" and term.data == "+"):
            return frozenset()
        if kind == "load":
            return self._loaded(term)
        if kind == "call" and term.data[3] and len(term.args) > 1 and text_of(term.args[0]) is not None:
            return self._member(term.args[-1], term.args[0])  # `grant.get("access_token")`, whatever the method
        if kind == "serial" and term.data in _CIPHERS:
            return frozenset(Held(one.kind, False) for part in term.args for one in self.held(part))
        if kind == "serial" and term.data in _HIDDEN:
            return frozenset()
        if kind == "alt":
            return self._all(values(term))
        if kind in _PARTS:
            return self._all(term.args)
        if kind == "root":  # a whole session
            return frozenset(
                one for (holder, _), held in self._slots.items() if _is_same_root(holder, term) for one in held
            )
        return frozenset()

    def _all(self, parts: Iterable[Term]) -> frozenset[Held]:
        return frozenset(one for part in parts for one in self.held(part))

    def _loaded(self, term: Term) -> frozenset[Held]:
        holder, key = term.args
        stored = self._slots.get((holder, key))
        return stored if stored is not None else self._member(holder, key)

    def _member(self, holder: Term, key: Term) -> frozenset[Held]:
        if holder.kind == "unknown" and holder.data == "entry":  # a pair of a key and what lies there
            return self._all(holder.args) if key.kind == "literal" and value_of(key) == 1 else frozenset()
        asked = body_of(holder, self._values)
        if asked is not None and text_of(key) is not None:
            return frozenset(one for value in self._values[asked] for one in self._answered_member(value, key))
        inside = self.held(holder) if holder.kind != "root" else frozenset()
        return self._in(inside, key)

    def _answered_member(self, answer: Term, key: Term) -> frozenset[Held]:
        """What a member holds of what a route answers: of an object with known keys what lies there, and nothing else."""
        if answer.kind == "mapping" and None not in answer.data:
            return self._all(value for name, value in mapping_items(answer) if name == text_of(key))
        return self._in(self.held(answer), key)

    def _in(self, inside: frozenset[Held], key: Term) -> frozenset[Held]:
        """What a member holds of something that holds these."""
        if not inside:
            return frozenset()
        name = text_of(key)
        if name is None:
            return inside if key.kind != "literal" or isinstance(value_of(key), int) else frozenset()
        return frozenset(found for one in inside for found in _projected(one, name.lower().replace("-", "_")))


def _whole(answer: Term) -> tuple[Term, ...]:
    """What is answered, without the list of arguments that it came in."""
    return answer.args if answer.kind == "sequence" and answer.data is None else (answer,)


def _projected(one: Held, name: str) -> Iterable[Held]:
    """What a member of a secret holds: of a token response the tokens, by their names."""
    if one.kind != "token-response":
        if name in _WHOLE or name in ACCESS | REFRESH:
            yield one
    elif name in REFRESH or name.endswith(("refresh_token", "refreshtoken")):
        yield Held("refresh-token", one.clear)
    elif name in ACCESS or name.endswith(("access_token", "accesstoken")):
        yield Held("access-token", one.clear)
    elif name in _WHOLE:
        yield one


def _is_same_root(holder: Term, root: Term) -> bool:
    """Whether a holder is what a framework hands in as this; it may come under several types."""
    return holder.kind == "root" and bool(holder.data[0] == root.data[0])


def _is_refresh(term: Term) -> bool:
    return term.kind == "parameter" and "refresh" in str(term.data[1]).lower()


# ------------------------------------------------------------------------------------------------------ addresses


def _domain(event: Event) -> str:
    """The last two names of the host to which a call goes, "" where its address does not say."""
    url = event.details.get("url")
    head = text_of(url.args[0] if url.kind == "text" else url) if url is not None else None
    if head is None or not head.startswith(("https://", "http://")):
        return ""
    try:
        host = urlsplit(head).hostname or ""
    except ValueError:
        return ""
    return ".".join(host.split(".")[-2:])


def _own_path(call: Term) -> str | None:
    """The path of a request to the application itself; what varies in it is a null character."""
    if not call.args:
        return None
    parts = call.args[0].args if call.args[0].kind == "text" else (call.args[0],)
    if not any(part.kind == "literal" for part in parts):
        return None
    text = "".join(plain(part) if part.kind == "literal" else "\0" for part in parts).partition("?")[0]
    try:
        address = urlsplit(text)
    except ValueError:
        return None
    own = (address.hostname or "").strip("\0") in _LOCAL
    return address.path if own and "/" in address.path else None


def _same_path(asked: str, route: str) -> bool:
    """Whether a request for a path may reach a route: its segments are the last of the path's, as far as they are fixed."""
    wanted = [one for one in route.split("/") if one]
    given = [one for one in asked.split("/") if one][-len(wanted) :]
    if len(given) != len(wanted):
        return False
    pairs = itertools.zip_longest(given, wanted, fillvalue="")
    return all(mine == theirs or _VARIABLE.search(theirs) or _VARIABLE.search(mine) for mine, theirs in pairs)


def _is_page(path: str, template: str) -> bool:
    """Whether a file is the template of this name; some frameworks leave the suffix out."""
    name = "/" + template.lstrip("./")
    return f"/{path}".endswith(name) or posixpath.splitext(f"/{path}")[0].endswith(name)
