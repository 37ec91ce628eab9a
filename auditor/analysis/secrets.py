"""Whether a literal is a real secret. Judged by the whole value and by where it stands, never by entropy alone.

detect-secrets supplies the measure of randomness, the sequences that only look random, and the formats in which
services give out secrets. It is called on single values, and only for what no cheaper question has settled: importing it
takes longer than judging ten thousand values. Its filters that look at whole lines, and the one for UUIDs, are left
out: they drop real secrets.
"""

from __future__ import annotations

import base64
import functools
import importlib
import re
from collections.abc import Callable, Collection, Iterable
from typing import Literal, TypeAlias

from auditor import catalogue
from auditor.catalogue import Provider

Judgement: TypeAlias = Literal["real", "placeholder", "public", "empty"]

_PLACEHOLDER_WORDS = (
    "your", "placeholder", "changeme", "change-me", "change_me", "example", "replace", "insert", "todo", "dummy", "fake",
    "sample", "here", "xxxx", "test-secret", "test_secret", "testsecret", "undefined", "not-set", "notset", "fill", "enter",
    "<", ">", "{{", "}}", "${", "...", "…", "***", "secret_key", "mysecret", "my-secret", "my_secret", "none", "null",
)  # fmt: skip
_PUBLIC_PREFIXES = ("pk_", "pk-", "AIza", "mc_", "sq0idp-", "ca_", "pk.", "G-", "UA-", "GTM-")
_BODY = re.compile(r"[A-Za-z0-9_\-]{8,}")  # what follows the prefix of a provider
_BETWEEN = re.compile(r"[-_./:@#]+")
_WORD = re.compile(r"(?P<letters>[A-Za-z]*)[0-9]{0,6}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_CONSONANTS = re.compile(r"[^aeiouy]{6}")  # more than any word has beside each other
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_REFERENCE = re.compile(
    r"[a-z][a-z0-9+.-]*:(?:[A-Za-z0-9_.@-]*/.*|[A-Z][A-Z0-9_]*)"
)  # `vault:secret/shop#client`, `env:KEY`
_DEFAULTED = re.compile(r"\$\{[\w.-]+:?[-=:]([^{}?]+)\}")  # what is taken where the variable is not set
_SEALED = ("ENC[", "ENC(", "$ANSIBLE_VAULT", "{cipher}")  # what only the holder of another key can read
_NAME = re.compile(r"[a-z0-9]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_READABLE = re.compile(rb"[ -~\n]+")
_REPEATED = re.compile(r"(.)\1+")
_NUMBERED = re.compile(r"[0-9]")
_CLIENT_SECRETS = (
    "clientsecret", "consumersecret", "appsecret", "oauthsecret", "applicationsecret", "clientsecretkey", "apisecret",
)  # fmt: skip
_OTHER_SECRETS = ("sessionsecret", "jwtsecret", "webhooksecret", "cookiesecret", "tokensecret")
_TOKENS = ("accesstoken", "refreshtoken", "bearertoken", "oauthtoken")
_TOKEN_HOLDERS = ("", "my", "user", "client", "oauth", "initial", "default", "api", "test", "new", "old")
_HOLDERS = ("client", "oauth", "oauth2", "consumer")
_DETECTORS = (  # modules of detect_secrets.plugins: formats of whole values that are secret wherever they stand
    "discord", "github_token", "gitlab_token", "mailchimp", "openai", "pypi_token", "sendgrid", "slack", "square_oauth",
    "stripe", "telegram_token",
)  # fmt: skip
_FORMATTED = re.compile(r"[A-Za-z0-9_.:-]{20,}")  # no such format is shorter or has other letters
_SCATTERED = 10  # letters that differ: fewer stand in what is written to look like one (`sk_live_xxxxxxxx`)


def judge(value: str, name: str = "", prefixes: tuple[str, ...] | None = None) -> Judgement:
    """What a literal is that stands where a secret belongs.

    `name` is what it is called there; `prefixes`: those that providers give to secrets and tokens, by default those
    of the installed catalogue.
    """
    text = value.strip()
    if not text:
        return "empty"
    default = _DEFAULTED.fullmatch(text)
    if default is not None:
        text = default[1].strip("\"' ") or text
    text = within(text) or text
    lowered = text.lower()
    if text.startswith(_PUBLIC_PREFIXES):
        return "public"
    if _FORMATTED.fullmatch(text) and len(set(text)) >= _SCATTERED and _NUMBERED.search(text) and _in_live_format(text):
        return "real"
    if any(word in lowered for word in _PLACEHOLDER_WORDS) or _is_filling(lowered):
        return "placeholder"
    if flat(text) == flat(name) or (name and flat(text) in flat(name) and text.isupper()):
        return "placeholder"
    if "://" in text or text.startswith(("./", "../", "~/", *_SEALED)) or " " in text or _REFERENCE.fullmatch(text):
        return "placeholder"
    known = _prefixes() if prefixes is None else prefixes
    body = next((text[len(one) :] for one in known if text.startswith(one) and _BODY.fullmatch(text, len(one))), None)
    if body is not None:
        return "placeholder" if is_worded(body) or _is_row(body) else "real"
    if is_worded(text) or _VARIABLE.fullmatch(text):
        return "placeholder"
    if len(text) < 8:
        return "placeholder"
    return "real" if _random_enough(text) else "placeholder"


def within(text: str) -> str | None:
    """What a text says in base64, where that is readable: settings of containers are written so. None for all else.

    What is random in base64 is not readable, so that a secret is not mistaken for one that is encoded.
    """
    if len(text) < 8 or len(text) % 4 or not _BASE64.fullmatch(text):
        return None
    decoded = base64.b64decode(text)
    return decoded.decode("ascii").strip() if _READABLE.fullmatch(decoded) else None


def is_worded(text: str) -> bool:
    """Whether a text is made of words and short numbers (`local-dev-secret-1`, `projects/12/secrets/shop`, `secret123`)."""
    words = [_WORD.fullmatch(part) for part in _BETWEEN.split(text) if part]
    letters = [word["letters"] for word in words if word is not None]
    return len(letters) == len(words) and any(letters) and all(map(_is_word, letters))


def _is_word(letters: str) -> bool:
    """Whether letters can be spoken as a word, or as words in camel case, and are not just any letters of both cases."""
    return len(letters) <= 3 or (
        len(letters) >= 3 * len(_HUMP.findall(letters)) and _CONSONANTS.search(letters.lower()) is None
    )


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


def flat(text: str) -> str:
    """The letters and digits of a name, lower case: however it is spelled, it is the same name."""
    return "".join(_NAME.findall(text.lower()))


def _random_enough(text: str) -> bool:
    """Digits and letters mixed, and no sequence such as abcdef or 123456."""
    if _is_row(text):
        return False
    mixed = any(letter.isdigit() for letter in text) and any(letter.isalpha() for letter in text)
    return _entropy()(text) > (2.5 if mixed else 3.2)


def _is_row(text: str) -> bool:
    """Whether a text is a sequence such as abcdef or 123456, also with each letter repeated."""
    from detect_secrets.filters.heuristic import is_sequential_string

    return bool(is_sequential_string(text) or is_sequential_string(_REPEATED.sub(r"\1", text)))


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


def is_secret_name(name: str, holder: str = "", owners: Collection[str] = ()) -> bool:
    """Whether a variable, key or field of this name holds an OAuth client secret.

    `holder`: what the mapping or object is called that it stands in. `owners`: the providers that an application
    connects to, flat; `SPOTIFY_SECRET` is a client secret where Spotify is one of them.
    """
    own = flat(name)
    if any(other in own for other in _OTHER_SECRETS):
        return False
    whole = flat(holder) + own
    return own.endswith(_CLIENT_SECRETS) or (
        whole.endswith("secret") and flat(whole[: -len("secret")]).endswith((*_HOLDERS, *owners))
    )


def is_token_name(name: str, holder: str = "", owners: Collection[str] = ()) -> bool:
    """Whether a variable, key or field of this name holds a token of a provider: of no other service that is named."""
    own = flat(name)
    ending = next((one for one in _TOKENS if own.endswith(one)), None)
    if ending is None:
        return False
    rest = own.removesuffix(ending)
    return rest in _TOKEN_HOLDERS or any(owner in rest for owner in owners) or not owners
