"""The knowledge in rules/ says each thing once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from auditor import catalogue
from auditor.catalogue import Provider, check_provider
from auditor.errors import UsageError
from auditor.library import braces

RULES = Path(__file__).parents[1] / "rules"


def test_no_name_is_modelled_twice() -> None:
    """The second would silently win."""
    seen: dict[tuple[str, str], str] = {}
    twice = []
    for library in catalogue.load().libraries:
        for pattern in library.names:
            for name in braces(pattern):
                if (library.language, name) in seen:
                    twice.append((name, seen[library.language, name], library.library))
                seen[library.language, name] = library.library
    assert twice == []


@pytest.mark.parametrize("file", sorted(RULES.rglob("*.yaml")), ids=lambda file: file.relative_to(RULES).as_posix())
def test_no_key_is_written_twice(file: Path) -> None:
    """YAML keeps the last of two equal keys and says nothing."""

    def check(node: yaml.Node | None) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
            for _, value in node.value:
                check(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                check(value)

    check(yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def test_providers() -> None:
    providers = catalogue.load().providers
    assert {"monei", "spotify", "strava", "github", "google"} <= {one.name for one in providers}
    hosts = [host for one in providers for host in one.hosts]
    assert len(hosts) == len(set(hosts))
    for one in providers:
        assert one.title
        assert one.authorize
        assert one.token
        assert one.source
    for file in (RULES / "providers").iterdir():
        assert f"name: {file.stem}\n" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        (Provider("bank", ()), "a provider has a name and hosts"),
        (Provider("bank", ("https://bank.example",)), "'https://bank.example' is not the name of a host"),
        (Provider("bank", ("Bank.example",)), "in lower case"),
        (Provider("bank", ("bank.example",), authorize=("authorize",)), "'authorize' is not a path"),
        (Provider("bank", ("bank.example",), token_prefixes=("b_",)), "the prefix 'b_' has less than 4 letters"),
    ],
)
def test_what_a_provider_must_have(provider: Provider, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace(".", r"\.")):
        check_provider(provider, "bank.yaml")
