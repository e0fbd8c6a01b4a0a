"""The loop by hand: ask the model, run the calls it wants at once, until it wants none."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from temporalio import workflow

TASK_QUEUE = "floor"
Json = dict[str, Any]


@workflow.defn
class FloorWorkflow:
    @workflow.run
    async def run(self, text: str) -> str:
        messages: list[Json] = [{"role": "user", "content": text}]
        while True:
            message: Json = await workflow.execute_activity(
                "ask_model", args=[messages], result_type=dict, start_to_close_timeout=timedelta(seconds=120)
            )
            calls: list[Json] = message.get("tool_calls") or []
            if not calls:
                return message["content"]
            messages += [message, *await asyncio.gather(*map(self.carry_out, calls))]

    async def carry_out(self, call: Json) -> Json:
        function = call["function"]
        result: Json = await workflow.execute_activity(
            function["name"],
            json.loads(function["arguments"]),
            result_type=dict,
            start_to_close_timeout=timedelta(seconds=60),
        )
        return {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)}
