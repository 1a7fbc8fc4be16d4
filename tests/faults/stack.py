"""The real stack, its services run by this folder's entry points and reaching Postgres through a given address.

Run as ``python -m tests.faults.stack``; ``FAULTS_POSTGRES_DSN`` is the address the services are told.
"""

import asyncio
import os
from dataclasses import replace

from cinema.exits import leave
from cinema.logs import configure_logs
from cinema.settings import load_settings
from cinema.stack.child import ChildSpec
from cinema.stack.layout import Layout
from cinema.stack.lock import StackLock
from cinema.stack.state import Endpoints
from cinema.stack.supervisor import Supervisor
from cinema.stopping import stop_on_signals

SERVICES_DSN = "FAULTS_POSTGRES_DSN"

#: Our entry point in place of the project's own.
_MORTAL = {"cinema.worker": "tests.faults.worker", "cinema.dispatcher": "tests.faults.dispatcher"}


class FaultySupervisor(Supervisor):
    def _service_specs(self, endpoints: Endpoints) -> list[ChildSpec]:
        reached = endpoints.model_copy(update={"postgres_dsn": os.environ[SERVICES_DSN]})
        return [_mortal(spec) for spec in super()._service_specs(reached)]


def _mortal(spec: ChildSpec) -> ChildSpec:
    return replace(spec, command=tuple(_MORTAL.get(part, part) for part in spec.command))


async def supervise() -> None:
    stop = stop_on_signals()
    await FaultySupervisor(load_settings()).run(stop, lambda _: None)


def main() -> None:
    settings = load_settings()
    configure_logs(settings, service="supervisor")
    layout = Layout(settings.home)
    layout.prepare()
    with StackLock(layout.lock) as lock:
        if not lock.acquire():
            raise SystemExit("another stack runs in this home")
        asyncio.run(supervise())
    leave(0)


if __name__ == "__main__":
    main()
