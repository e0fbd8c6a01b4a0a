"""Documents out of packages of the npm registry, kept in a folder that git does not see."""

import base64
import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import httpx

from activities.settings.environment import PROJECT

FOLDER = PROJECT / ".errand" / "openapi-documents"


@dataclass(frozen=True)
class Package:
    """`files` are patterns of the documents in it."""

    name: str
    version: str
    integrity: str
    """As the registry gives it: the SHA-512 of the archive."""
    files: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return FOLDER / f"{self.name.replace('/', '-').removeprefix('@')}-{self.version}"

    @property
    def url(self) -> str:
        return f"https://registry.npmjs.org/{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


GITHUB = Package(
    "@octokit/openapi",
    "23.0.2",
    "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==",
    ("generated/api.github.com.json",),
)
FIGMA = Package(
    "@figma/rest-api-spec",
    "0.43.0",
    "sbFm28WM8MsawyLSYO9Ddne+8xytWU5D7oCOOWyzRvLpd9InFHihC37dQBVJVzAVyT7HpwYtU4wlm+ALogC38g==",
    ("openapi/openapi.yaml",),
)
EXAMPLES = Package(
    "@readme/oas-examples",
    "8.2.2",
    "uytlvlylq3zpemG0h1R7ijlMBCajqXU0VpMI1Iw+j92s77Y/oT6pBf3BZN0lYl0WIGTh7POM4Jdu7L14eCzwXQ==",
    ("[23].[01]/json/*.json", "3.0/yaml/star-trek.yaml"),
)
PACKAGES = (EXAMPLES, FIGMA, GITHUB)
WITHOUT_OPERATIONS = ("webhooks.json", "openapi-workshop/title.json")
"""Documents of which nothing could be a tool."""


def fetch() -> None:
    """Download the packages that are missing."""
    for package in PACKAGES:
        if not package.folder.is_dir():
            _unpack(package, _archive(package))


def documents(*packages: Package) -> Iterator[Path]:
    """The documents that are there."""
    for package in packages or PACKAGES:
        for path in sorted(package.folder.rglob("*")):
            if path.is_file() and not str(path).endswith(WITHOUT_OPERATIONS):
                yield path


def shown(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def _archive(package: Package) -> bytes:
    reply = httpx.get(package.url, timeout=120).raise_for_status()
    found = base64.b64encode(hashlib.sha512(reply.content).digest()).decode()
    if found != package.integrity:
        raise SystemExit(f"{package.url} is another archive than expected: sha512-{found}")
    return reply.content


def _unpack(package: Package, archive: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files.getmembers():
            name = member.name.removeprefix("package/")
            if not any(fnmatchcase(name, pattern) for pattern in package.files):
                continue
            content = files.extractfile(member)
            assert content is not None
            target = package.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
