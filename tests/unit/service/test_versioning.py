"""A worker takes part in Worker Versioning where both variables are set."""

import pytest
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion

from activities.errors import ConfigurationError
from deploy.service.versioning import BUILD, DEPLOYMENT, deployment_config, version_of_environment


@pytest.fixture(autouse=True)
def neither(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (DEPLOYMENT, BUILD):
        monkeypatch.delenv(name, raising=False)


def test_without_either_variable_it_takes_no_part() -> None:
    assert version_of_environment() is None


def test_with_both_requests_stay_with_their_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEPLOYMENT, "errand/worker")
    monkeypatch.setenv(BUILD, "v1.2-ab")
    version = version_of_environment()
    assert version == WorkerDeploymentVersion("errand/worker", "v1.2-ab")
    config = deployment_config(WorkerDeploymentVersion("errand", "1"))
    assert config.use_worker_versioning
    assert config.default_versioning_behavior is VersioningBehavior.PINNED


@pytest.mark.parametrize(("given", "missing"), [(DEPLOYMENT, BUILD), (BUILD, DEPLOYMENT)])
def test_one_of_them_alone_is_refused(given: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(given, "errand")
    with pytest.raises(ConfigurationError, match=f"^{missing}: missing"):
        version_of_environment()


@pytest.mark.parametrize("name", ["errand.worker", "errand:worker"])
def test_a_name_that_temporal_does_not_take_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEPLOYMENT, name)
    monkeypatch.setenv(BUILD, "1")
    with pytest.raises(ConfigurationError, match=f"^{DEPLOYMENT}: {name}"):
        version_of_environment()
