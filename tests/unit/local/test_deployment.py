"""What the deployment tells the parts, and what it refuses to start on."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from deploy.local.deployment import Deployment, sole_user, surroundings, worker_env_file
from deploy.local.part import DeploymentError
from deploy.local.ports import free_ports, require_free


def test_a_taken_port_is_an_error_that_names_it_and_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DeploymentError, match=rf"port {port} \(Temporal\) is taken.*make up PORT="):
            require_free(port, "Temporal", "make up PORT")


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        require_free(port, "anything", "PORT")


def test_free_ports_are_none_that_an_outgoing_connection_could_be_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        callers = [socket.create_connection(server.getsockname()) for _ in range(20)]
        lowest = min(caller.getsockname()[1] for caller in callers)
        for caller in callers:
            caller.close()
    assert max(free_ports(50)) < lowest


def test_a_second_deployment_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with sole_user(tmp_path), pytest.raises(DeploymentError, match="another deployment runs on"), sole_user(tmp_path):
        pytest.fail("both hold the state")
    with sole_user(tmp_path):
        pass


def test_a_shell_reads_worker_env_as_the_worker_got_it(tmp_path: Path) -> None:
    deployment = Deployment.on_free_ports(tmp_path / "it's a state")
    deployment.state.mkdir()
    with worker_env_file(deployment) as file:
        script = 'set -a; . "$1"; printf "%s" "$ERRAND_LEDGER_URL $TEMPORAL_ADDRESS"'
        read = subprocess.run(["sh", "-c", script, "sh", str(file)], capture_output=True, text=True, check=True).stdout
    wanted = deployment.worker_environment()
    assert read == f"{wanted['ERRAND_LEDGER_URL']} {wanted['TEMPORAL_ADDRESS']}"
    assert not file.exists()


def test_a_second_worker_has_the_settings_that_the_first_has_from_this_shell_and_nobody_else_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERRAND_POLICY", "it's denied.toml")
    monkeypatch.setenv("ERRAND_STOCKS_TOKEN", "of another service")
    with worker_env_file(Deployment.on_free_ports(tmp_path)) as file:
        script = 'set -a; . "$1"; printf "%s" "$ERRAND_POLICY $ERRAND_STOCKS_TOKEN"'
        fresh = {"PATH": os.environ["PATH"]}
        read = subprocess.run(["sh", "-c", script, "sh", str(file)], capture_output=True, text=True, env=fresh)
        assert read.stdout == "it's denied.toml "
        assert file.stat().st_mode & 0o077 == 0


def test_settings_for_other_services_do_not_reach_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody")
    monkeypatch.setenv("TEMPORAL_API_KEY", "cloud")
    monkeypatch.setenv("ERRAND_POLICY", "policy.toml")
    assert {"OPENAI_API_KEY", "TEMPORAL_API_KEY"}.isdisjoint(surroundings({}))
    assert surroundings({})["ERRAND_POLICY"] == "policy.toml"


def test_what_approvers_are_told_leads_to_the_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ERRAND_REQUEST_URL", raising=False)
    deployment = Deployment.on_free_ports(tmp_path)
    there = deployment.worker_environment()["ERRAND_REQUEST_URL"]
    assert there == f"{deployment.door_url}/requests/{{request_id}}"


def test_whoever_has_a_page_of_their_own_for_requests_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERRAND_REQUEST_URL", "https://ops.example.com/{request_id}")
    there = Deployment.on_free_ports(tmp_path).worker_environment()["ERRAND_REQUEST_URL"]
    assert there == "https://ops.example.com/{request_id}"


def test_what_make_up_offers_is_what_its_model_was_trained_on_unless_somebody_asks_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment.on_free_ports(tmp_path)
    monkeypatch.delenv("ERRAND_OFFER", raising=False)
    assert deployment.worker_environment()["ERRAND_OFFER"] == "get_weather get_stock_price send_email"
    monkeypatch.setenv("ERRAND_OFFER", "get_weather crm_*")
    assert deployment.worker_environment()["ERRAND_OFFER"] == "get_weather crm_*"
