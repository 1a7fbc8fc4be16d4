"""A deletion knows every table that a project can have rows in."""

import pytest

from stores import Pool
from stores.deletions import _ROWS

pytestmark = pytest.mark.postgres


async def test_every_table_that_hangs_below_a_project_is_counted_and_emptied(pool: Pool) -> None:
    """Whoever adds a table adds it to the deletion's list, or this fails."""
    rows = await pool.fetch("""
        with recursive below as (
            select 'public.projects'::regclass::oid as id
            union
            select conrelid from pg_constraint join below on confrelid = below.id where contype = 'f'
        )
        select relname from below join pg_class on oid = id
    """)
    assert {row["relname"] for row in rows} == set(_ROWS)
