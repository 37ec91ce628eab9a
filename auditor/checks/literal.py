"""Is a secret written in the code or in a configuration file that is committed? (C01)"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor import program as ir
from auditor.analysis.secrets import Judgement
from auditor.checks import configured, named
from auditor.checks.application import Application, observation
from auditor.checks.configured import Configured
from auditor.checks.provenance import Origin, Provenance
from auditor.checks.sides import is_open
from auditor.facts import Event
from auditor.model import SIDES, Observation, Place, Side
from auditor.program import Program
from auditor.questions import LiteralQuestion
from auditor.terms import Term, leaves

_PROOFS: Mapping[Origin, str] = {
    "environment": "the client secret comes from the environment",
    "manager": "the client secret comes from a secret manager",
    "settings": "the client secret comes from the application's settings, not from a literal",
    "caller": "the client secret is given by whoever calls, not by a literal",
}
_BUILT: tuple[Side, ...] = ("browser", "mobile")  # there is no environment there but what a bundler wrote in
_SENDING = ("exchange", "refresh", "revoke", "authorize", "secret-use")


def answer(question: LiteralQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each literal that is a secret, and proofs for those that come from elsewhere.

    The first item asks whence the secret comes; the others ask only whether one is written down.
    """
    out: list[Observation] = []
    seen: set[tuple[str, int]] = set()
    for setting in configured.called(application):
        _add_setting(out, seen, rule, items, setting, "a client secret is written in this configuration file")
    provenance = Provenance(application.facts)
    sending = [event for action in _SENDING for event in application.of(action)]
    for event in sending:
        secret = event.details.get("secret")
        if secret is not None:
            _flow(out, seen, rule, items, application, provenance, event, secret)
    proved = any(one.status == "pass" for one in out)
    for one in named.literals(application.uses, application.names_secret, application.directory.judge):
        if one.judged == "real":
            _add(out, seen, rule, items, one.place, "real", "a client secret is written here as a literal")
        elif not one.said and not one.behind and not (proved and one.harmless):
            _add(out, seen, rule, items, one.place, one.judged, "")
    out = [_placed(application, one) for one in out]
    if not out and _is_public(application):
        event = application.of("exchange")[0]
        message = "a public client: the exchange is protected by PKCE and sends no secret"
        out.append(observation(rule, items, "not-applicable", event.place, message, unit=event.unit))
    return out


def _placed(application: Application, one: Observation) -> Observation:
    """A secret in what users run is in everybody's hands, whatever repository it comes from: that is said, too."""
    if one.status != "fail" or one.place is None:
        return one
    side = application.side(one.place.path, one.place.line)
    if not is_open(side):
        return one
    return msgspec.structs.replace(
        one, message=f"{one.message}, and it runs {SIDES[side]}, where everybody can read it"
    )


def _is_public(application: Application) -> bool:
    """Whether every exchange proves itself by PKCE alone."""
    exchanges = application.of("exchange")
    return bool(exchanges) and all(
        "secret" not in event.details and "arguments" in event.details and _has_verifier(event.details["arguments"])
        for event in exchanges
    )


def _has_verifier(arguments: Term) -> bool:
    return any(
        key is not None and key.lower().replace("_", "") in ("codeverifier", "pkcecodeverifier")
        for leaf in leaves(arguments)
        if leaf.kind == "mapping"
        for key in leaf.data
    )


def _add(
    out: list[Observation], seen: set[tuple[str, int]], rule: str, items: tuple[str, ...], place: Place, judged: Judgement,
    message: str,
) -> None:  # fmt: skip
    if (place.path, place.line) in seen:
        return
    if judged == "real":
        seen.add((place.path, place.line))
        out.append(observation(rule, items, "fail", place, message))
    elif judged in ("placeholder", "empty"):
        seen.add((place.path, place.line))
        message = "only a placeholder stands here: where the real client secret is kept is for a person to say"
        out.append(observation(rule, items[:1], "review", place, message, confidence="low"))


def _add_setting(
    out: list[Observation],
    seen: set[tuple[str, int]],
    rule: str,
    items: tuple[str, ...],
    setting: Configured,
    message: str,
) -> None:
    """A secret in a configuration file: for a person to judge where it is not known whether the file is committed."""
    place = setting.place
    if (place.path, place.line) in seen:
        return
    seen.add((place.path, place.line))
    if not setting.committed:
        message = f"{message}; whether it is committed is not known"
    status = "fail" if setting.committed else "review"
    confidence = "high" if setting.sure else "medium"
    out.append(observation(rule, items, status, place, message, confidence=confidence))


def _flow(
    out: list[Observation], seen: set[tuple[str, int]], rule: str, items: tuple[str, ...], application: Application,
    provenance: Provenance, event: Event, secret: Term,
) -> None:  # fmt: skip
    """What is sent as the client secret, by whence it comes."""
    message = f"what stands here is sent as the client secret ({event.place.path}:{event.place.line})"
    for setting in configured.looked_up(application, secret):
        _add_setting(out, seen, rule, items, setting, message)
    for one in named.looked_up(application.uses, configured.keys_of(secret), application.directory.judge):
        _add(out, seen, rule, items, one.place, one.judged, message)
    sources = provenance.of(secret)
    literals = [
        (source, application.directory.judge(source.text, "")) for source in sources if source.origin == "literal"
    ]
    origins = [source.origin for source in sources if source.origin in _PROOFS]
    for source, judged in literals:
        if judged == "real" or not origins:
            place = find_literal(application.programs, source.written, event.place) or event.place
            message = f"this literal is sent as the client secret ({event.place.path}:{event.place.line})"
            _add(out, seen, rule, items, place, judged, message)
    if origins:
        origin = min(origins, key=tuple(_PROOFS).index)
        side = application.side(event.place.path, event.place.line)
        message = _PROOFS[origin]
        if origin == "environment" and side in _BUILT:
            message += f", which is built into what runs {SIDES[side]}: everybody can read it there"
        out.append(observation(rule, items[:1], "pass", event.place, message, unit=event.unit))
    elif not literals:
        message = "where the client secret comes from could not be followed"
        out.append(observation(rule, items[:1], "review", event.place, message, unit=event.unit))


def find_literal(programs: Mapping[str, Program], value: str, near: Place) -> Place | None:
    """Where a literal of this value, its longest piece or a longer text with it is written; the event's file first."""
    best: tuple[int, Place] | None = None
    for path in sorted(programs, key=lambda one: (one != near.path, one)):
        program = programs[path]
        if program.language == "settings":
            continue
        for node in ir.nodes(program):
            if type(node) is not ir.Literal or not isinstance(node.value, str) or min(len(node.value), len(value)) < 6:
                continue
            shared = value if value in node.value else node.value if node.value in value else ""
            if shared and (best is None or len(shared) > best[0]):
                span = program.spans[node.at]
                best = (len(shared), Place(path, span[0], span[2], "", span[1]))
    return best[1] if best is not None else None
