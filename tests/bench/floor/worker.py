"""python -m tests.bench.floor.worker     the environment says where Temporal, the model, the services and mail are"""

import asyncio
import os
import signal
import sys

import httpx
from temporalio.client import Client
from temporalio.worker import Worker

from tests.bench.floor.activities import Activities
from tests.bench.floor.workflow import TASK_QUEUE, FloorWorkflow


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    async with httpx.AsyncClient(timeout=60) as http:
        activities = Activities(http, os.environ)
        worker = Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[FloorWorkflow],
            activities=[
                activities.ask_model,
                activities.get_weather,
                activities.get_stock_price,
                activities.send_email,
            ],
        )
        async with worker:
            print("worker ready", file=sys.stderr, flush=True)
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)
