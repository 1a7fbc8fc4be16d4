"""Share links, and whether one still opens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from schemas.errors import CinemaError, ErrorCode, RateLimited
from schemas.jobs import Output
from schemas.resources.shares import ShareResource
from stores.database import Connections, model_from, session, transaction

#: Passwords that may be tried before waiting begins, which then doubles with each up to the longest: some 100 a day.
FREE_GUESSES: Final = 5
LONGEST_WAIT: Final = timedelta(minutes=15)
#: After this long without a try, earlier ones are forgotten.
FORGOTTEN_AFTER: Final = timedelta(hours=1)

_COLUMNS: Final = ", ".join(ShareResource.model_fields)

#: Whether a link opens, whatever its password: in one place, because every way in which it does not must look alike.
_LIVE: Final = """
    revoked_at is null and share.expires_at > clock_timestamp() and (max_views is null or views < max_views)
    and exists (
        select from public.job_outputs output
        join public.jobs job on job.id = output.job_id join public.projects project on project.id = job.project_id
        where output.id = share.output_id and output.status = 'completed' and output.expiring_since is null
            and project.deleting_since is null
    )
"""


@dataclass(frozen=True)
class ShareTerms:
    """On what terms a link opens; ``password`` is hashed."""

    token_sha256: bytes
    expires_at: datetime
    password: str | None
    max_views: int | None


@dataclass(frozen=True)
class LiveShare:
    """A link that opens, for whoever knows its ``password`` (hashed) if it has one, and what it opens."""

    id: UUID
    password: str | None
    title: str
    output: Output


class Shares:
    """Rows of ``share_links``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def create(self, owner_id: UUID, output_id: UUID, terms: ShareTerms) -> ShareResource:
        """Records a link. Raises ``NOT_FOUND`` if this creator has no such output."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                f"""
                insert into public.share_links (owner_id, output_id, token_sha256, password, expires_at, max_views)
                values ($1, $2, $3, $4, $5, $6) returning {_COLUMNS}
                """,  # noqa: S608 (a constant)
                owner_id,
                output_id,
                terms.token_sha256,
                terms.password,
                terms.expires_at,
                terms.max_views,
            )
        if row is None:
            raise _missing()
        return model_from(row, ShareResource)

    async def page(self, output_id: UUID, most: int, below: tuple[datetime, UUID] | None) -> tuple[ShareResource, ...]:
        """Up to ``most`` links of an output, newest first, from right below a row's ``(created_at, id)``."""
        async with session(self._connections) as connection:
            rows = await connection.fetch(
                f"""
                select {_COLUMNS} from public.share_links
                where output_id = $1 and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::uuid))
                order by created_at desc, id desc limit $2
                """,  # noqa: S608 (a constant)
                output_id,
                most,
                *(below or (None, None)),
            )
        return tuple(model_from(row, ShareResource) for row in rows)

    async def revoke(self, owner_id: UUID, share_id: UUID) -> None:
        """Ends the link; one that has ended stays as it is. Raises ``NOT_FOUND`` if this creator has no such link."""
        async with session(self._connections) as connection:
            found = await connection.fetchval(
                """
                update public.share_links set revoked_at = coalesce(revoked_at, clock_timestamp())
                where id = $2 and owner_id = $1 returning true
                """,
                owner_id,
                share_id,
            )
        if not found:
            raise _missing()

    async def live(self, token_sha256: bytes) -> LiveShare | None:
        """The link with this token, if it opens."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                f"""
                select share.id as share_id, share.password, project.name as title, output.*
                from public.share_links share
                join public.job_outputs output on output.id = share.output_id
                join public.jobs job on job.id = output.job_id
                join public.projects project on project.id = job.project_id
                where share.token_sha256 = $1 and {_LIVE}
                """,  # noqa: S608 (a constant)
                token_sha256,
            )
        if row is None:
            return None
        return LiveShare(row["share_id"], row["password"], row["title"], model_from(row, Output))

    async def begin_guess(self, share_id: UUID) -> None:
        """The right to look at one password, counted as wrong until :meth:`count_view` says otherwise.

        So any number of guesses at once are no more than as many one after another.

        Raises:
            RateLimited: too many were wrong, and the wait is not over.
        """
        async with transaction(self._connections) as connection:
            row = await connection.fetchrow(
                """
                select ceil(extract(epoch from guess_after - clock_timestamp()))::integer as wait_s,
                    case when guessed_at > clock_timestamp() - $2::interval then guesses else 0 end as guesses
                from public.share_links where id = $1 for update
                """,
                share_id,
                FORGOTTEN_AFTER,
            )
            if row is None:
                raise _missing()
            if row["wait_s"] is not None and row["wait_s"] > 0:
                raise RateLimited(row["wait_s"])
            guesses = row["guesses"] + 1
            await connection.execute(
                """
                update public.share_links set guesses = $2, guessed_at = clock_timestamp(),
                    guess_after = clock_timestamp() + $3::interval
                where id = $1
                """,
                share_id,
                guesses,
                wait_after(guesses),
            )

    async def count_view(self, share_id: UUID, *, after_guess: bool) -> bool:
        """One view more, and, after a right password, one wrong guess less. False where the link no longer opens."""
        async with session(self._connections) as connection:
            counted = await connection.fetchval(
                f"""
                update public.share_links share set views = views + 1, last_viewed_at = clock_timestamp(),
                    guesses = case when $2 then greatest(guesses - 1, 0) else guesses end,
                    guess_after = case when $2 then null else guess_after end
                where id = $1 and {_LIVE} returning true
                """,  # noqa: S608 (a constant)
                share_id,
                after_guess,
            )
        return bool(counted)


def wait_after(guesses: int) -> timedelta:
    """How long to wait after this many wrong guesses in a row."""
    if guesses < FREE_GUESSES:
        return timedelta()
    return min(LONGEST_WAIT, timedelta(seconds=2 ** min(guesses - FREE_GUESSES, 20)))


def _missing() -> CinemaError:
    return CinemaError(ErrorCode.NOT_FOUND, "This link does not exist.")
