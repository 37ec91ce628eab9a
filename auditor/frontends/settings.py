"""Configuration files: every setting is one assignment of a literal to a dotted name, at its own lines.

`monzo: {client_secret: x}` is `monzo.client_secret = "x"`; the items of a list are numbered. What is not written in
the file, such as a reference to the environment, stays the text that it is; what a tag or a template would make of a
value is Unknown. The format is chosen by the file's name. Nothing is ever constructed, expanded or included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from auditor.frontends import settings_lines as lines
from auditor.frontends.errors import Unreadable
from auditor.frontends.settings_source import MARK, Opaque, Setting, Settings, Value, decode
from auditor.frontends.settings_trees import read_json, read_toml, read_xml, read_yaml
from auditor.program import Assign, Literal, Name, Program, Span, Statement, Unknown

_SAMPLE = re.compile(r"\.(example|sample|template|tmpl|dist|default|bak|backup|old|orig|save|copy)$")
_DOTENV = re.compile(r"\.env(rc)?([._~ -].*)?|env|\.dev\.vars|env[._-]?(example|sample|template)|.*\.env|\.flaskenv")
_DOCKERFILE = re.compile(r"(docker|container)file([._-].*)?")
_READERS: dict[str, Callable[[Settings], None]] = {
    "yaml": read_yaml, "yml": read_yaml, "toml": read_toml, "json": read_json, "jsonc": read_json, "json5": read_json,
    "xml": read_xml, "plist": read_xml, "gradle": lines.read_gradle, "kts": lines.read_gradle,
    "tf": lines.read_blocks, "makefile": lines.read_commands, "gnumakefile": lines.read_commands, "justfile": lines.read_commands,
    "sh": lines.read_commands, "bash": lines.read_commands, "zsh": lines.read_commands, "ksh": lines.read_commands, "bat": lines.read_commands,
    "cmd": lines.read_commands, "ps1": lines.read_commands,
}  # fmt: skip
_TAG = re.compile(r"\{\{[^{}\n]*\}\}|\{%[^%\n]*%\}|<%[^%\n]*%>")
_NAMES = ("name", "key", "Name")
_VALUES = ("value", "Value")


def lower(path: str, source: bytes) -> Program:
    """The program of one file. Raises Unreadable if it is too large, too deep, binary or not valid in its format."""
    text = decode(source)
    settings = _read(_reader(path.rpartition("/")[2].lower()), text)
    spans: list[Span] = []
    body = tuple(
        [
            _statement(settings, spans, one)
            for one in [*settings.found, *_pairs(settings.found), *_commands(settings.found)]
        ]
    )
    return Program(path, "settings", body, tuple(spans), (), (), settings.lines)


def _reader(name: str) -> Callable[[Settings], None]:
    """The reader that fits a file's name."""
    name = _SAMPLE.sub("", name)
    reader = _READERS.get(name.rpartition(".")[2])
    if reader is not None:
        return reader
    if _DOTENV.fullmatch(name):
        return lines.read_dotenv
    if _DOCKERFILE.fullmatch(name):
        return lines.read_dockerfile
    return lines.read_procfile if name == "procfile" else lines.read_ini


def _read(reader: Callable[[Settings], None], text: str) -> Settings:
    """The settings of a text. One that is not valid may be a template of a valid one, as Helm's are."""
    settings = Settings(text)
    try:
        reader(settings)
    except Unreadable as error:
        if error.kind != "syntax" or _TAG.search(text) is None:
            raise
        filled = Settings(_filled(text))
        try:
            reader(filled)
        except Unreadable:
            raise error from None
        filled.found = [one._replace(value=_unfilled(one.value)) for one in filled.found]
        return filled
    return settings


def _filled(text: str) -> str:
    """The text with marks for the tags of a template, and blanks for those that have a line for themselves."""
    rows = text.split("\n")
    for number, line in enumerate(rows):
        marked = _TAG.sub(lambda tag: MARK * len(tag[0]), line)
        rows[number] = marked if marked.strip(f" \t\r{MARK}") else " " * len(line)
    return "\n".join(rows)


def _unfilled(value: Value | Opaque) -> Value | Opaque:
    """The value of a filled text: Unknown where a tag stands in it."""
    return Opaque("template", value.replace(MARK, "")) if isinstance(value, str) and MARK in value else value


def _statement(settings: Settings, spans: list[Span], setting: Setting) -> Statement:
    """The assignment of a setting, with its spans added to `spans`."""
    at = len(spans)
    spans.append(settings.span(setting.start, setting.end))
    spans.append(settings.span(setting.value_start, setting.end))
    value = setting.value
    name = Name(at, setting.name)
    if isinstance(value, Opaque):
        return Assign(at, name, Unknown(at + 1, value.what, (Literal(at + 1, value.text),)), declares=True)
    return Assign(at, name, Literal(at + 1, value), declares=True)


def _pairs(found: Iterable[Setting]) -> list[Setting]:
    """`- {name: KEY, value: x}`, as containers are given their environment: a setting of that name as well."""
    names: dict[str, str] = {}
    values: list[tuple[str, Setting]] = []
    for setting in found:
        holder, _, last = setting.name.rpartition(".")
        if last in _NAMES and isinstance(setting.value, str):
            names[holder] = setting.value
        elif last in _VALUES:
            values.append((holder, setting))
    pairs = [(f"{holder.rpartition('.')[0]}.{names[holder]}", one) for holder, one in values if holder in names]
    return [one._replace(name=name.lstrip(".")[-1000:]) for name, one in pairs]


def _commands(found: Iterable[Setting]) -> Iterable[Setting]:
    """What a command sets for itself that is a setting's value: `"start": "KEY=value node app.js"`."""
    for one in found:
        if isinstance(one.value, str) and "=" in one.value and " " in one.value:
            for name, value in lines.assignments(one.value):
                yield one._replace(name=f"{one.name}.{name}"[-1000:], value=value)
