"""Loads and validates `rules/`: the checklist, the rules with their examples, the models of libraries, the providers."""

from __future__ import annotations

import difflib
import functools
import pathlib
import re
from collections.abc import Collection, Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal, dataclass_transform

import msgspec
import yaml

from auditor.errors import InternalError, UsageError
from auditor.library import Libraries, Library, braces
from auditor.model import Confidence, Severity, Side
from auditor.questions import Check, proves


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every part of the catalogue refuses keys that it does not know."""


class ChecklistItem(Part):
    """One of the 26 points. `source` names where it comes from."""

    id: str
    section: str
    title: str
    source: str


class Example(Part):
    """A small program that a rule is tested on and explained by.

    `code` is one file, `files` several (path to text). A line marked `# here: fail` (or `// here: fail`) must be
    found at that line; an example without a mark must stay quiet. `status` is what the rule's items say together.
    A mark that stands on a line of its own, in a file that has no comments behind its values, means the next line.
    Where the rule asks what is committed, all files are, but those that are `untracked`.
    """

    name: str
    language: Literal["python", "javascript", "typescript"]
    status: Literal["pass", "fail", "review", "not-applicable"]
    code: str = ""
    files: dict[str, str] = {}
    deceptive: bool = False
    path: str = ""
    untracked: tuple[str, ...] = ()


class Rule(Part):
    """What is asked, why it matters, how to mend it.

    `fix` holds for every provider; `fix_with` says what is particular with one, by the provider's name.
    """

    items: tuple[str, ...]
    title: str
    severity: Severity
    references: tuple[str, ...]
    why: str
    decided: str
    fix: str
    check: Check
    examples: tuple[Example, ...] = ()
    confidence: Confidence = "high"
    name: str = ""
    fix_with: dict[str, str] = {}

    def fix_for(self, providers: Collection[str]) -> str:
        """How to mend it in an application that connects to these providers."""
        return " ".join(
            " ".join(text.split())
            for text in (self.fix, *(more for name, more in self.fix_with.items() if name in providers))
        )


class Provider(Part):
    """What is known of a provider, from its documentation.

    `hosts` stand for their subdomains, too. `authorize`, `token`, `revoke`: paths of its endpoints, `*` for a part of
    one. The prefixes are those of the values that it gives out. `expires`: whether its access tokens do; `scopes`: whether
    an application asks for some of what it offers; None where that is not documented or differs. `modules`: names of
    libraries, or of parts of them, that speak to nobody else. `source`: where the facts are from.
    """

    name: str
    hosts: tuple[str, ...]
    title: str = ""
    authorize: tuple[str, ...] = ()
    token: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()
    secret_prefixes: tuple[str, ...] = ()
    token_prefixes: tuple[str, ...] = ()
    expires: bool | None = None
    scopes: bool | None = None
    modules: tuple[str, ...] = ()
    source: str = ""


class Words(Part):
    """The words that are searched for in the bytes of files; `endpoints`: names, see `rules/signs/words.yaml`."""

    flow: tuple[str, ...]
    hints: tuple[str, ...]
    endpoints: tuple[str, ...] = ()


class Signs(Part):
    """What shows that a program runs on one side: see `rules/signs/sides.yaml`."""

    modules: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    directives: tuple[str, ...] = ()
    exports: dict[str, tuple[str, ...]] = {}


class Catalogue(Part):
    """The whole knowledge. `sides`: the signs of each, in the order in which they count."""

    words: Words
    checklist: tuple[ChecklistItem, ...]
    rules: dict[str, Rule]
    libraries: tuple[Library, ...]
    providers: tuple[Provider, ...]
    sides: dict[Side, Signs] = {}


class _Checklist(Part):
    items: tuple[ChecklistItem, ...]


def parse(text: str, kind: type[Any], where: str) -> Any:
    """YAML text as `kind`; raises UsageError that names the file and what is wrong with it."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(text, Loader=loader)  # noqa: S506  both are the safe loader, one is written in C
        return msgspec.convert(data, kind)
    except yaml.YAMLError as problem:
        raise UsageError(f"{where}: not valid YAML: {problem}") from problem
    except msgspec.ValidationError as problem:
        raise UsageError(f"{where}: {problem}{_meant(str(problem), kind)}") from problem


_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


def _meant(problem: str, kind: type[Any]) -> str:
    """The field of `kind`, or of a part of it, that an unknown one is probably meant to be; "" if none is like it."""
    unknown = _UNKNOWN.search(problem)
    if unknown is None:
        return ""
    parts = msgspec.json.schema(kind)["$defs"].values()
    return did_you_mean(unknown[1], sorted({name for part in parts for name in part.get("properties", ())}))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about a name that nobody knows; "" if no known one is like it."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f": did you mean {close[0]!r}?" if close else ""


def check_rule(rule: Rule, where: str, items: Iterable[str], every_language: bool = True) -> None:
    """What a rule must have; raises UsageError. `every_language`: examples in each family of languages, or in one."""
    known = set(items)
    for item in rule.items:
        if item not in known:
            raise UsageError(f"{where}: there is no item {item!r}")
    for field in ("why", "fix", "decided", "title"):
        if not getattr(rule, field).strip():
            raise UsageError(f"{where}: {field} is empty")
    if not rule.examples:
        raise UsageError(f"{where}: no examples")
    missing = [_missing_example(rule, family) for family in (("python",), ("javascript", "typescript"))]
    if any(missing) if every_language else all(missing):
        raise UsageError(f"{where}: {next(filter(None, missing))}")


_PREFIX = 4  # letters: shorter ones begin many words


def check_provider(provider: Provider, where: str) -> None:
    """What a provider must have; raises UsageError."""
    if not provider.name or not provider.hosts:
        raise UsageError(f"{where}: a provider has a name and hosts")
    for host in provider.hosts:
        if "/" in host or ":" in host or "." not in host or host != host.lower():
            raise UsageError(f"{where}: hosts: {host!r} is not the name of a host, in lower case")
    for path in (*provider.authorize, *provider.token, *provider.revoke):
        if not path.startswith("/"):
            raise UsageError(f"{where}: {path!r} is not a path: it begins with /")
    for prefix in (*provider.secret_prefixes, *provider.token_prefixes):
        if len(prefix) < _PREFIX:
            raise UsageError(f"{where}: the prefix {prefix!r} has less than {_PREFIX} letters")


def check_providers(providers: Mapping[str, Provider]) -> None:
    """What providers of one origin, by file, must have, and that each name and host is one's; raises UsageError."""
    named: dict[str, str] = {}
    for where, provider in providers.items():
        check_provider(provider, where)
        for name in (provider.name, *provider.hosts):
            if name in named:
                what = "a provider" if name == provider.name else "the host of a provider"
                raise UsageError(f"{where}: {name!r} is the name of {what} in {named[name]} already")
            named[name] = where


def check_libraries(libraries: Mapping[str, Library]) -> None:
    """That models of one origin, by file, say no two different things of a name: the last would silently win.

    Raises UsageError that names both files.
    """
    said: dict[tuple[str, str, str], tuple[object, str]] = {}
    for where, library in libraries.items():
        models = ((name, model) for pattern, model in library.names.items() for name in braces(pattern))
        for kind, given in (("name", models), ("error", iter(library.errors.items()))):
            for name, model in given:
                earlier, at = said.setdefault((library.language, kind, name), (model, where))
                if earlier != model:
                    raise UsageError(f"{where}: the {kind} {name!r} has another meaning in {at}")


def _missing_example(rule: Rule, family: tuple[str, ...]) -> str:
    """What a rule's examples in these languages lack; "" if nothing.

    A rule that never proves a pass has an example that stays quiet in its place.
    """
    statuses = {example.status for example in rule.examples if example.language in family}
    quiet = ("pass",) if proves(rule.check) else ("review", "not-applicable")
    for wanted in (("fail",), quiet):
        if statuses.isdisjoint(wanted):
            return f"no example in {family[0]} whose status is {' or '.join(wanted)}"
    return ""


def _files(folder: Traversable, prefix: str = "") -> Iterable[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".yaml", ".yml")):
            yield prefix + entry.name, entry


def read(folder: Traversable) -> Catalogue:
    """The catalogue of a folder laid out as `rules/`. Raises InternalError when it is empty."""
    checklist: tuple[ChecklistItem, ...] = ()
    words = Words((), ())
    sides: dict[Side, Signs] = {}
    rules: dict[str, Rule] = {}
    libraries: dict[str, Library] = {}
    providers: dict[str, Provider] = {}
    for path, file in _files(folder):
        text = file.read_text(encoding="utf-8")
        if path == "checklist.yaml":
            checklist = parse(text, _Checklist, path).items
        elif path == "signs/words.yaml":
            words = parse(text, Words, path)
        elif path == "signs/sides.yaml":
            sides = parse(text, dict[Side, Signs], path)
        elif path.startswith("libraries/"):
            libraries[path] = parse(text, Library, path)
        elif path.startswith("providers/"):
            providers[path] = parse(text, Provider, path)
        elif "/" not in path:
            name = path.removesuffix(".yaml")
            rules[name] = msgspec.structs.replace(parse(text, Rule, path), name=name)
        else:
            raise InternalError(f"{path}: nobody reads a file in that folder")
    if not checklist or not rules or not libraries:
        raise InternalError("the catalogue of rules is empty: the installation is broken")
    for name, rule in rules.items():
        check_rule(rule, f"{name}.yaml", [item.id for item in checklist])
    check_providers(providers)
    for path, provider in providers.items():
        if not provider.source or path != f"providers/{provider.name}.yaml":
            raise UsageError(f"{path}: a provider is called like its file and names the source of its facts")
    check_libraries(libraries)
    return Catalogue(words, checklist, rules, tuple(libraries.values()), tuple(providers.values()), sides)


@functools.cache
def load() -> Catalogue:
    """The catalogue that is installed with the program."""
    return read(resources.files("auditor.rules"))


def libraries_of(catalogue: Catalogue, own: Mapping[str, str] | None = None) -> Libraries:
    """All library models, those of the audited repository's configuration last, so that they win.

    `own`: the texts of the repository's own, by path.
    """
    models = {where: parse(text, Library, where) for where, text in (own or {}).items()}
    check_libraries(models)
    return Libraries((*catalogue.libraries, *models.values()))


def extended(
    catalogue: Catalogue, rules: Mapping[str, str], providers: Mapping[str, str], severity: Mapping[str, Severity]
) -> Catalogue:
    """The catalogue with a repository's own rules and providers, and the severities that it chose.

    A rule of a repository needs a failing and a passing example in one language only: it knows what its code is
    written in. It may decide items, or none: then it is advice. Raises UsageError that names the file.
    """
    all_rules = dict(catalogue.rules)
    for where, text in rules.items():
        name = pathlib.PurePosixPath(where).stem
        if name in all_rules:
            raise UsageError(f"{where}: there is a rule {name!r} already")
        all_rules[name] = msgspec.structs.replace(parse(text, Rule, where), name=name)
        check_rule(all_rules[name], where, [item.id for item in catalogue.checklist], every_language=False)
    for name, chosen in severity.items():
        if name not in all_rules:
            raise UsageError(f"severity: there is no rule {name!r}{did_you_mean(name, all_rules)}")
        all_rules[name] = msgspec.structs.replace(all_rules[name], severity=chosen)
    own = {where: parse(text, Provider, where) for where, text in providers.items()}
    check_providers(own)
    names = {one.name for one in own.values()}
    others = (one for one in catalogue.providers if one.name not in names)
    return msgspec.structs.replace(catalogue, rules=all_rules, providers=(*others, *own.values()))


def chosen(catalogue: Catalogue, names: Iterable[str]) -> tuple[Provider, ...]:
    """The providers of these names. Raises UsageError, with a suggestion, for a name that nobody knows."""
    known = {one.name: one for one in catalogue.providers}
    for name in names:
        if name not in known:
            raise UsageError(f"provider: there is no provider {name!r}{did_you_mean(name, known)}")
    return tuple(known[name] for name in names)


_PLAIN_WORDS = {"identity", "googleapis"}  # modules that are called like other things
_NAME = 6  # a module's name shorter than this is also a word of other things


def oauth_names(catalogue: Catalogue) -> tuple[str, ...]:
    """The modules of OAuth libraries that are no words of other things: a file that names one is read first."""
    names = {
        module if library.language == "javascript" else module.split(".")[0].split("/")[-1]
        for library in catalogue.libraries
        if library.oauth
        for module in library.modules or (library.library,)
    }
    known = catalogue.words.flow  # what holds one of these words is found by it
    return tuple(
        sorted(name for name in names - _PLAIN_WORDS if len(name) >= _NAME and not any(word in name for word in known))
    )


def rules_by_item(catalogue: Catalogue) -> Mapping[str, tuple[str, ...]]:
    """Which rules decide an item."""
    out: dict[str, tuple[str, ...]] = {}
    for name, rule in catalogue.rules.items():
        for item in rule.items:
            out[item] = (*out.get(item, ()), name)
    return out
