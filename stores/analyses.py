"""Which analyses exist already, by content."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from schemas.analysing import ANALYZER_VERSIONS, ArtifactRef, version_of
from stores.database import Connections, model_from, session
from stores.making_rights import making_right

#: The parts of analyzer $2's analysis $3 of content $1. A part lies below its whole's key.
_PARTS = "asset_sha256 = $1 and analyzer = $2 || '.part' and split_part(object_key, '/', 2) = $3"


class Analyses:
    """Rows of ``analyses``: one for each combination of bytes, analyzer, version and parameters.

    Until a long one is finished there are rows of its parts as well, by an analyzer called ``NAME.part``.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def find(self, key: str) -> ArtifactRef | None:
        """The analysis with this key, if it was made before and is kept."""
        async with session(self._connections) as connection:
            row = await connection.fetchrow("select * from public.analyses where key = $1 and usable", key)
        return None if row is None else model_from(row, ArtifactRef)

    async def known_of(self, contents: Sequence[str]) -> Mapping[str, Sequence[ArtifactRef]]:
        """Every analysis that is kept of files with these SHA-256, by SHA-256, the newest first.

        Those of other versions of the analyzers are left out: they may answer something else.
        """
        statement = """
            select asset_sha256, analyzer, key, object_key from public.analyses
            where asset_sha256 = any($1::text[]) and usable
              and (analyzer, analyzer_version) in (select * from unnest($2::text[], $3::text[]))
            order by created_at desc, key
        """
        versions = [version_of(analyzer) for analyzer in ANALYZER_VERSIONS]
        async with session(self._connections) as connection:
            rows = await connection.fetch(statement, list(contents), list(ANALYZER_VERSIONS), versions)
        found: defaultdict[str, list[ArtifactRef]] = defaultdict(list)
        for row in rows:
            found[row["asset_sha256"]].append(model_from(row, ArtifactRef))
        return found

    async def parts_of(self, whole: ArtifactRef, asset_sha256: str) -> tuple[ArtifactRef, ...]:
        """The parts that are kept of an analysis that is not finished, in order of their object keys."""
        statement = f"select * from public.analyses where {_PARTS} and usable order by object_key"  # noqa: S608 (a constant)
        async with session(self._connections) as connection:
            rows = await connection.fetch(statement, asset_sha256, whole.analyzer, whole.key)
        return tuple(model_from(row, ArtifactRef) for row in rows)

    async def discard_parts(self, whole: ArtifactRef, asset_sha256: str) -> tuple[str, ...]:
        """Takes an analysis's parts out of use, whoever has kept them; returns the keys of those that may be there."""
        statement = f"update public.analyses set usable = false where {_PARTS} returning key"  # noqa: S608 (a constant)
        async with session(self._connections) as connection:
            rows = await connection.fetch(statement, asset_sha256, whole.analyzer, whole.key)
        return tuple(row["key"] for row in rows)

    @asynccontextmanager
    async def making(self, *keys: str) -> AsyncIterator[None]:
        """The exclusive right to make these analyses, waited for; see :func:`stores.making_rights.making_right`.

        Nobody removes one of them meanwhile.
        """
        async with making_right(self._connections, [f"analysis {key}" for key in keys]):
            yield

    async def announce(self, artifact: ArtifactRef, *, asset_sha256: str, analyzer_version: str) -> None:
        """Says where an analysis will be stored, before it is, so that what a killed worker leaves can be found."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                insert into public.analyses (key, analyzer, analyzer_version, asset_sha256, object_key, usable)
                values ($1, $2, $3, $4, $5, false) on conflict (key) do nothing
                """,
                artifact.key,
                artifact.analyzer,
                analyzer_version,
                asset_sha256,
                artifact.object_key,
            )

    async def record(self, artifact: ArtifactRef, *, asset_sha256: str, analyzer_version: str) -> None:
        """Remembers an analysis whose JSON is in bucket ``analysis`` already; the same one again is fine."""
        async with session(self._connections) as connection:
            await connection.execute(
                """
                insert into public.analyses (key, analyzer, analyzer_version, asset_sha256, object_key)
                values ($1, $2, $3, $4, $5)
                on conflict (key) do update set object_key = excluded.object_key, usable = true
                """,
                artifact.key,
                artifact.analyzer,
                analyzer_version,
                asset_sha256,
                artifact.object_key,
            )
