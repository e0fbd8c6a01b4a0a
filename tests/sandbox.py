"""The sandbox of the SDK, which catches what is not deterministic in a workflow, and does once what it does often."""

from typing import ClassVar

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import _Definition  # pyright: ignore[reportPrivateUsage]  # the parameter of a public method

RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules("workflows.contract")
"""Messages do nothing that could differ in a replay, and to make their classes anew takes 50 ms a run."""


class Sandbox(SandboxedWorkflowRunner):
    """Sees once in a process whether a workflow can be loaded, and not for every worker: that takes 20 ms each."""

    _loaded: ClassVar[set[type]] = set()

    def __init__(self) -> None:
        super().__init__(RESTRICTIONS)

    def prepare_workflow(self, defn: _Definition) -> None:
        if defn.cls not in self._loaded:
            super().prepare_workflow(defn)
            self._loaded.add(defn.cls)
