"""Settings in formats of lines: .env, INI and its many relatives, Dockerfile, Procfile, Gradle."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from dotenv.parser import parse_stream

from auditor.frontends.errors import Unreadable
from auditor.frontends.settings_source import DEPTH, Settings

# ------------------------------------------------------------------------------------------------ dotenv

_BLANKS = re.compile(r"[^\S\n]{200}")
_COLON = re.compile(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*:\s+(.*)", re.DOTALL)
_LEADING = re.compile(r"\s*")


def read_dotenv(settings: Settings) -> None:
    """`.env` as python-dotenv reads it, and `.envrc`, whose other lines it passes over. Nothing is interpolated."""
    blanks = _BLANKS.search(settings.text)
    if blanks is not None:
        # python-dotenv looks for a comment behind blanks, which takes the square of their number.
        raise Unreadable("too-complex", "a line with hundreds of blanks", settings.line(blanks.start()))
    offset = 0
    for binding in parse_stream(io.StringIO(settings.text)):
        original = binding.original.string
        start, end = offset + _width(_LEADING, original), offset + len(original)
        offset = end
        key, value = binding.key, binding.value
        if binding.error:
            colon = _COLON.match(original)  # as some other readers have it
            if colon is None:
                continue
            key, value = colon[1], _plain(colon[2])
        if key is None:
            continue
        if value is not None and len(value) > 1 and value[0] == value[-1] == "`":
            value = value[1:-1]  # Node's dotenv has a third quote
        sign = original.find(":" if binding.error else "=")
        value_start = start if sign < 0 else end - len(original[sign + 1 :].lstrip())
        settings.add((key,), value, start, end, min(value_start, end))


def _width(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match is not None else 0


# --------------------------------------------------------------------------------------------------- INI

_SECTION = re.compile(r"\s*\[([^\]\n]{1,200})\]\s*(?:[;#].*)?")
_PAIR = re.compile(
    r"\s*(?:export\s+|set\s+|const\s+)?[\"']?([A-Za-z_][\w.\-/$]*)[\"']?(?:\s*[:=]\s*|\s+)(.*)", re.DOTALL
)
_BARE = re.compile(r"\s*[\"']?([A-Za-z_][\w.\-/$]*)[\"']?\s*[:=]\s*(.*)", re.DOTALL)
_COMMENT = re.compile(r"\s*(?:[#;!]|//|--|REM\b)")
_ASSIGNED = re.compile(r"[\"']?([A-Za-z_]\w*)=(.*?)[\"']?", re.DOTALL)


def read_ini(settings: Settings) -> None:
    """`key = value` and `key: value` below `[sections]` or none; a line that is indented deeper goes on with a value.

    Also Flask's Python-like `KEY = 'value'`, Java's properties with a backslash at the end of a line, Terraform's
    variables and Xcode's `.xcconfig`. configparser knows no places and refuses most of these.
    """
    section: tuple[str, ...] = ()
    for start, line in _logical(settings.text):
        if _COMMENT.match(line):
            continue
        header = _SECTION.fullmatch(line)
        if header is not None:
            section = (header[1].strip(),)
            continue
        pair = _BARE.match(line) or _PAIR.match(line)
        if pair is None:
            continue
        words = _plain(pair[2])
        begin = start + pair.start(1)
        settings.add((*section, pair[1]), words, begin, start + len(line), start + pair.start(2))
        inner = _ASSIGNED.fullmatch(words)
        if inner is not None:  # systemd's Environment="KEY=value"
            settings.add((*section, pair[1], inner[1]), inner[2], begin, start + len(line), start + pair.start(2))


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their offsets. One that ends in a backslash, or is followed by a deeper one without a key, goes on."""
    start, parts = 0, list[str]()
    offset = 0
    for line in text.splitlines(keepends=True) if "\n" not in text else _lines(text):
        joined = bool(parts) and (parts[-1].rstrip("\n").endswith("\\") or _goes_on(parts[0], line))
        if parts and not joined:
            yield start, "".join(parts).rstrip("\n")
            parts = []
        if not parts:
            start = offset
        parts.append(line)
        offset += len(line)
    if parts:
        yield start, "".join(parts).rstrip("\n")


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends; unlike `splitlines`, only a newline ends one."""
    position = 0
    while position < len(text):
        end = text.find("\n", position) + 1 or len(text)
        yield text[position:end]
        position = end


def _goes_on(first: str, line: str) -> bool:
    """Whether a line continues the value that began in `first`."""
    return (
        bool(line.strip())
        and _width(_LEADING, line) > _width(_LEADING, first)
        and not _COMMENT.match(line)
        and _BARE.match(line) is None
        and _SECTION.fullmatch(line.rstrip("\n")) is None
        and _BARE.match(first) is not None
    )


def _plain(written: str) -> str:
    """The value without the quotes around it, without a comment behind it, its lines joined."""
    text = re.sub(r"\\\n\s*", "", written).strip()
    if text[:3] in ('"""', "'''") and len(text) > 5:
        return text[3:].split(text[:3])[0]
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        while end > 0 and text[end - 1] == "\\":
            end = text.find(text[0], end + 1)
        rest = text[end + 1 :].lstrip()
        if end > 0 and (not rest or rest[0] in "#;,/"):
            return text[1:end]
        return text
    for sign in (" #", "\t#", " ;", "\t;", " //"):
        text = text.split(sign, 1)[0].rstrip()
    return text.rstrip(";,").rstrip()


# -------------------------------------------------------------------------------------------- containers

_INSTRUCTION = re.compile(r"\s*(ENV|ARG)\s+", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"(?<!\w)([A-Za-z_]\w{0,200})=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?:[^\s\\]|\\[^\n])*)", re.DOTALL)
_OLD_ENVIRONMENT = re.compile(r"([A-Za-z_]\w*)[ \t]+(.*)", re.DOTALL)


def read_dockerfile(settings: Settings) -> None:
    """What ENV and ARG set."""
    for start, line in _continued(settings.text):
        instruction = _INSTRUCTION.match(line)
        if instruction is None:
            continue
        rest = instruction.end()
        old = _OLD_ENVIRONMENT.fullmatch(line, rest)
        if old is not None and instruction[1].upper() == "ENV":
            settings.add((old[1],), _plain(old[2]), start + rest, start + len(line), start + old.start(2))
            continue
        _assignments(settings, line, start, rest)


def read_procfile(settings: Settings) -> None:
    """What commands set for themselves: `web: KEY=value python app.py`."""
    offset = 0
    for line in _lines(settings.text):
        if not _COMMENT.match(line):
            _assignments(settings, line, offset, 0)
        offset += len(line)


def _assignments(settings: Settings, line: str, start: int, position: int) -> None:
    for found in _ENVIRONMENT.finditer(line, position):
        value = _bare(found[2])
        settings.add((found[1],), value, start + found.start(), start + found.end(), start + found.start(2))


def assignments(text: str) -> list[tuple[str, str]]:
    """The variables that a command sets, with their values: `KEY=value node app.js`. None for a text of other kind."""
    return [(found[1], _bare(found[2])) for found in _ENVIRONMENT.finditer(text) if found[1].isupper()]


def _bare(value: str) -> str:
    return value[1:-1] if value[:1] in ("'", '"') else value


_REMARK = re.compile(r"\s*(?:#|::|@?REM\b)", re.IGNORECASE)
_WHOLE = re.compile(  # `KEY := value` of make, `set KEY=value`, `$env:KEY = "value"`
    r"\s*@?(?:(?:export|setx?|declare\s+-x|readonly|local)\s+|\$env:)?\"?([A-Za-z_]\w*)\"?\s*[:?+]?=\s*(\S.*?)\s*",
    re.IGNORECASE,
)


def read_commands(settings: Settings) -> None:
    """What scripts of a shell, of Windows and of make set: variables on a line of their own, or before a command."""
    for start, line in _continued(settings.text):
        if _REMARK.match(line):
            continue
        whole = _WHOLE.fullmatch(line)
        value = _plain(whole[2]) if whole is not None else ""
        if whole is not None and " " not in value:
            settings.add(
                (whole[1],), value.rstrip('"'), start + whole.start(1), start + len(line), start + whole.start(2)
            )
        else:
            _assignments(settings, line, start, 0)


# ------------------------------------------------------------------------------------------------ blocks

_OPENS = re.compile(r"\s*([A-Za-z_][\w-]*)((?:\s++\"[^\"\n]*+\")*+)\s*+=?\s*+\{\s*+(?:[#/].*)?")
_LABEL = re.compile(r"\"([^\"\n]*)\"")
_CLOSES = re.compile(r"\s*\}[\s,]*(?:[#/].*)?")
_ENTRY = re.compile(r"\s*\"?([A-Za-z_][\w.-]*)\"?\s*+[=:]\s*+\"((?:[^\"\\\n]|\\.)*+)\"\s*+,?\s*+(?:[#/].*)?")


def read_blocks(settings: Settings) -> None:
    """Texts in Terraform's blocks: `variable "key" { default = "…" }` is `variable.key.default`."""
    path: list[tuple[str, ...]] = []
    offset = 0
    for line in _lines(settings.text):
        bare = line.rstrip("\n")
        opens, entry = _OPENS.fullmatch(bare), _ENTRY.fullmatch(bare)
        above = tuple(name for names in path for name in names)
        if opens is not None:
            if len(path) >= DEPTH:
                raise settings.too_deep(offset)
            path.append((opens[1], *_LABEL.findall(opens[2])))
        elif _CLOSES.fullmatch(bare) and path:
            path.pop()
        elif entry is not None and not _COMMENT.match(bare):
            begin = offset + entry.start(1)
            settings.add((*above, entry[1]), entry[2], begin, offset + len(bare), offset + entry.start(2))
        offset += len(line)


def _continued(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their offsets, joined where one ends in a backslash; comments between them keep their room."""
    start, parts, offset = 0, list[str](), 0
    for line in _lines(text):
        is_comment = line.lstrip().startswith("#")
        if not parts:
            start = offset
        parts.append(" " * len(line) if is_comment else line)
        offset += len(line)
        if not (is_comment and len(parts) > 1) and not line.rstrip().endswith("\\"):
            yield start, "".join(parts).rstrip()
            parts = []
    if parts:
        yield start, "".join(parts).rstrip()


# ------------------------------------------------------------------------------------------------ Gradle

_FIELD = re.compile(
    r"\b(?:buildConfigField|resValue)\b[\s(]*\"[^\"\n]*\"\s*,\s*\"([\w.]+)\"\s*,\s*(['\"])((?:[^\\\n]|\\.)*?)\2"
)
_GRADLE = re.compile(
    r"(?<![\w.])([A-Za-z_][\w.]{0,200})[\"']?\]?\s*[:=]\s*(?P<quote>[\"'])((?:[^\\\n]|\\.)*?)(?P=quote)"
)


def read_gradle(settings: Settings) -> None:
    """Texts that a Gradle script gives a name: fields of the build's class, resources, variables, entries of maps."""
    offset = 0
    for line in _lines(settings.text):
        if not _COMMENT.match(line):
            for found in _FIELD.finditer(line) if _FIELD.search(line) else _GRADLE.finditer(line):
                value = found[3].replace('\\"', '"').strip('"')
                settings.add((found[1],), value, offset + found.start(), offset + found.end(), offset + found.start(3))
        offset += len(line)
