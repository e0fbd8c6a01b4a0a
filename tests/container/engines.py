"""What builds and runs an image: Docker; or, where there is none, buildah and runc on a base made by debootstrap."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[2]
DOCKERFILE = "deploy/container/Dockerfile"
NAME = "errand"
CACHE = ROOT / ".errand" / "container"
"""The base and the layers, which take minutes."""
USER = 10001
SUITE = "trixie"
PROGRAMS = {"buildah": "buildah", "runc": "runc", "debootstrap": "debootstrap"}


class Missing(Exception):
    """Nothing here can build and run an image; the message says what to install."""


class Engine(Protocol):
    def build(self) -> None: ...

    def run(self, variables: Mapping[str, str], data: Path) -> Sequence[str]:
        """The command that runs the image in the foreground: root read-only, no capability, `data` at /data."""
        ...

    def inside(self, *command: str) -> Sequence[str]:
        """The command that runs another in the running container."""
        ...

    def signal(self, name: str) -> Sequence[str]: ...


def engine() -> Engine:
    """
    Raises:
        Missing: there is none.
    """
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return Docker()
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing or os.geteuid() != 0:
        what = f"; missing: {', '.join(missing)} (apt-get install {' '.join(missing)})" if missing else ""
        raise Missing(f"make image needs Docker, or, as root, {', '.join(PROGRAMS)}{what}")
    return Runc()


class Docker:
    def build(self) -> None:
        _run("docker", "build", "-f", DOCKERFILE, "-t", NAME, ".")

    def run(self, variables: Mapping[str, str], data: Path) -> Sequence[str]:
        told = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        limits = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "host")
        return ("docker", "run", "--rm", "--name", NAME, *limits, "-v", f"{data}:/data", *told, NAME)

    def inside(self, *command: str) -> Sequence[str]:
        return ("docker", "exec", NAME, *command)

    def signal(self, name: str) -> Sequence[str]:
        return ("docker", "kill", "--signal", name, NAME)


@dataclass
class Runc:
    """Without a daemon. Its container has the machine's network."""

    bundle: Path = CACHE / "bundle"

    def build(self) -> None:
        base = _base()
        arguments = ["--build-arg", f"PYTHON_IMAGE={base}"]
        if certificates := os.environ.get("SSL_CERT_FILE"):
            arguments += ["--build-arg", f"SSL_CERT_FILE={certificates}"]
        ignored = ("--ignorefile", f"{DOCKERFILE}.dockerignore")
        how = ("--isolation", "chroot", "--format", "docker", *ignored, *arguments)
        _buildah("bud", *how, "-t", NAME, "-f", DOCKERFILE, ".")

    def run(self, variables: Mapping[str, str], data: Path) -> Sequence[str]:
        container = _buildah("from", "--pull-never", NAME)
        root = _buildah("mount", container)
        image = json.loads(_buildah("inspect", "--type", "container", container))["Docker"]["config"]
        self.bundle.mkdir(parents=True, exist_ok=True)
        (self.bundle / "config.json").unlink(missing_ok=True)
        _run("runc", "spec", "-b", str(self.bundle))
        spec = json.loads((self.bundle / "config.json").read_text())
        spec["root"] = {"path": root, "readonly": True}
        spec["process"] |= {
            "terminal": False,
            "user": {"uid": USER, "gid": USER},
            "args": [*image["Entrypoint"], *image["Cmd"]],
            "cwd": image["WorkingDir"],
            "env": [*image["Env"], *(f"{name}={value}" for name, value in variables.items())],
            "capabilities": {},
        }
        writable = {"destination": "/data", "type": "bind", "source": str(data), "options": ["rbind", "rw"]}
        scratch = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev"]}
        spec["mounts"] = [each for each in spec["mounts"] if each["type"] != "cgroup"] + [writable, scratch]
        spec["linux"]["namespaces"] = [
            each for each in spec["linux"]["namespaces"] if each["type"] not in ("cgroup", "network")
        ]
        spec["linux"].pop("resources", None)
        (self.bundle / "config.json").write_text(json.dumps(spec))
        return ("runc", "run", "-b", str(self.bundle), NAME)

    def inside(self, *command: str) -> Sequence[str]:
        return ("runc", "exec", NAME, *command)

    def signal(self, name: str) -> Sequence[str]:
        return ("runc", "kill", NAME, name)


def _base() -> str:
    """An image of Debian with Python, in place of the registry's."""
    name, folder, tar = "errand-base", CACHE / "base", CACHE / "base.tar"
    if not tar.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        packages = "python3,python3-venv,ca-certificates"
        _run("debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(folder))
        if certificates := os.environ.get("SSL_CERT_FILE"):
            shutil.copy(certificates, folder / "etc/ssl/certs/ca-certificates.crt")
        _run("tar", "-C", str(folder), "-cf", str(tar), ".")
        shutil.rmtree(folder)
    if name not in _buildah("images", "--format", "{{.Name}}"):
        context = CACHE / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
        (context / "base.tar").unlink(missing_ok=True)
        os.link(tar, context / "base.tar")
        _buildah("bud", "--isolation", "chroot", "-t", name, str(context))
    return f"localhost/{name}"


def _buildah(*words: str) -> str:
    storage = ("--root", str(CACHE / "storage"), "--runroot", str(CACHE / "run"), "--storage-driver", "vfs")
    return _run("buildah", *storage, *words)


def _run(*words: str) -> str:
    """What it prints; what it says of its progress goes to the terminal."""
    return subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
