"""What a library model says: the meaning of names that the audited program does not define itself.

One YAML file a library, in `rules/libraries/<language>/`. A name is written as it is reached: `flask.request.args`,
`redis.createClient().get`; `()` marks a call, so `a().b` is not `a.b`. `{a,b}` stands for two names.

An argument is referred to by its position, its keyword, or a list of both (the first that is there counts);
`object` is the receiver of a method call.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, dataclass_transform

import msgspec

Reference: TypeAlias = int | str | tuple[int | str, ...]
"""An argument of a call: position, keyword, alternatives in order; `object` is the receiver, `all` every argument."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every part of a model refuses keys that it does not know."""


class Load(Part):
    """Reads a slot of `of`. `raises`: a missing key raises. `clears`: the slot is empty afterwards (pop).

    `nulls`: a missing key gives JavaScript's null, not undefined.
    """

    key: Reference = 0
    default: Reference | None = None
    of: Reference = "object"
    raises: bool = False
    clears: bool = False
    nulls: bool = False


class Save(Part):
    """Writes `value` to a slot of `of`. `pairs`: this argument holds keys with values, as pairs or as an object."""

    key: Reference = 0
    value: Reference = 1
    of: Reference = "object"
    pairs: Reference | None = None


class Keeps(Part):
    """Makes a store of state: `function` is given `set` and `get` and returns what the state is at first.

    `persists`: what is set goes to the browser's storage too; `options` may name another one and pick out a part.
    """

    function: Reference = 0
    options: Reference = 1
    persists: bool = False


class Cell(Part):
    """Gives a value of a page's state and the function that writes it; `medium`: where it lies, if not in memory."""

    initial: Reference = 0
    key: Reference | None = None
    medium: str = ""


class Persists(Part):
    """The state of a page goes to the browser's storage; `options`: only where one of these is given and not false."""

    options: tuple[Reference, ...] = ()


class Clear(Part):
    """Empties one slot of `of`, or all of them when `key` is None."""

    key: Reference | None = 0
    of: Reference = "object"


class Has(Part):
    """Tells whether the key (or the element) is in `of`; with `throws`, that error says that it is not."""

    key: Reference = 0
    of: Reference = "object"
    throws: str = ""


class Asks(Part):
    """Asks a table. `narrows`: keywords and comparisons among its arguments say which rows. `gives`: nothing yet (a step
    of a query), a row (`raises`: where there is none; else null), or whether there is one. `of` 0: the table is its argument.
    """

    gives: Literal["", "row", "exists"] = ""
    narrows: bool = False
    raises: str = ""
    of: Literal["object", 0] = "object"


class Assign(Part):
    """Copies all slots of the sources, and all keywords when `keywords`, to `target`; what `unsets` name is emptied.

    A source that is an instance of a model's class is stored as a row of its table, which the class stands for.
    """

    target: Reference = "object"
    sources: tuple[Reference, ...] = (0,)
    keywords: bool = False
    unsets: tuple[Reference, ...] = ()


class Equals(Part):
    """Compares two arguments; `throws` when they differ, else answers. `takes_null`: null is a value like any other."""

    left: Reference = 0
    right: Reference = 1
    throws: bool = False
    takes_null: bool = False


class Verifies(Part):
    """Checks a signature over `value` and gives what it holds; `throws` when it is forged, else gives nothing.

    `unless`: arguments or options that, when they are false, leave the check out.
    """

    value: Reference = 0
    throws: bool = True
    unless: tuple[str, ...] = ()


class Calls(Part):
    """Calls the function given as `function` with these arguments.

    `result` among the arguments is the call's result, `result.x` that member of the call's result (the token of the flow that it runs).
    `result`: the call's own result is the function's. `when` says when: entry (an entry of its own), now, later (at some time or never),
    then (a continuation of the receiver), catch, finally, each (with the elements of the receiver),
    keeps (later, and the library keeps what the function raises).
    """

    function: Reference = 0
    arguments: tuple[Reference, ...] = ()
    result: bool = True
    when: Literal[
        "entry", "now", "later", "then", "catch", "finally", "each", "find", "some", "every", "executor", "keeps"
    ] = "now"


class Route(Part):
    """Registers handlers. `options`: keys of an options object that hold stages; `refuses`: how a stage ends the
    request (see Stage). `handlers`: the first position of the handlers, all further ones are stages before the last.

    `binds`: the types of the handler's parameters in order (`next` is the rest of the pipeline, `input` a value from
    the request); or how parameters are bound: `names` (each is a value of the request), `annotations` (FastAPI),
    `decorators` (Nest).
    """

    handlers: Reference = 1
    binds: tuple[str, ...] | Literal["names", "annotations", "decorators"] = "names"
    stages: bool = False
    options: tuple[str, ...] = ()
    refuses: Literal["next", "value"] = "next"


class Stage(Part):
    """Registers a function that runs before every handler of the receiver.

    `function` "callee": the call decorates a handler or class with guards that the decorator was made with; a guard
    that is a class is asked by its `method`. `covers`: the handlers of the receiver (and of what is mounted on it), or
    all of the application. `ordered`: only handlers that are registered, or mounted, afterwards; a path given first
    limits it to handlers below it. `refuses` says how it ends the request: next (does not call the rest), value (returns something), false, throw.
    """

    function: Reference = 0
    binds: tuple[str, ...] | Literal["names", "annotations"] = ()
    refuses: Literal["next", "value", "false", "throw"] = "next"
    method: str = "canActivate"
    covers: Literal["own", "all"] = "own"
    ordered: bool = False


class Plugin(Part):
    """Calls a function with an instance of its own, which is mounted on the receiver: its stages are for its handlers.

    A function that another library's call was given (a wrapper that breaks the shell) is called with the receiver itself.
    `prefix`: the option that holds the path.
    """

    function: Reference = 0
    prefix: Reference = "1.prefix"


class Catcher(Part):
    """Registers what answers errors that no handler caught. `types`: the classes caught, an argument of the decorator
    (`callee.0`) or of the call; none: all. `function`: the position; `arity`: only functions of that many parameters.
    """

    function: Reference = 0
    types: Literal["", "callee", "argument"] = ""
    binds: tuple[str, ...] = ("error",)
    arity: int = 0


class Http(Part):
    """Sends a request. `throws`: a status of 400 and more raises `error`, a qualified name.

    `authorized`: the library puts the user's token on it, which was given to it before. `status`, `error_status`: the
    only members in which its answers and its errors hold the status; where they are not given, any usual name is one.
    `later`: the call gives a promise of the answer, whose members are not there before it is waited for.
    """

    throws: bool = False
    error: str = ""
    authorized: bool = False
    status: tuple[str, ...] | None = None
    error_status: tuple[str, ...] | None = None
    later: bool = False
    base: Reference | None = None


class Hook(Part):
    """Registers a function that a client runs around each of its calls: before them, or when one is refused."""

    when: Literal["before", "refused"]
    function: Reference


class Flow(Part):
    """A library runs a part of the flow itself.

    `does`: authorize, exchange, both, or refresh. `state` says where the state is: an argument that is sent; `makes`:
    the library makes a fresh one when none is given. `keeps`: the library stores it itself, `checks`: always | never |
    given (only when `expected` is given and not null) | option (only when the option named by `option` is on).
    `code`, `secret`: where those are; `response`: where the callback's address is, from which the library takes the code
    and the state when `code` is not given: only then does it compare, and with neither it is another grant.
    `result`: pair (address and state) or mapping (state, and the address under any other key).
    `endpoint`: where the address of the provider's endpoint is given, if it has no name of its own.
    """

    does: Literal["authorize", "exchange", "both", "refresh", "revoke"]
    state: Reference | None = None
    makes: bool = False
    checks: Literal["always", "never", "given", "option"] = "never"
    expected: Reference | None = None
    option: tuple[str, ...] = ()
    values: tuple[str | bool, ...] = (True,)
    default: bool = False
    code: Reference | None = None
    response: Reference | None = None
    secret: Reference | None = None
    options: Reference = 0
    result: str = ""
    endpoint: Reference | None = None


class Model(Part, rename={"is_": "is"}):
    """What one name means. A result does not contain its arguments unless the model says that it carries them.

    `unsent`: an answer that this makes is a value: only a handler that gives it back, or raises it, answers with it.
    `caches`: what this function gives is kept, so that it runs once for the program. `binds`: a function with its first arguments.
    `manages`: this generator becomes a context manager: the block that it manages stands where it yields.
    `fills_missing`: a subscript of this object puts something there where nothing is.
    `tells`: what it says of the request is known where the handler is: its path, or the name that it was registered under.
    `outermost`: a path that is registered on it is the whole path.
    `draws`: this generator is asked for its values, so that it runs; the result is one of them unless the model says more.
    `is` "settings": its members are the variables of the program's own settings modules.
    `provides`: this function makes what is handed to every parameter that is called like the first argument.
    `kind` "status": the name stands for an HTTP status. `secret`: this argument is the application's client secret. `code`: this argument is the status with which the receiver will answer. `promise`: the result is a promise of what the rest of the model says. `holds`: members of the result that are arguments (`schema.safeParse(query).data`). `fills`: this argument, too, holds from now on what `kind` says (`crypto.getRandomValues(bytes)`).
    """

    is_: Literal[
        "", "input", "session", "cookies", "headers", "callback-url", "environment", "request", "response", "client",
        "store", "settings",
    ] = ""  # fmt: skip
    like: str = ""
    returns: str = ""
    medium: str = ""
    kind: Literal["", "fresh", "weak", "now", "secret", "status"] = ""
    fills: Reference | None = None
    same: Reference | None = None
    text: Reference | None = None
    joins: Reference | None = None
    serialises: Reference | None = None
    how: str = ""
    parses: Reference | None = None
    truth: Reference | None = None
    drops: bool = False
    carries: Reference | None = None
    load: Load | None = None
    save: Save | None = None
    clear: Clear | None = None
    has: Has | None = None
    holds: dict[str, Reference] = {}
    assign: Assign | None = None
    asks: Asks | None = None
    append: Reference | None = None
    equals: Equals | None = None
    verifies: Verifies | None = None
    exits: bool = False
    asserts: Reference | None = None
    raises: str = ""
    calls: Calls | None = None
    awaits: bool = False
    promise: bool = False
    decorates: bool = False
    depends: bool = False
    route: Route | None = None
    stage: Stage | None = None
    catcher: Catcher | None = None
    plugin: Plugin | None = None
    http: Http | None = None
    hooks: tuple[Hook, ...] = ()
    raises_status: str = ""
    status: bool = False
    ok: bool = False
    flow: Flow | None = None
    entries: Reference | None = None
    builds: Literal["", "query", "url"] = ""
    object: bool = False
    redirect: Reference | None = None
    respond: Reference | None = None
    code: Reference | None = None
    secret: Reference | None = None
    render: Reference | None = None
    log: Reference | None = None
    flash: Reference | None = None
    unsent: bool = False
    prompt: bool = False
    provides: Reference | None = None
    manages: Reference | None = None
    caches: Reference | None = None
    binds: Reference | None = None
    draws: Reference | None = None
    tells: Literal["", "path", "endpoint"] = ""
    outermost: bool = False
    fills_missing: bool = False
    keeps: Keeps | None = None
    cell: Cell | None = None
    persists: Persists | None = None


class FileRoutes(Part):
    """Handlers that a framework finds by a file's place: a glob over the path, the exported names, how they bind."""

    files: tuple[str, ...]
    exports: tuple[str, ...]
    binds: tuple[str, ...] | Literal["names", "annotations"] = ()
    side: Literal["server", "browser"] = "server"


class ClassRoutes(Part):
    """Methods of subclasses that a framework calls: base class names, methods, how they bind (after the receiver)."""

    bases: tuple[str, ...]
    methods: tuple[str, ...]
    binds: tuple[str, ...] | Literal["names", "annotations"] = ()


class Library(Part):
    """One library (`modules` "*": its parameters are named so in every file): its names, what parameters are called by convention, which exceptions are which."""

    library: str
    language: Literal["python", "javascript"]
    modules: tuple[str, ...] = ()
    names: dict[str, Model] = {}
    parameters: dict[str, str] = {}
    errors: dict[str, tuple[str, ...]] = {}
    files: tuple[FileRoutes, ...] = ()
    classes: tuple[ClassRoutes, ...] = ()
    oauth: bool = False


class Libraries:
    """All models, by language and name; braces are written out."""

    def __init__(self, libraries: tuple[Library, ...]) -> None:
        self.all = libraries
        self._names: dict[tuple[str, str], Model] = {}
        self._missing: set[tuple[str, str]] = set()
        self._heads: set[tuple[str, str]] = set()
        self._errors: dict[tuple[str, str], tuple[str, ...]] = {}
        for library in libraries:
            for pattern, model in library.names.items():
                for name in braces(pattern):
                    self._names[library.language, name] = model
                    self._heads.add((library.language, name.partition(".")[0].removesuffix("()")))
            for error, parents in library.errors.items():
                self._errors[library.language, error] = parents

    def find(self, language: str, name: str) -> Model | None:
        """The model of a name, if there is one; `*` in a model's name is any one segment. TypeScript is JavaScript."""
        key = ("javascript" if language == "typescript" else language, name)
        found = self._names.get(key)
        if found is None and key not in self._missing:
            found = self._starred(*key)
            if found is None:
                self._missing.add(key)
            else:
                self._names[key] = found
        return found

    def knows(self, language: str, name: str) -> bool:
        """Whether any model begins with this name: it is one of the language's or of a library's own."""
        return (language, name) in self._heads

    def _starred(self, language: str, name: str) -> Model | None:
        segments = name.split(".")
        if len(segments) < 2 or segments[0] == "*":
            return None
        for index in range(len(segments) - 1, 0, -1):
            starred = ".".join((*segments[:index], "*", *segments[index + 1 :]))
            found = self._names.get((language, starred))
            if found is not None:
                return found
        return None

    def parents(self, language: str, error: str) -> tuple[str, ...]:
        """The names that also catch this exception."""
        return self._errors.get((language, error), ())


def braces(pattern: str) -> list[str]:
    """`a.{b,c}` as `a.b`, `a.c`; several groups multiply."""
    start = pattern.find("{")
    if start < 0:
        return [pattern]
    end = pattern.index("}", start)
    head, tail = pattern[:start], braces(pattern[end + 1 :])
    return [head + choice + rest for choice in pattern[start + 1 : end].split(",") for rest in tail]
