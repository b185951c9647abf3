"""
The Graph API's error codes as a table: what each means and what it calls for.

Meta's message is localised and its HTTP status undocumented, so the code and the
subcode decide alone.
https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes
https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ErrorClass(StrEnum):
    """A class of errors, by what to do about them."""

    TRANSIENT = "transient"  # try again with backoff
    RATE_LIMITED = "rate_limited"  # wait, then try again
    AUTHORIZATION = "authorization"  # the account can't send until its owner acts
    WINDOW_CLOSED = "window_closed"  # keep it until the person writes again
    PERSON_UNAVAILABLE = "person_unavailable"  # drop it: this person can't be reached
    BAD_REQUEST = "bad_request"  # drop it: our mistake
    ACCOUNT_RESTRICTED = "account_restricted"  # the account must pause
    OUTCOME_UNKNOWN = "outcome_unknown"  # find out whether it was done, then decide


# What keeps an account from sending anything to anybody: until somebody acts, or at all.
STOPPED = frozenset({ErrorClass.AUTHORIZATION, ErrorClass.ACCOUNT_RESTRICTED})
WHOLE_ACCOUNT = STOPPED | {ErrorClass.RATE_LIMITED}


@dataclass(frozen=True, slots=True)
class Rule:
    """
    The meaning of an error.

    After *failures* in a row that ended with it, it is of the class *then*: some errors pass
    as a rule, and mean something else when they don't. `delivery` says when to believe that.
    A refusal that *is_vague* may be of this message or of the whole app.
    """

    error_class: ErrorClass
    meaning: str
    failures: int | None = None
    then: ErrorClass | None = None
    is_vague: bool = False

    def class_after(self, failures: int) -> ErrorClass | None:
        """Return the class that it has after so many *failures*, if that is another one."""
        return self.then if self.failures is not None and failures >= self.failures else None


_T = ErrorClass.TRANSIENT
_RL = ErrorClass.RATE_LIMITED
_AUTH = ErrorClass.AUTHORIZATION
_WIN = ErrorClass.WINDOW_CLOSED
_USR = ErrorClass.PERSON_UNAVAILABLE
_BAD = ErrorClass.BAD_REQUEST
_BLK = ErrorClass.ACCOUNT_RESTRICTED
_UNK = ErrorClass.OUTCOME_UNKNOWN

# (code, subcode) wins over (None, subcode), which wins over (code, None).
RULES: dict[tuple[int | None, int | None], Rule] = {
    (1, None): Rule(_UNK, "unknown API error"),
    (1, 99): Rule(_UNK, "unknown API error, often a missing permission", failures=2, then=_AUTH),
    (1, 1357046): Rule(_UNK, "invalid reply, though the message may have been sent"),
    (2, None): Rule(_T, "temporary, or blocked by the person", failures=3, then=_USR),
    (2, 1545133): Rule(_T, "temporary failure to send"),
    (3, None): Rule(_AUTH, "the app lacks a capability"),
    (4, None): Rule(_RL, "the app's limit"),
    (17, None): Rule(_RL, "the user's limit"),
    (32, None): Rule(_RL, "the page's limit"),
    (341, None): Rule(_RL, "the app's limit"),
    (613, None): Rule(_RL, "the limit of this API"),
    (613, 2534040): Rule(_RL, "the limit of this API"),
    (613, 2018338): Rule(_BLK, "warned for bothersome messages"),
    (80002, None): Rule(_RL, "Instagram's use case limit"),
    (80006, None): Rule(_RL, "Messenger's use case limit"),
    (10, None): Rule(_AUTH, "permission missing"),
    (10, 2534022): Rule(_WIN, "outside the 24 hour window"),
    (10, 2018278): Rule(_WIN, "outside the 24 hour window"),
    (10, 2018065): Rule(_WIN, "outside the 24 hour window"),
    (10, 2018108): Rule(_USR, "the person can't receive messages now"),
    (10, 1893063): Rule(_BLK, "temporarily restricted from sending"),
    (10, 2534077): Rule(_AUTH, "the account's linkage or two-factor login"),
    (10, 2534048): Rule(_AUTH, "no Advanced Access, and the person has no role in the app"),
    (200, 2534048): Rule(_AUTH, "no Advanced Access, and the person has no role in the app"),
    (12, None): Rule(_BLK, "the call is not supported any more"),
    (101, None): Rule(_BLK, "the app is not known"),
    (2635, None): Rule(_BLK, "the API's version has ended"),
    (27, None): Rule(_BAD, "thread control without conversation routing"),
    (100, None): Rule(_BAD, "bad parameter, or a call that is refused to the app", is_vague=True),
    (100, 33): Rule(_BAD, "object missing, or no permission to see it", is_vague=True),
    (100, 2018001): Rule(_USR, "no such person"),
    (100, 2018008): Rule(_T, "the file could not be fetched", failures=2, then=_BAD),
    (100, 2018047): Rule(_BAD, "the file is of another type"),
    (100, 2018074): Rule(_BAD, "no such attachment of this account"),
    (100, 2018109): Rule(_BAD, "the attachment is too large"),
    (100, 2018294): Rule(_T, "the video could not be fetched in time", failures=2, then=_BAD),
    (100, 2534013): Rule(_AUTH, "the page is not linked to the Instagram account"),
    (100, 2534014): Rule(_USR, "no such person"),
    (100, 2534015): Rule(_BAD, "invalid message"),
    (100, 2534025): Rule(_BAD, "the comment can't be replied to privately"),
    (100, 2534029): Rule(_BLK, "the account is blocked from messaging"),
    (100, 2534037): Rule(_USR, "another app controls the thread"),
    (None, 2018300): Rule(_USR, "another app controls the thread"),
    (None, 2534001): Rule(_USR, "the thread is archived or deleted"),
    (None, 2534068): Rule(_BAD, "several images in a message are not enabled"),
    (102, None): Rule(_AUTH, "the session is invalid"),
    (190, None): Rule(_AUTH, "the token is invalid, or for another host"),
    (190, 458): Rule(_AUTH, "the app was removed by the account's owner"),
    (190, 459): Rule(_AUTH, "the account's owner must log in at Instagram"),
    (190, 464): Rule(_AUTH, "the account's owner must log in at Instagram"),
    (190, 460): Rule(_AUTH, "the password was changed"),
    (190, 463): Rule(_AUTH, "the token has expired"),
    (190, 467): Rule(_AUTH, "the token is invalid"),
    (190, 492): Rule(_AUTH, "the session is invalid: a role was lost"),
    (200, None): Rule(_AUTH, "permission missing, or the app is restricted"),
    (200, 1545041): Rule(_USR, "the person isn't available"),
    (200, 2534041): Rule(_AUTH, 'the account does not "allow access to messages"'),
    (200, 2534066): Rule(_AUTH, "the token lacks the scope for private replies"),
    (230, None): Rule(_USR, "the person has not consented to show the profile"),
    (368, None): Rule(_BLK, "temporarily blocked for policy"),
    (508, 2534122): Rule(_T, "links are temporarily refused", failures=3, then=_BLK),
    (551, None): Rule(_USR, "the person isn't receiving messages"),
    (551, 1545041): Rule(_USR, "the person isn't available"),
    (9010, None): Rule(_USR, "no such person"),
    (9000001, None): Rule(_BAD, "the message was deleted, or is not among the newest"),
    (10900, None): Rule(_BAD, "a private reply was sent already"),
    (10903, 1893049): Rule(_USR, "the person can't reply to this"),
    (10904, 1893050): Rule(_AUTH, "messages are switched off in the account's settings"),
    (2022, None): Rule(_BLK, "messages about commerce are switched off by policy"),
    (36103, None): Rule(_AUTH, "the account is not eligible for the API yet"),
}

_PERMISSION = Rule(_AUTH, "permission missing or removed")


def rule_for(code: int | None, subcode: int | None) -> Rule | None:
    """Return the rule for an error, or `None` if the table does not have it."""
    if code is None:
        return None
    return (
        RULES.get((code, subcode))
        or RULES.get((None, subcode or code))
        or RULES.get((code, None))
        or (_PERMISSION if code in range(200, 300) else None)
    )
