"""What was kept of an event says everything that the agent has to know."""

from __future__ import annotations

import json

import pytest

from ak_instagram.meta.content import (
    Attachment,
    Edit,
    Message,
    Other,
    Postback,
    PostComment,
    Referral,
    Story,
    Unsend,
    read_content,
)
from ak_instagram.meta.events import Kind
from ak_instagram.meta.parse import parse_webhook
from tests.support.webhook_payloads import RECEIVED, body, entry, item, only_event, raw

CDN = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id={}&signature=AbC"


def mid(number: int) -> str:
    return f"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQx{number:02d}ZDZD"


def cdn(number: int) -> str:
    return CDN.format(number)


def content_of(payload):
    event = only_event(payload)
    return read_content(event.kind, event.payload)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param(*row, id=row[0])
        for row in [
            ("text", Message(mid(1), text="Grüße \N{WAVING HAND SIGN}")),
            (
                "image_and_video",
                Message(
                    mid(2),
                    attachments=(
                        Attachment("image", cdn(1)),
                        Attachment("video", cdn(2)),
                    ),
                ),
            ),
            ("audio", Message(mid(3), attachments=(Attachment("audio", cdn(3)),))),
            ("file", Message(mid(4), attachments=(Attachment("file", cdn(4)),))),
            ("share", Message(mid(5), attachments=(Attachment("share", cdn(5)),))),
            (
                "share_and_ig_post",
                Message(
                    mid(6),
                    attachments=(
                        Attachment("ig_post", cdn(7), "Spring is here", "18012345678901234"),
                    ),
                ),
            ),
            (
                "ig_reel",
                Message(
                    mid(7),
                    attachments=(
                        Attachment("ig_reel", cdn(8), "How it is made", "18099999999999999"),
                    ),
                ),
            ),
            (
                "story_mention",
                Message(mid(8), attachments=(Attachment("story_mention", cdn(9)),)),
            ),
            ("ephemeral", Message(mid(9), attachments=(Attachment("ephemeral"),))),
            ("unsupported", Message(mid(10), is_unsupported=True)),
            ("quick_reply", Message(mid(11), text="Blue", payload="COLOR_BLUE")),
            ("inline_reply", Message(mid(12), text="this one", reply_to=mid(1))),
            (
                "story_reply",
                Message(mid(13), text="love it", story=Story("17990000000000000", cdn(10))),
            ),
            (
                "ad_referral",
                Message(
                    mid(14),
                    text="Is this available?",
                    referral=Referral(
                        ref="spring_sale",
                        source="ADS",
                        type="OPEN_THREAD",
                        ad_id="120200000000000000",
                        ad_title="Spring",
                    ),
                ),
            ),
            (
                "shop_referral",
                Message(mid(15), text="price?", referral=Referral(product_id="5512345")),
            ),
            ("wrapped_in_list", Message(mid(33), text="in a list")),
            ("unsend", Unsend(mid(1))),
            ("edit", Edit(mid(1), "corrected text", 1)),
            ("postback", Postback(mid(21), title="Opening hours", payload="FAQ_HOURS")),
            ("echo", Other()),
            ("self_message", Other()),
            ("self_postback", Other()),
            ("react", Other()),
            ("referral", Referral(ref="bio_link", source="IGME", type="OPEN_THREAD")),
            ("read", Other()),
            (
                "comment",
                PostComment("17900000000000002", "and this?", media_id="18000000000000001"),
            ),
            ("edit_companion", Other()),
            ("optin", Other()),
            ("standby", Other()),
            ("pass_thread_control", Other()),
            ("test_change", Other()),
            ("test_bare", Other()),
            ("mention", Other()),
            ("changed_fields", Other()),
            ("unknown_object", Other()),
        ]
    ],
)
def test_a_payload_says_what_was_in_it(name, content):
    assert content_of(raw(name)) == content


def message(**members):
    return body(entry(item(message={"mid": "m", **members})))


@pytest.mark.parametrize(
    ("attachments", "kinds"),
    [
        pytest.param(None, [], id="null"),
        pytest.param([], [], id="none"),
        pytest.param([None, 1, "x", [], {"type": "image"}], ["image"], id="no-objects-among-them"),
        pytest.param({"type": "image"}, ["image"], id="one-not-in-a-list"),
        pytest.param([{"payload": None}, {"type": None}], ["unknown"] * 2, id="without-a-type"),
        pytest.param([{"type": "hologram"}], ["hologram"], id="of-a-new-type"),
        pytest.param(
            [{"type": "ig_post"}, {"type": "share"}, {"type": "image"}],
            ["ig_post", "image"],
            id="share-after-its-ig-post",
        ),
        pytest.param([{"type": "share"}, {"type": "share"}], ["share"] * 2, id="two-shares"),
    ],
)
def test_attachments_are_taken_as_far_as_they_make_sense(attachments, kinds):
    found = content_of(message(attachments=attachments)).attachments

    assert [attachment.kind for attachment in found] == kinds
    assert all(attachment.url is None for attachment in found)


@pytest.mark.parametrize(
    ("attachments", "found"),
    [
        pytest.param(
            [
                {
                    "type": "ig_story",
                    "payload": {"story_media_id": "17", "story_media_url": "https://cdn/s"},
                }
            ],
            [Attachment("ig_story", "https://cdn/s", id="17")],
            id="a-story",
        ),
        pytest.param(
            [
                {
                    "type": "template",
                    "payload": {
                        "product": {
                            "elements": [
                                {
                                    "id": "9",
                                    "retailer_id": "vase-9",
                                    "title": "Blue vase",
                                    "subtitle": "18 €",
                                    "image_url": "https://cdn/v",
                                },
                                {"id": "10", "title": "Red vase"},
                            ]
                        }
                    },
                }
            ],
            [
                Attachment("product", "https://cdn/v", "Blue vase", "vase-9", "18 €"),
                Attachment("product", None, "Red vase", "10"),
            ],
            id="products",
        ),
        pytest.param(
            [{"type": "fallback", "title": "Our blog", "url": "https://shop.example/blog"}],
            [Attachment("fallback", "https://shop.example/blog", "Our blog")],
            id="a-link-beside-its-payload",
        ),
        pytest.param(
            [
                {"type": "share", "payload": {"url": "https://cdn/p"}},
                {"type": "ig_post", "payload": {"ig_post_media_id": "18", "title": "Spring"}},
            ],
            [Attachment("ig_post", "https://cdn/p", "Spring", "18")],
            id="a-post-whose-link-its-share-has",
        ),
        pytest.param(
            [{"type": "appointment_booking", "payload": {"booking_id": "b1", "title": "Haircut"}}],
            [Attachment("appointment_booking", None, "Haircut", "b1")],
            id="a-booking",
        ),
    ],
)
def test_what_is_shared_keeps_its_id_title_price_and_link(attachments, found):
    assert content_of(message(attachments=attachments)).attachments == tuple(found)


@pytest.mark.parametrize(
    "content",
    [
        {"message": {"mid": "m", "text": "hi", "referral": {"ref": "table-12"}}},
        {"message": {"mid": "m", "text": "hi"}, "referral": {"ref": "table-12"}},
        {"postback": {"mid": "m", "title": "hi", "referral": {"ref": "table-12"}}},
        {"postback": {"mid": "m", "title": "hi"}, "referral": {"ref": "table-12"}},
    ],
    ids=["in-a-message", "beside-a-message", "in-a-tap", "beside-a-tap"],
)
def test_what_led_the_person_here_is_read_wherever_it_stands(content):
    assert content_of(body(entry(item(**content)))).referral == Referral(ref="table-12")


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"text": None, "quick_reply": None, "reply_to": None}, id="null"),
        pytest.param({"text": {}, "quick_reply": "x", "reply_to": 1}, id="of-the-wrong-type"),
        pytest.param({"reply_to": {"story": None, "mid": None}}, id="null-inside"),
        pytest.param({"reply_to": {"story": "s"}, "referral": "r"}, id="wrong-inside"),
        pytest.param({"referral": {}, "quick_reply": {}}, id="empty-inside"),
    ],
)
def test_members_without_sense_are_as_good_as_missing(members):
    assert content_of(message(**members)) == Message("m")


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("payload", ["", "{", "[]", "null", "{}", '{"message":5}', "9" * 5000])
def test_a_payload_that_does_not_fit_its_kind_is_read_all_the_same(kind, payload):
    content = read_content(kind, payload)

    assert content == read_content(str(kind), payload)


def test_an_edit_without_a_usable_count_is_the_first():
    edited = body(entry(item(message_edit={"mid": "m", "text": "x", "num_edit": "<n>"})))

    assert content_of(edited) == Edit("m", "x", 1)


def test_what_is_kept_of_messages_is_what_was_sent():
    sent = json.loads(raw("batch"))

    events = parse_webhook(raw("batch"), RECEIVED).events

    items = [one for each in sent["entry"] for one in each["messaging"]]
    kept = [json.loads(event.payload) if event.payload else None for event in events]
    assert kept == [item if "message" in item else None for item in items]
    assert len(kept) == 4
