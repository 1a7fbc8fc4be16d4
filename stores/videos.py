"""Finished videos by what shows and what is heard in them: who makes one, and where there is one already."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from schemas.jobs import Output, OutputFiles
from stores.database import Connections, model_from, session, storable_json
from stores.making_rights import is_being_made, making_right_if_free


class Videos:
    """The videos of rows of ``job_outputs``, by render key (see :class:`schemas.jobs.OutputFiles`)."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @asynccontextmanager
    async def making(self, owner_id: UUID, render_key: str) -> AsyncIterator[bool]:
        """The exclusive right to make this video, and whether it was had; see :mod:`stores.making_rights`."""
        async with making_right_if_free(self._connections, _right(owner_id, render_key)) as had:
            yield had

    async def is_being_made(self, owner_id: UUID, render_key: str) -> bool:
        """Whether somebody makes this video at this moment."""
        return await is_being_made(self._connections, _right(owner_id, render_key))

    async def find(self, owner_id: UUID, render_key: str) -> Output | None:
        """The owner's latest completed output with this render key whose files are kept, in whichever job."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                """
                select * from public.job_outputs
                where owner_id = $1 and files ->> 'render_key' = $2 and status = 'completed' and expiring_since is null
                order by updated_at desc limit 1
                """,
                owner_id,
                render_key,
            )
        return None if row is None else model_from(row, Output)

    async def keep_from_reuse(self, output_id: UUID) -> None:
        """From now on no other output is made of this one's files: they were found to be gone or damaged."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                update public.job_outputs set files = jsonb_set(files, '{render_key}', '""') where id = $1
                and files is not null
                """,
                output_id,
            )

    async def announce(self, output_id: UUID, attempt: int, files: OutputFiles) -> None:
        """Says what the attempt is about to upload for the output, its video last; nothing if it was superseded."""
        async with session(self._connections) as connection:
            await connection.execute(
                "update public.job_outputs set announced = $3 where id = $1 and attempt = $2 and status = 'rendering'",
                output_id,
                attempt,
                storable_json(files.model_dump(mode="json")),
            )

    async def retract(self, output_id: UUID) -> None:
        """What was announced is not there any more: other files are about to take its place."""
        async with session(self._connections) as connection:
            await connection.execute("update public.job_outputs set announced = null where id = $1", output_id)

    async def announced(self, output_id: UUID, render_key: str) -> OutputFiles | None:
        """What an attempt at the output has said that it uploads, if it was this video."""
        async with session(self._connections) as connection:
            announced = await connection.fetchval(
                "select announced from public.job_outputs where id = $1 and announced ->> 'render_key' = $2",
                output_id,
                render_key,
            )
        return None if announced is None else OutputFiles.model_validate(announced)


def _right(owner_id: UUID, render_key: str) -> str:
    return f"video {owner_id} {render_key}"
