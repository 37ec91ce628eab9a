"""What libcst may see: one linear scan of a Python source, before it is parsed.

libcst cannot be bounded from inside: nested calls, long additions and deep brackets cost it seconds and gigabytes, or
the process. So the source is scanned first by one regular expression that knows strings, comments and f-strings and
nothing else of the grammar. What the scan cannot see (it is not a parser) the worker's limits must catch.

An expression's depth is bounded by the links on its longest path: a comma starts again from its bracket, so a
dict of 20,000 entries is no deeper than its deepest entry, while what is nested in it counts on.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from auditor.frontends.errors import Unreadable
from auditor.model import ProblemKind

MAX_BYTES = 512 * 1024
MAX_BRACKETS = 100
MAX_LINKS = 500
MAX_INDENTS = 100
MAX_ELIFS = 500
# Adjacent strings are one literal, but libcst nests them, and some versions of Python recurse only 1,500 deep in C.
MAX_PIECES = 500
# libcst tries each pattern of a `case` twice or more at every level: 20 brackets take seconds, 100 for ever.
MAX_PATTERN_BRACKETS = 8

_TOKEN = re.compile(
    r"""
      (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<comma>,)
    | (?P<link>\.(?!\d) | \*\*=? | //=? | <<=? | >>=? | -> | [-+*/%@&|^~<>]=? | [=!]=
        | (?<!\w)(?:and|or|not|in|is|if|else|for|lambda|await|yield)(?!\w))
    | (?P<line>(?:\r\n?|\n)(?:[ \t\f]*+(?:\#[^\r\n]*+)?(?:\r\n?|\n))*+(?P<indent>[ \t\f]*+)
        (?P<word>(?:elif|else|case(?!\s*[=.,:)\]])|def|class|return|import|raise|while|with|try|except|finally|del|pass
        |break|continue|global|nonlocal|assert)(?!\w))?)
    | (?P<fstring>(?<!\w)(?:[fFtT][rR]?|[rR][fFtT])(?P<quote>\"{3}|'{3}|\"|'))
    | (?P<string>\"{3}[^"\\]*+(?:(?:\\.|\"(?!\"\"))[^"\\]*+)*+(?:\"{3}|\Z)
        | '{3}[^'\\]*+(?:(?:\\.|'(?!''))[^'\\]*+)*+(?:'{3}|\Z)
        | \"[^"\\\r\n]*+(?:\\(?:\r\n|.)[^"\\\r\n]*+)*+\"?
        | '[^'\\\r\n]*+(?:\\(?:\r\n|.)[^'\\\r\n]*+)*+'?)
    | (?P<colon>:=?)
    | (?P<semicolon>;)
    | (?P<skip>\#[^\r\n]*+ | \\(?:\r\n?|\n))
    """,
    re.VERBOSE | re.DOTALL,
)

# The literal part of an f-string, up to its next brace or its end. `\{` is a backslash and a brace, but `\N{DASH}` is
# one character. A newline ends a string of one quote.
_LITERAL = {
    quote: re.compile(
        rf"(?:\\(?:N\{{[^{{}}\r\n]*\}}|\r\n|[^{{}}])|[^{{}}\\{stop}]|{inner}\\(?=[{{}}]))*+(?P<end>{quote}|\{{\{{|\}}\}}|[{{}}])?",
        re.DOTALL,
    )
    for quote, stop, inner in (
        ('"', '"\r\n', ""),
        ("'", "'\r\n", ""),
        ('"""', '"', '"(?!"")|'),
        ("'''", "'", "'(?!'')|"),
    )
}

_NEWLINE = re.compile(r"\r\n?|\n")

# Of the words looked for at the start of a line, these may also go on an expression. The others begin a statement and
# nothing else: inside a bracket they show that it was never closed, and the parser will stop there.
_CONTINUES = frozenset(("else", "case", "elif"))


class _Frame(NamedTuple):
    """An open bracket: the count to go on from when it is closed, and the f-string that its `}` leads back to."""

    base: int
    peak: int
    quote: str = ""
    spec: bool = False


def check(text: str) -> None:
    """Raises `Unreadable` when a bound is exceeded. A source that is no Python may pass: the parser will say so."""
    _Scan(text).run()


class _Scan:
    """The state of one scan. `count` is the number of links on the path to here, `base` where its segment began."""

    def __init__(self, text: str) -> None:
        # With a newline in front the first line is like all others.
        self.text = "\n" + text
        self.base = self.count = self.peak = 0
        self.frames: list[_Frame] = []
        self.brackets = MAX_BRACKETS
        self.pieces = 0
        self.widths = [0]
        self.elifs = [0]
        self.chained = 0

    def run(self) -> None:
        """Scans to the end. An f-string interrupts the stream of tokens, which then begins anew behind it."""
        position: int | None = 0
        while position is not None:
            position = self._tokens(position)

    def _tokens(self, position: int) -> int | None:
        """Scans code from a position up to the next part of an f-string; gives where code goes on, None at the end."""
        frames = self.frames
        for match in _TOKEN.finditer(self.text, position):
            kind = match.lastgroup
            if kind == "skip":
                continue
            if kind == "string":
                self._piece(match.start())
                continue
            if kind == "fstring":
                self._piece(match.start())
                return self._literal(match.end(), match["quote"], False)
            if kind == "line":
                if not frames:
                    self._line(match)
                elif match["word"] is not None:
                    if match["word"] not in _CONTINUES:
                        return None
                    self._link(match.start())
                continue
            self.pieces = 0
            if kind == "link":
                self._link(match.start())
            elif kind == "open":
                self._open(match.start())
            elif kind == "close":
                if frames:
                    frame = self._close()
                    if frame.quote:
                        return self._literal(match.end(), frame.quote, frame.spec)
            elif kind == "comma":
                self.peak = max(self.peak, self.count)
                self.count = self.base
            elif kind == "colon":
                if frames and frames[-1].quote:
                    return self._literal(match.start() + 1, frames[-1].quote, True)
                if not frames:
                    self.brackets = MAX_BRACKETS
                if match.end() - match.start() == 2:
                    self._link(match.start())
            elif not frames:
                self.base = self.count = self.peak = 0
        return None

    def _literal(self, position: int, quote: str, spec: bool) -> int:
        """Scans the text of an f-string, or with `spec` the format of one of its fields; gives where code goes on."""
        pattern = _LITERAL[quote]
        while True:
            match = pattern.match(self.text, position)
            if match is None:
                return position
            position = match.end()
            end = match["end"]
            if end == "}" or (spec and end == "}}"):
                if not spec:
                    return position
                # The field ends; its own frame says what text it stood in.
                position -= len(end) - 1
                spec = self._close().spec
            elif end == "{" or (spec and end == "{{"):
                self._open(position - 1, quote, spec)
                return position - (len(end) - 1)
            elif end not in ("{{", "}}"):
                return position

    def _open(self, position: int, quote: str = "", spec: bool = False) -> None:
        """A bracket, or a field of an f-string, opens."""
        self.frames.append(_Frame(self.base, self.peak, quote, spec))
        if len(self.frames) > self.brackets:
            self._refuse("too-deep", f"brackets are nested more than {self.brackets} deep", position)
        self._link(position)
        self.base = self.peak = self.count

    def _close(self) -> _Frame:
        """A bracket closes: what follows stands on top of its longest path."""
        frame = self.frames.pop()
        self.count = max(self.count, self.peak)
        self.base, self.peak = frame.base, frame.peak
        return frame

    def _link(self, position: int) -> None:
        """One more link on the path."""
        self.count += 1
        if self.count > MAX_LINKS:
            self._refuse("too-complex", f"one expression has more than {MAX_LINKS} operators and links", position)

    def _piece(self, position: int) -> None:
        """A string, perhaps right behind another."""
        self.pieces += 1
        if self.pieces > MAX_PIECES:
            self._refuse("too-complex", f"one text is put together from more than {MAX_PIECES} pieces", position)

    def _line(self, match: re.Match[str]) -> None:
        """A new logical line: counts anew, and looks at its indentation and at `elif`."""
        self.base = self.count = self.peak = self.pieces = 0
        word = match["word"]
        self.brackets = MAX_PATTERN_BRACKETS if word == "case" else MAX_BRACKETS
        width = len(match["indent"].expandtabs(8))
        while width < self.widths[-1]:
            self.widths.pop()
            self.chained -= self.elifs.pop()
        if width > self.widths[-1]:
            self.widths.append(width)
            self.elifs.append(0)
            if len(self.widths) > MAX_INDENTS:
                self._refuse("too-deep", f"blocks are nested more than {MAX_INDENTS} deep", match.end())
        if word == "elif":
            self.elifs[-1] += 1
            self.chained += 1
            if self.chained > MAX_ELIFS:
                self._refuse("too-complex", f"more than {MAX_ELIFS} elif stand in one chain", match.end())
        elif word != "else":
            self.chained -= self.elifs[-1]
            self.elifs[-1] = 0

    def _refuse(self, kind: ProblemKind, message: str, position: int) -> NoReturn:
        """Raises `Unreadable` for the line of a position; the newline that was put in front makes it 1-based."""
        raise Unreadable(kind, message, sum(1 for _ in _NEWLINE.finditer(self.text, 0, position)) or 1)
