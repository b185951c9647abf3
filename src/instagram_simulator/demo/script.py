"""What is said in the demo, and how one tells that it was answered."""

from __future__ import annotations

from collections.abc import Sequence

GREETING = "Hi! Are you open on Sunday?"
UMLAUTS = "Grüße aus Köln! Habt ihr noch Tulpen für 12 €? 🌷👩‍🌾"
LONG = "\n\n".join(
    [
        "Now something longer, for Instagram takes at most 1000 bytes in a message. "
        "I am planning a wedding with eighty guests, and I would like to tell you about it at once "
        "instead of in twenty little messages. We will be outdoors, in an old orchard, with long "
        "tables under the apple trees, so nothing may be too tall, or nobody sees each other.",
        "The colours should be those of late summer: cream, apricot, a little rust, and as much "
        "green as you can find. My grandmother loves dahlias, my mother can't stand lilies, and "
        "the dog eats whatever he can reach; please think of all three. On each of the ten tables "
        "I imagine three low vases of different sizes, and something that trails between them.",
        "Für die Gäste aus Köln hätte ich gern kleine Sträuße zum Mitnehmen, größer als eine Hand, "
        "aber klein genug für den Zug. 🌼 Пусть будут и полевые цветы. 桔梗もお願いします。 "
        "The bouquet itself may be a surprise, as long as it can be thrown without hurting anyone.",
        "Could you tell me what that costs, when you would need to know the exact number, whether "
        "you deliver to a place without an address, and who takes the vases back? We can pay a "
        "third now, a third in August, and the rest on the day. If you think that all of this is "
        "too much, say so: I would rather have half of it done well than all of it done in haste. "
        "Thank you for reading this far. That was all of it.",
    ]
)

SCRIPT = (GREETING, UMLAUTS, LONG)


def is_echo_of(question: str, pieces: Sequence[str]) -> bool:
    """Whether *pieces* say all of *question*; white space may be lost where it was cut."""
    return "".join("".join(pieces).split()) == "".join(question.split())
