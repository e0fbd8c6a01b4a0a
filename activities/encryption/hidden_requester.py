"""Tells workflows that who asks is not for Temporal's eyes: a search attribute is never encrypted."""

from temporalio.worker import Interceptor, WorkflowInboundInterceptor, WorkflowInterceptorClassInput

from workflows.timeline import HIDES_REQUESTER


class HiddenRequester(Interceptor):
    """Workflows of this worker leave the search attribute `ErrandRequester` empty."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        input.unsafe_extern_functions[HIDES_REQUESTER] = bool  # pyright: ignore[reportUnknownMemberType]  # the SDK's
        return None
