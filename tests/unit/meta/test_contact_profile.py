"""A person's profile is read as far as Meta tells, whatever it has in its fields."""

from __future__ import annotations

import pytest

from ak_instagram.meta.graph.contact_profile import ContactProfile, read_contact_profile


@pytest.mark.parametrize(
    ("answer", "profile"),
    [
        pytest.param({}, ContactProfile(), id="nothing"),
        pytest.param(
            {"name": None, "username": "mia", "follower_count": 0, "is_verified_user": False},
            ContactProfile(username="mia", follower_count=0, is_verified_user=False),
            id="no-name",
        ),
        pytest.param(
            {"name": " Mia\n Brandt ", "is_user_follow_business": "true"},
            ContactProfile("Mia Brandt", is_user_follow_business=True),
            id="lines-and-texts",
        ),
        pytest.param(
            {"name": ["Mia"], "follower_count": {}, "is_verified_user": "yes"},
            ContactProfile(is_verified_user=False),
            id="other-types",
        ),
        pytest.param({"name": "x" * 300}, ContactProfile("x" * 100), id="endless"),
    ],
)
def test_a_profile_is_read(answer, profile):
    assert read_contact_profile(answer) == profile
    assert read_contact_profile(profile.to_json()) == profile


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        pytest.param(ContactProfile(), "", id="nobody"),
        pytest.param(ContactProfile(follower_count=3), "", id="a-number-alone"),
        pytest.param(ContactProfile("Mia"), "[from] Mia", id="a-name"),
        pytest.param(
            ContactProfile("Mia", "mia.b", is_user_follow_business=True),
            "[from] Mia @mia.b, follows the account",
            id="all",
        ),
    ],
)
def test_a_profile_is_one_line_for_agents_that_get_text_alone(profile, line):
    assert profile.line == line
