"""The embedded deployment: which parts there are, where they listen, and what the worker is told about them.

Nothing in the service knows that it is this deployment: it is all in the worker's environment.
"""

import fcntl
import os
import shlex
import sys
import sysconfig
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from activities.settings.environment import PREFIX
from deploy.local.part import DeploymentError, Part, answers, logs, serves
from deploy.local.ports import free_ports

WORKER = "worker"
DOOR = "door"
TEMPORAL = "Temporal server"
MODEL_NAME = "smollm2-135m-errand"
DRAIN_SECONDS = 35  # the worker gives running activities 30

HTTP_HOST = "errand:local"
"""The only name under which Temporal's HTTP API may be asked: one that no browser can send as its host, since
"local" is no port.

Otherwise any web page that is open on this machine could start a request: the API asks for no password, and a browser
sends it a POST of plain text without asking first.
"""

# Somebody's settings for other services: with them, the parts here would not find each other.
FOREIGN = ("TEMPORAL_", "OPENAI_", "ERRAND_STOCKS_TOKEN")


@dataclass(frozen=True)
class Deployment:
    """Where everything lives. State is kept under `state` and survives a restart; a port that nobody asks for is
    whatever is free."""

    state: Path
    temporal_port: int
    ui_port: int
    smtp_port: int
    samples_port: int
    model_port: int
    http_port: int
    """Temporal's HTTP API, which answers only who calls it `HTTP_HOST`."""
    door_port: int

    @classmethod
    def on_free_ports(
        cls,
        state: Path,
        temporal_port: int | None = None,
        ui_port: int | None = None,
        door_port: int | None = None,
        http_port: int | None = None,
    ) -> "Deployment":
        temporal, ui, *others, http, door = free_ports(7)
        others.append(http_port or http)
        return cls(state.absolute(), temporal_port or temporal, ui_port or ui, *others, door_port=door_port or door)

    @property
    def temporal_address(self) -> str:
        return f"127.0.0.1:{self.temporal_port}"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.ui_port}"

    @property
    def door_url(self) -> str:
        return f"http://127.0.0.1:{self.door_port}"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def mail(self) -> Path:
        return self.state / "mail"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    def client_environment(self) -> dict[str, str]:
        """What `client.py` needs to find this deployment."""
        return {"TEMPORAL_ADDRESS": self.temporal_address, "ERRAND_UI_URL": self.ui_url}

    def worker_environment(self) -> dict[str, str]:
        """What `worker.py` needs to be this deployment's worker."""
        samples = f"http://127.0.0.1:{self.samples_port}"
        return self.client_environment() | {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.model_port}/v1",
            "OPENAI_API_KEY": "local",
            "OPENAI_MODEL": MODEL_NAME,
            "ERRAND_MODEL_CONSTRAINED": "true",  # llama.cpp decodes by a grammar made of the schemas
            # What the model was trained on, unless somebody asks for more: tools of their own, or of ERRAND_SOURCES.
            "ERRAND_OFFER": os.environ.get("ERRAND_OFFER") or "get_weather get_stock_price send_email",
            "ERRAND_EXCHANGE_RATES_URL": samples,
            "ERRAND_SMTP_URL": f"smtp+plain://127.0.0.1:{self.smtp_port}",
            "ERRAND_MAIL_FROM": "errand@example.com",
            "ERRAND_WEATHER_URL": samples,
            "ERRAND_GEOCODING_URL": samples,
            "ERRAND_STOCKS_URL": samples,
            # Links in callbacks and in mails to approvers lead to the desk, unless somebody has another page for them.
            "ERRAND_REQUEST_URL": os.environ.get("ERRAND_REQUEST_URL") or f"{self.door_url}/requests/{{request_id}}",
            "ERRAND_LEDGER_URL": f"sqlite:///{self.state / 'ledger.db'}",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def door_environment(self) -> dict[str, str]:
        """What the door needs to be this deployment's; it lists the tools of this deployment's worker."""
        return self.worker_environment() | {
            "ERRAND_WEB_HOST": "127.0.0.1",
            "ERRAND_WEB_PORT": str(self.door_port),
            "ERRAND_WEB_KEYS": str(self.state / "keys.json"),
        }

    def parts(self) -> tuple[Part, ...]:
        """Every part; the worker first, because it is stopped first, while all it talks to still answers."""
        return self.worker(), self.temporal(), self.mail_catcher(), self.sample_services(), self.language_model()

    def worker(self) -> Part:
        return Part(
            name=WORKER,
            command=(sys.executable, "worker.py"),
            environment=surroundings(self.worker_environment()),
            is_ready=logs("worker ready"),
            after=(TEMPORAL,),
            stops_within=DRAIN_SECONDS,
        )

    def door(self) -> Part:
        return Part(
            name=DOOR,
            command=(sys.executable, "-m", "deploy.web"),
            environment=surroundings(self.door_environment()),
            is_ready=serves(self.door_port, "/readyz"),
            after=(TEMPORAL,),
            stops_within=10,
        )

    def temporal(self) -> Part:
        settings = (
            "history.transferProcessorMaxPollRPS=10000",
            "frontend.enableServerVersionCheck=false",
            f'frontend.httpAllowedHosts=["{HTTP_HOST}"]',
        )
        pragmas = ("journal_mode=wal", "synchronous=normal")
        return Part(
            name=TEMPORAL,
            command=(
                str(Path(sysconfig.get_path("scripts")) / "temporal"),
                *("server", "start-dev", "--ip", "127.0.0.1", "--log-level", "error"),
                *("--port", str(self.temporal_port), "--ui-port", str(self.ui_port)),
                *("--http-port", str(self.http_port)),
                *("--db-filename", str(self.state / "temporal.db")),
                *(word for each in settings for word in ("--dynamic-config-value", each)),
                *(word for each in pragmas for word in ("--sqlite-pragma", each)),
            ),
            environment=surroundings({}),
            is_ready=serves(self.ui_port, "/api/v1/namespaces/default"),  # the UI answers, and the server behind it
        )

    def mail_catcher(self) -> Part:
        return Part(
            name="mail catcher",
            command=(sys.executable, "-m", "deploy.local.mail_catcher", str(self.smtp_port), str(self.mail)),
            is_ready=answers(self.smtp_port, expect=b"220 "),
        )

    def sample_services(self) -> Part:
        return Part(
            name="sample services",
            command=(sys.executable, "-m", "deploy.local.sample_services", str(self.samples_port)),
            is_ready=serves(self.samples_port, "/health"),
        )

    def language_model(self) -> Part:
        return Part(
            name="language model",
            command=(sys.executable, "-m", "deploy.local.language_model", str(self.model_port), MODEL_NAME),
            is_ready=serves(self.model_port, "/health"),
            ready_within=120,
        )


def surroundings(added: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings for other services, and with those added."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)} | dict(added)


@contextmanager
def sole_user(state: Path) -> Generator[None]:
    """Hold the state directory for one deployment; the lock is gone with the process that holds it.

    Raises:
        DeploymentError: another process holds it.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "?"
            raise DeploymentError(f"another deployment runs on {state} (process {holder}); stop it first") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def worker_env_file(deployment: Deployment) -> Generator[Path]:
    """`worker.env`, with which a shell can start a second worker like the first; there while the deployment is.

    With the settings of this shell: another policy, or other tools, would hold for every second call of a task queue.
    """
    path = deployment.state / "worker.env"
    settings = {name: value for name, value in surroundings({}).items() if name.startswith(PREFIX)}
    variables = settings | deployment.worker_environment()
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)  # some may be secrets
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()), encoding="utf-8")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
