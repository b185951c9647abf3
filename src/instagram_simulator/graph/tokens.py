"""
The two calls about tokens: a short-lived one is exchanged, a long-lived one refreshed.

https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token
"""

from __future__ import annotations

from instagram_simulator.state import AccessToken, World
from instagram_simulator.values import Json

from .request import GraphCall
from .responses import GraphRefusal

YOUNGEST_SECONDS = 24 * 3600


def token_of(world: World, call: GraphCall) -> AccessToken:
    """Return the token of *call*; raise if it is nobody's, or has expired."""
    if not call.token:
        raise GraphRefusal(190, None, "An access token is required to request this resource.")
    token = world.token(call.token)
    if token is None or call.host not in ("", token.account.graph_host):
        raise GraphRefusal(190, None, "Invalid OAuth access token - Cannot parse access token")
    if token.expires <= world.clock.now():
        raise GraphRefusal(190, 463, "Error validating access token: Session has expired")
    return token


def refresh(world: World, call: GraphCall) -> Json:
    """Return a further token for the long-lived one of *call*, which must be a day old."""
    check_grant(call, "ig_refresh_token")
    token = token_of(world, call)
    if token.account.is_unified:
        raise GraphRefusal(190, None, "Invalid OAuth access token - Cannot parse access token")
    if token.is_short_lived:
        raise GraphRefusal(100, None, "A short-lived access token is exchanged, not refreshed")
    if world.clock.now() - token.issued < YOUNGEST_SECONDS * 1000:
        raise GraphRefusal(100, None, "An access token is refreshed when it is 24 hours old")
    return issued(world, token)


def exchange(world: World, call: GraphCall) -> Json:
    """Return a long-lived token for the short-lived one of *call*."""
    check_grant(call, "ig_exchange_token")
    token = token_of(world, call)
    if call.secrets.get("client_secret") != token.account.app_secret:
        raise GraphRefusal(1, None, "Error validating client secret.")
    if not token.is_short_lived:
        raise GraphRefusal(452, None, "Session key invalid: the access token is long-lived")
    return issued(world, token)


def check_grant(call: GraphCall, grant: str) -> None:
    """Raise unless *call* asks for this *grant*."""
    if call.parameters.get("grant_type") != grant:
        raise GraphRefusal(100, None, f"Param grant_type must be one of {{{grant}}}")


def issued(world: World, token: AccessToken) -> Json:
    """Return a new long-lived token for the account of *token*, as Meta writes it."""
    text, new = world.issue_token(token.account)
    seconds = (new.expires - new.issued) // 1000
    return {"access_token": text, "token_type": "bearer", "expires_in": seconds}
