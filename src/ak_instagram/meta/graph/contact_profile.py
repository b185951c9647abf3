"""
Contact profiles: what Meta tells about a person who wrote to the account. Pure.

`GET /{IGSID}?fields=…`; the person consents by writing. Any field may be missing.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/user-profile
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from ak_instagram.meta.lenient import FLAG_SET, as_number, as_text

LONGEST = 100  # characters of a name


@dataclass(frozen=True, slots=True)
class ContactProfile:
    """
    A person as Meta knows them, in Meta's words; `None` or empty where it does not say.

    *name* and *username* are what they call themselves: a stranger's words like any message.
    """

    name: str = ""
    username: str = ""
    follower_count: int | None = None
    is_user_follow_business: bool | None = None
    is_business_follow_user: bool | None = None
    is_verified_user: bool | None = None

    @property
    def line(self) -> str:
        """The person in one line of text, for agents that get nothing else; empty if unnamed."""
        named = [self.name, f"@{self.username}" if self.username else ""]
        known = " ".join(filter(None, named))
        follows = ", follows the account" if self.is_user_follow_business else ""
        return f"[from] {known}{follows}" if known else ""

    def to_json(self) -> dict[str, object]:
        """Return the fields that are known, by Meta's names."""
        return {name: it for name, it in asdict(self).items() if it not in (None, "")}


FIELDS = tuple(each.name for each in fields(ContactProfile))


def read_contact_profile(answer: Mapping[str, object]) -> ContactProfile:
    """Return the profile in Meta's *answer*, or in what `to_json` made of one."""
    return ContactProfile(
        name=_plain(answer.get("name")),
        username=_plain(answer.get("username")),
        follower_count=as_number(answer.get("follower_count")),
        is_user_follow_business=_flag(answer.get("is_user_follow_business")),
        is_business_follow_user=_flag(answer.get("is_business_follow_user")),
        is_verified_user=_flag(answer.get("is_verified_user")),
    )


def _plain(value: object) -> str:
    """Return a text in one line that is not too long."""
    return " ".join((as_text(value) or "").split())[:LONGEST]


def _flag(value: object) -> bool | None:
    return None if value is None else value in FLAG_SET
