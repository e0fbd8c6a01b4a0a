"""uv run -m deploy.codec_server

Its settings are environment variables: ERRAND_PAYLOAD_KEYS and ERRAND_CODEC_…; docs/configuration.md lists them.
"""

import signal
import sys

from activities.encryption.loading import load_key_ring
from activities.errors import ConfigurationError
from activities.settings import Settings
from activities.settings.environment import is_loopback
from deploy.service.logs import configure_logging


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    codec, keys = settings.codec, load_key_ring(settings.encryption.payload_keys)
    if keys is None:
        raise ConfigurationError("ERRAND_PAYLOAD_KEYS: missing; there is nothing to decrypt with")
    if codec.codec_access is None and not is_loopback(codec.codec_host):
        raise ConfigurationError("ERRAND_CODEC_ACCESS: missing; beyond loopback, it has to say who may read what")
    # Only now: without the extra, the first check has said so.
    import uvicorn

    from deploy.codec_server.access import Access, Readers
    from deploy.codec_server.server import application

    access = Access.read(codec.codec_access) if codec.codec_access else None
    served = application(keys, Readers(access, keys.keys), codec.codec_origins)
    uvicorn.run(served, host=codec.codec_host, port=codec.codec_port, log_config=None, access_log=False)


def _end(*_: object) -> None:
    """uvicorn answers what it has to, and then raises the signal once more."""
    sys.exit(0)


def main() -> int:
    """The exit code: 0 after a signal, 2 where a setting is missing or wrong."""
    configure_logging()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _end)
    try:
        serve(Settings.from_environment())
    except ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
