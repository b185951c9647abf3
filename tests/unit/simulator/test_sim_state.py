"""The world keeps people and messages apart and in order."""

from __future__ import annotations

import base64
import re

import pytest

from ak_instagram.meta.keys import said_at
from instagram_simulator import MessageContent, ProfessionalAccount, Unknown, World
from instagram_simulator.ids import Ids, conversation_id, opaque

AT = 1_790_000_000_000  # UTC ms


@pytest.fixture
def world():
    return World()


def write(world, person, text, author="person"):
    return world.write(person.igsid, author, MessageContent(text=text))


def test_messages_keep_their_order_even_within_a_millisecond(world):
    mia = world.add_person("Mia")
    written = [write(world, mia, str(number)) for number in range(100)]

    times = [message.created for message in written]
    assert times == sorted(set(times))
    assert world.messages(mia.igsid) == tuple(written)
    assert world.newest(mia.igsid, 2) == (written[99], written[98])


def test_conversations_are_apart(world):
    mia, jo = world.add_person("Mia"), world.add_person("Jo")
    write(world, mia, "Hi")

    assert world.messages(jo.igsid) == ()


def test_a_person_belongs_to_one_account():
    shop, cafe = ProfessionalAccount(), ProfessionalAccount(account_id="2", access_token="other")
    world = World(shop, cafe)

    assert world.add_person("Mia").account_id == shop.account_id
    assert world.add_person("Jo", account=cafe).account_id == "2"
    token = world.token("other")
    assert token is not None
    assert token.account == cafe


def test_an_edit_counts_and_an_unsent_message_is_empty(world):
    message = write(world, world.add_person("Mia"), "helo")
    edited = world.edit(message.mid, "hello")
    unsent = world.unsend(message.mid)

    assert (edited.content.text, edited.edits) == ("hello", 1)
    assert (unsent.content, unsent.is_deleted) == (MessageContent(), True)
    assert world.message(message.mid) == unsent


def test_each_side_has_one_reaction(world):
    message = write(world, world.add_person("Mia"), "Hi")
    world.react(message.mid, "person", "❤️")
    world.react(message.mid, "account", "👍")
    world.react(message.mid, "person", "😂")
    both = world.message(message.mid).reactions
    one = world.react(message.mid, "person", None).reactions

    assert both == {"account": "👍", "person": "😂"}
    assert one == {"account": "👍"}


def test_the_window_is_what_the_person_wrote_last(world):
    mia = world.add_person("Mia")
    before = world.is_window_open(mia.igsid)
    write(world, mia, "Hi")
    opened = world.is_window_open(mia.igsid)
    world.clock.advance(23 * 3600)
    write(world, mia, "an answer", author="service")
    world.clock.advance(3601)

    assert (before, opened, world.is_window_open(mia.igsid)) == (False, True, False)


@pytest.mark.parametrize("ask", ["conversation", "message", "messages", "unsend"])
def test_what_does_not_exist_is_unknown(world, ask):
    with pytest.raises(Unknown):
        getattr(world, ask)("nothing")


def test_time_does_not_run_backwards(world):
    with pytest.raises(ValueError, match="backwards"):
        world.clock.advance(-1)


def test_a_message_id_has_the_form_of_metas():
    mid = Ids().mid("17841400000000001", "751390000000001", AT)

    plain = base64.b64decode(mid.replace("ZA", "Z").replace("ZD", "=")).decode()
    assert mid.startswith("aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3")
    assert re.fullmatch(
        r"ig_dm_item:1:IGMessageID:17841400000000001:3402823668417103\d{23}:\d+", plain
    )
    assert 150 < len(mid) < 180


def test_a_message_id_tells_its_time(world):
    mia = world.add_person("Mia")
    world.clock.advance(3600)
    messages = [write(world, mia, "Hi", author) for author in ("person", "service", "human")]

    assert [said_at(message.mid) for message in messages] == [each.created for each in messages]


def test_two_runs_give_different_ids_to_messages_of_the_same_time():
    assert Ids().mid("1", "2", AT) != Ids().mid("1", "2", AT)


def test_a_run_gives_no_id_twice():
    ids = Ids()

    assert len({ids.mid("1", "2", AT) for _ in range(100)}) == 100
    assert len({ids.igsid() for _ in range(100)}) == 100
    assert conversation_id("1", "2") != conversation_id("1", "3")


def test_opaque_is_base64_without_z_and_padding():
    assert opaque("a") == "YQZDZD"
