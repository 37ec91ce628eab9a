"""What lowering one Python file remembers on its way."""

from __future__ import annotations

import libcst as cst

from auditor.frontends.python_spans import Anchor


class Context:
    """The places of the nodes made so far, and what the unit around the present node is.

    `anchors`: the place of the node with that `at`. `yields`: the present unit has a `yield`. `in_class`: a `def` here
    is a method. `chains`: how many chained comparisons were lowered. `notes`: problems, with an index of `anchors`.
    """

    __slots__ = ("anchors", "chains", "in_class", "module", "notes", "yields")

    def __init__(self, module: cst.Module) -> None:
        self.module = module
        self.anchors: list[Anchor] = []
        self.notes: list[tuple[int, str]] = []
        self.yields = False
        self.in_class = False
        self.chains = 0

    def at(self, node: cst.CSTNode) -> int:
        """A new number for an IR node that stands where a node of the source stands."""
        self.anchors.append(node)
        return len(self.anchors) - 1

    def between(self, first: cst.CSTNode, last: cst.CSTNode) -> int:
        """A new number for an IR node that reaches from the start of one node to the end of another."""
        self.anchors.append((first, last))
        return len(self.anchors) - 1

    def note(self, node: cst.CSTNode, message: str) -> None:
        """Something in this file could not be read; the program says so."""
        self.notes.append((self.at(node), message))
