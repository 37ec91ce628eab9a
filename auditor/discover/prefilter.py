"""What kind of file this is, and which files hold any of the words that the catalogue cares about.

Reading every file and searching its bytes costs a fraction of a second where parsing costs minutes, so this
decides what is parsed first.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

Language: TypeAlias = Literal["python", "javascript", "typescript", "html", "settings"]
Role: TypeAlias = Literal["production", "example", "test", "docs", "generated", "vendored", "audit"]

# ----------------------------------------------------------------------------------------------- languages

_SUFFIXES: dict[Language, str] = {
    "python": "py pyw",
    "javascript": "js jsx mjs cjs",
    "typescript": "ts tsx mts cts",
    "html": "html htm xhtml vue svelte ejs jinja jinja2 j2 hbs handlebars mustache njk twig liquid astro",
    "settings": "env yaml yml toml json jsonc json5 ini cfg conf properties plist xcconfig gradle tfvars tf "
    "sh bash zsh ksh bat cmd ps1 service",
}
_LANGUAGE_OF: dict[str, Language] = {
    suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes.split()
}
_SETTINGS_NAME = re.compile(
    r"\.env(rc)?([._~ -].*)?|\.dev\.vars|env|env[._-]?(example|sample|template)|(docker|container)file([._-].*)?|procfile|(gnu)?makefile|justfile"
    r"|strings\.xml|secrets\.xml|androidmanifest\.xml|gradle\.kts|workspace\.xml|.*\.run\.xml|\.(npm|yarn|pypi|flask)rc?|\.flaskenv"
)
_SAMPLES = frozenset(["example", "sample", "template", "tmpl", "dist", "default"])
_COPIES = frozenset(["bak", "backup", "old", "orig", "save", "copy"])
_SAMPLE = re.compile(r"[._-](example|sample|template|tmpl|dist|default)(\.[a-z0-9]+)?$")
_TYPE_DECLARATIONS = re.compile(r"\.d\.[cm]?ts$")
_PYTHON_SHEBANG = re.compile(rb"#![^\n]*\bpython[0-9.]*\b")


def is_sample(path: str) -> bool:
    """Whether a file is one to copy and fill in, by its name: `.env.example`, `config.sample.yml`."""
    return _SAMPLE.search("_" + path.rpartition("/")[2].lower()) is not None


def is_environment_file(path: str) -> bool:
    """Whether a file is an environment file by its name: .env, .env.production, .dev.vars."""
    name = path.rpartition("/")[2].lower()
    return name.startswith((".env", "env.")) or name.endswith(".env") or name in ("env", ".dev.vars")


def language(path: str, data: bytes = b"") -> Language | None:
    """The language of a file by its name; a name without suffix needs the file's first bytes for its `#!` line.

    None for what no frontend reads, TypeScript's `.d.ts` among it: a declaration does nothing.
    """
    name = path.rpartition("/")[2].lower()
    if _TYPE_DECLARATIONS.search(name):
        return None
    if _SETTINGS_NAME.fullmatch(name):
        return "settings"
    stem, dot, suffix = name.rpartition(".")
    if dot and (suffix in _SAMPLES or suffix in _COPIES):
        return "settings" if _LANGUAGE_OF.get(stem.rpartition(".")[2]) == "settings" else None
    if dot:
        return _LANGUAGE_OF.get(suffix)
    return "python" if _PYTHON_SHEBANG.match(data) else None


def may_be_source(path: str) -> bool:
    """Whether `language` could give an answer for this path: if not, its bytes need not be read."""
    return language(path, b"#!python") is not None


# --------------------------------------------------------------------------------------------------- roles


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


# The first that matches decides, so that a test inside a vendored package is vendored. A folder name counts
# only below the audited folder: whoever audits an example wants it judged.
_FOLDERS: tuple[tuple[Role, frozenset[str]], ...] = (
    ("vendored", _names("node_modules bower_components jspm_packages vendor vendors third_party third-party thirdparty "
                        "site-packages .venv venv virtualenv pods")),
    ("generated", _names("dist build .next .nuxt .output .svelte-kit coverage htmlcov __generated__ generated _build")),
    ("test", _names("test tests __tests__ __test__ spec specs e2e cypress playwright mock mocks __mocks__ fixtures "
                    "__fixtures__ __snapshots__ testing testdata test_data test-utils")),
    ("docs", _names("docs doc documentation")),
    ("example", _names("example examples sample samples demo demos")),
)  # fmt: skip
_FILES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("audit", re.compile(r"connect-auditor\.([\w-]+\.)?(toml|json|sarif|html|xml|md|txt)")),
    ("vendored", re.compile(r"(jquery|bootstrap|react|vue|angular)([.-][\d.]+)?(\.\w+)*\.min\.js|(jquery|bootstrap)[\d.-]*\.js")),
    ("generated", re.compile(r".*[.-](min|bundle|chunk|generated)\.[cm]?[jt]sx?|.*\.g\.ts|.*_pb2(_grpc)?\.py"
                             r"|.*_pb\.[jt]s|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|composer\.lock")),
    ("test", re.compile(r"(test_.*|.*_tests?|tests?|conftest)\.py|.*[._-](test|spec|cy|stories)\.[cm]?[jt]sx?"
                        r"|(jest|vitest|playwright|cypress)\.(config|setup)\.[cm]?[jt]s")),
)  # fmt: skip


def role(path: str) -> Role:
    """What a file is for, by its path below the audited folder. Decided once, so that all checks agree."""
    *folders, name = path.lower().split("/")
    for kind, names in _FOLDERS[:2]:
        if not names.isdisjoint(folders):
            return kind
    for kind, pattern in _FILES:
        if pattern.fullmatch(name):
            return kind
    for kind, names in _FOLDERS[2:]:
        if not names.isdisjoint(folders):
            return kind
    return "production"


def is_analysed(kind: Role) -> bool:
    """Whether flows are followed in files of this role. An example counts: people run it, and copy it."""
    return kind in ("production", "example")


# --------------------------------------------------------------------------------------------------- words

_IDENTIFIER_BYTES = b"0123456789_$abcdefghijklmnopqrstuvwxyz"
_BLANK_OTHERS = bytes(byte if byte in _IDENTIFIER_BYTES else ord(" ") for byte in range(256))
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Needles(msgspec.Struct, frozen=True):
    """What to search for, without regard to case: `parts` anywhere, `names` as whole identifiers.

    Measured on 4,554 files, 29 MB: a part costs 0.01 s, and all names together 0.15 s, be they 7 or 1,000; one
    regular expression of 30 alternatives costs 1 s. So few words may be parts, and names may be many.
    """

    parts: tuple[tuple[bytes, str], ...]
    names: dict[bytes, str]


def compile_needles(parts: Iterable[str], names: Iterable[str] = ()) -> Needles:
    """Needles from words. A name that is no plain identifier (a route, a dotted name) is searched as a part."""
    plain: dict[bytes, str] = {}
    anywhere = {_folded(word): word for word in sorted(set(parts))}
    for word in sorted(set(names)):
        folded = _folded(word)
        is_identifier = folded and not folded.strip(_IDENTIFIER_BYTES)
        (plain if is_identifier else anywhere)[folded] = word
    anywhere.pop(b"", None)
    return Needles(tuple(anywhere.items()), plain)


def find_words(data: bytes, needles: Needles) -> set[str]:
    """The words, as they were given to `compile_needles`, that stand in these bytes."""
    lowered = lower(data)
    found = {word for part, word in needles.parts if part in lowered}
    if needles.names:
        found.update(needles.names[name] for name in needles.names.keys() & identifiers(lowered))
    return found


def lower(data: bytes) -> bytes:
    """The bytes of a file as words are searched in them: lower case, and UTF-8 if they were UTF-16."""
    return _readable(data).lower()


def identifiers(lowered: bytes) -> set[bytes]:
    """The whole identifiers in bytes that `lower` gave."""
    return set(lowered.translate(_BLANK_OTHERS).split())


def holds(lowered: bytes, needles: Needles) -> bool:
    """Whether any part, or any name as a whole identifier, stands in bytes that `lower` gave."""
    if any(part in lowered for part, _ in needles.parts):
        return True
    found = [name for name in needles.names if name in lowered]
    return bool(found) and not identifiers(lowered).isdisjoint(found)


def _folded(word: str) -> bytes:
    return word.encode().lower()


def _readable(data: bytes) -> bytes:
    """UTF-16, in which some editors save settings, as UTF-8; everything else as it is."""
    return data.decode("utf-16", "replace").encode("utf-8", "replace") if data.startswith(_UTF16) else data
