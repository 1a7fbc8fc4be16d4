"""The rows of all tables that belong to something which is deleted whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from stores.database import Connection


@dataclass(frozen=True)
class Belongings:
    """``conditions`` names the rows that belong to what has id $1, by table, in the order in which they can go.

    They become part of statements as they are, so they are constants.
    """

    conditions: Mapping[str, str]

    async def remove(self, connection: Connection, of: UUID) -> dict[str, int]:
        """Deletes them, and tells how many rows of each table there were."""
        return {table: await _delete(connection, table, where, of) for table, where in self.conditions.items()}

    async def count(self, connection: Connection, of: UUID) -> dict[str, int]:
        """How many rows of each table there are."""
        return {
            table: await connection.fetchval(f"select count(*) from public.{table} where {where}", of)  # noqa: S608 (constants)
            for table, where in self.conditions.items()
        }


async def _delete(connection: Connection, table: str, where: str, of: UUID) -> int:
    status = await connection.execute(f"delete from public.{table} where {where}", of)  # noqa: S608 (constants)
    return int(status.removeprefix("DELETE "))
