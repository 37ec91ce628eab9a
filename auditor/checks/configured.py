"""Client secrets that stand in configuration files: by their own names, and by the names that code looks up.

What counts is what is committed: a secret in a file that git does not track is kept where it belongs. Environment files
are the environment, so whether they are committed is asked by another question (`tracked`); only their samples count
here. Placeholders and references to the environment say nothing, in a sample of a file as in the file itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from auditor import program as ir
from auditor.analysis.secrets import is_secret_name, judge
from auditor.checks.application import Application
from auditor.discover import prefilter
from auditor.model import Place
from auditor.terms import Term, text_of, values

_CONVINCING = 20  # characters: a shorter value in a sample is made up
_HOLDERS = frozenset({"client", "oauth", "oauth2", "consumer"})


class Configured(NamedTuple):
    """A text in a configuration file that looks like a secret. `sure`: it is committed, and the file is no sample."""

    name: str
    place: Place
    committed: bool
    sure: bool


def named(application: Application) -> Iterator[Configured]:
    """What the name of a setting says is a client secret."""
    for setting in _settings(application):
        if is_secret_name(_own_name(setting.name)):
            yield setting


def looked_up(application: Application, secret: Term) -> Iterator[Configured]:
    """What the name says under which the code looks for the value that it sends: `config["API_KEY"]`."""
    for value in values(secret):
        keys = _keys(value)
        if not keys:
            continue
        found = [setting for setting in _settings(application) if setting.name.rpartition(".")[2] == keys[-1]]
        whole = "." + ".".join(keys)
        yield from [setting for setting in found if f".{setting.name}".endswith(whole)] or found


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
        for statement in program.body:
            if type(statement) is not ir.Assign or type(statement.target) is not ir.Name:
                continue
            name, value = statement.target.id, statement.value
            if type(value) is not ir.Literal or not isinstance(value.value, str):
                continue
            if sample and len(value.value) < _CONVINCING:
                continue
            if judge(value.value, name.rpartition(".")[2], application.prefixes) == "real":
                span = program.spans[statement.at]
                yield Configured(name, Place(path, span[0], span[2], "", span[1]), committed, committed and not sample)


def _own_name(name: str) -> str:
    """The last part of a dotted name, with the one before it where that says whose secret it is."""
    *_, before, last = ("", *name.split("."))
    return f"{before}_{last}" if before.lower() in _HOLDERS else last


def _keys(value: Term) -> list[str]:
    """The fixed keys by which a value is looked up, outermost first."""
    keys: list[str] = []
    while value.kind == "load":
        key = text_of(value.args[1])
        if key is None:
            break
        keys.append(key)
        value = value.args[0]
    return keys[::-1]
