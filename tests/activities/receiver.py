"""A webhook receiver of our own on the loopback, with or without TLS, that answers as told and remembers all it got."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: What a receiver does with a connection once it has read the request; closing it is not its job.
Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """A request. Names of headers are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes
    at: dt.datetime


def answer(status: int, body: str = "", headers: Iterable[tuple[str, str]] = ()) -> Behaviour:
    """A complete answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body.encode())}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    return write


@dataclass
class Receiver:
    """Answers with each of ``script`` in turn and with its last for ever after."""

    script: list[Behaviour] = field(default_factory=lambda: [answer(200, "thanks")])
    requests: list[Received] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def until(self, count: int, seconds: float = 60) -> None:
        """Wait for this many requests in all."""
        async with asyncio.timeout(seconds), self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            async with self.arrived:
                self.requests.append(Received(head[0], headers, body, dt.datetime.now(dt.UTC)))
                self.arrived.notify_all()
            behave = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            await behave(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(*script: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own for the time of the block."""
    receiver = Receiver(list(script)) if script else Receiver()
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: receiver.server_names.append(name)
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests' own, and the TLS of a server it vouches for."""

    ca_file: Path

    def server(self, folder: Path, *names: str) -> ssl.SSLContext:
        """TLS for a server with these DNS names or addresses."""
        signer = serialization.load_pem_private_key(self.ca_file.with_suffix(".key").read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        issuer = x509.load_pem_x509_certificate(self.ca_file.read_bytes()).subject
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _certificate(names[0], issuer, key)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
            .sign(signer, hashes.SHA256())
        )
        chain = folder / f"{names[0]}.pem"
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + _pem(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


def new_authority(folder: Path) -> Authority:
    """A new authority whose files lie in ``folder``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    certificate = (
        _certificate("Test authority", name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca_file = folder / "authority.pem"
    ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    ca_file.with_suffix(".key").write_bytes(_pem(key))
    return Authority(ca_file)


def _certificate(subject: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
