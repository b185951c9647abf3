"""
Rich parts as messages within Instagram's limits; what does not fit becomes words, never nothing.

Lengths are in characters, as Meta counts titles (of a text it counts bytes, see `split`).
Every message that is more than words carries the words that stand in for it, for the case
that Meta refuses what seems right here: a picture that it can't fetch, a button it dislikes.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple
from urllib.parse import urlsplit

import regex

from ak_instagram.agents.agent import (
    Button,
    Buttons,
    Card,
    Cards,
    Media,
    Option,
    QuickReplies,
    Reaction,
)
from ak_instagram.meta.lenient import JsonObject
from ak_instagram.meta.outgoing import (
    FALLBACK,
    MAX_BUTTONS,
    MAX_BUTTONS_TEXT,
    MAX_CARD_TEXT,
    MAX_CARDS,
    MAX_PAYLOAD,
    MAX_QUICK_REPLIES,
    MAX_TITLE,
    MEGABYTES,
    Outgoing,
    attachment,
    reaction,
)

from .markdown import plain
from .split import cluster_end, split

# Besides every emoji, Meta knows these by name.
_REACTIONS = frozenset({"love", "like", "laugh", "wow", "sad", "angry"})
_ONE_SIGN = regex.compile(r"\X")


class Refusal(NamedTuple):
    """A *part* that is not sent as what it is, by its class's name, and the *reason*."""

    part: str
    reason: str


class Rendered(NamedTuple):
    """The messages that a part becomes, and what of it could not be sent as what it is."""

    messages: tuple[Outgoing, ...] = ()
    refused: tuple[Refusal, ...] = ()


def render(part: Buttons | Cards | Media | Reaction, mid: str | None) -> Rendered:
    """Return what *part* becomes; *mid* is the person's latest message, if there is one."""
    match part:
        case Buttons(text, buttons):
            return _buttons(text, buttons)
        case Cards(cards):
            return _carousels(cards)
        case Media(kind, url):
            return _media(kind, url)
        case Reaction(emoji, about):
            return _reaction(emoji.strip(), about or mid)


def words_in(part: object) -> str:
    """Return the words of *part* as they are, with their markup."""
    match part:
        case QuickReplies(options):
            return " ".join(option.title for option in options)
        case Buttons(text, buttons):
            return " ".join([text, *(button.title for button in buttons)])
        case Cards(cards):
            return " ".join(
                " ".join([it.title, it.subtitle or "", words_in(Buttons("", it.buttons))])
                for it in cards
            )
    return ""


def said_in(part: object) -> str:
    """Return what *part* says, for a memory of the conversation; empty for a reaction."""
    match part:
        case QuickReplies(options):
            return f"({' / '.join(option.title for option in options)})"
        case Buttons(text, buttons):
            return "\n".join([text, *(button.title for button in buttons)])
        case Cards(cards):
            return "\n".join(map(_lines_of, cards))
        case Media(kind, url):
            return f"[{kind}] {url}"
    return ""


# --- quick replies -----------------------------------------------------------


def quick_replies(pieces: Sequence[str], options: Sequence[Option]) -> Rendered:
    """
    Return *pieces* of a text with *options* under the last of them.

    More than fit are a numbered list in its place. Titles that are too long are that as well,
    and cut where they are tapped. Instagram has them under a text only: without one the
    list is the text.
    """
    titled = [
        Option(title, it.payload if it.payload.strip() else title)
        for it in options
        if (title := _line(it.title))
    ]
    if not titled:
        why = Refusal("QuickReplies", "none of them has a title")
        return Rendered(_texts(pieces), (why,) if options or not pieces else ())
    longest = max(len(option.title) for option in titled)
    problems = {
        "some have no title": len(titled) < len(options),
        "Instagram has them under a text only": not pieces,
        f"{len(titled)} of them, Instagram takes {MAX_QUICK_REPLIES}": len(titled)
        > MAX_QUICK_REPLIES,
        f"a title of {longest} characters, Instagram shows {MAX_TITLE}": longest > MAX_TITLE,
        f"a payload of more than {MAX_PAYLOAD} characters": any(
            len(option.payload) > MAX_PAYLOAD for option in titled
        ),
    }
    refused = tuple(Refusal("QuickReplies", why) for why, is_so in problems.items() if is_so)
    listed = "\n".join(f"{number}. {option.title}" for number, option in enumerate(titled, start=1))
    *before, last = pieces or [""]
    in_words = split(f"{last}\n\n{listed}")
    fits = [option for option in titled if len(option.payload) <= MAX_PAYLOAD]
    if len(titled) > MAX_QUICK_REPLIES or len(fits) < len(titled):
        return Rendered(_texts([*before, *in_words]), refused)
    is_listed = longest > MAX_TITLE or not pieces
    *more, text = in_words if is_listed else [last]
    chips = [
        {"content_type": "text", "title": _cut(title, MAX_TITLE), "payload": payload}
        for title, payload in map(_pair, titled)
    ]
    instead = split(text if is_listed else f"{text}\n\n{listed}")
    tapped = {"text": text, "quick_replies": chips, FALLBACK: list(_texts(instead))}
    return Rendered((*_texts([*before, *more]), tapped), refused)


def _pair(option: Option) -> tuple[str, str]:
    return option.title, option.payload


# --- buttons -----------------------------------------------------------------


def _buttons(markdown: str, buttons: Sequence[Button]) -> Rendered:
    """Return a text with buttons below; the part of it that is too long goes before."""
    pieces = _pieces(markdown)
    if pieces and len(pieces[-1]) > MAX_BUTTONS_TEXT:
        pieces = [*pieces[:-1], *split(pieces[-1], MAX_BUTTONS_TEXT)]
    made = [_button(button) for button in buttons]
    problem = _first_true(
        {
            "no text above them": not pieces,
            "no button": not buttons,
            f"{len(buttons)} of them, Instagram takes {MAX_BUTTONS}": len(buttons) > MAX_BUTTONS,
            **{why: True for _, why in made if why},
        }
    )
    if problem:
        whole = _in_words(_pieces(markdown), buttons)
        return Rendered(whole.messages, (Refusal("Buttons", problem), *whole.refused))
    *before, text = pieces
    template: JsonObject = {
        "template_type": "button",
        "text": text,
        "buttons": [button for button, _ in made],
    }
    instead = _in_words([text], buttons).messages
    return Rendered((*_texts(before), attachment("template", template, instead)))


def _button(button: Button) -> tuple[JsonObject, str | None]:
    """Return *button* as Meta takes it, its title cut if it must be, and what is wrong with it."""
    title = _line(button.title)
    shown = _cut(title, MAX_TITLE)
    if is_address(button.url):
        action: JsonObject = {"type": "web_url", "url": button.url, "title": shown}
    else:
        payload = button.payload if (button.payload or "").strip() else title
        action = {"type": "postback", "title": shown, "payload": payload}
    if not title:
        return action, "a button without a title"
    if button.url and not is_address(button.url) and not button.payload:
        return action, "a button's address is none of the web"
    if len(button.payload or "") > MAX_PAYLOAD:
        return action, f"a payload of more than {MAX_PAYLOAD} characters"
    if len(title) > MAX_TITLE:
        return action, f"a title of {len(title)} characters, Instagram shows {MAX_TITLE}"
    return action, None


def _in_words(pieces: Sequence[str], buttons: Iterable[Button]) -> Rendered:
    """Return a text with a line for each of *buttons* that leads away, the others to be tapped."""
    lines = list(filter(None, map(_link_of, buttons)))
    taps = [Option(it.title, it.payload or it.title) for it in buttons if not _link_of(it)]
    if lines:
        *before, last = pieces or [""]
        pieces = [*before, *split("\n".join([last, *lines]))]
    return quick_replies(pieces, taps) if taps else Rendered(_texts(pieces))


def _link_of(button: Button) -> str:
    """Return the line that stands for a *button* with an address, if it has one."""
    return f"{_line(button.title)}: {button.url}".removeprefix(": ") if button.url else ""


# --- cards -------------------------------------------------------------------


def _carousels(cards: Sequence[Card]) -> Rendered:
    """
    Return *cards* side by side, ten at most in a message.

    A card that has no place there, or is cut, is a text behind them, whole.
    """
    shown: list[tuple[JsonObject, Card]] = []
    whole: list[Card] = []
    refused: dict[Refusal, None] = {}
    for card in cards:
        element, problem, is_shown = _element(card)
        if is_shown:
            shown.append((element, card))
        if problem:
            refused[Refusal("Cards", problem)] = None
            whole.append(card)
    if not cards:
        refused[Refusal("Cards", "no card")] = None
    carousels: list[Outgoing] = []
    for few in (shown[at : at + MAX_CARDS] for at in range(0, len(shown), MAX_CARDS)):
        template: JsonObject = {
            "template_type": "generic",
            "elements": [element for element, _ in few],
        }
        instead = _cards_in_words([card for _, card in few]).messages
        carousels.append(attachment("template", template, instead))
    behind = _cards_in_words(whole)
    return Rendered((*carousels, *behind.messages), (*refused, *behind.refused))


def _element(card: Card) -> tuple[JsonObject, str | None, bool]:
    """Return *card* as Meta takes it, what of it does not fit, and whether it is worth showing."""
    title, subtitle = _line(card.title), _line(card.subtitle or "")
    made = [_button(button) for button in card.buttons]
    element: JsonObject = {"title": _cut(title, MAX_CARD_TEXT)}
    if subtitle:
        element["subtitle"] = _cut(subtitle, MAX_CARD_TEXT)
    if is_address(card.image_url):
        element["image_url"] = card.image_url
    if is_address(card.url):
        element["default_action"] = {"type": "web_url", "url": card.url}
    if buttons := [it for it, _ in made if _is_possible(it)][:MAX_BUTTONS]:
        element["buttons"] = buttons
    longest = max(len(title), len(subtitle))
    problem = _first_true(
        {
            "a card without a title": not title,
            "a card with nothing but a title": len(element) == 1,
            f"a title or subtitle of {longest} characters, Instagram shows {MAX_CARD_TEXT}": (
                longest > MAX_CARD_TEXT
            ),
            f"{len(made)} buttons on a card, Instagram takes {MAX_BUTTONS}": (
                len(made) > MAX_BUTTONS
            ),
            **{why: True for _, why in made if why},
            "an address is none of the web": any(map(_is_wrong, (card.image_url, card.url))),
        }
    )
    return element, problem, bool(title) and len(element) > 1


def _is_possible(button: JsonObject) -> bool:
    """Return whether Meta would take *button*, cut as it is."""
    return bool(button["title"]) and len(str(button.get("payload", ""))) <= MAX_PAYLOAD


def _is_wrong(url: str | None) -> bool:
    return bool(url) and not is_address(url)


def _cards_in_words(cards: Sequence[Card]) -> Rendered:
    """Return *cards* as text, their buttons that can only be tapped under the last of it."""
    if not cards:
        return Rendered()
    pieces = split("\n\n".join(filter(None, map(_lines_of, cards))))
    buttons = list(chain.from_iterable(card.buttons for card in cards))
    taps = [Option(it.title, it.payload or it.title) for it in buttons if not _link_of(it)]
    return quick_replies(pieces, taps) if taps else Rendered(_texts(pieces))


def _lines_of(card: Card) -> str:
    """Return the words and links of *card*, a line each."""
    words = (_line(card.title), _line(card.subtitle or ""), card.url or "")
    return "\n".join(filter(None, [*words, *map(_link_of, card.buttons)]))


# --- media and reactions -------------------------------------------------------


def _media(kind: str, url: str) -> Rendered:
    """Return the attachment that Meta fetches from *url*, in whose place its link can stand."""
    if not is_address(url):
        return Rendered((), (Refusal("Media", "its address is none of the web"),))
    link = _texts(split(url))
    if kind not in MEGABYTES:
        return Rendered(link, (Refusal("Media", "Instagram has no such kind of file"),))
    return Rendered((attachment(kind, {"url": url}, link),))


def _reaction(emoji: str, mid: str | None) -> Rendered:
    """Return the reaction to the message *mid*; a text if it is no emoji, or about nothing."""
    said = _texts(split(emoji))
    is_emoji = emoji in _REACTIONS or (not emoji.isascii() and _ONE_SIGN.fullmatch(emoji))
    if is_emoji and mid:
        return Rendered((reaction(mid, emoji, said),))
    reason = "it is not one emoji" if mid else "there is no message to react to"
    return Rendered(said, (Refusal("Reaction", reason),))


def _first_true(problems: Mapping[str, bool]) -> str | None:
    """Return the first of *problems* that there is."""
    return next((why for why, is_so in problems.items() if is_so), None)


# --- words -------------------------------------------------------------------


def _pieces(markdown: str) -> list[str]:
    answer = plain(markdown)
    return list(split(answer.text, whole=answer.verbatim))


def _texts(pieces: Iterable[str]) -> tuple[Outgoing, ...]:
    return tuple({"text": piece} for piece in pieces if piece)


def _line(markdown: str) -> str:
    """Return *markdown* as one line without markup."""
    return " ".join(plain(markdown).text.split())


def _cut(text: str, limit: int) -> str:
    """Return *text*, or as much of it as leaves room for the sign that it goes on."""
    if len(text) <= limit:
        return text
    return text[: cluster_end(text, 0, limit - 1)].rstrip() + "…"


def is_address(url: str | None) -> bool:
    """Return whether *url* is an absolute address of the web, as a phone can open."""
    if not url or url != "".join(url.split()):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


_Limit = tuple[str, str, str]
LIMITS: tuple[_Limit, ...] = (
    (
        "quick replies",
        f"{MAX_QUICK_REPLIES} under a text, titles of {MAX_TITLE} characters",
        "more are a numbered list; a longer title is listed and cut where it is tapped",
    ),
    (
        "buttons",
        f"{MAX_BUTTONS} below a text of {MAX_BUTTONS_TEXT} characters, titles of {MAX_TITLE}",
        "a longer text goes before; else links are lines, and the others quick replies",
    ),
    (
        "cards",
        f"{MAX_CARDS} side by side, title and subtitle of {MAX_CARD_TEXT} characters, "
        f"{MAX_BUTTONS} buttons each, something besides the title",
        "more are a second carousel; a card that is cut or left out is a text behind, whole",
    ),
    (
        "image",
        f"{MEGABYTES['image']} MB, PNG or JPEG, an address that Meta can fetch",
        "the link as a text",
    ),
    (
        "audio, video, file",
        f"{MEGABYTES['file']} MB each; a file is a PDF; fetched within 75 s",
        "the link as a text",
    ),
    ("reply", "to a message of the conversation", "the message without what it quotes"),
    (
        "reaction",
        "one emoji, to a message of the person's",
        "the emoji as a text",
    ),
)
"""For each kind its limits and what becomes of what does not fit, as the documents have it."""
