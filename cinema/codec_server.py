"""The codec server as a process: ``python -m cinema.codec_server``, on a port or on a listening socket handed in."""

import argparse
import asyncio
import socket
from urllib.parse import urlsplit

import uvicorn

from cinema.codec_app import create_codec_app
from cinema.encryption import EncryptionCodec, payload_codec
from cinema.exits import leaving
from cinema.readiness import say_ready
from cinema.settings import Settings, SettingsError, load_settings, variable
from cinema.stack.ports import listen
from cinema.stopping import stop_on_signals
from cinema.telemetry.endpoint import watched
from cinema.telemetry.probes import Probes
from cinema.telemetry.process import observe_service
from cinema.web import GuestServer

#: A person may open a page of this machine under either name; to a browser these are two origins.
LOOPBACK_NAMES = ("127.0.0.1", "localhost")


class _Server(GuestServer):
    """Tells the supervisor when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        say_ready()


async def serve(settings: Settings, codec: EncryptionCodec, listener: socket.socket) -> None:
    """Decrypt for the Web UI until a signal asks to stop."""
    stop = stop_on_signals()
    token = None if settings.codec_token is None else settings.codec_token.get_secret_value()
    app = create_codec_app(codec, origins(settings.temporal_ui_url), token)
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    async with watched(settings, Probes(alive=lambda: not serving.done(), needs={}, stopping=stop)):
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving


def origins(ui_url: str | None) -> tuple[str, ...]:
    """What a browser calls the Web UI's pages; none where no Web UI is known."""
    if ui_url is None:
        return ()
    parts = urlsplit(ui_url)
    if parts.hostname not in LOOPBACK_NAMES:
        return (f"{parts.scheme}://{parts.netloc}",)
    port = f":{parts.port}" if parts.port is not None else ""
    return tuple(f"{parts.scheme}://{name}{port}" for name in LOOPBACK_NAMES)


def main() -> None:
    parser = argparse.ArgumentParser(description="Decrypt payloads for the Temporal Web UI until told to stop.")
    parser.add_argument("--descriptor", type=int, help="a listening socket that this process inherited")
    descriptor: int | None = parser.parse_args().descriptor
    with leaving():
        settings = load_settings()
        codec = payload_codec(settings)
        if codec is None:
            raise SettingsError(f"There is nothing to decrypt: {variable('payload_keys')} is not set.")
        observe_service(settings, service="codec")
        listener = listen(settings.codec_port) if descriptor is None else socket.socket(fileno=descriptor)
        asyncio.run(serve(settings, codec, listener))


if __name__ == "__main__":
    main()
