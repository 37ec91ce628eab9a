"""Values and conditions in words for people. No text of a literal is among them: it may be a secret."""

from __future__ import annotations

from auditor.analysis import describe
from auditor.analysis.secrets import judge
from auditor.terms import Term, text_of, value_of, values

_DEPTH = 5
_PARTS = 4
_LONG = 200
_ROOTS = {"INPUT": "request", "ENV": "environment", "REQUEST": "the request", "CALLBACK_URL": "the callback's address"}
_SEALED = {"cipher": "encrypted", "sealed": "encrypted", "hash": "hash of"}


def condition(term: Term) -> str:
    """A condition that holds: `request.state == session.oauth_state`, `present request.code`."""
    text = describe.atom(term, value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def value(term: Term, depth: int = _DEPTH) -> str:
    """Whence a value comes, in a few words."""
    if depth == 0:
        return "…"
    kind, args, inner = term.kind, term.args, depth - 1
    match kind:
        case "literal":
            return _literal(value_of(term))
        case "root":
            name = str(term.data[0])
            return _ROOTS.get(name, name.lower() if name.isupper() else name)
        case "external":
            return str(term.data[0])
        case "parameter":
            return f"parameter {term.data[1]}"
        case "load":
            return _load(value(args[0], inner), args[1], inner)
        case "call":
            return f"{term.data[0] or 'a call'}(…)"
        case "text":
            return _joined(" + ", [part for part in args if part.kind != "literal"], inner) or "a text"
        case "serial" if term.data in _SEALED:
            return f"{_SEALED[term.data]} {_joined(', ', args, inner)}"
        case "serial" | "parsed":
            return _joined(", ", args, inner) or "an empty text"
        case "mapping":
            return "{" + _cut(", ", [key(name) if isinstance(name, str) else "…" for name in term.data]) + "}"
        case "sequence":
            return "[" + _joined(", ", args, inner) + "]"
        case "alt":
            return _joined(" or ", values(term), inner)
        case "op":
            return f"{term.data}({_joined(', ', args, inner)})"
        case "unknown":
            parts = _joined(", ", args, inner)
            return f"not followed ({term.data}{': ' + parts if parts else ''})"
        case "object":
            return f"{term.data[0]}#"
        case "function" | "class" | "error" | "pending" | "promise":
            return {
                "function": "a function",
                "class": "a class",
                "error": "an error",
                "pending": "a promise",
                "promise": "a promise",
            }[kind]
        case "compare" | "not" | "and" | "or" | "exists" | "present" | "completed":
            return describe.atom(term, lambda part: value(part, inner))
        case _:
            return kind


def _literal(content: str | float | bool | None) -> str:
    if content is None or content is True or content is False:
        return {None: "nothing", True: "true", False: "false"}[content]
    if isinstance(content, str):
        return "a literal" if content else "an empty text"
    return str(content) if abs(content) < 1000 else "a number"  # a status, not a pin


def _load(holder: str, slot: Term, depth: int) -> str:
    name = text_of(slot)
    return f"{holder}.{key(name)}" if name is not None else f"{holder}[{value(slot, depth)}]"


def key(name: str) -> str:
    """What a slot is called: a key is a name, unless it looks like a secret."""
    return "…" if judge(name) == "real" else name


def _joined(between: str, terms: tuple[Term, ...] | list[Term], depth: int) -> str:
    return _cut(between, list(dict.fromkeys(value(one, depth) for one in terms)))


def _cut(between: str, texts: list[str]) -> str:
    return between.join(texts[:_PARTS] + ["…"] * (len(texts) > _PARTS))
