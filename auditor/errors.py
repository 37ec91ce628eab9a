"""What ends an audit before there is a report."""

from __future__ import annotations


class UsageError(Exception):
    """The user's fault: arguments, configuration, nothing to audit. The message is one plain sentence; exit code 2."""


class NothingToAudit(UsageError):
    """There is no file to audit at all."""


class InternalError(Exception):
    """Ours: something that must not happen did. Exit code 3."""
