"""Which values are secrets of the flow: tokens, whole token responses, the client secret; and whether they are clear.

A token is known by whence it comes, the result of an exchange or a refresh, or by whither it goes, a bearer header of
a call to the provider. A slot in which a token was stored holds a token wherever it is loaded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from auditor.facts import Event, Facts
from auditor.terms import Term, text_of, value_of, values

Kind: TypeAlias = Literal["access-token", "refresh-token", "token-response", "client-secret"]

ACCESS = frozenset({"access_token", "accesstoken", "access", "token", "bearer", "oauth_token"})
REFRESH = frozenset({"refresh_token", "refreshtoken", "refresh"})
_WHOLE = frozenset({"data", "body", "json", "text", "payload", "result", "response", "tokens", "content", "value"})
_CIPHERS = frozenset({"cipher", "hash", "sealed"})
_DROPPING = frozenset({"op", "compare", "not", "and", "or", "exists", "present", "completed", "error"})
_ROUNDS = 3  # a token may be stored, loaded and stored elsewhere


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """A secret that a value holds, in the clear or not."""

    kind: Kind
    clear: bool


class Tokens:
    """The secrets of one application."""

    def __init__(self, facts: Facts, actions: Mapping[str, tuple[Event, ...]]) -> None:
        self._calls = {
            event.details["call"]
            for action in ("exchange", "refresh")
            for event in actions.get(action, ())
            if "call" in event.details
        }
        self._given = frozenset(facts.tokens)
        self._secrets = {
            event.details["secret"]
            for action in ("exchange", "refresh")
            for event in actions.get(action, ())
            if "secret" in event.details
        }
        self._slots: dict[tuple[Term, Term], frozenset[Held]] = {}
        self._known: dict[Term, frozenset[Held]] = {}
        for event in actions.get("provider-call", ()):
            for one in values(event.details.get("token", event.details["call"])):
                if one.kind == "load" and _names_provider(event):
                    self._slots[one.args[0], one.args[1]] = frozenset({Held("access-token", True)})
        stores = actions.get("store", ())
        for _ in range(_ROUNDS):
            before = len(self._slots)
            self._known.clear()
            for event in stores:
                key = event.details["holder"], event.details["key"]
                held = self.held(event.details["value"])
                if held and key not in self._slots:
                    self._slots[key] = held
            if len(self._slots) == before:
                break
        self._known.clear()

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

    def _held(self, term: Term) -> frozenset[Held]:
        if term in self._given:
            return frozenset({Held("refresh-token" if _is_refresh(term) else "access-token", True)})
        if term in self._calls:
            return frozenset({Held("token-response", True)})
        if term in self._secrets and term.kind != "literal":
            return frozenset({Held("client-secret", True)})
        kind = term.kind
        if kind in _DROPPING and not (kind == "op" and term.data in ("+", "slice")):
            return frozenset()
        if kind == "load":
            return self._loaded(term)
        if kind == "serial" and term.data in _CIPHERS:
            return frozenset(Held(one.kind, False) for part in term.args for one in self.held(part))
        if kind in ("alt",):
            return self._all(values(term))
        if kind in ("text", "serial", "mapping", "sequence", "parsed", "element", "op"):
            return self._all(term.args)
        return frozenset()

    def _all(self, parts: Iterable[Term]) -> frozenset[Held]:
        return frozenset(one for part in parts for one in self.held(part))

    def _loaded(self, term: Term) -> frozenset[Held]:
        stored = self._slots.get((term.args[0], term.args[1]))
        if stored is not None:
            return stored
        holder, key = term.args
        inside = self.held(holder)
        if not inside:
            return frozenset()
        name = text_of(key)
        if name is None:
            return inside if key.kind != "literal" or isinstance(value_of(key), int) else frozenset()
        flat = name.lower().replace("-", "_")
        out: set[Held] = set()
        for one in inside:
            if one.kind != "token-response":
                if flat in _WHOLE:
                    out.add(one)
            elif flat in REFRESH or flat.endswith("refresh_token") or flat.endswith("refreshtoken"):
                out.add(Held("refresh-token", one.clear))
            elif flat in ACCESS or flat.endswith("access_token") or flat.endswith("accesstoken"):
                out.add(Held("access-token", one.clear))
            elif flat in _WHOLE:
                out.add(one)
        return frozenset(out)


def _is_refresh(term: Term) -> bool:
    return term.kind == "parameter" and "refresh" in str(term.data[1]).lower()


def _names_provider(event: Event) -> bool:
    """Whether a call goes to another host that its address names."""
    url = event.details.get("url")
    if url is None:
        return False
    head = text_of(url.args[0] if url.kind == "text" else url)
    return head is not None and head.startswith(("https://", "http://"))
