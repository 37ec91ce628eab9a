"""Frontends: from a source file to the one language-neutral program. Only here does anyone know a grammar."""

from __future__ import annotations

from auditor.frontends.errors import Unreadable
from auditor.program import Program


def lower(path: str, language: str, source: bytes) -> Program:
    """The program of one file, by the frontend of its language, which is imported when it is first needed.

    Raises `Unreadable` if the file cannot be read. Python is lowered in this process: `worker` is for sources that are
    not our own.
    """
    if language == "python":
        from auditor.frontends import python

        return python.lower(path, source)
    if language in ("javascript", "typescript"):
        from auditor.frontends import javascript

        return javascript.lower(path, "typescript" if language == "typescript" else "javascript", source)
    if language == "html":
        from auditor.frontends import html

        return html.lower(path, source)
    if language == "settings":
        from auditor.frontends import settings

        return settings.lower(path, source)
    raise Unreadable("unsupported", f"no frontend for {language}")
