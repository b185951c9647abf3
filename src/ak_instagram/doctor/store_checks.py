"""Checks of the store and of the clocks; they work beside a running service and without one."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ak_instagram.errors import StoreUnavailable
from ak_instagram.masking import without_password

from .facts import Facts, StoreFacts, file_facts
from .finding import Asks, Group, Verdict, check, error, ok, warning

MIB = 1 << 20
LEAST_FREE, LITTLE_FREE = 200 * MIB, 2048 * MIB
LARGE_WAL = 256 * MIB  # sixteen times what it grows to before it is moved into the file
CLOCK_OFF, CLOCK_WRONG = 60.0, 300.0  # seconds
OLDEST_POSTGRES = 130000
WAITS_LONG = 300_000  # milliseconds


@check("AKI-111", Group.CLOCK, "This machine's clock agrees with Meta's", asks=Asks.META)
async def clock_agrees_with_meta(facts: Facts) -> Sequence[Verdict]:
    """
    Compare this machine's clock with the `Date` of Meta's answer.

    The 24 hours in which an answer is allowed, pauses and tokens' ends are reckoned by it. A
    minute does no harm; ten show.
    """
    for account in facts.accounts:
        told = (await facts.account(account)).meta_time
        if told is not None:
            return [clock_verdict(told / 1000 - time.time(), "this machine's")]
    return []


@check("AKI-112", Group.CLOCK, "The store's clock agrees with Meta's")
async def clock_agrees_with_store(facts: Facts) -> Sequence[Verdict]:
    """
    Compare the store's clock with the times of the freshest webhooks, and with this machine's.

    PostgreSQL has a clock of its own, by which all replicas go.
    """
    store = await _told(facts)
    if store is None or store.backlog is None:
        return []
    verdicts = []
    if store.server_version is not None:
        verdicts.append(clock_verdict(-store.ahead / 1000, "the database's", "this machine's"))
    if store.backlog.clock_ahead is not None:
        verdicts.append(clock_verdict(store.backlog.clock_ahead / 1000, "the store's", "webhooks'"))
    return verdicts


def clock_verdict(ahead: float, whose: str, other: str = "Meta's") -> Verdict:
    """Return what it means that the *other* clock is *ahead* seconds of the one of *whose*."""
    off = abs(round(ahead))
    if off <= CLOCK_OFF:
        return ok(f"{whose} clock agrees with {other} to {max(off, 1)} s")
    text = f"{whose} clock is {off} s {'behind' if ahead > 0 else 'ahead of'} {other}"
    fix = "switch NTP on where that clock runs: `timedatectl set-ntp true`"
    return error(text, fix) if off > CLOCK_WRONG else warning(text, fix)


async def _told(facts: Facts) -> StoreFacts | None:
    """Return what the store says, `None` if it can't: that is one check's to tell."""
    try:
        return await facts.store()
    except StoreUnavailable:
        return None


@check("AKI-121", Group.STORE, "The store can be read and written")
async def store_usable(facts: Facts) -> Sequence[Verdict]:
    """
    Check that the SQLite file and its folder may be written, or that PostgreSQL answers.

    A file is opened for reading alone, so a running service is not in the way. The first start
    makes the file.
    """
    url = facts.settings.store.url
    file = file_facts(url)
    if file is not None and not file.is_writable:
        fix = f"give the user that runs the service {file.path.parent}: `chown -R 10001 FOLDER`"
        return [error(f"{file.path} or its folder can't be written", fix)]
    if file is not None and not file.exists:
        return [ok(f"{file.path} is not there yet; the first start makes it")]
    try:
        await facts.store()
    except StoreUnavailable as exc:
        fix = "see docs/troubleshooting.md#it-does-not-start, which has a fix for each reason"
        return [error(f"{without_password(url)}: {exc}", fix)]
    return [ok(f"{without_password(url)} can be read{' and written' if file else ''}")]


@check("AKI-122", Group.STORE, "There is room on the disk")
async def disk_has_room(facts: Facts) -> Sequence[Verdict]:
    """
    Check the free space beside a SQLite file: below 2 GiB is a warning, below 200 MiB an error.

    On a full disk webhooks are refused with 503. Meta tries again for hours, and stops then.
    """
    file = file_facts(facts.settings.store.url)
    if file is None:
        return []
    text = f"{file.free // MIB} MiB are free beside {file.path.name}"
    if file.free >= LITTLE_FREE:
        return [ok(text)]
    fix = "make room, enlarge the volume, or keep less: a smaller `store.retention`"
    return [(error if file.free < LEAST_FREE else warning)(text, fix)]


@check("AKI-123", Group.STORE, "The store's schema is this version's")
async def schema_current(facts: Facts) -> Sequence[Verdict]:
    """
    Check the schema's revision.

    An older one is migrated at the next start. A newer one was made by a later version, which
    says whether this one can still work on it.
    """
    store = await _told(facts)
    if store is None:
        return []
    if store.found == store.newest:
        return [ok(f"the schema is of revision {store.found}")]
    if store.found is None:
        return [ok("the database has no tables yet; the first start makes them")]
    if store.found < store.newest:
        text = f"the schema is of revision {store.found}, and this version's is {store.newest}"
        return [warning(text, "back the store up and restart the service, which migrates it")]
    text = f"a later version has migrated the store to revision {store.found}"
    return [warning(text, "run the image of the version that migrated it")]


@check("AKI-124", Group.STORE, "The write-ahead log is small")
async def wal_small(facts: Facts) -> Sequence[Verdict]:
    """
    Check the size of the file `…-wal` beside a SQLite file.

    It is moved into the file at 16 MiB. Where it grows on, another program keeps a
    transaction open on the file, or the disk can't keep up.
    """
    file = file_facts(facts.settings.store.url)
    if file is None or not file.exists:
        return []
    text = f"the write-ahead log has {file.wal / MIB:.1f} MiB"
    if file.wal <= LARGE_WAL:
        return [ok(text)]
    fix = f"close what else has {file.path.name} open (`lsof`), then restart the service"
    return [warning(text, fix)]


@check("AKI-125", Group.STORE, "PostgreSQL is of a version that is maintained")
async def postgres_maintained(facts: Facts) -> Sequence[Verdict]:
    """
    Check the server's version: 13 and later are known to work.

    Nothing is said of a SQLite file.
    """
    store = await _told(facts)
    if store is None or store.server_version is None:
        return []
    text = f"PostgreSQL is of version {store.server_version // 10000}"
    if store.server_version >= OLDEST_POSTGRES:
        return [ok(text)]
    return [warning(text, "move to a version that PostgreSQL's makers maintain")]


@check("AKI-126", Group.STORE, "Nothing waits that could be worked on")
async def nothing_overdue(facts: Facts) -> Sequence[Verdict]:
    """
    Check that no conversation has been due for more than five minutes.

    One that is means that no service works on this store, or that it can't keep up.
    """
    store = await _told(facts)
    if store is None or store.backlog is None:
        return []
    backlog = store.backlog
    if backlog.overdue > WAITS_LONG:
        text = f"{backlog.due} conversation(s) wait, the first for {backlog.overdue // 60000} min"
        fix = "start the service (`ak-instagram serve`); if it runs, see its log for `worker.…`"
        return [error(text, fix)]
    dead = backlog.dead_turns + backlog.dead_answers
    if dead:
        fix = "`ak-instagram dead-letters list`, then `replay` or `discard`"
        return [warning(f"{dead} dead letter(s) are kept: people who got no answer", fix)]
    return [ok("nothing waits, and there are no dead letters")]


@check("AKI-611", Group.AUTOMATIONS, "Nothing else answers for the account")
async def nothing_answers_too(facts: Facts) -> Sequence[Verdict]:
    """
    Check whether the account has lately sent something that neither the service nor a person wrote.

    Instagram's own instant replies, an ad's greeting, a shop system or another bot would be
    read beside the agent's answers. What is heard is kept for ten minutes; an account whose
    webhooks go to a second app is told too.
    """
    store = await _told(facts)
    if store is None or not store.automatic:
        return [ok("nothing was heard of another automation in the last minutes")]
    text = f"{store.automatic} message(s) came from another automation in the last minutes"
    fix = (
        "Meta Business Suite > Inbox > Automations: off, and other bots too; or list its texts in"
        " `conversation.automatic_texts`"
    )
    return [warning(text, fix)]


CLOCKS = (clock_agrees_with_meta, clock_agrees_with_store)
CHECKS = (
    store_usable,
    disk_has_room,
    schema_current,
    wal_small,
    postgres_maintained,
    nothing_overdue,
)
AUTOMATIONS = (nothing_answers_too,)
