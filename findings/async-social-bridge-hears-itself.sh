#!/usr/bin/env bash
# async-social-bridge 0.1.1 (parser and sender for Meta's messengers): the account's own
# messages come out as a customer's, and Instagram's messages as Messenger's.
#
# MetaParser.parse() makes an IncomingMessage of each event with a sender and a text. It does
# not look at message.is_echo (Meta sends one for each message of the account, also for
# what the API sent), nor at the body's `object`, which tells "instagram" from "page".
#
# The guess: parse() gives what customers wrote, with platform "instagram" for Instagram, as the
# README's table of attributes says. Its example answers each message that parse() gives.
#
# For those who rely on it: each answer comes back as an echo and is taken for a new message from
# the account to itself. It costs a model call and a send that cannot reach anybody, puts the
# agent's words into its memory as a customer's, and so does each reply that a colleague
# types in the app. Drop messages whose raw["message"].get("is_echo") is true first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check async-social-bridge==0.1.1
timeout 100 "$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

from socialbridge.meta import MetaParser

ACCOUNT, PERSON = "17841400000000001", "751390000000001"


def webhook(sender, recipient, message):
    event = {"sender": {"id": sender}, "recipient": {"id": recipient}}
    event |= {"timestamp": 1796000000000, "message": message}
    entry = {"id": ACCOUNT, "time": 1796000000500, "messaging": [event]}
    return {"object": "instagram", "entry": [entry]}


received = webhook(PERSON, ACCOUNT, {"mid": "m1", "text": "When do you open?"})
echo = webhook(ACCOUNT, PERSON, {"mid": "m2", "text": "At nine.", "is_echo": True})
print("async-social-bridge", version("async-social-bridge"))
parsed = {}
for name, body in (("message", received), ("echo of our answer", echo)):
    parsed[name] = MetaParser().parse(body)
    for m in parsed[name]:
        print(f"{name}: platform {m.platform!r}, sender {m.sender_id}, text {m.text!r}")
assert [m.platform for m in parsed["message"]] == ["messenger"], "Instagram is told apart"
assert [m.sender_id for m in parsed["echo of our answer"]] == [ACCOUNT], "echoes are left out"
print("the example of the README would now send 'You said: At nine.' to", ACCOUNT)
PY
