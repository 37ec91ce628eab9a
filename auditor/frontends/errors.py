"""How a frontend says that it cannot read a file."""

from __future__ import annotations

from auditor.model import ProblemKind


class Unreadable(Exception):
    """A file that cannot be lowered. `message` is for a person and quotes nothing from the file; `line` 0: no line."""

    def __init__(self, kind: ProblemKind, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.kind: ProblemKind = kind
        self.message = message
        self.line = line
