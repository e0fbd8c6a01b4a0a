"""No activity returns a message that the workflow cannot read."""

from pydantic import BaseModel
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.readable import readable_message


class ReadableResults(Interceptor):
    """The last look at what an activity returns. A tool's result is readable before, as the ledger stores it too."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Looking(next)


class _Looking(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        result = await super().execute_activity(input)
        return readable_message(result) if isinstance(result, BaseModel) else result
