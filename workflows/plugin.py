"""What every Temporal client, worker and replayer of ours has in common, in one place so that none can forget it."""

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.interception import ActivityInterception

#: Imported once and shared with every workflow's sandbox: values and libraries without state of their own.
PASSTHROUGH = ("activities", "annotated_types", "pydantic", "pydantic_core", "schemas", "structlog", "workflows")


def cinema_plugin() -> SimplePlugin:
    """Pydantic payloads, error classification on activities, and the sandbox with our schemas passed through."""
    return SimplePlugin(
        "cinema",
        data_converter=pydantic_data_converter,
        interceptors=[ActivityInterception()],
        workflow_runner=_sandboxed,
    )


def _sandboxed(runner: WorkflowRunner | None) -> WorkflowRunner:
    if isinstance(runner, SandboxedWorkflowRunner) or runner is None:
        restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSTHROUGH)
        return SandboxedWorkflowRunner(restrictions=restrictions)
    return runner
