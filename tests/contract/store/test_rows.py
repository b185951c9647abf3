"""What a type checker is told of a conversation's row is what both databases return."""

from __future__ import annotations

from ak_instagram.store.values import ClaimedRow, LeasedRow, key_of
from ak_instagram.store.verbs import claim_statements as statements
from tests.support.store_bench import LEASE, START, arrival


def attributes(protocol: type) -> set[str]:
    members = [item for base in protocol.__mro__ for item in vars(base).items()]
    return {name for name, member in members if isinstance(member, property)}


async def test_the_rows_of_conversations_have_what_the_verbs_read_of_them(bench, store):
    await store.put([arrival("m1")])

    def work(connection, now):
        until = now + LEASE
        claimed = statements.CLAIM.row(connection, now=now, limit=1, owner="one", until=until)
        return claimed, statements.HELD.row(connection, **key_of(claimed), of_fence=claimed.fence)

    claimed, held = await bench.database.run(work)

    assert attributes(ClaimedRow) <= set(claimed._fields)
    assert attributes(LeasedRow) <= set(held._fields)
    assert (held.contact, held.fence, held.lease_owner, held.due_at) == ("anna", 1, "one", START)
