"""Ice breakers and menu are declared, compared with what Meta has, written and taken away."""

from __future__ import annotations

import json

import pytest

from instagram_simulator import Fault, FaultKind, ProfessionalAccount
from tests.support.stage import ACCOUNT, Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = ProfessionalAccount(
    account_id="17841400000000002",
    app_scoped_id="24600000000000002",
    access_token="IGAAstage0token1of2the3other",
)
QUESTIONS = [{"questions": [{"question": "When are you open?", "payload": "HOURS"}]}]
MENU = [
    {"entries": [{"title": "Our shop", "url": "https://shop.example"}]},
    {"locale": "de_DE", "entries": [{"title": "Mensch", "payload": "HUMAN"}]},
]
SETTINGS = {
    "profile__ice_breakers": json.dumps(QUESTIONS),
    "profile__persistent_menu": json.dumps(MENU),
}


async def profile(stage: Stage, *arguments: str) -> tuple[int, list[str]]:
    """Return exit code and lines of a `profile` command, the log's aside."""
    code, output = await stage.service.command("profile", *arguments)
    return code, output.splitlines()


async def test_what_is_declared_is_shown_as_a_difference_written_and_then_no_more(tmp_path):
    async with open_stage(tmp_path, **SETTINGS) as stage:
        asked = await profile(stage, "apply")
        applied = await profile(stage, "apply", "--yes")
        again = await profile(stage, "apply", "--yes")
        shown = await profile(stage, "show")
        stage.service.settings["profile.ice_breakers"] = json.dumps(
            [{"questions": [{"question": "Where are you?"}]}]
        )
        changed = await profile(stage, "apply", "--yes")
        deleted = await profile(stage, "delete", "persistent_menu", "--yes")
        left = await profile(stage, "show", "--json")

    account = f"account {ACCOUNT.account_id}"
    everything = [
        "ice breakers, default:",
        "  When are you open? → HOURS",
        "persistent menu, de_DE:",
        "  Mensch → HUMAN",
        "persistent menu, default:",
        "  Our shop → https://shop.example",
    ]
    assert asked[0] == 1
    assert asked[1][: len(everything) + 1] == [account, *(f"  +{line}" for line in everything)]
    assert applied == (0, [account, *(f"  +{line}" for line in everything), "  written"])
    assert again == (0, [account, "  nothing to change"])
    assert shown == (0, [account, *(f"  {line}" for line in everything)])
    assert changed[1][1:4] == [
        "   ice breakers, default:",
        "  -  When are you open? → HOURS",
        "  +  Where are you? → Where are you?",
    ]
    assert deleted[1][-1] == "  deleted"
    assert json.loads(left[1][-1]) == {
        "account": ACCOUNT.account_id,
        "ice_breakers": [
            {
                "call_to_actions": [{"question": "Where are you?", "payload": "Where are you?"}],
                "locale": "default",
            }
        ],
    }


async def test_one_account_is_chosen_and_what_meta_refuses_is_told(tmp_path):
    async with open_stage(tmp_path, OTHER, **SETTINGS) as stage:
        chosen = await profile(stage, "apply", "--account", OTHER.account_id, "--yes")
        both = await profile(stage, "show")
        unknown = await profile(stage, "show", "--account", "1")
        stage.meta.fail(Fault(FaultKind.TOKEN_EXPIRED, times=1, on="any"))
        refused = await profile(stage, "show", "--account", ACCOUNT.account_id)
        del stage.service.settings["profile.ice_breakers"]
        del stage.service.settings["profile.persistent_menu"]
        undeclared = await profile(stage, "apply", "--yes")

    assert chosen[1][0] == f"account {OTHER.account_id}"
    assert both[1][:2] == [f"account {ACCOUNT.account_id}", "  neither ice breakers nor a menu"]
    assert len(both[1]) > 4
    assert unknown == (1, ["Error: no account 1 is configured"])
    assert (refused[0], "Meta refuses: authorization" in refused[1][-1]) == (1, True)
    assert undeclared[0] == 2
    assert "nothing is declared" in undeclared[1][-1]


async def test_what_meta_would_refuse_is_refused_before_anything_is_asked(tmp_path):
    async with open_stage(tmp_path) as stage:
        five = [{"questions": [{"question": f"Question {n}"} for n in range(5)]}]
        stage.service.settings["profile.ice_breakers"] = json.dumps(five)
        code, lines = await profile(stage, "apply", "--yes")

    assert code == 2
    assert lines == [
        "profile.ice_breakers (AK_PROFILE__ICE_BREAKERS): must have 1 to 4 questions for default; "
        'for example [{"locale": "default", "questions": [{"question": "When are you open?", '
        '"payload": "HOURS"}]}]'
    ]
