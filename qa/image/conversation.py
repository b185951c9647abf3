"""The service at work: it refuses strangers, answers people, stops in order and forgets nothing."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from qa.image.production import GRACE
from qa.image.reading import complaints, draining, says_the_same, signature, total
from qa.image.stage import ACCESS_TOKEN, APP_SECRET, PORT, Stage
from qa.image.verdict import Failed, until
from qa.image.web import Answer, ask

HEALTHY_WITHIN = 60.0  # seconds
ANSWERED_WITHIN = 20.0
SLOW = 6.0  # seconds that a call hangs while the service is told to stop

QUESTION = "Are you open on Sunday?"
FAREWELL = "There is a lot that I have to tell you before you go. " * 25  # two pieces
LATER = "And are you back?"


@dataclass
class Conversation:
    """
    A person writes to the service on *stage* while things happen to it.

    Each method shows one thing: it returns the evidence or raises `Failed`. They build
    on one another, in the order in which they stand here.
    """

    stage: Stage
    person: str = ""
    first: bytes = b""

    def becomes_healthy(self) -> str:
        """The image's own health check says so."""
        began = time.monotonic()
        service = self.stage.service
        until(lambda: service.health() == "healthy", HEALTHY_WITHIN, "its health")
        return f"after {time.monotonic() - began:.1f} s"

    def refuses_strangers(self) -> str:
        """A webhook without a signature, or with another's, gets a 403."""
        body = json.dumps({"object": "instagram", "entry": []}).encode()
        forged = {"X-Hub-Signature-256": signature("another secret", body)}
        for what, headers in (("an unsigned webhook", {}), ("a forged one", forged)):
            if (status := self._post(body, headers).status) != 403:
                raise Failed(f"{what} gets {status}, not 403")
        return "403 to an unsigned and to a forged webhook"

    def answers(self) -> str:
        """A person writes, the simulator signs, the service answers through the Graph API."""
        meta = self.stage.meta
        until(meta.webhook, ANSWERED_WITHIN, "the webhook's verification")
        self.person = meta.add_person("Mia Brandt")
        began = time.monotonic()
        mid = meta.say(self.person, QUESTION)
        self._until_said(QUESTION)
        took = time.monotonic() - began
        self.first = until(lambda: meta.webhook_about(mid), ANSWERED_WITHIN, "the webhook") or b""
        return f"“{QUESTION}” came back within {took * 1000:.0f} ms"

    def counts(self) -> str:
        """`/metrics` has counted that."""
        refused = self._metric("ak_instagram_webhooks_total", 'status="403"')
        answered = self._metric("ak_instagram_turns_total", 'outcome="answered"')
        if (refused, answered) != (2, 1):
            raise Failed(f"{refused:g} webhooks refused, {answered:g} turns answered, not 2 and 1")
        return "2 webhooks refused, 1 turn answered"

    def finishes_its_turn(self) -> str:
        """SIGTERM comes while the first of two pieces is being sent: both go out, exit code 0."""
        meta, service = self.stage.meta, self.stage.service
        meta.slow_down(SLOW)
        meta.say(self.person, FAREWELL)
        until(lambda: len(meta.answers(self.person)) == 2, ANSWERED_WITHIN, "the first piece")
        began = time.monotonic()
        code = service.stop(GRACE)
        took = time.monotonic() - began
        if code:
            raise Failed(f"exit code {code} after {took:.1f} s")
        if (under_way := draining(service.lines())) != 1:
            raise Failed(f"conversations under way when it was told to stop: {under_way}, not 1")
        self._until_said(QUESTION, FAREWELL)
        return f"both pieces were sent, exit code 0 after {took:.1f} s"

    def remembers(self) -> str:
        """A new container on the same volume knows the first message, and answers the next."""
        self.stage.replace_service()
        self.becomes_healthy()
        signed = {"X-Hub-Signature-256": signature(APP_SECRET, self.first)}
        if (status := self._post(self.first, signed).status) != 200:
            raise Failed(f"the first webhook, posted again, gets {status}")
        self.stage.meta.say(self.person, LATER)
        self._until_said(QUESTION, FAREWELL, LATER)
        if (known := self._metric("ak_instagram_events_duplicate_total")) != 1:
            raise Failed(f"it took {known:g} messages for known ones, not 1")
        return "the first message, posted again, is known; the next one is answered"

    def keeps_quiet(self) -> str:
        """Neither container's log has a secret or what was said."""
        lines = self.stage.earlier_lines + self.stage.service.lines()
        private = (
            ACCESS_TOKEN,
            APP_SECRET,
            self.stage.verify_token,
            QUESTION,
            FAREWELL[:40],
            LATER,
        )
        told = [line for line in lines if any(each in line for each in private)]
        if told:
            raise Failed(f"{len(told)} of {len(lines)} lines tell one")
        return f"{len(lines)} lines have none"

    def says_what_is_missing(self) -> str:
        """Without settings it ends with exit code 2 and a line for each problem."""
        ended = self.stage.run_without_settings()
        if ended.code != 2:
            raise Failed(f"exit code {ended.code}, not 2: {ended.said[:200]}")
        return f"exit code 2, and a line for {', '.join(complaints(ended.said))}"

    def _post(self, body: bytes, headers: dict[str, str]) -> Answer:
        url = f"{self.stage.service.url(PORT)}/instagram/webhook"
        return ask(url, body, {"Content-Type": "application/json", **headers})

    def _metric(self, name: str, having: str = "") -> float:
        answer = ask(f"{self.stage.service.url(PORT)}/metrics")
        if answer.status != 200:
            raise Failed(f"/metrics gets {answer.status}")
        return total(answer.body, name, having)

    def _until_said(self, *questions: str) -> None:
        """Return once *questions*, and nothing else, have come back."""
        until(
            lambda: says_the_same(questions, self.stage.meta.answers(self.person)),
            ANSWERED_WITHIN,
            f"the answers to {len(questions)} questions",
        )
