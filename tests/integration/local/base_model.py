"""SmolLM2-135M-Instruct as it came, without this project's adapter: it has never been trained to call functions.

python -m tests.integration.local.base_model PORT
"""

import os
import signal
import sys

import xllamacpp

from deploy.local.language_model import weights

NAME = "smollm2"


def serve(port: int) -> None:
    threads = max(1, (os.cpu_count() or 1) - 1)
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {NAME}
    params.use_jinja = True
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 2048
    params.n_parallel = 1
    params.n_predict = 128
    params.sampling.temp = 0.0
    params.sampling.dry_multiplier = 0.8
    params.sampling.dry_allowed_length = 3
    params.sampling.dry_penalty_last_n = 64
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)  # it serves as long as it is referred to
    signal.pause()
    del server


if __name__ == "__main__":
    serve(int(sys.argv[1]))
