"""What the store is given of a webhook: the events that somebody acts on."""

from __future__ import annotations

from collections.abc import Iterable

from ak_instagram.meta.content import read_echo_text
from ak_instagram.meta.events import Event, Kind
from ak_instagram.meta.keys import edit_keys, mid_key
from ak_instagram.store.values import Arrival

_WAKING = frozenset({Kind.MESSAGE, Kind.POSTBACK, Kind.UNSEND, Kind.EDIT})
_VOICES = frozenset({Kind.ECHO, Kind.STANDBY})  # somebody else may be answering
_STORED = _WAKING | _VOICES


def arrivals_of(events: Iterable[Event]) -> list[Arrival]:
    """Return what to store of *events*, in their order."""
    return [_arrival(event) for event in events if event.kind in _STORED and event.contact]


def _arrival(event: Event) -> Arrival:
    return Arrival(
        account=event.account,
        contact=event.contact,
        kind=event.kind.value,
        key=event.key,
        mid=event.mid,
        at=event.at,
        payload="" if event.kind in _VOICES else event.payload,
        is_actionable=event.kind in _WAKING,
        echo_text=read_echo_text(event.payload) if event.kind is Kind.ECHO else None,
        is_standby=event.kind is Kind.STANDBY,
        unsends=_unsent_key(event),
        unsends_edits=_unsent_edit_keys(event),
    )


def _unsent_key(event: Event) -> str | None:
    """Return the key of the message that *event* takes back, if it is an unsend."""
    if event.kind is not Kind.UNSEND or event.mid is None:
        return None
    return mid_key(Kind.MESSAGE, event.account, event.mid)


def _unsent_edit_keys(event: Event) -> tuple[str, ...]:
    """Return the keys of that message's edits."""
    if event.kind is not Kind.UNSEND or event.mid is None:
        return ()
    return edit_keys(event.account, event.mid)
