"""Commands and checks use the tokens that the service uses: the store's before the settings'."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from ak_instagram.settings.model import Account
from ak_instagram.store.verbs.accounts.rows import StoredAccount
from ak_instagram.tokens.life import digest
from ak_instagram.tokens.refreshing import accounts_in_use, by_origin, token_in_use
from ak_instagram.tokens.vault import Locked, Vault

VAULT, OTHER = (Vault([base64.b64encode(byte * 32).decode()]) for byte in (b"a", b"b"))
SHOP, CAFE = Account("IGAAshop", agent="sales"), Account("EAAcafe", "2", login="unified")
SEEN = StoredAccount(
    "1", "shop", digest("IGAAshop"), None, 0, None, None, None, 0, None, None, None
)
RENEWED = replace(SEEN, sealed=VAULT.seal("1", "IGAAnew"))
CONNECTED = replace(
    SEEN, account="3", origin=None, sealed=VAULT.seal("3", "IGAAthird"), connected_at=1
)
GONE = replace(CONNECTED, sealed=None, disconnected_at=2)
ELSEWHERE = replace(RENEWED, origin=digest("IGAAof-another-replica"))


@pytest.mark.parametrize(
    ("row", "vault", "used"),
    [
        pytest.param(SEEN, VAULT, [replace(SHOP, account_id="1"), CAFE], id="the-settings-one"),
        pytest.param(
            RENEWED, VAULT, [replace(SHOP, access_token="IGAAnew", account_id="1"), CAFE], id="new"
        ),
        pytest.param(RENEWED, OTHER, [SHOP, CAFE], id="locked"),
        pytest.param(RENEWED, None, [SHOP, CAFE], id="no-key"),
        pytest.param(ELSEWHERE, VAULT, [SHOP, CAFE], id="of-another-replica's-settings"),
        pytest.param(CONNECTED, VAULT, [SHOP, CAFE, Account("IGAAthird", "3")], id="connected"),
        pytest.param(CONNECTED, OTHER, [SHOP, CAFE], id="connected-and-locked"),
        pytest.param(GONE, VAULT, [SHOP, CAFE], id="disconnected"),
    ],
)
def test_each_account_has_the_token_in_use(row, vault, used):
    assert list(accounts_in_use([row], [SHOP, CAFE], vault)) == used


@pytest.mark.parametrize(
    ("vault", "why"),
    [
        pytest.param(None, "store.encryption_key is not set", id="no-key"),
        pytest.param(OTHER, "with a key that is not in store.encryption_key", id="another-key"),
    ],
)
def test_a_token_that_can_t_be_opened_says_why(vault, why):
    with pytest.raises(Locked, match=why):
        token_in_use(RENEWED, by_origin([SHOP]), vault)
