"""One request and its answer, as most operations are."""

from cinema.client.answers import Resource, raised, resource
from cinema.client.attempts import attempted
from cinema.client.steps import Flow, Send


def asked(send: Send, model: type[Resource], *, repeatable: bool | None = None) -> Flow[Resource]:
    """The resource that answers; ``repeatable`` as of :func:`attempted`."""
    return resource((yield from attempted(send, repeatable=repeatable)), model)


def done(send: Send) -> Flow[None]:
    """Have it done, where nothing is answered."""
    raised((yield from attempted(send)))


def query(**given: object) -> dict[str, str]:
    """The parameters that are given."""
    return {name: str(value) for name, value in given.items() if value is not None}
