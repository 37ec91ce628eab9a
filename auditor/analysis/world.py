"""The tables that one analysis shares: programs, units, objects and what has been recorded so far."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from auditor.analysis.link import Linker
from auditor.analysis.relevance import Relevance
from auditor.analysis.sql import Statement
from auditor.analysis.state import Slot, State
from auditor.facts import Entry, Event, Write
from auditor.library import Http, Libraries
from auditor.model import Place, Problem
from auditor.program import Class, Node, Program, Unit
from auditor.terms import Site, Term, Terms

STEP_LIMIT = 60_000  # nodes that one entry may walk
TOTAL_LIMIT = 2_000_000  # nodes that all entries may walk together
LINEAGE_LIMIT = 40  # classes above one class


class OverBudget(Exception):
    """An entry needed more steps than it may have."""


@dataclasses.dataclass(slots=True)
class Frame:
    """One activation of a unit, a class body or a module.

    `within`: what happens where it yields; it is the manager of a `with` block.
    """

    id: object
    scopes: tuple[object, ...]
    program: Program
    unit: Unit | None
    qualified: str
    this: Term | None = None
    owner: Term | None = None
    startup: bool = False
    returns: list[tuple[State, Term]] = dataclasses.field(default_factory=list)
    raises: list[tuple[State, Term]] = dataclasses.field(default_factory=list)
    breaks: list[State] = dataclasses.field(default_factory=list)
    continues: list[State] = dataclasses.field(default_factory=list)
    outer: dict[str, object] = dataclasses.field(default_factory=dict)
    handling: Term | None = None
    calling: Node | None = None
    closures: bool = False
    within: Callable[[Term, State, Frame], None] | None = None
    names: list[str] = dataclasses.field(default_factory=list)

    @property
    def qualified_place(self) -> tuple[str, str]:
        """The path and the qualified name of the unit that is being walked."""
        return self.program.path, self.qualified

    @property
    def language(self) -> str:
        return "python" if self.program.language == "python" else "javascript"


@dataclasses.dataclass(frozen=True, slots=True)
class UnitInfo:
    """A unit of a program, with its qualified name and what encloses it."""

    program: Program
    unit: Unit
    qualified: str


@dataclasses.dataclass(slots=True)
class ClassInfo:
    """A class: its bases as terms, and its members."""

    program: Program
    definition: Class
    qualified: str
    bases: tuple[Term, ...]
    members: dict[str, Term]
    decorators: tuple[Term, ...] = ()
    initialisers: list[tuple[str, Node]] = dataclasses.field(default_factory=list)
    scopes: tuple[object, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """A promise of this program: its value, what held when it resolved, how it may be rejected."""

    value: Term
    conditions: frozenset[Term]
    rejections: tuple[tuple[State, Term], ...]
    resolves: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Handler:
    """A registered handler with its stages, outermost first. `renamed`: not under its function's name. `elsewhere`: under another path, too. `owner` is the application or router it is registered on."""

    function: Term
    stages: tuple[Term, ...]
    binds: tuple[str, ...] | str
    owner: Term | None
    path: str
    line: int
    program: Program
    method: str = ""
    order: int = 0
    route: str | None = None
    refuses: str = "next"
    renamed: bool = False
    elsewhere: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class GlobalStage:
    """A function that runs before handlers of its owner: all, or (`order`) those that are registered later."""

    function: Term
    binds: tuple[str, ...] | str
    refuses: str
    owner: Term | None
    everywhere: bool = False
    order: int | None = None
    route: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorHandler:
    """A function that answers errors of these types that no handler caught; no types: all."""

    function: Term
    types: tuple[Term, ...]
    binds: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Mount:
    """A router that is mounted on another, at a path."""

    parent: Term
    child: Term
    order: int
    route: str | None


Native = Callable[[Sequence[Term], Mapping[str, Term], State, Frame], Term]


class World:
    """Everything that outlives a single walk."""

    def __init__(self, programs: Mapping[str, Program], libraries: Libraries, linker: Linker) -> None:
        self.programs = programs
        self.libraries = libraries
        self.linker = linker
        self.terms = Terms()
        self.units: dict[tuple[str, int], UnitInfo] = {}
        self.classes: dict[Term, ClassInfo] = {}
        self._lineages: dict[Term, tuple[Term, ...]] = {}
        self.instances: dict[Term, Term] = {}  # object -> its class
        self.types: dict[Term, str] = {}
        self.kinds: dict[Term, str] = {}
        self.media: dict[Term, str] = {}
        self.keys: dict[Term, dict[Term, None]] = {}
        self.closed: set[Term] = set()  # objects of which every slot is known
        self.natives: dict[Term, Native] = {}
        self.pending: dict[Term, Pending] = {}
        self.generated: dict[Term, Pending] = {}  # what a generator gives -> what holds once somebody asks for it
        self.inhabited: dict[Term, Term] = {}  # what a comprehension gives -> the condition that it gives something
        self.cached: set[tuple[str, int]] = set()  # units whose result is kept: they run once for the program
        self.managed: dict[Term, tuple[Term, Arguments]] = {}  # a context manager -> the generator that it runs
        self.managers: set[tuple[str, int]] = set()  # generators that a decorator made into context managers
        self.exports: dict[tuple[str, str], Term] = {}
        self.star_exports: dict[str, list[str]] = {}
        self.globals: dict[Slot, Term] = {}
        self.mutable: set[Slot] = set()
        self.events: list[Event] = []
        self.writes: list[Write] = []
        self.problems: list[Problem] = []
        self.routes: dict[Term, Handler] = {}
        self.stages: list[GlobalStage] = []
        self.catchers: list[ErrorHandler] = []
        self.mounts: list[Mount] = []
        self.walked: dict[tuple[str, int], set[Entry | None]] = {}
        self.stack: list[tuple[str, int]] = []
        self.receivers: dict[Term, Term] = {}
        self.http: dict[Term, str] = {}  # calls that send a request -> the error that a refusal raises
        self.sent: dict[Term, Http] = {}  # calls that send a request -> what their library says of it
        self.origins: dict[Term, tuple[str, int]] = {}  # a decorated function -> the unit that was decorated
        self.handed: dict[Term, None] = {}  # functions given to a library while a module loads
        self.conventions: dict[str, dict[str, str]] = {}  # path -> what parameters are called by convention there
        self.statements: dict[Term, tuple[Statement, tuple[Term, ...]]] = {}  # what was prepared -> its statement
        self.selected: dict[Term, tuple[Term, tuple[tuple[str, str], ...]]] = {}  # rows -> their table and columns
        self.unsent: dict[Term, list[int]] = {}  # an answer that is only a value yet -> the events that tell of it
        self.nulls: set[Term] = set()  # slots that this entry read in a way that gives null where nothing is
        self.answers: set[Term] = set()  # what answers a request: a handler's stage that returns one ends the pipeline
        self.tokens: set[Term] = set()
        self.before_calls: dict[Term, dict[tuple[str, int], Term]] = {}  # client -> functions that run before its calls
        self.after_refusals: dict[Term, dict[tuple[str, int], Term]] = {}  # client -> those that see a refusal first
        self.headers: dict[Term, Term] = {}  # client -> the Authorization header that it always sends
        self.rewalk = False  # something was learned that earlier walks of entries did not know
        self.outside: dict[Term, bool] = {}  # calls of what no model knows (False), or that send a request (True)
        self.singletons: dict[Term, Term] = {}
        self.providers: dict[str, Term] = {}  # what is handed to parameters of a name is made by this function
        self.returned: dict[Term, tuple[Program, int]] = {}  # a value -> where a unit last gave it back
        self.answered: dict[Term, tuple[Program, int]] = {}  # what a handler gave back as its answer -> where
        self.guards: dict[Term, tuple[tuple[Term, tuple[str, ...] | str, str], ...]] = {}
        self.closures: dict[Term, None] = {}
        self.made: dict[Term, tuple[Program, int]] = {}  # a random value -> where it is made
        self.read_at: dict[tuple[int, Term], tuple[str, str]] = {}  # (entry, input) -> (path, unit) that reads it
        self.where: dict[Term, dict[tuple[str, int], Program]] = {}  # a comparison -> (path, at) of where it is made
        oauth = [
            module for library in libraries.all if library.oauth for module in (library.modules or (library.library,))
        ]
        self.relevance = Relevance(programs, linker, oauth)
        self.named = self.relevance.named
        self.entry: Entry | None = None
        self.serving: Handler | None = None  # the handler that is being run
        self.steps = 0
        self.entry_steps = 0
        self._serial = 0

    @contextlib.contextmanager
    def entered(self, entry: Entry) -> Iterator[None]:
        """Record what happens as done by this entry, with a share of steps of its own."""
        outer, self.entry = self.entry, entry
        self.nulls.clear()
        self.entry_steps = 0
        try:
            yield
        finally:
            self.steps += self.entry_steps
            self.entry = outer

    def functions(self) -> list[Term]:
        """All closures that were made, by the place of their unit."""
        return sorted(self.closures, key=lambda one: (one.data[0], one.data[1], one.n))

    def serial(self) -> int:
        """A number that was not given before."""
        self._serial += 1
        return self._serial

    def step(self) -> None:
        """Count one node; raises OverBudget when this entry has had its share."""
        self.entry_steps += 1
        if self.entry_steps > STEP_LIMIT or self.steps + self.entry_steps > TOTAL_LIMIT:
            raise OverBudget

    def site(self, frame: Frame, node: Node) -> Site:
        """The place of a node as part of a term."""
        return Site(frame.program.path, node.at, frame.startup)

    def place(self, program: Program, at: int, message: str = "") -> Place:
        """The place of a node for a person."""
        line, column, end_line, _ = program.spans[at]
        return Place(program.path, line, end_line, message, column)

    def external(self, name: str, language: str) -> Term:
        """A name that a library or the language defines."""
        return self.terms.make("external", (name, language))

    def root(self, identity: str, type_name: str) -> Term:
        """What a framework hands in; equal in every entry."""
        return self.terms.make("root", (identity, type_name))

    def new_object(self, type_name: str, frame: Frame, node: Node, closed: bool = True) -> Term:
        """A constructed object with an identity of its own."""
        term = self.terms.make("object", (type_name, self.site(frame, node), self.serial()))
        if closed:
            self.closed.add(term)
        return term

    # ---------------------------------------------------------------------------------------- names

    def name_of(self, term: Term, depth: int = 12) -> str | None:
        """The qualified name by which a library model may know the term, or None."""
        known = self.types.get(term)
        if known is not None:
            return known
        kind = term.kind
        if kind == "external":
            return str(term.data[0])
        if kind == "root":
            return str(term.data[1]) or None
        if depth == 0:
            return None
        if kind == "load":
            key = term.args[1]
            if key.kind == "literal" and isinstance(key.data[1], str):
                base = self.name_of(term.args[0], depth - 1)
                if base == "dict":
                    return "dict"  # a value within what was read back: only its use tells more
                return f"{base}.{key.data[1]}" if base else None
            return None
        if kind == "call":
            name = term.data[0]
            return f"{name}()" if name else None
        if kind == "object":
            cls = self.instances.get(term)
            if cls is not None:
                base = self.base_name(cls)
                return f"{base}()" if base else None
            return str(term.data[0]) or None
        if kind == "class":
            return self.base_name(term)
        if kind == "alt":
            return next((name for value in term.args[::2] if (name := self.name_of(value, depth - 1))), None)
        if kind in ("text", "serial") or (kind == "literal" and term.data[0] == "str"):
            return "str"
        if kind == "parsed":
            return "dict"
        if kind in ("sequence", "mapping"):
            return "list" if kind == "sequence" else "dict"
        return None

    def base_name(self, cls: Term) -> str | None:
        """The qualified name of the first library class that a class derives from."""
        for one in self.lineage(cls):
            if one.kind not in ("class", "object"):
                name = self.name_of(one)
                if name:
                    return name
        return None

    def define(self, cls: Term, info: ClassInfo) -> None:
        """Know a class, for the first time or anew."""
        self.classes[cls] = info
        self._lineages.clear()

    def lineage(self, cls: Term) -> tuple[Term, ...]:
        """The class and its bases in the order in which a member is looked for (C3); library bases as they are."""
        found = self._lineages.get(cls)
        if found is None:
            found = self._lineages[cls] = tuple(self._ordered(cls, 0, {})[:LINEAGE_LIMIT])
        return found

    def _ordered(self, cls: Term, depth: int, known: dict[Term, list[Term]]) -> list[Term]:
        info = self.classes.get(cls)
        if info is None or depth >= LINEAGE_LIMIT:
            return [cls]
        if cls in known:
            return known[cls]
        known[cls] = [cls]  # what derives from itself ends here
        bases = [base for base in info.bases if base.kind != "external" or base.data[0] != "object"]  # it comes last
        rows = [self._ordered(base, depth + 1, known) for base in bases]
        if len(rows) == 1:  # one base: nothing has to be put in order
            known[cls] = [cls, *rows[0]][:LINEAGE_LIMIT]
            return known[cls]
        rows.append(bases)
        out = [cls]
        while len(out) < LINEAGE_LIMIT and (rows := [row for row in rows if row]):
            head = next((row[0] for row in rows if not any(row[0] in other[1:] for other in rows)), rows[0][0])
            out.append(head)
            rows = [[one for one in row if one is not head] for row in rows]
        known[cls] = out
        return out


@dataclasses.dataclass(slots=True)
class Arguments:
    """The arguments of a call: those by position, those by name, and whether others may be hidden in a spread."""

    positional: list[Term]
    named: dict[str, Term]
    receiver: Term | None = None
    open: bool = False
    callee: Term | None = None

    def all(self) -> list[Term]:
        """All argument values."""
        return [*self.positional, *self.named.values()]
