"""A deletion knows every table that a project, or a job, can have rows in."""

import pytest

from stores import Pool, deletions, job_deletions

pytestmark = pytest.mark.postgres


#: What is told of a job names it in its text, and hangs below its project.
EVENTS = {"webhook_events", "webhook_deliveries", "webhook_attempts"}


async def tables_below(pool: Pool, table: str) -> set[str]:
    rows = await pool.fetch(
        """
        with recursive below as (
            select $1::text::regclass::oid as id
            union
            select conrelid from pg_constraint join below on confrelid = below.id where contype = 'f'
        )
        select relname from below join pg_class on oid = id
        """,
        table,
    )
    return {row["relname"] for row in rows}


async def test_every_table_that_hangs_below_a_project_is_counted_and_emptied(pool: Pool) -> None:
    """Whoever adds a table adds it to the deletion's list, or this fails."""
    assert await tables_below(pool, "public.projects") == set(deletions.OF_PROJECT.conditions)


async def test_every_table_that_hangs_below_a_job_is_counted_and_emptied(pool: Pool) -> None:
    assert await tables_below(pool, "public.jobs") | EVENTS == set(job_deletions.OF_JOB.conditions)
