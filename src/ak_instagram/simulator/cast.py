"""Who is there to chat as, when nobody says: names and usernames."""

from __future__ import annotations

PEOPLE = (("Mia Brandt", "mia.brandt"), ("Jonas Weber", "jonas_w"), ("Yuki Tanaka", "yuki.t"))
