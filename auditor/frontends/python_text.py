"""From bytes to text, and from the spelling of Python's strings and numbers to their values."""

from __future__ import annotations

import io
import re
import tokenize

from auditor.frontends.errors import Unreadable

NEWLINE = re.compile(r"\r\n?|\n")

_SIMPLE = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\n": "", "\r": "", "\r\n": "",
}  # fmt: skip

_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})"
    r"|N\{(?P<name>[^{}]*)\}|(?P<other>\r\n|.))",
    re.DOTALL,
)
_SURROGATE = re.compile("[\ud800-\udfff]")

# msgpack knows no larger numbers, and no program here needs them.
_LARGEST = 2**63


def decode(source: bytes) -> str:
    """The text of a Python file: as its byte order mark or its coding line (PEP 263) says, else UTF-8."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError as error:
        message = f"the file's encoding cannot be told: {error.msg}"
        raise Unreadable("encoding", message, 1) from None
    try:
        return source.decode(encoding)
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise Unreadable("encoding", f"byte {error.start} is not valid {encoding}", line) from None
    except (LookupError, ValueError):
        raise Unreadable("encoding", f"the file cannot be decoded as {encoding}", 1) from None


def count_lines(text: str) -> int:
    """The number of lines; a last one without a newline counts."""
    newlines = sum(1 for _ in NEWLINE.finditer(text))
    return newlines + (1 if text and text[-1] not in "\r\n" else 0)


def string_value(spelling: str) -> str:
    """The value of a string or bytes literal as it is spelled, with prefix and quotes; bytes as Latin-1."""
    start = min(at for at in (spelling.find('"'), spelling.find("'")) if at >= 0)
    prefix = spelling[:start].lower()
    quotes = 3 if spelling[start : start + 3] in ('"""', "'''") and len(spelling) - start >= 6 else 1
    return unescape(spelling[start + quotes : -quotes], "r" in prefix, "b" in prefix)


def unescape(text: str, raw: bool, is_bytes: bool = False) -> str:
    """The value of the inside of a string. Newlines become `\\n`, what is no escape stays, a surrogate is replaced."""
    if "\r" in text:
        text = NEWLINE.sub("\n", text)
    if raw or "\\" not in text:
        return text
    value = _ESCAPE.sub(_escaped_byte if is_bytes else _escaped, text)
    return _SURROGATE.sub("\ufffd", value)


def fixed_text(text: str, raw: bool) -> str:
    """The value of a fixed piece of an f-string, where braces are doubled."""
    return unescape(text, raw).replace("{{", "{").replace("}}", "}")


def _escaped(match: re.Match[str]) -> str:
    """The character that an escape in a string stands for."""
    digits = match["short"] or match["long"]
    if digits is not None:
        number = int(digits, 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    if match["name"] is not None:
        return _named(match["name"])
    return _escaped_byte(match)


def _escaped_byte(match: re.Match[str]) -> str:
    """The character that an escape in a bytes literal stands for."""
    if match["octal"] is not None:
        return chr(int(match["octal"], 8))
    if match["hex"] is not None:
        return chr(int(match["hex"], 16))
    return _SIMPLE.get(match["other"] or "", match[0])


def _named(name: str) -> str:
    """The character of `\\N{name}`."""
    import unicodedata  # rarely needed, and not small

    try:
        return unicodedata.lookup(name)
    except KeyError:
        return "\ufffd"


def integer_value(spelling: str) -> int | None:
    """The value of an integer literal; None for one beyond 64 bits."""
    digits = spelling.replace("_", "")
    if len(digits) > 70:
        return None
    value = int(digits, 0)
    return value if value < _LARGEST else None


def float_value(spelling: str) -> float:
    """The value of a floating point literal."""
    return float(spelling.replace("_", ""))
