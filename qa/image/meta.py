"""The simulated Instagram, by its control API: people write and read."""

from __future__ import annotations

import json
from dataclasses import dataclass

from qa.image.web import ask, post_json


@dataclass(frozen=True, slots=True)
class Meta:
    """The simulator at *url*."""

    url: str

    def webhook(self) -> str | None:
        """Return the webhook that is subscribed, `None` if none is yet."""
        found: str | None = ask(f"{self.url}/_sim/state").json()["webhook"]
        return found

    def add_person(self, name: str) -> str:
        """Return the IGSID of somebody new."""
        return str(post_json(f"{self.url}/_sim/people", {"name": name}).json()["igsid"])

    def say(self, person: str, text: str) -> str:
        """Let *person* write *text*; return the message's mid."""
        said = post_json(f"{self.url}/_sim/people/{person}/messages", {"text": text})
        return str(said.json()["mid"])

    def answers(self, person: str) -> list[str]:
        """Return what *person* was answered so far."""
        messages = ask(f"{self.url}/_sim/people/{person}/messages").json()
        return [each["text"] for each in messages if each["author"] == "service"]

    def slow_down(self, seconds: float) -> None:
        """Let the next send take *seconds*: the message arrives at once, the answer late."""
        fault = {"kind": "slow", "on": "send", "times": 1, "seconds": seconds}
        post_json(f"{self.url}/_sim/faults", fault).json()

    def webhook_about(self, mid: str) -> bytes | None:
        """Return the body of the webhook that told of the message *mid*, `None` if none did."""
        for call in ask(f"{self.url}/_sim/calls").json():
            if call["kind"] == "webhook" and any(mid in event for event in call["events"]):
                return json.dumps(call["request"]).encode()
        return None
