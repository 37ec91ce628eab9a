"""The closed set of questions that a rule can ask; each has its check in `auditor.checks`."""

from __future__ import annotations

from typing import Literal, TypeAlias, dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="question"):
    """A question with its parameters."""


SecretKind: TypeAlias = Literal["client-secret", "access-token", "refresh-token"]


class LiteralQuestion(Question, tag="literal"):
    """Is a value of this kind written in the code or in a configuration file that is committed?"""

    kind: SecretKind


class OriginQuestion(Question, tag="origin"):
    """Where does the sent state come from: made fresh for the request, weak, constant, or is there none?

    `faults`: which of these this rule reports.
    """

    of: Literal["sent-state"]
    faults: tuple[Literal["missing", "weak"], ...]


class GuardedQuestion(Question, tag="guarded"):
    """Can the exchange be reached by a forged callback? `against`: forged (another state) or absent (none at all)."""

    action: Literal["exchange"]
    against: Literal["forged", "absent"]


class HandledQuestion(Question, tag="handled"):
    """Is this status of a provider call looked at and answered as it must be?"""

    status: Literal[401, 403]


class FlowQuestion(Question, tag="flow"):
    """Does a secret of one of these kinds reach a sink in the clear?"""

    kinds: tuple[Literal["access-token", "refresh-token", "token-response", "client-secret"], ...]
    to: Literal["log", "response", "web-storage"]


class TrackedQuestion(Question, tag="tracked"):
    """Is a secret committed in a file: an environment file, or any other that is no source?"""

    files: Literal["environment", "other"]


Check: TypeAlias = LiteralQuestion | OriginQuestion | GuardedQuestion | HandledQuestion | FlowQuestion | TrackedQuestion


def proves(check: Check) -> bool:
    """Whether the answer can be a pass: that nothing reaches a log or an answer is more than anybody can see."""
    return not (isinstance(check, FlowQuestion) and check.to in ("log", "response"))
