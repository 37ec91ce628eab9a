"""The closed set of questions over facts: one file each. Every check returns proofs as well as faults."""

from __future__ import annotations

from collections.abc import Callable

from auditor.analysis.entries import failure
from auditor.checks import flow, guarded, handled, literal, origin, tracked
from auditor.checks.application import Application
from auditor.model import Observation
from auditor.questions import (
    Check,
    FlowQuestion,
    GuardedQuestion,
    HandledQuestion,
    LiteralQuestion,
    OriginQuestion,
    TrackedQuestion,
)

Answerer = Callable[..., list[Observation]]

_ANSWERERS: dict[type, Answerer] = {
    FlowQuestion: flow.answer,
    GuardedQuestion: guarded.answer,
    HandledQuestion: handled.answer,
    LiteralQuestion: literal.answer,
    OriginQuestion: origin.answer,
    TrackedQuestion: tracked.answer,
}


def ask(question: Check, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """What the application's facts say to a rule's question."""
    try:
        return _ANSWERERS[type(question)](question, rule, items, application)
    except Exception as error:  # noqa: BLE001  one question that fails must not end the audit, nor pass
        message = failure("this question", error)
        return [Observation(items, rule, "review", None, message, confidence="low")]
