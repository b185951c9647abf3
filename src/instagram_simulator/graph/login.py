"""
Business Login: the page on which an account's owner allows an app, and the code for a token.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from instagram_simulator.control.requests import ENGINE
from instagram_simulator.state import World
from instagram_simulator.values import Json, ProfessionalAccount

from .request import GraphCall
from .responses import GraphRefusal, GraphResponse, json_response

_PAGE = """<!doctype html><meta charset="utf-8"><title>Log in</title>
<h1>Which account do you connect?</h1><ul>{choices}</ul>
"""


class LoginRefusal(GraphRefusal):
    """A refusal of the login's host, which writes errors in its own way."""

    def response(self) -> GraphResponse:
        """Return the error as that host writes it."""
        error = {"error_type": "OAuthException", "code": 400, "error_message": str(self)}
        return json_response(error, 400)


async def authorize(request: web.Request) -> web.StreamResponse:
    """
    Ask which account is connected, and send the owner back.

    `account_id` chooses one at once, an empty one cancels; `permissions` are what is allowed,
    all that was asked for if it is not there.
    """
    world, query = request.app[ENGINE].world, request.query
    ours = [each for each in world.accounts.values() if each.app_id == query.get("client_id")]
    if not ours or query.get("response_type") != "code" or not query.get("redirect_uri"):
        return web.Response(status=400, text="Invalid platform app")
    chosen = query.get("account_id")
    if chosen is None:
        return web.Response(text=choices_page(request, ours), content_type="text/html")
    answer = {"state": query.get("state", "")}
    account = next((each for each in ours if each.account_id == chosen), None)
    if account is None:
        refused = {"error": "access_denied", "error_reason": "user_denied"}
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode({**refused, **answer})}")
    allowed = query.get("permissions", query.get("scope", ""))
    code = world.issue_code(account, query["redirect_uri"])
    request.app[ENGINE].permissions[code] = allowed
    raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode({'code': code, **answer})}#_")


def choices_page(request: web.Request, accounts: Iterable[ProfessionalAccount]) -> str:
    """Return the page with a link for each of *accounts*, and one to cancel."""
    links = {each.username: each.account_id for each in accounts} | {"Cancel": ""}
    choices = (
        f'<li><a href="{escape(str(request.rel_url.update_query(account_id=chosen)))}">'
        f"{escape(name)}</a></li>"
        for name, chosen in links.items()
    )
    return _PAGE.format(choices="".join(choices))


def redeem(world: World, call: GraphCall, permissions: dict[str, str]) -> Json:
    """Return a short-lived token for the code of *call*; inside `data[]`, as documented."""
    form = call.body
    code, redirect_uri = str(form.get("code", "")), str(form.get("redirect_uri", ""))
    ours = [each for each in world.accounts.values() if each.app_id == form.get("client_id")]
    if not ours:
        raise LoginRefusal(400, None, "Invalid platform app")
    if call.secrets.get("client_secret") not in {each.app_secret for each in ours}:
        raise LoginRefusal(400, None, "Error validating client secret")
    if form.get("grant_type") != "authorization_code":
        raise LoginRefusal(400, None, "Invalid grant_type")
    redeemed = world.redeem_code(code, redirect_uri)
    if redeemed is None:
        why = "Matching code was not found or was already used, or its redirect_uri is another"
        raise LoginRefusal(400, None, why)
    token, account = redeemed
    allowed = permissions.pop(code, "")
    login = {"access_token": token, "user_id": account.app_scoped_id, "permissions": allowed}
    return {"data": [login]}
