"""Client secrets that stand in configuration files: by their own names, and by the names that code looks up.

What counts is what is committed: a secret in a file that git does not track is kept where it belongs. Environment files
are the environment, so whether they are committed is asked by another question (`tracked`); only their samples count
here. Placeholders and references to the environment say nothing, in a sample of a file as in the file itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from auditor import program as ir
from auditor.analysis.secrets import flat
from auditor.checks import named
from auditor.checks.application import Application
from auditor.discover import prefilter
from auditor.model import Place
from auditor.program import Program
from auditor.terms import Term, text_of, values

_GIVEN = ("value", "default", "defaultvalue")
_BETWEEN = re.compile(r"[.:/]")
_CONVINCING = 20  # characters: a shorter value in a sample is made up


class Configured(NamedTuple):
    """A text in a configuration file that looks like a secret. `sure`: it is committed, and the file is no sample."""

    name: str
    place: Place
    committed: bool
    sure: bool


def called(application: Application) -> Iterator[Configured]:
    """What the name of a setting says is a client secret."""
    for setting in _settings(application):
        if application.names_secret(*own_name(setting.name)):
            yield setting


def looked_up(application: Application, secret: Term) -> Iterator[Configured]:
    """What the name says under which the code looks for the value that it sends: `config["API_KEY"]`."""
    for keys in keys_of(secret):
        found = [setting for setting in _settings(application) if setting.name.rpartition(".")[2] == keys[-1]]
        whole = "." + ".".join(keys)
        yield from [setting for setting in found if f".{setting.name}".endswith(whole)] or [
            setting for setting in found if "." not in setting.name or named.is_specific(keys[-1])
        ]


def _settings(application: Application) -> Iterator[Configured]:
    """All settings whose value looks like a secret, in the order of their paths, as far as they may be committed."""
    repository = application.repository
    committed = repository is not None and repository.known
    for path in sorted(application.programs):
        program = application.programs[path]
        if program.language != "settings" or (repository is not None and committed and path not in repository.tracked):
            continue
        sample = prefilter.is_sample(path)
        if prefilter.is_environment_file(path) and not sample:
            continue
        for name, value, place in real(program, application.directory.judge):
            if not sample or len(value) >= _CONVINCING:
                yield Configured(name, place, committed, committed and not sample)


def real(program: Program, judge: named.Judge) -> Iterator[tuple[str, str, Place]]:
    """The settings of a file whose value looks like a secret: name, value, place. What is encrypted there is none."""
    for statement in program.body:
        if type(statement) is not ir.Assign or type(statement.target) is not ir.Name:
            continue
        name, value = statement.target.id, statement.value
        if type(value) is not ir.Literal or not isinstance(value.value, str) or _is_sealed(name):
            continue
        if judge(value.value, own_name(name)[0]) == "real":
            line, column, end_line, _ = program.spans[statement.at]
            yield name, value.value, Place(program.path, line, end_line, "", column)


def own_name(name: str) -> tuple[str, str]:
    """The last part of a setting's dotted name, and what holds it. `KEY.value` and `KEY.default` are KEY itself."""
    parts = name.split(".")
    while len(parts) > 1 and flat(parts[-1]) in _GIVEN:
        parts.pop()
    return parts[-1], parts[-2] if len(parts) > 1 else ""


def _is_sealed(name: str) -> bool:
    """Whether what holds a setting says that it is encrypted."""
    return any(flat(part).startswith(("encrypted", "sealed")) for part in name.split(".")[:-1])


def keys_of(secret: Term) -> list[tuple[str, ...]]:
    """The fixed keys by which each of the values is looked up that a secret may be, outermost first."""
    return [keys for value in values(secret) for keys in _keys(value)]


def _keys(value: Term) -> Iterator[tuple[str, ...]]:
    """`config["shop"]["key"]`, `config.get("shop", "key")` and `config.get("shop.key")` are ("shop", "key")."""
    keys: list[str] = []
    while value.kind == "load" and (key := text_of(value.args[1])) is not None:
        keys.append(key)
        value = value.args[0]
    if value.kind == "external":  # `settings.SHOP_KEY` of a module that is not at hand
        keys.extend(str(value.data[0]).split(".")[:0:-1])
    if keys:
        yield tuple(keys[::-1])
    elif value.kind == "call" and 0 < len(texts := [text_of(one) for one in value.args]) <= 2:
        first, *rest = texts
        if first is not None:
            yield tuple(_BETWEEN.split(first))
        if first is not None and rest and rest[0] is not None:
            yield (first, rest[0])
