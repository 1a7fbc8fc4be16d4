"""What can be asked of the API, by resource, each operation declared once for both clients."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from pydantic import ValidationError

from cinema.client import analytics, calls, downloading, shares, tokens, uploading, waiting, webhooks
from cinema.client.steps import Flow
from schemas.invalid_input import InvalidInput

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Performs(Protocol):
    """A client that waits."""

    def perform(self, flow: Flow[Answer]) -> Answer: ...


class PerformsAsync(Protocol):
    """A client that is awaited."""

    async def perform(self, flow: Flow[Answer]) -> Answer: ...


class Blocking:
    """A group of operations whose calls wait for their answer."""

    def __init__(self, client: Performs) -> None:
        self.client = client


class Awaited:
    """The same operations, to be awaited."""

    def __init__(self, client: PerformsAsync) -> None:
        self.client = client


class Operation(Generic[P, Answer]):
    """A method made of a flow: it returns the answer in a :class:`Blocking` group, a coroutine in an other."""

    def __init__(self, flow: Callable[P, Flow[Answer]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, group: Blocking, _owner: type[Any]) -> Callable[P, Answer]: ...
    @overload
    def __get__(self, group: Awaited, _owner: type[Any]) -> Callable[P, Coroutine[Any, Any, Answer]]: ...
    def __get__(self, group: Blocking | Awaited, _owner: type[Any]) -> Callable[P, Any]:
        @wraps(self._flow)
        def call(*arguments: P.args, **named: P.kwargs) -> Any:
            return group.client.perform(_understood(self._flow, *arguments, **named))

        return call


def _understood(flow: Callable[P, Flow[Answer]], *arguments: P.args, **named: P.kwargs) -> Flow[Answer]:
    """The flow; what breaks the contract before it is sent is refused as the API refuses it.

    Raises:
        InvalidInput: it names the fields.
    """
    try:
        return (yield from flow(*arguments, **named))
    except ValidationError as error:
        raise InvalidInput.from_validation(error) from error


class ProjectOperations:
    """``client.projects``."""

    create = Operation(calls.create_project)
    list = Operation(calls.list_projects)
    get = Operation(calls.get_project)
    rename = Operation(calls.rename_project)
    delete = Operation(calls.delete_project)
    estimate = Operation(calls.estimate)


class AssetOperations:
    """``client.assets``."""

    upload = Operation(calls.upload)
    permit = Operation(calls.permit_upload)
    send = Operation(uploading.send)
    list = Operation(calls.list_assets)
    get = Operation(calls.get_asset)
    change = Operation(calls.change_asset)
    order = Operation(calls.order_assets)
    delete = Operation(calls.delete_asset)


class JobOperations:
    """``client.jobs``."""

    create = Operation(calls.create_job)
    list = Operation(calls.list_jobs)
    get = Operation(calls.get_job)
    wait = Operation(waiting.wait)
    cancel = Operation(calls.cancel_job)
    retry = Operation(calls.retry_job)
    approve = Operation(calls.approve_job)
    pause = Operation(calls.pause_job)
    resume = Operation(calls.resume_job)
    delete = Operation(calls.delete_job)


class OutputOperations:
    """``client.outputs``."""

    get = Operation(calls.get_output)
    files = Operation(calls.output_files)
    edl = Operation(calls.output_edl)
    check = Operation(calls.check_edit)
    revise = Operation(calls.revise_output)
    explanation = Operation(calls.output_explanation)
    export = Operation(calls.export_output)
    storyboard = Operation(calls.output_storyboard)
    download = Operation(downloading.download)
    delete = Operation(calls.delete_output)


class AnalyticsOperations:
    """``client.analytics``."""

    over = Operation(analytics.over)
    of_job = Operation(analytics.of_job)


class ShareOperations:
    """``client.shares``."""

    create = Operation(shares.create)
    list = Operation(shares.list_shares)
    revoke = Operation(shares.revoke)
    open = Operation(shares.open_link)


class TokenOperations:
    """``client.tokens``."""

    create = Operation(tokens.create)
    list = Operation(tokens.list_tokens)
    get = Operation(tokens.get)
    revoke = Operation(tokens.revoke)


class WebhookOperations:
    """``client.webhooks``."""

    create = Operation(webhooks.create)
    list = Operation(webhooks.list_endpoints)
    get = Operation(webhooks.get)
    change = Operation(webhooks.change)
    delete = Operation(webhooks.delete)
    enable = Operation(webhooks.enable)
    disable = Operation(webhooks.disable)
    rotate = Operation(webhooks.rotate)
    test = Operation(webhooks.test)
    recover = Operation(webhooks.recover)
    deliveries = Operation(webhooks.deliveries)
    delivery = Operation(webhooks.delivery)
    replay = Operation(webhooks.replay)


class Projects(ProjectOperations, Blocking):
    pass


class Assets(AssetOperations, Blocking):
    pass


class Jobs(JobOperations, Blocking):
    pass


class Outputs(OutputOperations, Blocking):
    pass


class Analytics(AnalyticsOperations, Blocking):
    pass


class Shares(ShareOperations, Blocking):
    pass


class Tokens(TokenOperations, Blocking):
    pass


class Webhooks(WebhookOperations, Blocking):
    pass


class AsyncProjects(ProjectOperations, Awaited):
    pass


class AsyncAssets(AssetOperations, Awaited):
    pass


class AsyncJobs(JobOperations, Awaited):
    pass


class AsyncOutputs(OutputOperations, Awaited):
    pass


class AsyncAnalytics(AnalyticsOperations, Awaited):
    pass


class AsyncShares(ShareOperations, Awaited):
    pass


class AsyncTokens(TokenOperations, Awaited):
    pass


class AsyncWebhooks(WebhookOperations, Awaited):
    pass
