"""Which providers an application connects to, and where that is seen: by addresses, libraries and what a provider gave
out, never by names alone."""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from auditor import program as ir
from auditor.analysis.secrets import Judgement, flat, is_secret_name, judge, prefixes_of
from auditor.analysis.shapes import is_environment, path_of
from auditor.catalogue import Provider
from auditor.discover import prefilter
from auditor.facts import Event, Facts
from auditor.model import Connection, Observation, Place
from auditor.program import Program
from auditor.terms import Term, leaves, plain, values

_ACTIONS = ("authorize", "exchange", "refresh", "revoke", "secret-use")
_LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "::1")  # noqa: S104  hosts that are read, not bound
_HOLE = "\0"  # what is not known of an address
_SPELLINGS = 8  # of one address, where its pieces have several values
_METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")  # RFC 8414


@dataclasses.dataclass(frozen=True)
class Directory:
    """What an address is looked up in.

    `settings`: the addresses that configuration files give a name. `endpoints`: under which names, in
    lower case and without separators, the address of a provider's endpoint is kept. `judged`: the names of the providers
    that the configuration leaves in; empty for all.
    """

    providers: Sequence[Provider] = ()
    settings: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    endpoints: frozenset[str] = frozenset()
    judged: frozenset[str] = frozenset()

    def is_judged(self, name: str) -> bool:
        """Whether what lies with this provider, or with this host that nobody knows, is judged."""
        return not self.judged or name in self.judged

    @functools.cached_property
    def prefixes(self) -> tuple[str, ...]:
        """How the secrets and tokens begin that the known providers give out."""
        return prefixes_of(self.providers)

    @functools.cached_property
    def foreign(self) -> tuple[str, ...]:
        """Those of them that only providers give out that are not judged."""
        own = prefixes_of(one for one in self.providers if self.is_judged(one.name))
        return tuple(
            one for one in self.prefixes if not any(one.startswith(mine) or mine.startswith(one) for mine in own)
        )

    def judge(self, value: str, name: str) -> Judgement:
        """What a literal is that stands where a secret belongs; that of a provider that is not judged is no secret here."""
        return "public" if value.startswith(self.foreign) else judge(value, name, self.prefixes)

    def named(self, host: str) -> str:
        """The provider with this host, the one that names it most closely; "" for a host that nobody knows."""
        matching = [
            (len(known), provider.name)
            for provider in self.providers
            for known in provider.hosts
            if host == known or host.endswith(f".{known}")
        ]
        return max(matching, default=(0, ""))[1]

    def title(self, name: str) -> str:
        """What people call the provider of this name; the name itself, such as a host, where none has it."""
        return next((one.title or one.name for one in self.providers if one.name == name), name)


def directory(
    programs: Mapping[str, Program],
    providers: Sequence[Provider],
    endpoints: Iterable[str],
    judged: Iterable[Provider] = (),
) -> Directory:
    """The directory of one application: the catalogue's, with the addresses in its own configuration files."""
    settings: dict[str, dict[str, None]] = {}
    for path in sorted(programs):
        if programs[path].language == "settings":
            for name, literal in _assigned(programs[path]):
                if _host(str(literal.value)):
                    settings.setdefault(name.rpartition(".")[2], {})[str(literal.value)] = None
    names = frozenset(one.name for one in judged)
    return Directory(providers, {name: tuple(given) for name, given in settings.items()}, frozenset(endpoints), names)


def found(
    facts: Facts, programs: Mapping[str, Program], sources: Mapping[str, bytes], known: Directory
) -> tuple[Connection, ...]:
    """The providers in the order of their first places, unknown ones by their host.

    `sources`: the bytes of the programs, which tell quickly what is not written in them. The place of an action goes before that of an address that is only
    written somewhere, and that before the place of a value that a provider gave out.
    """
    places: dict[str, Place] = {}
    unknown: dict[str, Place] = {}
    for action in _ACTIONS:
        for event in facts.events:
            if event.action == action:
                name, host = provider_of(event, known)
                if name:
                    places.setdefault(name, event.place)
                elif host and (action == "authorize" or not (places or unknown)):
                    unknown.setdefault(host, event.place)
    hosts = tuple(host for one in known.providers for host in one.hosts)
    for look, signs in ((_written, hosts), (_given_out, known.prefixes)):
        words = [sign.encode() for sign in signs]
        for path in sorted(programs):
            if any(word in sources.get(path, b"") for word in words):
                for name, place in look(programs[path], known):
                    places.setdefault(name, place)
    if not places and not unknown:
        for path in sorted(programs):
            for host, place in _kept(programs[path], known):
                unknown.setdefault(host, place)
    connections = [
        Connection(known.title(name), at.path, at.line, known.is_judged(name))
        for name, at in (*places.items(), *unknown.items())
    ]
    return tuple(sorted(connections, key=lambda one: (one.path, one.line, one.name)))


def only(facts: Facts, known: Directory) -> Facts:
    """The facts without what is surely done with providers that are not judged."""
    if not known.judged:
        return facts
    return dataclasses.replace(facts, events=tuple(event for event in facts.events if not _is_other(event, known)))


def _is_other(event: Event, known: Directory) -> bool:
    name, host = provider_of(event, known) if event.action in (*_ACTIONS, "provider-call") else ("", "")
    return bool(name or host) and not known.is_judged(name or host)


def whom(event: Event, known: Directory) -> str:
    """With whom an action is done, for people: the provider's title, the host of an unknown one, "" if neither is seen."""
    if event.action not in (*_ACTIONS, "provider-call"):
        return ""
    name, host = provider_of(event, known)
    return known.title(name or host)


def told_apart(observations: Iterable[Observation], facts: Facts, known: Directory) -> list[Observation]:
    """Observations of an application with several providers, each with the name of the one that it is about, if it is one.

    They are told apart by the actions at the place of an observation, or of the handler that begins there.
    """
    about: dict[tuple[str, int], set[str]] = {}
    for event in facts.events:
        name = whom(event, known)
        if name:
            for place in {(event.place.path, event.place.line), (event.entry.path, event.entry.line)}:
                about.setdefault(place, set()).add(name)
    out: list[Observation] = []
    for one in observations:
        names = about.get((one.place.path, one.place.line), set()) if one.place is not None else set()
        out.append(msgspec.structs.replace(one, message=f"{min(names)}: {one.message}") if len(names) == 1 else one)
    return out


# --------------------------------------------------------------------------------------- by what is done


def provider_of(event: Event, known: Directory) -> tuple[str, str]:
    """The name of the provider that an action is done with, "" if it is not known, and the host.

    Within what is sent, the host of a known provider tells; that of an unknown one tells only where an endpoint's address
    stands, for what is sent holds addresses of the application itself, too.
    """
    endpoints = [host for term in _addresses(event, known) for host in _hosts(term, known)]
    for host in endpoints:
        name = known.named(host)
        if name:
            return name, host
    for term in (event.details.get("url"), event.details.get("arguments")):
        for leaf in leaves(term) if term is not None else ():
            for host in _hosts(leaf, known):
                if name := known.named(host):
                    return name, host
    for called in _called(event):
        for provider in known.providers:
            if any(called == module or called.startswith((f"{module}.", f"{module}(")) for module in provider.modules):
                return provider.name, ""
    return "", next((host for host in endpoints if host not in _LOCAL), "")


def _addresses(event: Event, known: Directory) -> Iterator[Term]:
    """The values that are addresses of an endpoint: what is called, or what a library was given as one."""
    for key in ("endpoint", "url"):
        if key in event.details:
            yield event.details[key]
    for term in event.details.values():
        for leaf in leaves(term):
            for name, value in _pairs(leaf):
                if flat(name) in known.endpoints:
                    yield value


def _pairs(term: Term) -> Iterator[tuple[str, Term]]:
    """The named values of a mapping or a call."""
    if term.kind == "mapping":
        yield from ((name, value) for name, value in zip(term.data, term.args, strict=True) if name is not None)
    elif term.kind == "call":
        names, end = term.data[1], len(term.args) - (1 if term.data[3] else 0)
        yield from zip(names, term.args[end - len(names) : end], strict=True)


def _called(event: Event) -> Iterator[str]:
    """The names of the libraries that take part in an action."""
    yield event.name
    for term in event.details.values():
        for leaf in leaves(term):
            if leaf.kind in ("call", "external") and isinstance(leaf.data[0], str):
                yield leaf.data[0]


def _hosts(term: Term, known: Directory) -> Iterator[str]:
    """The hosts of an address, as far as they are known: one of each of its values."""
    for one in values(term):
        if one.kind == "call" and one.args and one.data[0] == "URL":
            yield from _hosts(one.args[0], known)
            continue
        pieces = [_pieces(part, known) for part in (one.args if one.kind == "text" else (one,))]
        for spelled in itertools.islice(itertools.product(*pieces), _SPELLINGS):
            host = _host("".join(spelled))
            if host and _HOLE not in host:
                yield host


def _pieces(term: Term, known: Directory) -> tuple[str, ...]:
    """The texts that a piece of an address may be; of one that is looked up, those in the configuration files."""
    if term.kind == "literal":
        return (plain(term),)
    if term.kind == "alt":
        return tuple(piece for one in values(term) for piece in _pieces(one, known))
    if term.kind == "text":
        combined = itertools.product(*(_pieces(one, known) for one in term.args))
        return tuple("".join(one) for one in itertools.islice(combined, _SPELLINGS))
    return tuple(_looked_up(term, known)) or (_HOLE,)


def _looked_up(term: Term, known: Directory) -> Iterator[str]:
    """The addresses that configuration files give to what is looked up: in the environment, or as an endpoint's."""
    keys = path_of(term)
    root = term
    while root.kind == "load":
        root = root.args[0]
    if keys and (is_environment(root) or flat(keys[-1]) in known.endpoints):
        for name in dict.fromkeys((keys[-1], keys[-1].upper())):
            yield from known.settings.get(name, ())


def _host(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        return ""
    try:
        return (urlsplit(text).hostname or "").lower()
    except ValueError:
        return ""


# --------------------------------------------------------------------------------------- by what is written


def _written(program: Program, known: Directory) -> Iterator[tuple[str, Place]]:
    """Endpoints of known providers that stand in a program as literals."""
    for node in ir.nodes(program):
        if type(node) is not ir.Literal or not isinstance(node.value, str):
            continue
        name = known.named(_host(node.value))
        if name and any(one.name == name and _is_endpoint(node.value, one) for one in known.providers):
            yield name, _place(program, node)


def _is_endpoint(text: str, provider: Provider) -> bool:
    path = urlsplit(text).path
    paths = (*provider.authorize, *provider.token, *provider.revoke)
    return path.endswith(_METADATA) or any(fnmatch.fnmatchcase(path.rstrip("/") or "/", known) for known in paths)


def _kept(program: Program, known: Directory) -> Iterator[tuple[str, Place]]:
    """The hosts of addresses that are kept under the name of an endpoint."""
    for name, literal in _assigned(program):
        host = _host(str(literal.value))
        if host and host not in _LOCAL and flat(name.rpartition(".")[2]) in known.endpoints:
            yield host, _place(program, literal)


def _given_out(program: Program, known: Directory) -> Iterator[tuple[str, Place]]:
    """Secrets and tokens of known providers. A secret is one only where its name says so: an API key begins alike."""
    if prefilter.is_sample(program.path):
        return
    for name, literal in _assigned(program):
        text, own = str(literal.value), name.rpartition(".")[2]
        for provider in known.providers:
            prefixes = provider.token_prefixes
            if is_secret_name(own, owners=(flat(provider.name),)):
                prefixes = (*prefixes, *provider.secret_prefixes)
            if text.startswith(prefixes) and judge(text, own, known.prefixes) == "real":
                yield provider.name, _place(program, literal)


def _assigned(program: Program) -> Iterator[tuple[str, ir.Literal]]:
    """The texts in a program that have a name: of a variable, a field, a key, an argument, a setting."""
    for node in ir.nodes(program):
        name: object = None
        value: object = None
        if type(node) is ir.Assign:
            target = node.target
            name = target.id if type(target) is ir.Name else target.name if type(target) is ir.Member else None
            value = node.value
        elif type(node) is ir.Item:
            name, value = node.key.value if type(node.key) is ir.Literal else None, node.value
        elif type(node) is ir.Argument:
            name, value = node.name, node.value
        if isinstance(name, str) and type(value) is ir.Literal and isinstance(value.value, str):
            yield name, value


def _place(program: Program, node: ir.Literal) -> Place:
    line, column, end_line, _ = program.spans[node.at]
    return Place(program.path, line, end_line, "", column)
