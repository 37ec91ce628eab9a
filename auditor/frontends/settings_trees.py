"""Settings in formats that nest: YAML, JSON with comments, TOML, and the XML of Android and Apple.

No reader builds the document: each walks tokens or events that know their places, so an alias is a name and no copy,
a tag constructs nothing, and an entity is refused.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.parsers import expat

import yaml

from auditor.frontends.errors import Unreadable
from auditor.frontends.settings_source import DEPTH, MARK, Opaque, Settings, Value

# --------------------------------------------------------------------------------------------------- YAML

_STANDARD_TAG = "tag:yaml.org,2002:"
_RESOLVER = yaml.resolver.Resolver()
_TRUE = frozenset({"true", "yes", "on"})
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_ENVIRONMENTS = frozenset({"environment", "env", "args", "env_vars", "envvars"})


class _Open:
    """A map or list that is being read. A map has a `key` while its value is awaited."""

    __slots__ = ("count", "is_map", "key", "path", "start")

    def __init__(self, path: tuple[str, ...], is_map: bool) -> None:
        self.path = path
        self.is_map = is_map
        self.key: str | None = None
        self.start = 0
        self.count = 0


def read_yaml(settings: Settings) -> None:
    """The scalars of all documents by the events of PyYAML. An alias to a scalar has its value, another none."""
    open_: list[_Open] = []
    anchors: dict[str, Value | Opaque] = {}
    try:
        for event in yaml.parse(settings.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                offset = event.start_mark.index if event.start_mark is not None else 0
                path = () if not open_ else _path_below(settings, open_[-1], offset)
                if len(open_) >= DEPTH:
                    raise settings.too_deep(offset)
                open_.append(_Open(path, isinstance(event, yaml.MappingStartEvent)))
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                open_.pop()
                if open_:
                    _close(open_[-1])
            elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
                _yaml_scalar(settings, open_, event, anchors)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 0
        if error.problem == "exceeded maximum nesting depth":  # libyaml's own bound, which a long line reaches first
            raise Unreadable("too-deep", f"more than {DEPTH} levels", line) from None
        raise Unreadable("syntax", "not valid YAML", line) from None
    except yaml.YAMLError:
        raise Unreadable("syntax", "not valid YAML: a character that it does not allow") from None


def _path_below(settings: Settings, parent: _Open, offset: int) -> tuple[str, ...]:
    """The path of a value that begins here. A map or list that is itself a key has the name `?`."""
    if not parent.is_map:
        return settings.below(parent.path, parent.count, offset)
    if parent.key is None:
        parent.start = offset
        return settings.below(parent.path, "?", offset)
    return settings.below(parent.path, parent.key, offset)


def _close(parent: _Open) -> None:
    """A value has ended: the next thing in a map is a key. A map that was a key counts as one."""
    if not parent.is_map:
        parent.count += 1
    else:
        parent.key = "?" if parent.key is None else None


def _yaml_scalar(settings: Settings, open_: list[_Open], event: Any, anchors: dict[str, Value | Opaque]) -> None:
    """A key, or the value of a setting."""
    start, end = event.start_mark.index, event.end_mark.index
    is_alias = isinstance(event, yaml.AliasEvent)
    value = anchors.get(event.anchor) if is_alias else _yaml_value(event)
    if event.anchor is not None and not is_alias:
        anchors[event.anchor] = value
    if not open_:
        return
    parent = open_[-1]
    if parent.is_map and parent.key is None:
        parent.key = "?" if is_alias else str(event.value)
        parent.start = start
        return
    path = _path_below(settings, parent, start)
    settings.add(path, value, parent.start if parent.is_map else start, end, start)
    if not parent.is_map and isinstance(value, str) and parent.path and parent.path[-1].lower() in _ENVIRONMENTS:
        assigned = _ASSIGNED.fullmatch(value)
        if assigned is not None:
            settings.add((*parent.path, assigned[1]), assigned[2], start, end, start)
    _close(parent)


def _yaml_value(event: yaml.ScalarEvent) -> Value | Opaque:
    """What a scalar says. A tag of an application's own makes something else of it, which nobody here constructs."""
    text = str(event.value)
    tag = event.tag or ""
    if tag and tag != "!":
        is_text = tag in (_STANDARD_TAG + "str", _STANDARD_TAG + "binary")
        return text if is_text else Opaque(tag.rpartition(":")[2] or tag, text)
    if event.style:
        return text
    kind = str(_RESOLVER.resolve(yaml.ScalarNode, text, (True, False))).removeprefix(_STANDARD_TAG)  # type: ignore[no-untyped-call]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in _TRUE
    return _number(text) if kind in ("int", "float") else text


def _number(text: str) -> Value:
    """A plain decimal number; every other spelling stays as it is written."""
    if len(text) > 18 or not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", text):
        return text
    return float(text) if "." in text else int(text)


# --------------------------------------------------------------------------------------------------- JSON

_JSON = re.compile(
    r"(?P<skip>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<mark>[\[\]{},:])"
    r"|(?P<word>[^\s\[\]{},:\"'/]+)",
    re.DOTALL,
)
_JSON_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "undefined": None}
_JSON_WORD = re.compile(r"[-+]?(Infinity|NaN)|[-+]?[0-9.][0-9a-fA-FxX.eE+-]*")
_JSON_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_JSON_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "\n": ""}


class _Token(NamedTuple):
    """A token of JSON or TOML: its kind, how it is written, and where it begins."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


class _Tokens:
    """Tokens with a look at the next one. Beyond the last there is a token of kind ""."""

    def __init__(self, tokens: Iterator[_Token], end: int) -> None:
        self._tokens = tokens
        self._end = _Token("", "", end)
        self.next = next(tokens, self._end)
        self.last = self.next

    def take(self) -> _Token:
        """The next token, which is then the last."""
        self.last = self.next
        self.next = next(self._tokens, self._end)
        return self.last

    def skip(self, text: str) -> bool:
        """Take the next token if it is this mark."""
        if self.next.kind == "mark" and self.next.text == text:
            self.take()
            return True
        return False


def read_json(settings: Settings) -> None:
    """JSON, also with what JSON5 adds: comments, commas at the end, keys without quotes."""
    tokens = _Tokens(_tokens(settings, _JSON, "JSON"), len(settings.text))
    if tokens.next.kind:
        _json_value(settings, tokens, (), tokens.next.start)
    if tokens.next.kind:
        raise settings.syntax("JSON", tokens.next.start)


def _tokens(settings: Settings, pattern: re.Pattern[str], what: str) -> Iterator[_Token]:
    """The tokens of the text. Raises Unreadable at what is none."""
    position, text = 0, settings.text
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            raise settings.syntax(what, position)
        position = match.end()
        kind = match.lastgroup or ""
        if kind != "skip":
            yield _Token(kind, match[0], match.start())


def _json_value(settings: Settings, tokens: _Tokens, path: tuple[str, ...], start: int) -> None:
    """One value; `start` is where its key begins. As deep as `Settings.below` allows, so recursion is bounded."""
    token = tokens.take()
    if token.kind == "mark" and token.text in "[{":
        _json_items(settings, tokens, path, token)
    elif token.kind == "text":
        settings.add(path, _json_text(token.text), start, token.end, token.start)
    elif token.kind == "word":
        settings.add(path, _json_word(settings, token), start, token.end, token.start)
    else:
        raise settings.syntax("JSON", token.start)


def _json_items(settings: Settings, tokens: _Tokens, path: tuple[str, ...], opening: _Token) -> None:
    """The items of a list or object behind its opening bracket."""
    closing, index = ("}" if opening.text == "{" else "]"), 0
    while not tokens.skip(closing):
        start = tokens.next.start
        key: str | int = index
        if closing == "}":
            token = tokens.take()
            if token.kind not in ("text", "word") or not tokens.skip(":"):
                raise settings.syntax("JSON", token.start)
            key = _json_text(token.text) if token.kind == "text" else token.text
        _json_value(settings, tokens, settings.below(path, key, start), start)
        index += 1
        if not tokens.skip(",") and not (tokens.next.kind == "mark" and tokens.next.text == closing):
            raise settings.syntax("JSON", tokens.next.start)


def _json_word(settings: Settings, token: _Token) -> Value | Opaque:
    if token.text in _JSON_WORDS:
        return _JSON_WORDS[token.text]
    if token.text[0] != MARK and _JSON_WORD.fullmatch(token.text) is None:
        raise settings.syntax("JSON", token.start)
    return _number(token.text)


def _json_text(spelling: str) -> str:
    """The value of a string as it is spelled."""
    inner = spelling[1:-1]
    if "\\" not in inner:
        return inner
    if spelling[0] == '"':
        try:
            return _whole(str(json.loads(spelling, strict=False)))
        except ValueError:
            pass  # an escape of JSON5
    return _whole(_JSON_ESCAPE.sub(_json_escape, inner))


def _json_escape(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _JSON_ESCAPES.get(code, code)


def _whole(text: str) -> str:
    """A text without half of a surrogate pair, which no encoder takes."""
    return text.encode("utf-8", "replace").decode() if not text.isprintable() else text


# --------------------------------------------------------------------------------------------------- TOML

_TOML = re.compile(
    r"(?P<skip>[ \t]+|\#[^\n]*)"
    r"|(?P<line>\n)"
    r"|(?P<text>\"{3}(?:[^\\]|\\.)*?\"{3,5}|'{3}.*?'{3,5}|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')"
    r"|(?P<mark>[\[\]{},=])"
    r"|(?P<dot>\.)"
    r"|(?P<word>[^\s\[\]{},=\"'\#.]+)",
    re.DOTALL,
)
_TOML_LINE = re.compile(r"at line (\d+)")


def read_toml(settings: Settings) -> None:
    """TOML: first the scan, which finds the places and bounds the nesting, then tomllib, which says what is valid.

    tomllib knows no places and tomlkit keeps none either; what is valid needs only this much of the grammar to be
    placed. tomllib's time grows with the square of a dotted key's length, so it comes second.
    """
    try:
        _toml(settings)
    except Unreadable as error:
        if error.kind != "syntax":
            raise
        _toml_valid(settings)
        raise
    _toml_valid(settings)


def _toml_valid(settings: Settings) -> None:
    try:
        tomllib.loads(settings.text)
    except tomllib.TOMLDecodeError as error:
        line = _TOML_LINE.search(str(error))
        raise Unreadable("syntax", "not valid TOML", int(line[1]) if line is not None else settings.lines) from None
    except (ValueError, RecursionError):
        raise Unreadable("syntax", "not valid TOML") from None


def _toml(settings: Settings) -> None:
    tokens = _Tokens(_tokens(settings, _TOML, "TOML"), len(settings.text))
    table: tuple[str, ...] = ()
    arrays: dict[tuple[str, ...], int] = {}
    while tokens.next.kind:
        if tokens.next.kind == "line":
            tokens.take()
        elif tokens.skip("["):
            table = _toml_header(settings, tokens, arrays)
        else:
            start = tokens.next.start
            path = _toml_key(settings, tokens, table, arrays)
            if not tokens.skip("="):
                raise settings.syntax("TOML", tokens.next.start)
            _toml_value(settings, tokens, path, start)


def _toml_header(settings: Settings, tokens: _Tokens, arrays: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """The path that `[a.b]` or `[[a.b]]` opens, behind its first bracket."""
    several = tokens.skip("[")
    path = _toml_key(settings, tokens, (), arrays, last=several)
    if not tokens.skip("]") or (several and not tokens.skip("]")):
        raise settings.syntax("TOML", tokens.next.start)
    if several:
        arrays[path] = arrays.get(path, -1) + 1
        path = settings.below(path, arrays[path], tokens.last.start)
    return path


def _toml_key(
    settings: Settings,
    tokens: _Tokens,
    path: tuple[str, ...],
    arrays: dict[tuple[str, ...], int],
    last: bool = False,
) -> tuple[str, ...]:
    """A dotted key below a path; a part that is a list of tables goes on in its latest one, but not as the `last`."""
    while True:
        token = tokens.take()
        if token.kind not in ("text", "word"):
            raise settings.syntax("TOML", token.start)
        name = token.text if token.kind == "word" else _toml_text(token.text)
        path = settings.below(path, name, token.start)
        more = tokens.next.kind == "dot"
        if path in arrays and (more or not last):
            path = settings.below(path, arrays[path], token.start)
        if not more:
            return path
        tokens.take()


def _toml_value(settings: Settings, tokens: _Tokens, path: tuple[str, ...], start: int) -> None:
    """One value; `start` is where its key begins."""
    token = tokens.take()
    if token.kind == "text":
        settings.add(path, _toml_text(token.text), start, token.end, token.start)
    elif token.kind == "word":
        end = token.end
        while tokens.next.kind in ("dot", "word") and tokens.next.start - end <= 1:
            end = tokens.take().end  # a float or a date, which may have one blank
        settings.add(path, _toml_word(settings.text[token.start : end]), start, end, token.start)
    elif token.text == "[":
        _toml_items(settings, tokens, path, "]")
    elif token.text == "{":
        _toml_items(settings, tokens, path, "}")
    else:
        raise settings.syntax("TOML", token.start)


def _toml_items(settings: Settings, tokens: _Tokens, path: tuple[str, ...], closing: str) -> None:
    """The items of a list or inline table behind its opening bracket."""
    index = 0
    while True:
        while tokens.next.kind == "line" or tokens.skip(","):
            if tokens.next.kind == "line":
                tokens.take()
        if tokens.skip(closing):
            return
        start = tokens.next.start
        if closing == "}":
            below = _toml_key(settings, tokens, path, {})
            if not tokens.skip("="):
                raise settings.syntax("TOML", tokens.next.start)
        else:
            below = settings.below(path, index, start)
        _toml_value(settings, tokens, below, start)
        index += 1


def _toml_word(text: str) -> Value:
    return {"true": True, "false": False}[text] if text in ("true", "false") else _number(text)


def _toml_text(spelling: str) -> str:
    """The value of a string as it is spelled; as it stands if it is none."""
    if "\\" not in spelling and spelling[:3] not in ('"""', "'''"):
        return spelling[1:-1]
    try:
        return str(tomllib.loads(f"x={spelling}")["x"])
    except tomllib.TOMLDecodeError:
        return spelling.strip("\"'")


# ---------------------------------------------------------------------------------------------------- XML

_TEXTS = frozenset({"string", "integer", "real", "date", "data"})
_NAMES = ("name", "android:name", "key")
_VALUES = ("value", "android:value")


class _Xml:
    """The handlers of expat for Android's resources (`<string name="a">b</string>`) and Apple's property lists."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self.parser.EntityDeclHandler = self._entity
        self._depth = 0
        self._open: list[_Open] = []
        self._name: str | None = None
        self._text: list[str] = []
        self._begin = 0

    def _offset(self) -> int:
        return self._settings.offset(self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber)

    def _entity(self, *_: object) -> None:
        raise Unreadable("unsupported", "it defines entities of its own", self.parser.CurrentLineNumber)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        offset = self._offset()
        if self._depth > DEPTH:
            raise self._settings.too_deep(offset)
        self._text, self._begin = [], offset
        self._name = next((attributes[name] for name in _NAMES if name in attributes), None)
        if tag in ("dict", "array"):
            path = _path_below(self._settings, self._open[-1], offset) if self._open else ()
            self._open.append(_Open(path, tag == "dict"))
        value = next((attributes[name] for name in _VALUES if name in attributes), None)
        if self._name is not None and value is not None:
            self._settings.add((self._name,), value, offset, self._after(offset), offset)

    def _after(self, offset: int) -> int:
        """The end of the tag that begins here."""
        return self._settings.text.find(">", offset) + 1

    def _data(self, text: str) -> None:
        self._text.append(text)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        text, self._text = "".join(self._text).strip(), []
        end = self._after(self._offset())
        if tag in ("dict", "array") and self._open:
            self._open.pop()
            if self._open:
                _close(self._open[-1])
        elif tag == "key" and self._open and self._open[-1].is_map:
            self._open[-1].key, self._open[-1].start = text, self._begin
        elif tag in _TEXTS and self._name is not None:
            self._settings.add((self._name,), _unquoted(text), self._begin, end, self._begin)
        elif self._open and tag in ("true", "false"):
            self._add(tag == "true", end)
        elif self._open and tag in _TEXTS:
            self._add(text, end)
        self._name = None

    def _add(self, value: Value, end: int) -> None:
        """A value of a property list."""
        parent = self._open[-1]
        path = _path_below(self._settings, parent, self._begin)
        start = parent.start if parent.is_map and parent.key is not None else self._begin
        self._settings.add(path, value, start, end, self._begin)
        _close(parent)


def _unquoted(text: str) -> str:
    """Android's strings may stand in quotes."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def read_xml(settings: Settings) -> None:
    """Names with their texts. Entities of the file's own are refused: they are how a small file becomes a large one."""
    reader = _Xml(settings)
    try:
        reader.parser.Parse(settings.text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise Unreadable("syntax", "not valid XML", error.lineno) from None
