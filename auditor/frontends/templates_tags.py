"""Finds the tags of a template: where they stand, what they do, and where the expression in them lies.

A language is told by the file's name, and for plain HTML by the tags that are in it. Offsets are bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Literal as OneOf
from typing import NamedTuple, TypeAlias

Syntax: TypeAlias = OneOf["jinja", "ejs", "handlebars", "svelte", "vue"]
Kind: TypeAlias = OneOf["output", "if", "unless", "elif", "else", "loop", "end", "code", "other", "comment"]

LONGEST = 2_000
"""Bytes of a tag; more is text."""

MOST = 6_000
"""Tags of one file; what comes after them is text."""

_SUFFIXES: dict[str, Syntax] = {
    "ejs": "ejs", "svelte": "svelte", "vue": "vue", "hbs": "handlebars", "handlebars": "handlebars",
    "mustache": "handlebars", "jinja": "jinja", "jinja2": "jinja", "j2": "jinja", "njk": "jinja", "twig": "jinja",
    "liquid": "jinja",
}  # fmt: skip
_HANDLEBARS = re.compile(rb"\{\{(?:[{#/>!^&]|~?else\b)")
_RAW = re.compile(rb"<(script|style)\b[^<>]*>", re.IGNORECASE)


class Tag(NamedTuple):
    """A tag. `word` is its first word where it has one; `inner` begins and `until` ends what is written in it."""

    kind: Kind
    start: int
    end: int
    word: str
    inner: int
    until: int


def syntax_of(path: str, source: bytes) -> Syntax | None:
    """The template language of a file, None if it is none."""
    name = path.rpartition("/")[2].lower()
    syntax = _SUFFIXES.get(name.rpartition(".")[2])
    if syntax is not None:
        return syntax
    if name.endswith(".astro"):
        return None
    if b"{%" in source:
        return "jinja"
    if b"<%" in source:
        return "ejs"
    if b"{{" in source:
        return "handlebars" if _HANDLEBARS.search(source) is not None else "jinja"
    return None


def find_tags(source: bytes, syntax: Syntax) -> list[Tag]:
    """The tags in their order."""
    if syntax == "svelte":
        return _svelte(source)
    if syntax == "ejs":
        tags = _mixed(source)
    elif syntax == "handlebars":
        tags = [
            _handlebars(source, start, end)
            for start, end in _delimited(source, {b"{{{": b"}}}", b"{{!--": b"--}}", b"{{": b"}}"})
        ]
    elif syntax == "vue":
        raw = raw_ranges(source)
        outputs = [one for one in _delimited(source, {b"{{": b"}}"}) if not within(one[0], raw)]
        tags = [Tag("output", start, end, "", start + 2, end - 2) for start, end in outputs]
    else:
        tags = _unescaped(
            [
                _jinja(source, start, end)
                for start, end in _delimited(source, {b"{{": b"}}", b"{%": b"%}", b"{#": b"#}"})
            ]
        )
    return tags[:MOST]


def raw_ranges(source: bytes) -> list[tuple[int, int]]:
    """Where the texts of scripts and styles lie, in order."""
    lowered = source.lower()
    found: list[tuple[int, int]] = []
    position = 0
    while (match := _RAW.search(source, position)) is not None:
        end = lowered.find(b"</" + match[1].lower(), match.end())
        if end < 0:
            end = len(source)
        found.append((match.end(), end))
        position = end
    return found


def within(offset: int, ranges: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The one of these ranges, in order and apart from one another, in which an offset lies."""
    index = bisect_right(ranges, (offset, 1 << 62)) - 1
    return ranges[index] if index >= 0 and offset < ranges[index][1] else None


def _delimited(source: bytes, pairs: dict[bytes, bytes]) -> list[tuple[int, int]]:
    """Everything between an opening and its closing sign. The first of `pairs` that fits at a place is taken."""
    openings = re.compile(b"|".join(re.escape(opening) for opening in pairs))
    found: list[tuple[int, int]] = []
    position = 0
    while (match := openings.search(source, position)) is not None:
        closing = pairs[match[0]]
        end = source.find(closing, match.end(), match.start() + LONGEST)
        if end < 0:
            position = match.end()
            continue
        position = end + len(closing)
        found.append((match.start(), position))
    return found


def _trimmed(source: bytes, start: int, end: int, signs: bytes = b"") -> tuple[int, int]:
    """A range without the blanks and signs at its ends."""
    signs += b" \t\r\n"
    while start < end and source[start] in signs:
        start += 1
    while end > start and source[end - 1] in signs:
        end -= 1
    return start, end


def _word(source: bytes, start: int, end: int) -> str:
    match = re.compile(rb"[A-Za-z_@:]\w*").match(source, start, end)
    return match[0].decode() if match is not None else ""


# ------------------------------------------------------------------------------------------------- Jinja

_JINJA: dict[str, Kind] = {
    "if": "if", "unless": "unless", "elif": "elif", "elsif": "elif", "elseif": "elif", "else": "else", "empty": "else",
    "for": "loop", "endif": "end", "endfor": "end", "endunless": "end", "comment": "comment", "endcomment": "comment",
}  # fmt: skip
_ESCAPING = {"raw": "endraw", "verbatim": "endverbatim", "comment": "endcomment"}


def _jinja(source: bytes, start: int, end: int) -> Tag:
    sign = source[start + 1 : start + 2]
    inner, until = _trimmed(source, start + 2, end - 2, b"-+")
    if sign == b"#":
        return Tag("comment", start, end, "", inner, until)
    if sign == b"{":
        return Tag("output", start, end, "", inner, until)
    word = _word(source, inner, until)
    behind, _ = _trimmed(source, inner + len(word), until)
    ends_other = word.startswith("end") and word not in _JINJA  # it says no more than its beginning did
    return Tag("comment" if ends_other else _JINJA.get(word, "other"), start, end, word, behind, until)


def _unescaped(tags: list[Tag]) -> list[Tag]:
    """Without the tags that stand, as text, between `{% raw %}` and `{% endraw %}`; those of a comment are comments."""
    found: list[Tag] = []
    closing = ""
    for tag in tags:
        if closing and tag.word != closing:
            if closing == "endcomment":
                found.append(tag._replace(kind="comment"))
            continue
        closing = "" if closing else _ESCAPING.get(tag.word, "")
        found.append(tag)
    return found


# --------------------------------------------------------------------------------------------------- EJS

_SHORT = 500  # bytes: longer code is only code
_EJS: tuple[tuple[Kind, re.Pattern[bytes]], ...] = (
    ("elif", re.compile(rb"\}\s*else\s+if\s*\((.*)\)\s*\{?", re.DOTALL)),
    ("else", re.compile(rb"\}\s*else\s*\{?()")),
    ("if", re.compile(rb"if\s*\((.*)\)\s*[{:]", re.DOTALL)),
    ("loop", re.compile(rb"(?:for|while)\s*\((.*)\)\s*[{:]", re.DOTALL)),
    ("loop", re.compile(rb"(.*\.(?:forEach|map)\s*\(.*(?:=>|\))\s*\{)", re.DOTALL)),
    ("end", re.compile(rb"\}\s*\)?\s*;?()")),
)


def _mixed(source: bytes) -> list[Tag]:
    """EJS, and outside of scripts what a library of the browser fills in: `{{ x }}`."""
    raw = raw_ranges(source)
    found: list[Tag] = []
    for start, end in _delimited(source, {b"<%": b"%>", b"{{": b"}}"}):
        if source.startswith(b"{{", start):
            if within(start, raw) is None:
                found.append(Tag("output", start, end, "", *_trimmed(source, start + 2, end - 2)))
        elif not source.startswith(b"<%%", start):
            found.append(_ejs(source, start, end))
    return found


def _ejs(source: bytes, start: int, end: int) -> Tag:
    sign = source[start + 2 : start + 3]
    inner, until = _trimmed(
        source, start + 2 + (sign in (b"=", b"-", b"_", b"#")), end - 2 - (source[end - 3] in b"-_")
    )
    if sign == b"#":
        return Tag("comment", start, end, "", inner, until)
    if sign in (b"=", b"-"):
        return Tag("output", start, end, "", inner, until)
    for kind, pattern in _EJS if until - inner < _SHORT else ():
        match = pattern.fullmatch(source, inner, until)
        if match is not None:
            return Tag(kind, start, end, "", match.start(1), match.end(1))
    return Tag("code", start, end, "", inner, until)


# -------------------------------------------------------------------------------------------- Handlebars

_HANDLEBARS_KINDS: dict[str, Kind] = {"if": "if", "unless": "unless", "each": "loop", "with": "other"}


def _handlebars(source: bytes, start: int, end: int) -> Tag:
    inner, until = _trimmed(source, start + 2, end - 2, b"{}~")
    sign = source[inner : inner + 1]
    if sign == b"!":
        return Tag("comment", start, end, "", inner, until)
    word = _word(source, inner, until)
    if word == "else" or source[inner:until] == b"^":
        behind, _ = _trimmed(source, inner + 4, until)
        chained = _word(source, behind, until)
        if chained:
            return Tag("elif", start, end, chained, _trimmed(source, behind + len(chained), until)[0], until)
        return Tag("else", start, end, word, until, until)
    if sign not in (b"#", b"/", b"^", b">"):
        return Tag("output", start, end, "", _trimmed(source, inner, until, b"&")[0], until)
    inner, _ = _trimmed(source, inner + 1, until, b"*>")
    word = _word(source, inner, until)
    if sign == b"/":
        return Tag("end", start, end, word, until, until)
    if sign == b">":
        return Tag("other", start, end, "include", inner, until)
    kind = _HANDLEBARS_KINDS.get(word, "if")
    if word in _HANDLEBARS_KINDS and sign == b"#":
        return Tag(kind, start, end, word, _trimmed(source, inner + len(word), until)[0], until)
    return Tag("unless" if sign == b"^" else "if", start, end, word, inner, until)  # Mustache's section


# ------------------------------------------------------------------------------------------------ Svelte

_SVELTE: dict[str, Kind] = {
    "#if": "if", "#each": "loop", "#await": "other", "#key": "other", "#snippet": "other", ":else": "else",
    ":then": "other", ":catch": "other", "/if": "end", "/each": "end", "@html": "output", "@render": "output",
}  # fmt: skip
_SVELTE_TAG = re.compile(rb"[#:/@]\w+")
_BRACES = re.compile(rb"[{}]|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")


def _svelte(source: bytes) -> list[Tag]:
    raw = raw_ranges(source)
    found: list[Tag] = []
    position = 0
    while len(found) < MOST and (start := source.find(b"{", position)) >= 0:
        inside = within(start, raw)
        if inside is not None:
            position = inside[1]
            continue
        end = _closing(source, start)
        if end is None:
            position = start + LONGEST
            continue
        position = end
        found.append(_svelte_tag(source, start, end))
    return found


def _closing(source: bytes, start: int) -> int | None:
    """Behind the brace that closes the one here, None if that is too far."""
    depth = 0
    for match in _BRACES.finditer(source, start, start + LONGEST):
        depth += {b"{": 1, b"}": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return None


def _svelte_tag(source: bytes, start: int, end: int) -> Tag:
    inner, until = _trimmed(source, start + 1, end - 1)
    match = _SVELTE_TAG.match(source, inner, until)
    if match is None:
        inner = inner + 3 if source.startswith(b"...", inner) else inner
        return Tag("comment" if source.startswith(b"/*", inner) else "output", start, end, "", inner, until)
    word = match[0].decode("utf-8", "replace")
    behind, _ = _trimmed(source, match.end(), until)
    if word == ":else" and _word(source, behind, until) == "if":
        return Tag("elif", start, end, "if", _trimmed(source, behind + 2, until)[0], until)
    return Tag(_SVELTE.get(word, "other"), start, end, word[1:], behind, until)
