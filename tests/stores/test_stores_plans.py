"""How a creator is served is what their plan says now."""

from uuid import UUID, uuid4

import pytest

from schemas.errors import CinemaError, ErrorCode
from schemas.service import Service
from stores import Plans, Pool

pytestmark = pytest.mark.postgres


async def test_a_creator_is_served_as_their_plan_says(pool: Pool, owner_id: UUID) -> None:
    assert await Plans(pool).service_for(owner_id) == Service(priority=3, weight=1)
    await pool.execute(
        "insert into public.plans (id, name, priority, fairness_weight) values ('studio', 'Studio', 1, 4)"
    )
    await pool.execute("update public.profiles set plan_id = 'studio' where id = $1", owner_id)
    assert await Plans(pool).service_for(owner_id) == Service(priority=1, weight=4)


async def test_whoever_is_unknown_has_no_plan(pool: Pool) -> None:
    with pytest.raises(CinemaError) as caught:
        await Plans(pool).service_for(uuid4())
    assert caught.value.code is ErrorCode.NOT_FOUND
