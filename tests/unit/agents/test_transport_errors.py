"""An agent's status decides whether to try again."""

from __future__ import annotations

import pytest

from ak_instagram.agents.transport import check_status
from ak_instagram.errors import Permanent, Transient


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_raises_nothing(status):
    check_status(status)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a_status_that_may_pass_is_transient(status):
    with pytest.raises(Transient) as caught:
        check_status(status, retry_after="3")

    assert caught.value.retry_after == 3.0


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        pytest.param(301, "set agent.url", id="moved"),
        pytest.param(400, "agent answered 400$", id="bad-request"),
        pytest.param(401, "check agent.api_key", id="unauthorised"),
        pytest.param(404, "check agent.url", id="not-found"),
        pytest.param(422, "agent answered 422$", id="unprocessable"),
    ],
)
def test_any_other_status_is_permanent_and_says_what_to_check(status, advice):
    with pytest.raises(Permanent, match=advice):
        check_status(status)
