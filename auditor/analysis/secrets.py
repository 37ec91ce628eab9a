"""Whether a literal is a real secret. Judged by the whole value and by where it stands, never by entropy alone.

The measure of randomness and the sequences that only look random are those of detect-secrets. They are written out
here: importing that package brings in an HTTP client, which a program that never opens a socket has no use for, and
takes longer than judging ten thousand values.
"""

from __future__ import annotations

import math
import re
import string
from typing import Literal, TypeAlias

Judgement: TypeAlias = Literal["real", "placeholder", "public", "empty"]

_PLACEHOLDER_WORDS = (
    "your", "placeholder", "changeme", "change-me", "change_me", "example", "replace", "insert", "todo", "dummy", "fake",
    "sample", "here", "xxxx", "test-secret", "test_secret", "testsecret", "undefined", "not-set", "notset", "fill", "enter",
    "<", ">", "{{", "}}", "${", "...", "…", "***", "secret_key", "mysecret", "my-secret", "my_secret", "none", "null",
)  # fmt: skip
_PUBLIC_PREFIXES = ("pk_", "pk-", "AIza", "mc_", "sq0idp-", "ca_", "G-", "UA-", "GTM-")
_PREFIXED = re.compile(
    r"(?:mcs|mct|mcr|sk|rk|sq0csp|sq0atp|cs|ghp|gho|ghs|xox[abp]|GOCSPX|EAAA)[_-](?:live_|test_|prod_)?[A-Za-z0-9_\-]{8,}"
)
_WORDS = re.compile(r"[A-Za-z]{2,}(?:[-_ .][A-Za-z]{2,})*")
_NAME = re.compile(r"[a-z0-9]+")
_BASE64 = f"{string.ascii_letters}{string.digits}+/\\-_="
_SEQUENCES = (
    string.ascii_uppercase * 2 + string.digits + "+/",
    string.digits + string.ascii_uppercase * 2 + "+/",
    (string.digits + string.ascii_uppercase) * 2,
    string.digits * 2,
    string.hexdigits.upper() * 2,
    string.ascii_uppercase + "=/",
)


def judge(value: str, name: str = "") -> Judgement:
    """What a literal is that stands where a secret belongs; `name` is what it is called there."""
    text = value.strip()
    if not text:
        return "empty"
    lowered = text.lower()
    if text.startswith(_PUBLIC_PREFIXES):
        return "public"
    if any(word in lowered for word in _PLACEHOLDER_WORDS) or len(set(lowered)) <= 3:
        return "placeholder"
    if _flat(text) == _flat(name) or (name and _flat(text) in _flat(name) and text.isupper()):
        return "placeholder"
    if "://" in text or text.startswith(("/", "./", "~")) or " " in text:
        return "placeholder"
    if _PREFIXED.fullmatch(text):
        return "real"
    if _WORDS.fullmatch(text) or re.fullmatch(r"[A-Z][A-Z0-9_]*", text):
        return "placeholder"  # words, or the name of a variable
    if len(text) < 8:
        return "placeholder"
    return "real" if _random_enough(text) else "placeholder"


def _flat(text: str) -> str:
    return "".join(_NAME.findall(text.lower()))


def _random_enough(text: str) -> bool:
    """Digits and letters mixed, and no sequence such as abcdef or 123456."""
    upper = text.upper()
    if any(upper in sequence for sequence in _SEQUENCES):
        return False
    mixed = any(letter.isdigit() for letter in text) and any(letter.isalpha() for letter in text)
    return entropy(text) > (2.5 if mixed else 3.2)


def entropy(text: str) -> float:
    """The bits that a letter of this text carries, after Shannon; only letters of base64 and its kin count."""
    shares = (text.count(letter) / len(text) for letter in _BASE64)
    return sum(-share * math.log2(share) for share in shares if share)


def is_secret_name(name: str) -> bool:
    """Whether a variable, key or field of this name holds an OAuth client secret."""
    words = (
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        if not name.isupper()
        else name.lower()
    )
    flat = _flat(words)
    if any(other in flat for other in ("sessionsecret", "jwtsecret", "webhooksecret", "cookiesecret", "tokensecret")):
        return False
    return any(
        flat.endswith(ending)
        for ending in (
            "clientsecret",
            "consumersecret",
            "appsecret",
            "oauthsecret",
            "applicationsecret",
            "clientsecretkey",
            "apisecret",
        )
    )
