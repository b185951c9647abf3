"""Each account's login is what its token looks like; it decides where the account is asked."""

from __future__ import annotations

import pytest

from ak_instagram.settings.logins import graph_host, login_of_host, login_of_token
from tests.support.settings import explain, load

FACEBOOK, INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"


@pytest.mark.parametrize(
    ("token", "login"),
    [
        pytest.param("IGAAbc", "instagram", id="instagram"),
        pytest.param("IGQVbc", "instagram", id="instagram-of-old"),
        pytest.param("EAAGbc", "unified", id="unified"),
        pytest.param("a-token", None, id="of-something-else"),
    ],
)
def test_a_token_tells_its_login(token, login):
    assert login_of_token(token) == login


@pytest.mark.parametrize(
    ("variables", "login", "graph_url"),
    [
        pytest.param({"ACCESS_TOKEN": "IGAAbc"}, "instagram", INSTAGRAM, id="instagram"),
        pytest.param(
            {"ACCESS_TOKEN": "EAAbc", "ACCOUNT_ID": "1"}, "unified", FACEBOOK, id="unified"
        ),
        pytest.param({"ACCESS_TOKEN": "a-token"}, "instagram", INSTAGRAM, id="cannot-be-told"),
        pytest.param(
            {"ACCESS_TOKEN": "a-token", "LOGIN": "unified", "ACCOUNT_ID": "1"},
            "unified",
            FACEBOOK,
            id="said",
        ),
        pytest.param(
            {"ACCESS_TOKEN": "a-token", "GRAPH_URL": FACEBOOK, "ACCOUNT_ID": "1"},
            "unified",
            FACEBOOK,
            id="told-by-the-host",
        ),
        pytest.param(
            {"ACCESS_TOKEN": "EAAbc", "ACCOUNT_ID": "1", "GRAPH_URL": "http://sim:1/"},
            "unified",
            "http://sim:1",
            id="at-a-simulator",
        ),
    ],
)
def test_login_and_host_follow_from_what_is_set(environ, variables, login, graph_url):
    environ |= {f"AK_INSTAGRAM__{name}": value for name, value in variables.items()}

    instagram = load(environ).instagram

    assert (instagram.all_accounts[0].login, instagram.graph_url) == (login, graph_url)


def test_accounts_of_both_logins_live_side_by_side(environ):
    environ |= {
        "AK_INSTAGRAM__ACCESS_TOKEN": "IGAAbc",
        "AK_INSTAGRAM__ACCOUNTS": '[{"access_token": "EAAbc", "account_id": "2"}]',
    }

    instagram = load(environ).instagram

    hosts = [graph_host(each.login, instagram.graph_url) for each in instagram.all_accounts]
    assert hosts == [INSTAGRAM, FACEBOOK]


def test_a_host_that_is_not_metas_is_any_logins():
    assert login_of_host("http://127.0.0.1:8001") is None
    assert graph_host("unified", "http://127.0.0.1:8001") == "http://127.0.0.1:8001"


def test_where_a_login_comes_from_is_told(environ):
    environ |= {"AK_INSTAGRAM__ACCESS_TOKEN": "IGAAbc"}

    [login] = [each for each in explain(environ) if each.path == "instagram.login"]

    assert (login.value, login.source) == ("instagram", "inferred from instagram.access_token")
