"""Settings of an account at Meta: its webhook fields, its ice breakers and its menu."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from instagram_simulator.values import Json, ProfessionalAccount
from instagram_simulator.webhooks.delivery import Deliveries
from instagram_simulator.webhooks.dispatch import FIELDS, Dispatch

from .request import GraphCall, as_object, names_in
from .responses import GraphRefusal
from .templates import MAX_PAYLOAD, check_button, check_text, refusal

MAX_QUESTIONS = 4
MAX_QUESTION = 80
MAX_ENTRIES = 20
MAX_ENTRY_TITLE = 30
SETTINGS = ("ice_breakers", "persistent_menu")


APP_ID = "1"


class Subscriptions:
    """
    The webhook fields of each account, and those of the app; *dispatch* goes by them.

    Whichever fields an account has, it gets all events of the fields that the app has ticked,
    as at Meta.
    """

    def __init__(self, dispatch: Dispatch, deliveries: Deliveries) -> None:
        self._dispatch = dispatch
        self._deliveries = deliveries

    def call(self, account: ProfessionalAccount, call: GraphCall) -> Json:
        """List, add or remove the fields of *account*."""
        mine, subscribed = account.account_id, self._dispatch.subscribed
        if call.method == "GET":
            app = {"id": APP_ID, "app_id": APP_ID, "subscribed_fields": [*subscribed[mine]]}
            return {"data": [app] if subscribed[mine] else []}
        subscribed[mine] = tuple(fields_of(call)) if call.method == "POST" else ()
        return {"success": True}

    def app(self, call: GraphCall, secrets: Iterable[str]) -> Json:
        """Return the app's own webhook; it asks with its id and one of the *secrets*."""
        app_id, _, secret = call.token.partition("|")
        if app_id != APP_ID or secret not in secrets:
            raise GraphRefusal(190, None, "Invalid OAuth access token signature.")
        url = self._deliveries.url
        fields = [{"name": each, "version": call.version} for each in self._dispatch.app_fields]
        webhook = {"object": "instagram", "callback_url": url, "active": True, "fields": fields}
        return {"data": [webhook] if url else []}


def fields_of(call: GraphCall) -> list[str]:
    """Return the fields that *call* subscribes to; raise for one that there is not."""
    fields = names_in(call.parameters.get("subscribed_fields"))
    if not fields:
        raise GraphRefusal(100, None, "The parameter subscribed_fields is required")
    for number, name in enumerate(fields):
        if name not in FIELDS:
            one_of = ", ".join(sorted(FIELDS))
            why = f"Param subscribed_fields[{number}] must be one of {{{one_of}}} - got {name!r}"
            raise GraphRefusal(100, None, why)
    return fields


class MessengerProfiles:
    """The ice breakers and the menu of each account."""

    def __init__(self) -> None:
        self._profiles: dict[str, Json] = {}

    def call(self, account: ProfessionalAccount, call: GraphCall) -> Json:
        """Read, set or delete the settings of *account*."""
        parameters, mine = call.parameters, self._profiles.setdefault(account.account_id, {})
        if str(parameters.get("platform", "instagram")).lower() != "instagram":
            raise GraphRefusal(100, None, "Param platform must be one of {instagram}")
        if call.method == "POST":
            mine |= settings_in(parameters)
            return {"result": "success"}
        named = [name.lower() for name in names_in(parameters.get("fields"))]
        for name in named:
            if name not in SETTINGS:
                raise GraphRefusal(100, None, f"Tried accessing nonexisting field ({name})")
        if call.method == "GET":
            asked = {name: value for name, value in mine.items() if name in (named or SETTINGS)}
            return {"data": [asked] if asked else []}
        if not named:
            raise GraphRefusal(100, None, "The parameter fields is required")
        for name in named:
            mine.pop(name, None)
        return {"result": "success"}


def settings_in(parameters: Mapping[str, object]) -> Json:
    """Return the settings that *parameters* have; raise if there is none, or a wrong one."""
    settings = {
        name: as_object(parameters[name]) for name in SETTINGS if parameters.get(name) is not None
    }
    if not settings:
        raise refusal(f"One of the parameters {', '.join(SETTINGS)} is required")
    try:
        for name, value in settings.items():
            check_locales(name, value)
    except (AttributeError, TypeError):  # an object, list or text where another was expected
        raise refusal(f"Param {' or '.join(settings)} is malformed") from None
    return settings


def check_locales(name: str, value: object) -> None:
    """Raise unless *value* is a list of settings, one a locale, or the questions themselves."""
    if not isinstance(value, list) or not value:
        raise refusal(f"Param {name} must be a non-empty array")
    if name == "ice_breakers" and "call_to_actions" not in value[0]:
        value = [{"call_to_actions": value}]
    for number, each in enumerate(value):
        calls = each.get("call_to_actions")
        if name == "ice_breakers":
            check_questions(calls, f"{name}[{number}]")
        else:
            check_menu(calls, f"{name}[{number}]")


def check_questions(questions: Sequence[Json], where: str) -> None:
    """Raise unless these are 1 to 4 *questions*, each with its payload."""
    if not 1 <= len(questions) <= MAX_QUESTIONS:
        raise refusal(f"Param {where} has 1 to {MAX_QUESTIONS} questions")
    for number, each in enumerate(questions):
        at = f"{where}[call_to_actions][{number}]"
        check_text(each, "question", MAX_QUESTION, f"{at}[question]")
        check_text(each, "payload", MAX_PAYLOAD, f"{at}[payload]")


def check_menu(buttons: Sequence[Json], where: str) -> None:
    """Raise unless these are the *buttons* of a menu."""
    if not 1 <= len(buttons) <= MAX_ENTRIES:
        raise refusal(f"Param {where} has 1 to {MAX_ENTRIES} entries")
    for number, each in enumerate(buttons):
        check_button(each, f"{where}[call_to_actions][{number}]", MAX_ENTRY_TITLE)
