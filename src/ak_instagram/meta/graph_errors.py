"""What an answer of the Graph API that is no success means for the caller."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ak_instagram import fast_json
from ak_instagram.backoff import http_date, parse_retry_after

from .graph_codes import ErrorClass, Rule, rule_for

# Shorter than a token, so that an id which echoes one is not taken for an id.
_TRACE_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_LONGEST_WAIT = 24 * 3600.0  # an answer is not allowed any later
_USAGE = ("X-App-Usage", "X-Business-Use-Case-Usage")
_UNREADABLE = Rule(ErrorClass.BAD_REQUEST, "refused for an unknown reason")
_BY_STATUS = {
    401: Rule(ErrorClass.AUTHORIZATION, "not authorized"),
    429: Rule(ErrorClass.RATE_LIMITED, "too many requests"),
}


class GraphError(Exception):
    """
    A call of the Graph API that failed, and what its caller should do about it.

    Its text is safe to log: of Meta's answer it has the codes and the trace id, never
    the message, which is localised and may repeat the token. *meaning* is in our own
    words, *retry_after* in seconds. What there was no answer to tell is `None`.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        meaning: str = "",
        *,
        code: int | None = None,
        subcode: int | None = None,
        status: int | None = None,
        fbtrace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(error_class, meaning)
        self.error_class = error_class
        self.meaning = meaning
        self.code = code
        self.subcode = subcode
        self.status = status
        self.fbtrace_id = fbtrace_id
        self.retry_after = retry_after

    def class_after(self, tries: int) -> ErrorClass:
        """Return the class once *tries* in a row have ended with this error."""
        rule = rule_for(self.code, self.subcode)
        return (rule and rule.class_after(tries)) or self.error_class

    def __str__(self) -> str:
        head = f"{self.error_class}: {self.meaning}" if self.meaning else self.error_class.value
        facts = {
            "code": self.code,
            "subcode": self.subcode,
            "status": self.status,
            "fbtrace_id": self.fbtrace_id,
        }
        known = (f"{name}={fact}" for name, fact in facts.items() if fact is not None)
        return " ".join([head, *known])


def classify(
    status: int, body: bytes, headers: Mapping[str, str], *, repeatable: bool = False
) -> GraphError:
    """
    Return what an answer with *status* other than 200 means.

    *headers* must not care about case. A call that is *repeatable* (it changes
    nothing, or nothing that matters) is at worst transient; of any other, Meta may
    have done what it then reports to have failed.
    """
    error = _error_in(body)
    code, subcode = _integer(error.get("code")), _integer(error.get("error_subcode"))
    rule = rule_for(code, subcode) or _default(status, error)
    is_unknown = rule.error_class is ErrorClass.OUTCOME_UNKNOWN
    return GraphError(
        unanswered(repeatable=repeatable) if is_unknown else rule.error_class,
        rule.meaning,
        code=code,
        subcode=subcode,
        status=status,
        fbtrace_id=_trace_id(error),
        retry_after=_retry_after(rule, headers),
    )


def unanswered(*, repeatable: bool) -> ErrorClass:
    """Return the class of a call whose outcome nobody told us."""
    return ErrorClass.TRANSIENT if repeatable else ErrorClass.OUTCOME_UNKNOWN


def _default(status: int, error: Mapping[str, object]) -> Rule:
    """Return the rule for codes that the table does not have."""
    if status >= 500 or status < 400:
        return Rule(ErrorClass.OUTCOME_UNKNOWN, "no answer of the API itself")
    if error.get("is_transient") is True:
        return Rule(ErrorClass.TRANSIENT, "transient, says Meta")
    return _BY_STATUS.get(status, _UNREADABLE)


def _error_in(body: bytes) -> Mapping[str, object]:
    """Return the error object in *body*, be it the Graph API's shape or the OAuth host's."""
    answer = _load_object(body)
    error = answer.get("error", answer)
    return error if isinstance(error, dict) else {}


def _load_object(body: bytes) -> dict[str, object]:
    """Return the JSON object in *body*, empty if there is none."""
    try:
        answer = fast_json.load(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _integer(value: object) -> int | None:
    """Return *value*, a number or one in a string, as an integer."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def _trace_id(error: Mapping[str, object]) -> str | None:
    trace_id = error.get("fbtrace_id")
    is_one = isinstance(trace_id, str) and _TRACE_ID.fullmatch(trace_id)
    return str(trace_id) if is_one else None


def _retry_after(rule: Rule, headers: Mapping[str, str]) -> float | None:
    """Return how many seconds to wait, as `Retry-After` or a throttled use case asks for."""
    asked = parse_retry_after(headers.get("Retry-After"), _answered_at(headers), _LONGEST_WAIT)
    waits = [asked or 0.0]
    if rule.error_class is ErrorClass.RATE_LIMITED:
        usages = [_load_object(headers.get(name, "").encode()) for name in _USAGE]
        waits += [minutes * 60 for usage in usages for minutes in _minutes_to_regain(usage)]
    longest = max(waits)
    return min(longest, _LONGEST_WAIT) if longest else None


def _answered_at(headers: Mapping[str, str]) -> datetime:
    """Return when Meta answered, by its own clock; without that no date lies ahead."""
    try:
        return http_date(headers.get("Date", ""))
    except (ValueError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)


def _minutes_to_regain(usage: Mapping[str, object]) -> Iterator[float]:
    """Yield each `estimated_time_to_regain_access` in the JSON of a usage header."""
    # An app's usage is one object; those of use cases are lists of them, by account.
    # https://developers.facebook.com/docs/graph-api/overview/rate-limiting
    for use_cases in ([usage], *usage.values()):
        for use_case in use_cases if isinstance(use_cases, list) else ():
            if isinstance(use_case, dict):
                yield _positive(use_case.get("estimated_time_to_regain_access"))


def _positive(value: object) -> float:
    """Return *value*, a number or one in a string, as a float; 0 if it is none above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0.0
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) and number > 0 else 0.0
