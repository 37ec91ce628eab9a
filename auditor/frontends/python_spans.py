"""Where libcst's nodes stand, in one pass over those that count.

libcst keeps no positions. Its own metadata costs three times as much as parsing; generating the code once, with a
state that notes how many tokens were written when a node began and ended, costs a quarter of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from types import TracebackType
from typing import Any, TypeAlias

import libcst as cst
from libcst._nodes.internal import CodegenState

from auditor.program import Span

# A node's place is its own, or reaches from the start of one node to the end of another.
Anchor: TypeAlias = cst.CSTNode | tuple[cst.CSTNode, cst.CSTNode]

# Parentheses are no part of an expression, except of these, which can be nothing else.
_WRAPPED = frozenset((cst.Tuple, cst.GeneratorExp, cst.MatchTuple))

_NEWLINE = re.compile(r"\r\n?|\n")


class _Recorder(CodegenState):
    """Notes for each node the number of the token with which it begins, and the one before which it ends.

    It is its own context manager: nodes end in the opposite order of their beginnings, so a stack is enough. The hooks
    that are called most are replaced by built-in functions, which halves the cost.
    """

    starts: dict[int, int]
    ends: dict[int, int]
    open: list[int]

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module.default_indent, module.default_newline)
        self.starts = {}
        self.ends = {}
        self.open = []
        # `id` takes a node and does nothing with it: libcst calls these two around every node and every blank.
        vars(self).update(add_token=self.tokens.append, before_codegen=id, after_codegen=id)

    def pop_trailing_newline(self) -> None:
        """A newline that the file does not end with stays: places already count it."""

    def record_syntactic_position(  # type: ignore[override]
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Recorder:
        """libcst calls this around what a node is without the blanks, comments and parentheses around it."""
        key = id(node)
        self.open.append(key)
        self.starts[key] = len(self.tokens)
        return self

    __enter__: Callable[[], int] = int

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ends[self.open.pop()] = len(self.tokens)


def spans(module: cst.Module, anchors: list[Anchor]) -> tuple[Span, ...]:
    """The spans of the anchors, in their order. All nodes must belong to the module and still be alive."""
    recorder = _Recorder(module)
    module._codegen(recorder)
    tokens, starts, ends = recorder.tokens, recorder.starts, recorder.ends
    offsets = [0, *accumulate(map(len, tokens))]
    # Generated code can differ from the source in a form feed, so it is what lines are counted in.
    lines = [0, *(match.end() for match in _NEWLINE.finditer("".join(tokens)))]
    limit = offsets[-1] + 1
    result: list[Span] = []
    for anchor in anchors:
        first: Any
        last: Any
        first, last = anchor if type(anchor) is tuple else (anchor, anchor)
        begin = starts[id(first)]
        stop = ends[id(last)]
        if type(first) in _WRAPPED and first.lpar:
            begin = _before(tokens, begin)
        if type(last) in _WRAPPED and last.rpar:
            stop = tokens.index(")", stop) + 1
        start = offsets[begin]
        # A block ends behind its last newline and comment: go back to its last word.
        while (token := tokens[stop - 1])[:1] == "#" or not token or token.isspace():
            stop -= 1
        end = offsets[stop]
        line = bisect_right(lines, start)
        column = start - lines[line - 1] + 1
        if end < (lines[line] if line < len(lines) else limit):
            result.append((line, column, line, end - lines[line - 1] + 1))
        else:
            end_line = bisect_right(lines, end)
            result.append((line, column, end_line, end - lines[end_line - 1] + 1))
    return tuple(result)


def _before(tokens: list[str], index: int) -> int:
    """The index of the parenthesis that opens before a token; between them are blanks and comments only."""
    while tokens[index - 1] != "(":
        index -= 1
    return index - 1
