"""The Kubernetes manifests are valid, and tell workers what production needs, by settings that exist."""

from pathlib import Path

import pytest

from activities.settings.environment import variable
from tests.unit.deployments.manifests import NEEDED, OVERLAYS, Manifest, built, known, manifests, program, ran

VERSIONS = ("1.34",)
NOT_KUBERNETES_OWN = ("ScaledObject", "Connection", "WorkerDeployment")


def template(overlay: str) -> Manifest:
    """Of a worker's pod."""
    found = manifests(overlay)
    return (found.get("Deployment") or found["WorkerDeployment"])["spec"]["template"]


def pod(overlay: str) -> Manifest:
    return template(overlay)["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_is_valid(overlay: str, version: str, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(built(overlay))
    said = ran(program("kubernetes-validate"), "-k", version, "--strict", str(file))
    assert said.count(" passed for resource ") == len(manifests(overlay).keys() - {*NOT_KUBERNETES_OWN})


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_worker_is_told_what_production_needs_and_nothing_that_is_no_setting(overlay: str) -> None:
    told = set(manifests(overlay)["ConfigMap"]["data"])
    [secrets] = [each["secret"] for each in pod(overlay)["volumes"] if each["name"] == "secrets"]
    files = {item["path"].upper() for item in secrets["items"]}
    assert told <= known()
    assert NEEDED - told - files == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_is_killed_only_after_its_workers_grace_period(overlay: str) -> None:
    grace = int(manifests(overlay)["ConfigMap"]["data"][variable("grace")])
    assert pod(overlay)["terminationGracePeriodSeconds"] == grace + 15


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_may_do_nothing_but_its_work(overlay: str) -> None:
    spec = pod(overlay)
    [worker] = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert worker["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "cpu" not in worker["resources"]["limits"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_worker_is_alive_while_its_loop_runs_and_ready_while_temporal_answers(overlay: str) -> None:
    [worker] = pod(overlay)["containers"]
    probes = {name: worker[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness", "startup")}
    assert probes == {"liveness": "/livez", "readiness": "/readyz", "startup": "/readyz"}
    [port] = [each["containerPort"] for each in worker["ports"] if each["name"] == "health"]
    assert manifests(overlay)["ConfigMap"]["data"][variable("health_address")].endswith(f":{port}")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_prometheus_may_scrape_what_the_alerts_are_about(overlay: str) -> None:
    found, [worker] = manifests(overlay), pod(overlay)["containers"]
    [port] = [each["containerPort"] for each in worker["ports"] if each["name"] == "metrics"]
    assert found["ConfigMap"]["data"][variable("metrics_address")] == f"0.0.0.0:{port}"
    assert template(overlay)["metadata"]["annotations"]["prometheus.io/port"] == str(port)
    [rule] = found["NetworkPolicy"]["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]
    assert rule["from"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_find_the_worker(overlay: str) -> None:
    found, labels = manifests(overlay), template(overlay)["metadata"]["labels"]
    wanted = [
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(each.items() <= labels.items() for each in wanted)


def test_the_controllers_worker_is_the_plain_one() -> None:
    plain, controlled = pod("production"), pod("worker-controller")
    # Each overlay's config map has a name of its own, by its contents.
    for spec in (plain, controlled):
        for container in spec["containers"]:
            container["envFrom"][0]["configMapRef"]["name"] = container["envFrom"][0]["configMapRef"]["name"][:7]
    assert controlled == plain


def test_keda_scales_by_what_waits_and_never_takes_the_last_worker() -> None:
    found = manifests("production")
    spec = found["ScaledObject"]["spec"]
    [trigger] = spec["triggers"]
    assert spec["scaleTargetRef"] == {"name": found["Deployment"]["metadata"]["name"]}
    assert spec["minReplicaCount"] >= 1
    assert trigger["type"] == "temporal"
    # Of KEDA 2.21: https://keda.sh/docs/latest/scalers/temporal/
    assert trigger["metadata"].keys() <= {
        *("endpoint", "namespace", "taskQueue", "queueTypes", "targetQueueSize", "activationTargetQueueSize"),
    }
    told = found["ConfigMap"]["data"]
    assert trigger["metadata"]["endpoint"] == told["TEMPORAL_ADDRESS"]
    assert trigger["metadata"]["namespace"] == told["TEMPORAL_NAMESPACE"]


def test_the_controllers_manifests_have_the_fields_of_its_crds() -> None:
    found = manifests("worker-controller")
    spec = found["WorkerDeployment"]["spec"]
    assert {"Deployment"}.isdisjoint(found)
    assert spec.keys() == {"replicas", "rollout", "sunset", "template", "workerOptions"}
    assert spec["workerOptions"].keys() == {"connectionRef", "temporalNamespace"}
    assert spec["workerOptions"]["connectionRef"] == {"name": found["Connection"]["metadata"]["name"]}
    assert spec["rollout"]["strategy"] in ("Manual", "AllAtOnce", "Progressive")
    assert all(step.keys() == {"rampPercentage", "pauseDuration"} for step in spec["rollout"]["steps"])
    assert spec["sunset"].keys() == {"scaledownDelay", "deleteDelay"}
    assert found["Connection"]["spec"].keys() == {"hostPort"}
