"""The configuration: `connect-auditor.toml`, or the table `[tool.connect-auditor]` of a `pyproject.toml`.

It lies in the audited repository, so it may be hostile: it can only choose among what the command offers, and
names no file outside of the repository.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from auditor.errors import UsageError
from auditor.model import SEVERITIES, Severity

Read: TypeAlias = Callable[[str], bytes | None]
Threshold: TypeAlias = Severity | Literal["never"]
Format: TypeAlias = Literal[
    "text", "json", "sarif", "markdown", "html", "junit", "gitlab-codequality", "github",
]  # fmt: skip

CHOICES: dict[str, tuple[str, ...]] = {"fail-on": (*SEVERITIES, "never"), "format": get_args(Format)}

FILE_NAME = "connect-auditor.toml"
TABLE = "connect-auditor"
SIZE_LIMIT = 1024 * 1024
_LINES_TRIED = 300


class ApplicationRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One application of a repository that holds several: its folder, and what it is called (the folder's name)."""

    path: str
    name: str = ""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What a repository decided about its audit. Paths are relative to the repository's root, with `/`.

    exclude: ignore patterns, as in a .gitignore at the root, of files that are not audited.
    provider: names of the providers to judge; empty for all that are found.
    fail_on: the least severity of a finding that makes the command fail.
    rules, libraries, providers: further YAML files or folders of each.
    severity: of rules by name, where the repository sees it otherwise.
    baseline, attestations: files with these, where they are not the usual ones.
    applications: folders that have a checklist of their own each.
    """

    exclude: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    fail_on: Threshold = "low"
    rules: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    format: Format = "text"
    strict: bool = False
    severity: dict[str, Severity] = {}
    baseline: str = ""
    attestations: str = ""
    applications: tuple[ApplicationRoot, ...] = ()


def load(
    root: Path, explicit: Path | None = None, start: Path | None = None, read: Read | None = None
) -> tuple[Config, Path | None]:
    """The configuration and the file it came from: `explicit`, or the nearest between `start` and `root`.

    `start` is the audited folder, by default the root itself; both are resolved paths. `read` gives the bytes of a file
    of the judged tree by its path relative to the root, by default of the working directory. Without any file the
    defaults hold. Raises UsageError with the file, the line where there is one, and what is wrong.
    """
    read = read or (lambda path: _read(root / path) if _is_inside(root / path, root) else None)
    if explicit is not None:
        source, data = explicit, _explicit(root, explicit, read)
    else:
        found = _nearest(root, start or root, read)
        if found is None:
            return Config(), None
        source, data = found
    table = _table(_parse(source, data), source)
    if table is None:
        raise UsageError(f"{source.name}: there is no table [tool.{TABLE}]")
    try:
        return _convert(table), source
    except _Wrong as error:
        above = ("tool", TABLE) if source.name == "pyproject.toml" else ()
        line = _line(data.decode(), (*above, *error.path))
        where = f"{source.name}:{line}" if line else source.name
        raise UsageError(f"{where}: {_spelled(error.within)}{error.reason}") from None


def _explicit(root: Path, file: Path, read: Read) -> bytes:
    """The bytes of a file that was named: as the judged tree has it, if it does."""
    inside = file.parent.resolve() / file.name
    data = read(inside.relative_to(root).as_posix()) if inside.is_relative_to(root) else None
    return _read(file) if data is None else _bounded(file, data)


def _nearest(root: Path, start: Path, read: Read) -> tuple[Path, bytes] | None:
    """The first configuration on the way up from `start` to `root`; a file of our own goes before pyproject.toml."""
    for folder in (start, *start.parents):
        own, project = folder / FILE_NAME, folder / "pyproject.toml"
        data = read(own.relative_to(root).as_posix())
        if data is not None:
            return own, _bounded(own, data)
        data = read(project.relative_to(root).as_posix())
        # A pyproject.toml that is broken is its owner's business, until it seems to speak to us.
        if data is not None and TABLE.encode() in data and _table(_parse(project, data), project) is not None:
            return project, _bounded(project, data)
        if folder == root:
            break
    return None


def _is_inside(file: Path, root: Path) -> bool:
    """Whether it is a regular file that no link leads out of the repository."""
    return file.is_file() and file.resolve().is_relative_to(root)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return _bounded(file, opened.read(SIZE_LIMIT + 1))
    except OSError as error:
        raise UsageError(f"{file}: could not be read: {error.strerror}") from None


def _bounded(file: Path, data: bytes) -> bytes:
    if len(data) > SIZE_LIMIT:
        raise UsageError(f"{file}: larger than {SIZE_LIMIT // 1024 // 1024} MiB")
    return data


def _parse(file: Path, data: bytes) -> dict[str, Any]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{file.name}: not UTF-8 at byte {error.start}") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", reason)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        raise UsageError(f"{file.name}:{line}: {reason[: place.start()] if place else reason}") from None
    except RecursionError:
        raise UsageError(f"{file.name}: nested too deeply") from None


def _table(content: dict[str, Any], file: Path) -> dict[str, Any] | None:
    """The part of the file that is ours; None if a pyproject.toml has none. Other files are ours as a whole."""
    if file.name != "pyproject.toml":
        return content
    tools = content.get("tool")
    table = tools.get(TABLE) if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{file.name}: tool.{TABLE} is not a table")
    return table


Keys: TypeAlias = tuple[str | int, ...]
"""The way to a value: keys of tables and indexes of lists."""


class _Wrong(Exception):
    """A value at `path` that is none for what it sets; `within`: what a message says before the reason."""

    def __init__(self, path: Keys, reason: str, within: Keys | None = None) -> None:
        super().__init__(reason)
        self.path, self.reason, self.within = path, reason, path if within is None else within


def _spelled(path: Keys) -> str:
    """`applications[0].path: `, or nothing for the table itself."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
    return f"{text}: " if text else ""


def _line(text: str, path: Keys) -> int:
    """The 1-based line on which the statement begins that gives a value to `path`; 0 if it takes too long to find.

    The parser tells no lines, but what it makes of ever longer beginnings of the file does.
    """
    lines = text.split("\n")
    name = next((key for key in reversed(path) if isinstance(key, str)), "")
    first = next((number for number, line in enumerate(lines) if name in line), 0)
    begun = first
    for number in range(first + 1, min(first + _LINES_TRIED, len(lines)) + 1):
        try:
            content = tomllib.loads("\n".join(lines[:number]) + "\n")
        except tomllib.TOMLDecodeError:
            continue
        if _has(content, path):
            return begun + 1
        begun = number
    return 0


def _has(content: object, path: Keys) -> bool:
    for key in path:
        if isinstance(key, int):
            if not (isinstance(content, list) and key < len(content)):
                return False
            content = content[key]
        elif isinstance(content, dict) and key in content:
            content = content[key]
        else:
            return False
    return True


def _convert(table: dict[str, Any]) -> Config:
    """The table as a configuration; raises _Wrong."""
    if set(table) == {"tool"}:
        raise _Wrong(("tool",), f"in a file of its own the keys stand at the top, without [tool.{TABLE}]", ())
    _check_keys(table, Config.__struct_encode_fields__, ())
    for key, choices in CHOICES.items():
        if isinstance(table.get(key), str):
            _check_choice(table[key], choices, (key,))
    if isinstance(table.get("severity"), dict):
        for rule, value in table["severity"].items():
            _check_choice(value, SEVERITIES, ("severity", rule))
    for number, one in enumerate(table["applications"] if isinstance(table.get("applications"), list) else ()):
        if isinstance(one, dict):
            _check_keys(one, ApplicationRoot.__struct_encode_fields__, ("applications", number))
            if "path" not in one:
                raise _Wrong(("applications", number), "it has no path")
    try:
        config = msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        # "Expected `str`, got `int` - at `$.exclude[0]`"
        reason, _, place = str(error).partition(" - at `$")
        raise _Wrong(
            tuple(int(key) if key.isdigit() else key for key in re.findall(r"[\w-]+", place)), _plain(reason)
        ) from None
    for key in ("rules", "libraries", "providers"):
        for number, path in enumerate(getattr(config, key)):
            _check_inside(path, (key, number))
    for key in ("baseline", "attestations"):
        if getattr(config, key):
            _check_inside(getattr(config, key), (key,))
    if config.applications and config.attestations:
        raise _Wrong(("attestations",), "with `applications` the attestations lie in the folder of each")
    return msgspec.structs.replace(config, applications=_applications(config.applications))


def _check_keys(table: dict[str, Any], known: tuple[str, ...], path: Keys) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            raise _Wrong((*path, key), f"unknown key {key!r}: {hint}", path)


def _check_choice(value: object, choices: tuple[str, ...], path: Keys) -> None:
    if value not in choices:
        raise _Wrong(path, f"{value!r} is not one of {', '.join(choices)}")


def _check_inside(path: str, keys: Keys) -> None:
    if not _stays_inside(path):
        raise _Wrong(keys, f"{path!r} is not a path inside the repository")


def _applications(given: tuple[ApplicationRoot, ...]) -> tuple[ApplicationRoot, ...]:
    """The applications, each with a plain path and a name; raises _Wrong if two have the same."""
    out: dict[str, ApplicationRoot] = {}
    for number, one in enumerate(given):
        _check_inside(one.path, ("applications", number, "path"))
        path = PurePosixPath(one.path.replace("\\", "/")).as_posix()
        called = one.name or path.rpartition("/")[2]
        if called in out or not called.isprintable() or "/" in called:
            problem = "is the name of two" if called in out else "is no name for one"
            raise _Wrong(("applications", number), f"{called!r} {problem}")
        if any(other.path == path for other in out.values()):
            raise _Wrong(("applications", number), f"{path!r} is the folder of two")
        out[called] = ApplicationRoot(path, called)
    return tuple(out.values())


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file, made from the structures that read it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Connect Auditor configuration",
        **msgspec.json.schema(Config),
    }


def _plain(reason: str) -> str:
    """msgspec's reason in the words of a TOML file."""
    words = {
        "`array`": "a list",
        "`str`": "a text",
        "`int`": "a number",
        "`float`": "a number",
        "`bool`": "true or false",
    }
    words |= {"`object`": "a table", "Expected": "expected"}
    for old, new in words.items():
        reason = reason.replace(old, new)
    return reason


def _stays_inside(path: str) -> bool:
    parts = PurePosixPath(path.replace("\\", "/"))
    return bool(path) and not parts.is_absolute() and ".." not in parts.parts and not re.match(r"[A-Za-z]:", path)
