"""What a literal is that stands where a secret belongs. The values are put together here: none of them is anybody's."""

from __future__ import annotations

import pytest

from auditor.analysis.secrets import judge

RANDOM = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4"


@pytest.mark.parametrize(
    "value",
    [
        "mcs_" + RANDOM[:32],
        "sk_live_" + RANDOM[:24],
        "sk_live_" + RANDOM[:20] + "here",  # a word of placeholders, by chance
        "ghp_" + RANDOM[:32] + "null",
        "sq0csp-" + RANDOM[:43],
        "SG." + RANDOM[:22] + "." + RANDOM[:43],
        "0f8fad5b-" + "d9cb-469f-a165-70867728950e",  # some services give out UUIDs as secrets
        RANDOM[:16].lower(),
        "TLSIY9QN" + "PWXDG2VF178S",  # upper case, and no name of a variable
        "/aB3dE5x" + "YZ7gH9kLmN1pQ+",  # base64 that begins like a path
        "N2QxZjBjOWIz" + "ZTVhNDgyNjFmMGU3YzlkMTI=",  # a secret within base64
    ],
)
def test_real(value: str) -> None:
    assert judge(value, "client_secret") == "real"


@pytest.mark.parametrize(
    "value",
    [
        "sk_live_" + "x" * 24,
        "ghp_" + "0" * 36,
        "your-client-secret-here",
        "CLIENT_SECRET",
        "client_secret",
        "abcdefghijklmnop",
        "0123456789",
        "<secret>",
        "${CLIENT_SECRET}",
        "changeme123",
        "secret123",
        "local-dev-secret-1",
        "this_is_not_a_secret",
        "thisIsNotASecret",
        "sk_test_1234567890",
        "aabbccddeeff00112233",
        "CLIENT_SECRET_2",
        "projects/12/secrets/shop/versions/latest",
        "vault:secret/shop#client",
        "env:CLIENT_SECRET",
        "ENC[AES256_GCM,data:q7Xz2LkP9vRt4W,iv:a1=,tag:b2=,type:str]",
        "eW91ci1jbGllbnQtc2VjcmV0LWhlcmU=",  # "your-client-secret-here" in base64
    ],
)
def test_placeholder(value: str) -> None:
    assert judge(value, "client_secret") == "placeholder"


@pytest.mark.parametrize("value", ["pk_live_" + RANDOM[:24], "AIza" + RANDOM[:35], "mc_" + "0a1b2c3d4e5f"])
def test_public(value: str) -> None:
    assert judge(value, "client_secret") == "public"
