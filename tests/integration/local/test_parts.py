"""Temporal, the mail catcher and the sample services as the deployment runs them: real processes on free ports."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import aiosmtplib
import httpx
import pytest
from temporalio.client import Client

from activities.http.tls import trusted_roots
from deploy.local.deployment import HTTP_HOST, TEMPORAL, Deployment
from deploy.local.mail_catcher import kept_mails
from deploy.local.ports import is_free
from deploy.local.supervisor import Supervisor
from tests.forked import Forked
from tests.forked.part import forked_part
from tests.forked.process import Processes


@pytest.fixture(scope="module")
async def deployment(tmp_path_factory: pytest.TempPathFactory, python: Forked) -> AsyncIterator[Deployment]:
    deployment = Deployment.on_free_ports(tmp_path_factory.mktemp("state"))
    with closing(Processes(python.socket)) as forks:
        door = forked_part(deployment.door(), forks)  # of which most that it costs is importing
        parts = deployment.temporal(), deployment.mail_catcher(), deployment.sample_services(), door
        async with Supervisor(parts, deployment.logs, print) as supervisor:
            pids = [supervisor.pid(part.name) for part in parts]
            yield deployment
    for pid in pids:
        assert pid
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert is_free(deployment.temporal_port)
    assert is_free(deployment.smtp_port)


async def send(deployment: Deployment, subject: str, body: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "errand@example.com", "ann@example.com", subject
    mail.set_content(body)
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=deployment.smtp_port, start_tls=False)


async def test_the_mail_catcher_keeps_what_it_receives_in_order(deployment: Deployment) -> None:
    await send(deployment, "First", "Grüße aus Köln")
    await send(deployment, "Second", "a line\n.\nand one after a lonely dot")
    first, second = kept_mails(deployment.mail).values()
    assert (first["Subject"], first["To"], first["X-Envelope-To"]) == ("First", "ann@example.com", "ann@example.com")
    assert first.get_content().strip() == "Grüße aus Köln"
    assert second.get_content().splitlines()[:3] == ["a line", ".", "and one after a lonely dot"]


async def test_the_mail_catcher_keeps_files_and_addresses_of_any_script(deployment: Deployment) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "errand@example.com", "änn@example.com", "Files"
    mail.set_content("See the file.")
    mail.add_attachment("a;ü\n", subtype="csv", filename="Übersicht.csv")
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=deployment.smtp_port, start_tls=False)
    [(path, kept)] = [each for each in kept_mails(deployment.mail).items() if each[1]["Subject"] == "Files"]
    [file] = kept.iter_attachments()
    assert (file.get_filename(), file.get_content().strip()) == ("Übersicht.csv", "a;ü")
    assert "X-Envelope-To: änn@example.com\r\n".encode() in path.read_bytes()


async def test_temporal_is_ready_for_clients_when_it_says_so(deployment: Deployment) -> None:
    client = await Client.connect(deployment.temporal_address)
    assert await client.count_workflows() is not None


async def test_the_door_lets_the_local_user_in(deployment: Deployment) -> None:
    async with httpx.AsyncClient(verify=trusted_roots(), base_url=deployment.door_url) as local:
        answer = await local.get("/v1/requests")
    assert (answer.status_code, answer.json()) == (200, {"requests": [], "next": None})


START = {"workflowType": {"name": "RequestWorkflow"}, "taskQueue": {"name": "errand"}, "input": [{"text": "Go"}]}


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "evil.example", "evil.example:{port}", ""])
async def test_no_web_page_can_start_a_request(deployment: Deployment, host: str, kind: str) -> None:
    async with httpx.AsyncClient(verify=trusted_roots(), trust_env=False) as page:
        await page.get(deployment.ui_url)  # a browser that has the UI open sends its cookies
        for port in (deployment.http_port, deployment.ui_port, deployment.temporal_port):
            for path in ("/api/v1/namespaces/default/workflows/w", "/namespaces/default/workflows/w"):
                headers = {"Host": host.format(port=port), "Origin": "http://evil.example", "Content-Type": kind}
                with suppress(httpx.TransportError):  # as the port of gRPC answers
                    answer = await page.post(
                        f"http://127.0.0.1:{port}{path}", content=json.dumps(START), headers=headers
                    )
                    assert answer.status_code in range(400, 500), (port, path, answer.text)
    client = await Client.connect(deployment.temporal_address)
    assert (await client.count_workflows()).count == 0


async def test_temporals_http_api_answers_a_program_that_calls_it_by_its_name(deployment: Deployment) -> None:
    async with httpx.AsyncClient(verify=trusted_roots(), trust_env=False) as program:
        answer = await program.get(
            f"{deployment.http_url}/api/v1/namespaces/default/workflows", headers={"Host": HTTP_HOST}
        )
    assert answer.status_code == 200


def test_no_browser_can_send_that_name_as_its_host() -> None:
    """It sends what stands in a URL, of which the part behind the colon is a port."""
    with pytest.raises(ValueError, match="Port"):
        _ = urlsplit(f"http://{HTTP_HOST}").port


async def test_another_site_may_not_send_the_token_that_the_ui_asks_for(deployment: Deployment) -> None:
    asks = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    async with httpx.AsyncClient(verify=trusted_roots(), trust_env=False) as page:
        answer = await page.options(
            f"{deployment.ui_url}/api/v1/namespaces/default/workflows/w",
            headers=asks | {"Access-Control-Request-Headers": "x-csrf-token"},
        )
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-headers" not in answer.headers


async def test_each_part_writes_a_log_of_its_own(deployment: Deployment) -> None:
    names = {log.stem for log in deployment.logs.iterdir()}
    assert names == {"Temporal-server", "mail-catcher", "sample-services", "door"}
    assert TEMPORAL.replace(" ", "-") in names


@pytest.mark.long
def test_the_folder_of_mails_holds_nothing_unfinished(deployment: Deployment) -> None:
    assert all(file.suffix == ".eml" for file in Path(deployment.mail).iterdir())
