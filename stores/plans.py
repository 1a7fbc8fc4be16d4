"""Plans: what each creator has been promised."""

from uuid import UUID

from schemas.errors import CinemaError, ErrorCode
from schemas.service import Service
from stores.database import Connections, session


class Plans:
    """Rows of ``plans``, found by the creator whose plan it is."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def service_for(self, owner_id: UUID) -> Service:
        """How this creator's work is served. Raises ``NOT_FOUND`` if there is no such creator."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow(
                """
                select plan.priority, plan.fairness_weight as weight
                from public.profiles as profile join public.plans as plan on plan.id = profile.plan_id
                where profile.id = $1
                """,
                owner_id,
            )
        if row is None:
            raise CinemaError(ErrorCode.NOT_FOUND, "This account does not exist.")
        return Service(priority=row["priority"], weight=row["weight"])
