"""Literals of JavaScript: what the text of a string, number or JSX text stands for."""

from __future__ import annotations

import html
import re

_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3}|\r\n|.)", re.DOTALL)
_SINGLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "\n": "", "\r\n": "", "\u2028": ""}
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")
_LARGEST = 2**63
"""Integers beyond 64 bits cannot travel as MessagePack; JavaScript has them as doubles anyway."""


def unquote(text: str) -> str:
    """The value of a string literal as written, with its quotes."""
    closed = len(text) > 1 and text[-1] == text[0]
    return unescape(text[1:-1] if closed else text[1:])


def unescape(text: str) -> str:
    """Text with its escapes replaced. Half a surrogate pair, which no encoding can write, becomes U+FFFD."""
    if "\\" not in text:
        return text
    text = _ESCAPE.sub(_replace, text)
    if _LONE.search(text):
        text = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
        text = _LONE.sub("\ufffd", text)
    return text


def _replace(match: re.Match[str]) -> str:
    escape = match[1]
    first = escape[0]
    if first in "ux" and len(escape) > 1:
        code = int(escape[1:].strip("{}"), 16)
        return chr(code) if code < 0x110000 else "\ufffd"
    if first in "01234567":
        return chr(int(escape, 8))
    return _SINGLE.get(escape, escape)


def number(text: str) -> int | float | str:
    """The value of a number as written; what has no exact value within 64 bits and is not a double stays text."""
    plain = text.replace("_", "").lower()
    big = plain.endswith("n")
    if big:
        plain = plain[:-1]
    if len(plain) > 400 and plain.isdigit():
        return text if big else float("inf")
    try:
        value = _integer(plain)
        if value is None:
            return float(plain)
        if value < _LARGEST:
            return value
        return plain if big else float(value)
    except (ValueError, OverflowError):
        return text


def _integer(text: str) -> int | None:
    if text[:2] in ("0x", "0o", "0b"):
        return int(text, 0)
    if not text.isdigit():
        return None
    if len(text) > 1 and text[0] == "0" and not set(text) & {"8", "9"}:
        return int(text, 8)
    return int(text)


def markup_text(text: str) -> str:
    """JSX text as React shows it: lines trimmed and joined by one space, entities replaced; "" if it is blank."""
    if "\n" in text:
        lines = text.split("\n")
        last = len(lines) - 1
        trimmed = [
            line.lstrip(" \t\r") if index == last else line.rstrip(" \t\r") if index == 0 else line.strip(" \t\r")
            for index, line in enumerate(lines)
        ]
        text = " ".join(line for line in trimmed if line)
    elif not text.strip():
        return ""
    return html.unescape(text)
