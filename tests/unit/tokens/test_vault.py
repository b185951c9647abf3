"""What is sealed is opened with any key that is set, and for its own account alone."""

from __future__ import annotations

import base64
import os

import pytest

from ak_instagram.settings.value_types import encryption_keys
from ak_instagram.tokens.vault import Locked, Vault

OLD, NEW = (base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2))
TOKEN = "IGAAsome0token1that2is3long"


def test_a_sealed_token_is_opened_and_not_seen():
    vault = Vault([NEW])

    sealed = vault.seal("178", TOKEN)

    assert vault.open("178", sealed) == TOKEN
    assert TOKEN not in sealed
    assert vault.seal("178", TOKEN) != sealed


def test_a_former_key_opens_and_the_first_one_seals():
    sealed = Vault([OLD]).seal("178", TOKEN)
    vault = Vault([NEW, OLD])

    assert vault.open("178", sealed) == TOKEN
    assert not vault.is_sealed_anew(sealed)
    assert vault.is_sealed_anew(vault.seal("178", TOKEN))


@pytest.mark.parametrize(
    ("account", "sealed", "why"),
    [
        pytest.param("178", Vault([OLD]).seal("178", TOKEN), "is not in store", id="other-key"),
        pytest.param("178", "no token of Fernet's", "is not in store", id="not-sealed"),
        pytest.param("179", Vault([NEW]).seal("178", TOKEN), "another account", id="moved"),
    ],
)
def test_what_can_t_be_opened_says_why(account, sealed, why):
    with pytest.raises(Locked, match=why):
        Vault([NEW]).open(account, sealed)


@pytest.mark.parametrize("make", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_may_be_written_as_openssl_and_as_fernet_do(make):
    keys = (make(b"\xfb" * 32).decode(),)

    encryption_keys(keys)
    vault = Vault(keys)

    assert vault.open("178", vault.seal("178", TOKEN)) == TOKEN
