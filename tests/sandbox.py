"""The sandbox of the SDK, which catches what is not deterministic in a workflow, and does once what it does often."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType
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


class Compiled(SourceFileLoader):
    """Runs a module anew for every run of a workflow, as the sandbox wants it, and reads its code once."""

    _code: ClassVar[dict[str, CodeType | None]] = {}

    def get_code(self, fullname: str) -> CodeType | None:
        if fullname not in self._code:
            self._code[fullname] = super().get_code(fullname)
        return self._code[fullname]


class WorkflowModules(MetaPathFinder):
    """Looks for a module of the workflows once: with its code, that is a third of what a sandbox takes."""

    _found: ClassVar[dict[str, tuple[str, list[str] | None]]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith("workflows."):
            return None
        if fullname not in self._found:
            spec = PathFinder.find_spec(fullname, path)
            if spec is None or spec.origin is None:
                return spec
            self._found[fullname] = (spec.origin, spec.submodule_search_locations)
        origin, inside = self._found[fullname]
        return spec_from_file_location(
            fullname, origin, loader=Compiled(fullname, origin), submodule_search_locations=inside
        )


sys.meta_path.insert(0, WorkflowModules())
