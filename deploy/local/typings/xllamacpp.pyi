# What deploy/local/language_model.py uses of xllamacpp, which ships no types.

class CommonParamsModel:
    path: str

class CommonAdapterLoraInfo:
    path: str
    scale: float

class CpuParams:
    n_threads: int

class CommonParamsSampling:
    temp: float
    dry_multiplier: float
    dry_allowed_length: int
    dry_penalty_last_n: int

class CommonParams:
    sampling: CommonParamsSampling
    model: CommonParamsModel
    model_alias: set[str]
    lora_adapters: list[CommonAdapterLoraInfo]
    use_jinja: bool
    chat_template: str
    hostnames: list[str]
    port: int
    n_ctx: int
    n_parallel: int
    n_predict: int
    cpuparams: CpuParams
    cpuparams_batch: CpuParams

class Server:
    listening_address: str
    def __init__(self, params: CommonParams) -> None: ...
