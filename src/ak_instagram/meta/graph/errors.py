"""Errors of the Graph API: an answer that is no success, and what it means for the caller."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from ak_instagram import fast_json
from ak_instagram.backoff import http_date, parse_retry_after
from ak_instagram.meta.lenient import JsonObject, as_number, as_object

from .codes import ErrorClass, Rule, rule_for

# Shorter than a token, so that an id which echoes one is not taken for an id.
_TRACE_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_LONGEST_WAIT = 24 * 3600.0  # an answer is not allowed any later
_USAGE = ("X-App-Usage", "X-Business-Use-Case-Usage")
_UNREADABLE = Rule(ErrorClass.BAD_REQUEST, "refused for an unknown reason")
# As a proxy on the way out answers; the API itself says JSON, and has not got the call.
_NOT_THE_API = Rule(ErrorClass.TRANSIENT, "refused on the way, not by the API")
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

    def class_after(self, failures: int) -> ErrorClass:
        """Return the class once so many *failures* in a row have ended with this error."""
        rule = rule_for(self.code, self.subcode)
        return (rule and rule.class_after(failures)) or self.error_class

    @property
    def is_vague(self) -> bool:
        """Whether it refuses this message or the whole app, and does not say which."""
        rule = rule_for(self.code, self.subcode)
        return self.error_class is ErrorClass.BAD_REQUEST and (rule is None or rule.is_vague)

    @property
    def may_change(self) -> bool:
        """Whether it may mean something else by being repeated."""
        rule = rule_for(self.code, self.subcode)
        return self.is_vague or (rule is not None and rule.then is not None)

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
    loaded = fast_json.load_object(body)
    answer = loaded or {}
    error = as_object(answer.get("error", answer))  # the OAuth host's has it outside
    code, subcode = as_number(error.get("code")), as_number(error.get("error_subcode"))
    rule = rule_for(code, subcode) or default_rule(status, error, is_object=loaded is not None)
    is_unknown = rule.error_class is ErrorClass.OUTCOME_UNKNOWN
    trace_id = error.get("fbtrace_id")
    is_trace_id = isinstance(trace_id, str) and _TRACE_ID.fullmatch(trace_id)
    return GraphError(
        unanswered(repeatable=repeatable) if is_unknown else rule.error_class,
        rule.meaning,
        code=code,
        subcode=subcode,
        status=status,
        fbtrace_id=str(trace_id) if is_trace_id else None,
        retry_after=wait_asked_for(rule, headers),
    )


def unanswered(*, repeatable: bool) -> ErrorClass:
    """Return the class of a call whose outcome nobody told us."""
    return ErrorClass.TRANSIENT if repeatable else ErrorClass.OUTCOME_UNKNOWN


def default_rule(status: int, error: JsonObject, *, is_object: bool) -> Rule:
    """
    Return the rule for codes that the table does not have.

    *is_object* is whether the answer was a JSON object, as all of the API's are.
    """
    if status >= 500 or status < 400:
        return Rule(ErrorClass.OUTCOME_UNKNOWN, "no answer of the API itself")
    if error.get("is_transient") is True:
        return Rule(ErrorClass.TRANSIENT, "transient, says Meta")
    return _BY_STATUS.get(status, _UNREADABLE if is_object else _NOT_THE_API)


def wait_asked_for(rule: Rule, headers: Mapping[str, str]) -> float | None:
    """Return how many seconds to wait, as `Retry-After` or a throttled use case asks for."""
    try:
        answered_at = http_date(headers.get("Date", ""))
    except (ValueError, OverflowError):
        answered_at = datetime.max.replace(tzinfo=UTC)  # without Meta's clock no date lies ahead
    wait = parse_retry_after(headers.get("Retry-After"), answered_at, _LONGEST_WAIT) or 0.0
    if rule.error_class is ErrorClass.RATE_LIMITED:
        usages = [fast_json.load_object(headers.get(name, "")) or {} for name in _USAGE]
        minutes = [each for usage in usages for each in minutes_to_regain(usage)]
        wait = max(wait, 60 * max(minutes))
    return min(wait, _LONGEST_WAIT) or None


def minutes_to_regain(usage: JsonObject) -> Iterator[int]:
    """Yield each `estimated_time_to_regain_access` in the JSON of a usage header, or 0."""
    # An app's usage is one object; those of use cases are lists of them, by account.
    # https://developers.facebook.com/docs/graph-api/overview/rate-limiting
    for use_cases in ([usage], *usage.values()):
        for use_case in use_cases if isinstance(use_cases, list) else ():
            minutes = as_number(as_object(use_case).get("estimated_time_to_regain_access"))
            yield max(minutes or 0, 0)
