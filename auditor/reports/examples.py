"""The examples of a rule, as people are shown them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from auditor.reports.masking import shade

if TYPE_CHECKING:
    from auditor.catalogue import Example

VERDICTS = {"fail": "Fails", "pass": "Passes", "review": "Left for review", "not-applicable": "Does not apply"}
_MARK = re.compile(r"[ \t]*(#|//) here: fail[ \t]*$")


class Line(NamedTuple):
    """A line of an example; `comment` is the language's sign where something is found on it, else ""."""

    text: str
    comment: str = ""


def telling(examples: Iterable[Example]) -> list[Example]:
    """For Python and for JavaScript or TypeScript the first example that fails and the first that does not.

    One that passes if there is one: a rule that proves nothing has only what it leaves alone.
    """
    given = list(examples)
    out: list[Example] = []
    for is_python in (True, False):
        own = [one for one in given if (one.language == "python") == is_python]
        for statuses in (("fail",), ("pass", "review", "not-applicable")):
            found = sorted((one for one in own if one.status in statuses), key=lambda one: statuses.index(one.status))
            out += found[:1]
    return out


def files(example: Example) -> Iterator[tuple[str, list[Line]]]:
    """The path of each file ("" for the only one) and its lines, with the marks of the findings taken off.

    The secrets of examples are made up, but a scanner that reads a report cannot know that: they are hidden.
    """
    for path, code in example.files.items() or (("", example.code),):
        yield path, list(_lines(code, path))


def _lines(code: str, path: str) -> Iterator[Line]:
    waiting = ""  # a mark that stands alone means the line below it
    for text in code.rstrip().split("\n"):
        mark = _MARK.search(text)
        if mark is not None and not text[: mark.start()].strip():
            waiting = mark[1]
            continue
        yield Line(shade(_MARK.sub("", text), path), mark[1] if mark is not None else waiting)
        waiting = ""
