"""What every Temporal client, worker and replayer of ours has in common, in one place so that none can forget it."""

from dataclasses import replace
from datetime import timedelta

from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkerConfig, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.interception import ActivityInterception
from activities.metering import ActivityMetering
from workflows.payloads import contract_data_converter

#: Imported once and shared with every workflow's sandbox: values and libraries without state of their own.
PASSTHROUGH = (
    "activities",
    "annotated_types",
    "opentelemetry",
    "prometheus_client",
    "pydantic",
    "pydantic_core",
    "schemas",
    "structlog",
    "workflows",
)


#: Heartbeats reach the server this often at most. Cancellation reaches an activity in the answer to one, and its
#: successor goes on from what the last one said; Temporal's own throttle would hold them back for 12 s.
HEARTBEAT_THROTTLE = timedelta(seconds=1)


class CinemaPlugin(SimplePlugin):
    """Pydantic payloads, traces, classified errors of activities, prompt cancellation, our schemas in the sandbox."""

    def __init__(self, codec: PayloadCodec | None) -> None:
        super().__init__(
            "cinema",
            data_converter=contract_data_converter if codec is None else _encoded(codec),
            # From the outermost: all that happens belongs to an activity's span, and is counted by its error's code.
            interceptors=[TracingInterceptor(), ActivityMetering(), ActivityInterception()],
            workflow_runner=_sandboxed,
        )

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        configured = super().configure_worker(config)
        configured["max_heartbeat_throttle_interval"] = HEARTBEAT_THROTTLE
        return configured


def cinema_plugin(codec: PayloadCodec | None = None) -> CinemaPlugin:
    """A new plugin for one client, worker or replayer; ``codec`` encrypts what the Temporal server gets to keep."""
    return CinemaPlugin(codec)


def _encoded(codec: PayloadCodec) -> DataConverter:
    """With the codec on errors' messages and stack traces too, which tell of names and addresses."""
    return replace(
        contract_data_converter,
        payload_codec=codec,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _sandboxed(runner: WorkflowRunner | None) -> WorkflowRunner:
    if isinstance(runner, SandboxedWorkflowRunner) or runner is None:
        restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSTHROUGH)
        return SandboxedWorkflowRunner(restrictions=restrictions)
    return runner
