"""Whether a literal is a real secret. Judged by the whole value and by where it stands, never by entropy alone.

detect-secrets supplies the measure of randomness, the sequences that only look random, and the formats in which
services give out secrets. It is called on single values, and only for what no cheaper question has settled: importing it
takes longer than judging ten thousand values. Its filters that look at whole lines, and the one for UUIDs, are left
out: they drop real secrets.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from auditor import catalogue
from auditor.catalogue import Provider

Judgement: TypeAlias = Literal["real", "placeholder", "public", "empty"]

_PLACEHOLDER_WORDS = (
    "your", "placeholder", "changeme", "change-me", "change_me", "example", "replace", "insert", "todo", "dummy", "fake",
    "sample", "here", "xxxx", "test-secret", "test_secret", "testsecret", "undefined", "not-set", "notset", "fill", "enter",
    "<", ">", "{{", "}}", "${", "...", "…", "***", "secret_key", "mysecret", "my-secret", "my_secret", "none", "null",
)  # fmt: skip
_PUBLIC_PREFIXES = ("pk_", "pk-", "AIza", "mc_", "sq0idp-", "ca_", "G-", "UA-", "GTM-")
_BODY = re.compile(r"[A-Za-z0-9_\-]{8,}")  # what follows the prefix of a provider
_WORDS = re.compile(r"[A-Za-z]{2,}(?:[-_ .][A-Za-z]{2,})*")
_NAME = re.compile(r"[a-z0-9]+")
_NUMBERED = re.compile(r"[0-9]")
_DETECTORS = (  # modules of detect_secrets.plugins: formats of whole values that are secret wherever they stand
    "discord", "github_token", "gitlab_token", "mailchimp", "openai", "pypi_token", "sendgrid", "slack", "square_oauth",
    "stripe", "telegram_token",
)  # fmt: skip
_FORMATTED = 20  # no such format is shorter
_SCATTERED = 10  # letters that differ: fewer stand in what is written to look like one (`sk_live_xxxxxxxx`)


def judge(value: str, name: str = "", prefixes: tuple[str, ...] | None = None) -> Judgement:
    """What a literal is that stands where a secret belongs.

    `name` is what it is called there; `prefixes`: those that providers give to secrets and tokens, by default those
    of the installed catalogue.
    """
    text = value.strip()
    if not text:
        return "empty"
    lowered = text.lower()
    if text.startswith(_PUBLIC_PREFIXES):
        return "public"
    if len(text) >= _FORMATTED and len(set(text)) >= _SCATTERED and _NUMBERED.search(text) and _in_live_format(text):
        return "real"
    if any(word in lowered for word in _PLACEHOLDER_WORDS) or _is_filling(lowered):
        return "placeholder"
    if _flat(text) == _flat(name) or (name and _flat(text) in _flat(name) and text.isupper()):
        return "placeholder"
    if "://" in text or text.startswith(("/", "./", "~")) or " " in text:
        return "placeholder"
    known = _prefixes() if prefixes is None else prefixes
    if any(text.startswith(prefix) and _BODY.fullmatch(text, len(prefix)) for prefix in known):
        return "real"
    if _WORDS.fullmatch(text) or re.fullmatch(r"[A-Z][A-Z0-9_]*", text):
        return "placeholder"  # words, or the name of a variable
    if len(text) < 8:
        return "placeholder"
    return "real" if _random_enough(text) else "placeholder"


@functools.cache
def _prefixes() -> tuple[str, ...]:
    return prefixes_of(catalogue.load().providers)


def prefixes_of(providers: Iterable[Provider]) -> tuple[str, ...]:
    """The prefixes of what providers give out that is secret."""
    return tuple(dict.fromkeys(prefix for one in providers for prefix in (*one.secret_prefixes, *one.token_prefixes)))


def _is_filling(text: str) -> bool:
    """Whether a text only fills its place: it is made of three letters, or one of them is most of it (`ghp_000000`)."""
    letters = set(text)
    return len(letters) <= 3 or max(map(text.count, letters)) * 2 > len(text)


def _flat(text: str) -> str:
    return "".join(_NAME.findall(text.lower()))


def _random_enough(text: str) -> bool:
    """Digits and letters mixed, and no sequence such as abcdef or 123456."""
    from detect_secrets.filters.heuristic import is_sequential_string

    if is_sequential_string(text):
        return False
    mixed = any(letter.isdigit() for letter in text) and any(letter.isalpha() for letter in text)
    return _entropy()(text) > (2.5 if mixed else 3.2)


@functools.cache
def _entropy() -> Callable[[str], float]:
    """The bits that a letter of a text carries, after Shannon; only letters of base64 and its kin count."""
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString

    return Base64HighEntropyString().calculate_shannon_entropy


def _in_live_format(text: str) -> bool:
    """Whether all of a value is in the format in which a service gives out secrets."""
    return any(pattern.fullmatch(text) for pattern in _formats())


@functools.cache
def _formats() -> tuple[re.Pattern[str], ...]:
    from detect_secrets.plugins.base import RegexBasedDetector

    modules = (importlib.import_module(f"detect_secrets.plugins.{name}") for name in _DETECTORS)
    detectors = (
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, RegexBasedDetector) and one.__module__ == module.__name__
    )
    return tuple(pattern for detector in detectors for pattern in detector().denylist)


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
