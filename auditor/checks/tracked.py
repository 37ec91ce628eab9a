"""Is a secret committed in a file that is no source: an environment file, a settings file, a database? (C02)"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from auditor import program as ir
from auditor.analysis.secrets import is_secret_name
from auditor.catalogue import Provider
from auditor.checks.application import Application, observation
from auditor.discover import prefilter
from auditor.model import Observation, Place
from auditor.questions import TrackedQuestion
from auditor.terms import leaves, text_of

_EXAMPLES = ("example", "sample", "template", "dist", "defaults", "test", "schema")
_OTHER_SECRETS = (
    "session", "jwt", "cookie", "webhook", "token", "auth", "signing", "csrf", "django", "flask", "storage",
)  # fmt: skip
_TOKENS = ("accesstoken", "refreshtoken", "bearertoken", "oauthtoken")


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
        out.extend(_settings(question, rule, items, path, program, sent, application))
    if question.files == "other":
        for place in committed.stores:
            message = "this file is committed and holds tokens of the provider"
            out.append(observation(rule, items, "fail", place, message, confidence="medium"))
        return out
    return out or [_kept_out(rule, items, application)]


def _settings(
    question: TrackedQuestion, rule: str, items: tuple[str, ...], path: str, program: ir.Program, sent: frozenset[str],
    application: Application,
) -> list[Observation]:  # fmt: skip
    out: list[Observation] = []
    for node in program.body:
        if type(node) is not ir.Assign or type(node.target) is not ir.Name or type(node.value) is not ir.Literal:
            continue
        name, value = node.target.id.rpartition(".")[2], node.value.value
        if not isinstance(value, str) or application.directory.judge(value, name) != "real":
            continue
        what = _what(question, name, value, sent, application.directory.providers)
        if what:
            line, column, end_line, _ = program.spans[node.at]
            message = f"{what} is written in this file, and the file is committed"
            out.append(observation(rule, items, "fail", Place(path, line, end_line, "", column), message))
    return out


def _what(question: TrackedQuestion, name: str, value: str, sent: frozenset[str], providers: Sequence[Provider]) -> str:
    """What a setting holds that must not be committed, "" for nothing. Client secrets in files other than environment
    files are the business of the rule about literals."""
    flat = "".join(letter for letter in name.lower() if letter.isalnum())
    if flat.endswith(_TOKENS) or any(value.startswith(one.token_prefixes) for one in providers):
        return "a token of the provider"
    if question.files != "environment":
        return ""
    client = is_secret_name(name) or name in sent or any(value.startswith(one.secret_prefixes) for one in providers)
    if client or (flat.endswith("secret") and not any(word in flat for word in _OTHER_SECRETS)):
        return "the client secret"
    return ""


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
    """Whether a settings file is only an example by its name."""
    return any(word in posixpath.basename(path).lower() for word in _EXAMPLES)


def _kept_out(rule: str, items: tuple[str, ...], application: Application) -> Observation:
    committed = application.repository
    assert committed is not None
    if committed.ignored is not None:
        message = "environment files are ignored by git, and no tracked file holds a secret"
        return observation(rule, items, "pass", committed.ignored, message)
    place = application.hints[0] if application.hints else None
    return observation(rule, items, "pass", place, "no tracked file holds a client secret or a token")
