"""Paging of the Graph API: how much a list shows, from where on, and the link to the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from instagram_simulator.values import Json

from .fields import Field, text_of
from .request import GraphCall
from .responses import GraphRefusal

DEFAULT_LIMIT = 25
MAX_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a list that is asked for: *limit* items, those behind the cursor *after*."""

    limit: int = DEFAULT_LIMIT
    after: str | None = None

    def next_link(self, call: GraphCall, path: str, fields: Sequence[Field], after: str) -> str:
        """Return the address of what follows *after*; with the token, as Meta's have it."""
        asked = {"fields": text_of(fields)} if fields else {}
        query = {"access_token": call.token, **asked, "limit": self.limit, "after": after}
        return f"{call.origin}/{call.version}/{path}?{urlencode(query)}"


def page_of(parameters: Mapping[str, object]) -> Page:
    """Return the page that *parameters* ask for: those of a call, or a field's arguments."""
    if "before" in parameters:
        raise GraphRefusal(100, None, "The simulator does not page backwards: no parameter before")
    limit, after = str(parameters.get("limit", "")), parameters.get("after")
    return Page(
        limit=min(int(limit), MAX_LIMIT) if limit.isdecimal() else DEFAULT_LIMIT,
        after=str(after) if after else None,
    )


def listing(data: Sequence[Json], next_link: str | None) -> Json:
    """Return *data* as a list, whose items' ids are its cursors; *next_link* is there for more."""
    if not data:
        return {"data": []}
    paging: Json = {"cursors": {"before": data[0]["id"], "after": data[-1]["id"]}}
    if next_link is not None:
        paging["next"] = next_link
    return {"data": list(data), "paging": paging}


def wrong_cursor() -> GraphRefusal:
    """Return the refusal of a cursor that leads nowhere."""
    return GraphRefusal(100, None, "Invalid cursors values")
