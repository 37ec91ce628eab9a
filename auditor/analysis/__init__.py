"""From programs to facts: names are linked, units are walked, and what they do is written down with its conditions.

Where to look, from the top: `analyse` is the whole way. `entries` runs what `registration` has found, with parameters
that `binding` fills. `walk` goes through statements and expressions; `calls` enters units of the program, `effects` does
what a model says of a call into a library, with `names`, `results`, `slots`, `promises`, `stores` and `hooks`.
`actions` and `flows` recognise the steps of OAuth. `state` is what holds on a way, `attack` and `relevance` judge it,
`contents`, `comparing`, `raising`, `addresses` and `shapes` are about values.
"""
