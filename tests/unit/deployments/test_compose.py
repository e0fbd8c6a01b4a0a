"""Compose starts everything in the right order, with settings that exist and passwords in files."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from activities.encryption.key_ring import KeyRing
from activities.settings.environment import variable
from deploy.client.keys import KeyFile, Right
from deploy.codec_server.access import Access
from tests.unit.deployments.manifests import COMPOSE, NEEDED, Manifest, compose, known, program, ran

FILES = ("compose.yaml", "development.yaml")
OURS = ("codec-server", "worker", "door")
SERVICES: dict[str, Manifest] = compose("compose.yaml")["services"]


@pytest.mark.parametrize("name", FILES)
def test_it_is_a_compose_file(name: str) -> None:
    ran(program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE / name))


def secret_files() -> dict[str, str]:
    """Of the worker."""
    return {name.upper(): name for name in SERVICES["worker"]["secrets"]}


@pytest.mark.parametrize("service", OURS)
def test_every_variable_of_a_service_is_a_setting(service: str) -> None:
    assert {name for name in SERVICES[service]["environment"] if name not in known()} == set()


def test_every_variable_of_the_development_worker_is_a_setting() -> None:
    assert set(compose("development.yaml")["services"]["worker"]["environment"]) <= known()


def test_the_worker_is_told_all_that_production_needs() -> None:
    told = {*SERVICES["worker"]["environment"], *secret_files()}
    assert NEEDED - told == set()


def test_no_password_stands_in_a_file_of_the_repository() -> None:
    secret = re.compile(r"password|secret|token|api_key", re.IGNORECASE)
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not secret.search(name) or str(value).startswith("/run/secrets"), (name, value)


def test_the_variables_of_the_example_are_those_that_are_read() -> None:
    example = (COMPOSE / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert named == set(re.findall(r"\$\{([A-Z_]+)", (COMPOSE / "compose.yaml").read_text()))


def test_each_service_waits_for_what_it_needs() -> None:
    order = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    done, healthy = "service_completed_successfully", "service_healthy"
    assert order["temporal-schema"] == {"postgresql": healthy}
    assert order["temporal"] == {"temporal-schema": done}
    assert order["temporal-namespace"] == {"temporal": healthy}
    assert order["worker"] == {"temporal-namespace": done}
    assert order["door"] == {"temporal-namespace": done, "door-key": done}
    waited_for = {other for others in order.values() for other, how in others.items() if how == healthy}
    assert all("healthcheck" in SERVICES[name] for name in waited_for)


def test_the_worker_is_killed_only_after_its_grace_period() -> None:
    worker = SERVICES["worker"]
    [grace] = re.findall(r":-(\d+)}", worker["environment"][variable("grace")])
    [killed] = re.findall(r":-(\d+)s}", worker["stop_grace_period"])
    assert int(killed) == int(grace) + 15


def test_the_worker_is_scraped_within_the_network_alone() -> None:
    worker = SERVICES["worker"]
    assert worker["environment"][variable("metrics_address")].startswith("0.0.0.0:")
    assert "ports" not in worker


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_that_ours_share_is_built_once() -> None:
    assert [name for name, service in SERVICES.items() if "build" in service] == ["worker"]
    assert len({SERVICES[name]["image"] for name in OURS}) == 1


def test_what_ours_write_to_is_in_memory_alone() -> None:
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("script", ["ledger.sh", "schema.sh", "namespace.sh", "secrets.sh"])
def test_a_script_is_one_that_a_shell_can_read(script: str) -> None:
    ran("sh", "-n", str(COMPOSE / script))


def test_the_files_of_secrets_are_made_once_and_are_those_that_compose_names(tmp_path: Path) -> None:
    shutil.copytree(COMPOSE, tmp_path, ignore=shutil.ignore_patterns("secrets", ".env"), dirs_exist_ok=True)
    (tmp_path / "schema.sh").chmod(0o600)
    make = ["sh", str(tmp_path / "secrets.sh")]
    subprocess.run(make, check=True, capture_output=True)
    folder = tmp_path / "secrets"
    made = {path.name: path.read_text() for path in folder.iterdir()}
    named = {Path(each["file"]).name for each in compose("compose.yaml")["secrets"].values()}
    assert named == made.keys() - {"codec_token", "door_key"}
    assert KeyRing.read(folder / "payload_keys").keys
    assert Access.read(folder / "codec_access.toml").token["operator"].keys == {"*"}
    door = KeyFile.read(folder / "web_keys.json")
    key = door.key_of(made["door_key"]) if door else None
    assert key is not None
    assert key.may == (Right.ADMIN,)
    assert made["ledger_password"] in made["errand_ledger_url"]
    assert (tmp_path / "schema.sh").stat().st_mode & 0o004
    assert all(path.stat().st_mode & 0o004 for path in folder.iterdir()), "the containers' users read them"
    assert folder.stat().st_mode & 0o777 == 0o700, "and nobody else gets at them"
    assert (tmp_path / ".env").read_text() == (tmp_path / ".env.example").read_text()
    subprocess.run(make, check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    (folder / "door_key").unlink()
    subprocess.run(make, check=True, capture_output=True)
    door = KeyFile.read(folder / "web_keys.json")
    assert door
    assert door.key_of((folder / "door_key").read_text()), "the door knows the new one"
