"""Whence a secret comes that is sent: a literal, the environment, a secret manager, settings, whoever calls.

The value is taken apart as it was put together: alternatives, joined pieces, base64, the pair of a Basic header. What a
call was asked with is no part of what it gives.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from auditor.facts import Facts
from auditor.terms import Term, leaves, plain, text_of, values

Origin: TypeAlias = Literal["literal", "environment", "manager", "settings", "caller", "unknown"]

_PIECE = 12  # a literal of this length within a larger text may be (most of) the secret
_DEPTH = 12
_ASKED = re.compile(r"secret|config|setting|environ|env|vault|credential|keyring|param|password|options", re.IGNORECASE)

_HELD = re.compile(r"conf(ig)?|settings?|secrets?|env(iron)?", re.IGNORECASE)


class Source(NamedTuple):
    """One value that a secret may be. `text`: of a literal, decoded; `written`: as it stands in the source."""

    origin: Origin
    text: str = ""
    written: str = ""


class Provenance:
    """Finds the sources of secrets over one application's facts."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._writes: dict[tuple[Term, Term], list[Term]] = {}
        for write in facts.writes:
            self._writes.setdefault((write.holder, write.key), []).append(write.value)

    def of(self, secret: Term) -> list[Source]:
        """All sources of what is sent as the client secret, which may be a whole Basic header."""
        return list(dict.fromkeys(self._of(secret, _DEPTH)))

    def _of(self, term: Term, depth: int) -> Iterator[Source]:
        if depth == 0:
            yield Source("unknown")
            return
        depth -= 1
        kind = term.kind
        text = text_of(term)
        if text is not None:
            yield from self._literal(text)
        elif kind == "literal":
            return
        elif kind == "alt":
            for value in values(term):
                yield from self._of(value, depth)
        elif kind == "text":
            yield from self._text(term, depth)
        elif kind == "parsed" and term.data == "base64" and text_of(term.args[0]) is not None:
            written = plain(term.args[0])
            yield Source("literal", _decoded(written) or written, written)
        elif kind in ("serial", "parsed"):
            yield from self._of(term.args[0], depth)
        elif kind == "op" and term.args:
            for value in term.args[:1] if term.data == "slice" else term.args:
                yield from self._of(value, depth)
        elif kind in ("sequence", "mapping"):
            for value in term.args:
                yield from self._of(value, depth)
        elif kind == "load":
            yield from self._load(term, depth)
        else:
            yield self._other(term)

    def _literal(self, text: str) -> Iterator[Source]:
        """A literal; of a Basic header that is written out, only what it says behind the colon."""
        scheme, _, rest = text.partition(" ")
        if scheme.lower() != "basic":
            yield Source("literal", text, text)
            return
        pair = _decoded(rest.strip())
        if pair is not None and ":" in pair:
            yield Source("literal", pair.partition(":")[2], text)
        elif rest.strip():
            yield Source("literal", rest.strip(), text)

    def _text(self, text: Term, depth: int) -> Iterator[Source]:
        """Joined pieces: of a Basic header the pair, else every piece that varies, and long literals beside them."""
        parts = text.args
        if text_of(parts[0]) is not None and plain(parts[0]).lower().startswith("basic"):
            for part in parts[1:]:
                yield from self._pair(part, depth)
            return
        varying = [part for part in parts if part.kind != "literal"]
        for part in varying:
            yield from self._of(part, depth)
        for part in parts:
            if part.kind == "literal" and len(plain(part)) >= _PIECE:
                yield Source("literal", plain(part), plain(part))

    def _pair(self, term: Term, depth: int) -> Iterator[Source]:
        """`id:secret`, encoded: what stands behind the colon is the secret."""
        inner = term
        while inner.kind == "serial" and len(inner.args) == 1:
            inner = inner.args[0]
        for one in values(inner):
            if text_of(one) is not None:
                pair = plain(one) if ":" in plain(one) else _decoded(plain(one)) or plain(one)
                yield Source("literal", pair.partition(":")[2] or pair, plain(one))
            elif one.kind == "text":
                yield from self._behind(one.args, depth)
            else:
                yield from self._of(one, depth)

    def _behind(self, parts: Sequence[Term], depth: int) -> Iterator[Source]:
        for index, part in enumerate(parts):
            if part.kind == "literal" and ":" in plain(part):
                rest = plain(part).partition(":")[2]
                if rest:
                    yield Source("literal", rest, plain(part))
                for later in parts[index + 1 :]:
                    yield from self._of(later, depth)
                return
        for part in parts:
            yield from self._of(part, depth)

    def _load(self, load: Term, depth: int) -> Iterator[Source]:
        """A slot: what is written there, else what kind of holder it lies in."""
        written = self._writes.get((load.args[0], load.args[1]), ())
        for value in written:
            yield from self._of(value, depth)
        if written:
            return
        root, keys = load, []
        while root.kind == "load":
            keys.append(plain(root.args[1]) if root.args[1].kind == "literal" else "")
            root = root.args[0]
        if any(_HELD.search(key) for key in keys[1:]):  # `app.config["CLIENT_SECRET"]`
            yield Source("settings")
        elif root.kind == "call" and any(_is_environment(argument) for argument in root.args):
            yield Source("environment")  # a checked copy of the whole environment
        elif root.kind in ("parsed", "serial", "alt") and depth:
            origins = [source for value in values(root) for source in self._of(value, depth)]
            # what a file or an answer holds is not what its path or its request says
            yield from (source for source in origins if source.origin != "literal")
            if all(source.origin == "literal" for source in origins):
                yield Source("unknown")
        else:
            yield self._other(root)

    def _other(self, term: Term) -> Source:
        if any(self._facts.kinds.get(leaf) == "secret" for leaf in leaves(term)):
            return Source("manager")
        if term.kind == "root":
            name, type_name = term.data
            # a parameter whose type is declared is known by its type alone
            return Source("environment" if name == "ENV" else "caller" if name == type_name else "unknown")
        if term.kind == "parameter":
            return Source("caller")
        if term.kind in ("call", "external"):
            return Source("settings" if _ASKED.search(str(term.data[0])) else "unknown")
        return Source("unknown")


def _is_environment(term: Term) -> bool:
    return term.kind == "root" and bool(term.data[0] == "ENV")


def _decoded(text: str) -> str | None:
    """A text out of base64, or None when it is none."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
