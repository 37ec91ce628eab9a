"""Source text for a report without the secrets in it.

An excerpt quotes lines that nobody has judged: beside the fault that is shown may stand a secret that is another
finding's, a suppressed one's, or nobody's. So every quoted line goes through `shade`, and the lines of a finding
about secrets through `blank`. Both hide too much rather than too little.
"""

from __future__ import annotations

import re

HIDDEN = "•••"

_SENSITIVE = r"(?:secret|passw|passphrase|pwd|token|api_?-?key|private|credential|signing|bearer|authorization)"
_QUOTE = r"""\"\"\"|'''|["'`]"""
_QUOTED = re.compile(rf"({_QUOTE})((?:\\.|(?!\1).)*)(\1|$)")
_NAMED = re.compile(
    rf"""({_SENSITIVE}[\w\-.]*["'\])]*\s*(?::\s*[\w.\[\]| ]+?\s*)?(?:=>|:=|[:=])\s*[rbfu]{{0,2}})({_QUOTE})((?:\\.|(?!\2).)*)(\2|$)""",
    re.IGNORECASE,
)
_MENTIONS = re.compile(_SENSITIVE, re.IGNORECASE)
_SETTING = re.compile(r"""^(\s*(?:-\s+)?(?:export\s+|set\s+)?["']?[\w.\-]+["']?\s*[:=]\s*)(?!["'`{\[|>&*])(\S.*)$""")
_USER_INFO = re.compile(r"(://[^\s/@:]*:)[^\s/@]+(?=@)")
_PREFIXED = re.compile(
    r"\b(?:mcs|mct|mcr|cs|sk|rk|whsec|sq0csp|sq0atp|gh[opsu]|github_pat|glpat|xox[abeprs]|GOCSPX|EAAA|AKIA|eyJ)"
    r"[\w\-.]{8,}"
)
_RUN = re.compile(r"(?<![\w\-+/=])[A-Za-z0-9_\-+/=]{20,}(?![\w\-+/=])")
_HEX = re.compile(r"\b[0-9a-fA-F]{16,}\b")
_WORD = re.compile(r"[A-Za-z0-9_\-+/=.!@#$%^&*~]{6,}")
_CODE = re.compile(r"[()\[\]{},;:=<>]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_]*(?:[.:][A-Za-z_]+)*")
_URL = re.compile(r"(?:[a-z][a-z0-9+.\-]*:/)?/[\w.\-/:{}$<>]*", re.IGNORECASE)

_HOLE = re.compile(r"\$?\{[A-Za-z_$][\w.$]*\}")

_SETTINGS_FILES = (
    ".env", ".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml", ".json", ".properties", ".tfvars", ".sh", ".txt", ".xml",
    ".netrc", ".npmrc", ".pypirc", "dockerfile",
)  # fmt: skip


def is_about_secrets(rule: str) -> bool:
    """Whether findings of this rule lie where a secret is written; one that flows into a log is not written there."""
    written = "secret" in rule or rule.startswith(("committed-", "hardcoded-"))
    return written and not rule.endswith(("-in-log", "-in-response"))


def blank(line: str, path: str = "") -> str:
    """The line with the contents of all its strings hidden, and in a settings file all values."""
    if _is_settings(path):
        line = _SETTING.sub(rf"\1{HIDDEN}", line)
    if _QUOTED.search(line) or HIDDEN in line:
        return _shapes(_QUOTED.sub(_hide_contents, line))
    if not _CODE.search(line) and line.strip():  # a line inside a text that began above it
        return f"{line[: len(line) - len(line.lstrip())]}{HIDDEN}"
    return _shapes(_WORD.sub(_hide_with_digit, line))


def shade(line: str, path: str = "") -> str:
    """The line with whatever looks like a secret hidden: by its name, by its shape, by where it stands."""
    line = _NAMED.sub(_hide_named, line)
    if _MENTIONS.search(line):
        if _is_settings(path):
            line = _SETTING.sub(_hide_setting, line)
        line = _QUOTED.sub(_hide_unless_plain, line)
    line = _QUOTED.sub(_hide_if_mixed, line)
    return _shapes(line)


def _is_settings(path: str) -> bool:
    name = path.lower().rpartition("/")[2]
    return name.endswith(_SETTINGS_FILES) or name.startswith((".env", "dockerfile"))


def _hide_contents(match: re.Match[str]) -> str:
    return f"{match[1]}{HIDDEN}{match[3]}" if match[2] else match[0]


def _hide_with_digit(match: re.Match[str]) -> str:
    return HIDDEN if any(letter.isdigit() for letter in match[0]) else match[0]


def _hide_named(match: re.Match[str]) -> str:
    """A literal given to a name such as CLIENT_SECRET, unless it is an address."""
    return match[0] if not match[3] or _URL.fullmatch(match[3]) else f"{match[1]}{match[2]}{HIDDEN}{match[4]}"


def _hide_setting(match: re.Match[str]) -> str:
    is_secret = _MENTIONS.search(match[1]) and not _URL.fullmatch(match[2])
    return f"{match[1]}{HIDDEN}" if is_secret else match[0]


def _hide_unless_plain(match: re.Match[str]) -> str:
    """Beside a word such as secret only names, addresses and prose are left as they are, with holes for variables."""
    text = _HOLE.sub("", match[2])
    is_prose = " " in text.strip() and "\\" not in text  # a line of a notebook is code within a text
    plain = not text or _NAME.fullmatch(text.strip()) or _URL.fullmatch(text) or is_prose
    return match[0] if plain or text == HIDDEN else f"{match[1]}{HIDDEN}{match[3]}"


def _hide_if_mixed(match: re.Match[str]) -> str:
    """One long word of letters and digits that is no address."""
    text = match[2]
    mixed = any(letter.isdigit() for letter in text) and any(letter.isalpha() for letter in text)
    if len(text) < 12 or not mixed or any(letter.isspace() or letter in "{}$" for letter in text) or _URL.match(text):
        return match[0]
    return f"{match[1]}{HIDDEN}{match[3]}"


def _shapes(line: str) -> str:
    """Known prefixes, passwords in addresses, and long runs of letters and digits, quoted or not."""
    line = _PREFIXED.sub(HIDDEN, _USER_INFO.sub(rf"\1{HIDDEN}", line))
    line = _HEX.sub(_hide_with_digit, line)
    return _RUN.sub(_hide_run, line)


def _hide_run(match: re.Match[str]) -> str:
    """Two digits among letters, in a piece as long as a key; a path's pieces are judged one by one."""
    pieces = match[0].split("/")
    if len(pieces) > 2 and max(map(len, pieces)) < 20:
        return match[0]
    digits = sum(letter.isdigit() for letter in match[0])
    return HIDDEN if digits >= 2 and any(letter.isalpha() for letter in match[0]) else match[0]
