"""Is a secret committed in a file that is no source: an environment file, a settings file, a database? (C02)"""

from __future__ import annotations

import posixpath
import re

from auditor import program as ir
from auditor.analysis.secrets import flat
from auditor.checks import configured, named
from auditor.checks.application import Application, observation
from auditor.discover import prefilter
from auditor.model import Observation
from auditor.questions import TrackedQuestion
from auditor.terms import leaves, text_of

_EXAMPLES = frozenset({"example", "sample", "template", "tmpl", "dist", "defaults", "test", "testing", "schema"})
_BETWEEN = re.compile(r"[^a-z0-9]+")
_OTHER_SECRETS = (
    "session", "jwt", "cookie", "webhook", "token", "auth", "signing", "csrf", "django", "flask", "storage",
)  # fmt: skip


def answer(question: TrackedQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each committed secret; for the environment files also the proof that they are kept out."""
    if not application.connects:
        return []
    committed = application.repository
    if committed is None or not committed.known:
        if question.files == "environment":
            message = "whether a secret is committed is not known without git"
            return [observation(rule, items, "review", None, message)]
        return []
    out: list[Observation] = []
    sent = _sent_variables(application)
    for path in sorted(application.programs):
        program = application.programs[path]
        if program.language != "settings" or path not in committed.tracked:
            continue
        if prefilter.is_environment_file(path) != (question.files == "environment") or is_example(path):
            continue
        out.extend(_settings(question, rule, items, program, sent, application))
    if question.files == "other":
        out.extend(_in_code(rule, items, committed.tracked, application))
        for place in committed.stores:
            message = "this file is committed and holds tokens of the provider"
            out.append(observation(rule, items, "fail", place, message, confidence="medium"))
        return out
    return out or [_kept_out(rule, items, application)]


def _settings(
    question: TrackedQuestion, rule: str, items: tuple[str, ...], program: ir.Program, sent: frozenset[str],
    application: Application,
) -> list[Observation]:  # fmt: skip
    out: list[Observation] = []
    for name, value, place in configured.real(program, application.directory.judge):
        what = _what(question, name, value, sent, application)
        if what:
            message = f"{what} is written in this file, and the file is committed"
            out.append(observation(rule, items, "fail", place, message))
    return out


def _what(question: TrackedQuestion, dotted: str, value: str, sent: frozenset[str], application: Application) -> str:
    """What a setting holds that must not be committed, "" for nothing. Client secrets in files other than environment
    files are the business of the rule about literals."""
    name, holder = configured.own_name(dotted)
    known = application.connected
    if application.names_token(name, holder) or any(value.startswith(one.token_prefixes) for one in known):
        return "a token of the provider"
    if question.files != "environment":
        return ""
    if application.names_secret(name, holder) or name in sent:
        return "the client secret"
    if any(value.startswith(one.secret_prefixes) for one in known):
        return "the client secret"
    own = flat(name)
    unnamed = own.endswith("secret") and not any(word in own for word in _OTHER_SECRETS)
    return "the client secret" if unnamed and not application.owners else ""


def _in_code(rule: str, items: tuple[str, ...], tracked: frozenset[str], application: Application) -> list[Observation]:
    """Tokens that are written in the code."""
    message = "a token of the provider is written here as a literal, and the file is committed"
    found = named.literals(application.uses, application.names_token, application.directory.judge)
    return [
        observation(rule, items, "fail", one.place, message, confidence="medium")
        for one in found
        if one.judged == "real" and one.place.path in tracked
    ]


def _sent_variables(application: Application) -> frozenset[str]:
    """The variables of the environment that are sent as a client secret, whatever they are called."""
    return frozenset(
        name
        for action in ("exchange", "refresh", "revoke")
        for event in application.actions.get(action, ())
        if "secret" in event.details
        for leaf in leaves(event.details["secret"])
        if leaf.kind == "load" and leaf.args[0].kind == "root" and leaf.args[0].data[0] == "ENV"
        if (name := text_of(leaf.args[1]))
        if not name.upper().endswith("ID")
    )


def is_example(path: str) -> bool:
    """Whether a settings file is only an example, or one for tests, by its name."""
    return not _EXAMPLES.isdisjoint(_BETWEEN.split(posixpath.basename(path).lower()))


def _kept_out(rule: str, items: tuple[str, ...], application: Application) -> Observation:
    committed = application.repository
    assert committed is not None
    if committed.ignored is not None:
        message = "environment files are ignored by git, and no tracked file holds a secret"
        return observation(rule, items, "pass", committed.ignored, message)
    place = application.hints[0] if application.hints else None
    return observation(rule, items, "pass", place, "no tracked file holds a client secret or a token")
