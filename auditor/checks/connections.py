"""Which providers an application connects to, and where that is seen: by addresses and libraries, never by names alone."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from auditor import program as ir
from auditor.analysis.addresses import address
from auditor.catalogue import Provider
from auditor.facts import Event, Facts
from auditor.model import Connection, Place
from auditor.program import Program
from auditor.terms import Term, leaves, plain, values

_ACTIONS = ("authorize", "exchange", "refresh", "revoke", "secret-use")
_LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "::1")  # noqa: S104  hosts that are read, not bound
_HOLE = "\0"  # what is not known of an address


def found(
    facts: Facts, programs: Mapping[str, Program], sources: Mapping[str, bytes], providers: Sequence[Provider],
    judged: Sequence[Provider] = (),
) -> tuple[Connection, ...]:  # fmt: skip
    """The providers in the order of their first places, unknown ones by their host. `judged`: which are; () for all.

    `sources`: the bytes of the programs, which tell quickly that no provider is named in them.
    The place of an action goes before that of an address that is only written somewhere.
    """
    places: dict[str, Place] = {}
    unknown: dict[str, Place] = {}
    for action in _ACTIONS:
        for event in facts.events:
            if event.action == action:
                name, host = _of(event, providers)
                if name:
                    places.setdefault(name, event.place)
                elif host and (action == "authorize" or not (places or unknown)):
                    unknown.setdefault(host, event.place)
    hosts = [host.encode() for one in providers for host in one.hosts]
    for path in sorted(programs):
        if not any(host in sources.get(path, b"") for host in hosts):
            continue
        for name, place in _written(programs[path], providers):
            places.setdefault(name, place)
    titles = {one.name: one.title or one.name for one in providers}
    kept = {one.name for one in judged}
    connections = [
        *(Connection(titles[name], at.path, at.line, not kept or name in kept) for name, at in places.items()),
        *(Connection(host, at.path, at.line, not kept) for host, at in unknown.items()),
    ]
    return tuple(sorted(connections, key=lambda one: (one.path, one.line, one.name)))


def only(facts: Facts, providers: Sequence[Provider], judged: Sequence[Provider]) -> Facts:
    """The facts without what is surely done with other providers than these; all of them when there are none."""
    if not judged:
        return facts
    kept = {one.name for one in judged}

    def is_other(event: Event) -> bool:
        name, host = _of(event, providers)
        return name not in kept if name else bool(host)

    events = tuple(
        event for event in facts.events if event.action not in (*_ACTIONS, "provider-call") or not is_other(event)
    )
    return dataclasses.replace(facts, events=events)


def whom(event: Event, providers: Sequence[Provider]) -> str:
    """With whom an action is done, for people: the provider's title, the host of an unknown one, "" if neither is seen."""
    if event.action not in (*_ACTIONS, "provider-call"):
        return ""
    name, host = _of(event, providers)
    return next((one.title or one.name for one in providers if one.name == name), host)


def _of(event: Event, providers: Sequence[Provider]) -> tuple[str, str]:
    """The name of the provider that an action is done with, "" if it is not known, and the host."""
    host = ""
    for term in (event.details.get("url"), event.details.get("arguments")):
        for at in _hosts(term) if term is not None else ():
            name = _named(at, providers)
            if name:
                return name, at
            host = host or (at if not at.startswith(_HOLE) and at not in _LOCAL else "")
    for called in _called(event):
        for provider in providers:
            if any(called == module or called.startswith((f"{module}.", f"{module}(")) for module in provider.modules):
                return provider.name, ""
    return "", host


def _called(event: Event) -> Iterator[str]:
    """The names of the libraries that take part in an action."""
    yield event.name
    for term in event.details.values():
        for leaf in leaves(term):
            if leaf.kind in ("call", "external") and isinstance(leaf.data[0], str):
                yield leaf.data[0]


def _hosts(term: Term) -> Iterator[str]:
    """The hosts of the addresses within a value; what is not known of one is a hole."""
    for leaf in leaves(term):
        for one in values(leaf):
            if one.kind == "text":
                taken = address(one)
                text = taken.base if taken is not None else "".join(_piece(part) for part in one.args)
            else:
                text = _piece(one)
            host = _host(text)
            if host:
                yield host


def _piece(term: Term) -> str:
    return plain(term) if term.kind == "literal" else _HOLE


def _host(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        return ""
    try:
        return (urlsplit(text).hostname or "").lower()
    except ValueError:
        return ""


def _named(host: str, providers: Iterable[Provider]) -> str:
    """The provider with this host: the one that names it most closely."""
    matching = [
        (len(known), provider.name)
        for provider in providers
        for known in provider.hosts
        if host == known or host.endswith(f".{known}")
    ]
    return max(matching, default=(0, ""))[1]


def _written(program: Program, providers: Sequence[Provider]) -> Iterator[tuple[str, Place]]:
    """Endpoints of known providers that stand in a program as literals."""
    for node in ir.walk(program):
        if type(node) is not ir.Literal or not isinstance(node.value, str):
            continue
        name = _named(_host(node.value), providers)
        if name and any(one.name == name and _is_endpoint(node.value, one) for one in providers):
            line, column, end_line, _ = program.spans[node.at]
            yield name, Place(program.path, line, end_line, "", column)


def _is_endpoint(text: str, provider: Provider) -> bool:
    path = urlsplit(text).path
    paths = (*provider.authorize, *provider.token, *provider.revoke)
    return any(fnmatch.fnmatchcase(path.rstrip("/") or "/", known) for known in paths)
