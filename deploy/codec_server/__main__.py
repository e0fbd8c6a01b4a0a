"""uv run -m deploy.codec_server

Its settings are environment variables: ERRAND_PAYLOAD_KEYS and ERRAND_CODEC_…; docs/encryption.md lists them.
"""

import sys

from activities.encryption.loading import load_key_ring
from activities.errors import ConfigurationError
from activities.settings import Settings
from deploy.service.logs import configure_logging


def main() -> int:
    """The exit code: 0 after a signal, 2 where a setting is missing or wrong."""
    configure_logging()
    try:
        keys = load_key_ring(Settings.from_environment().payload_keys)
        if keys is None:
            raise ConfigurationError("ERRAND_PAYLOAD_KEYS: missing; there is nothing to decrypt with")
        # Only now: without the extra, the line above says so.
        import uvicorn

        from deploy.codec_server.access import Access, Readers
        from deploy.codec_server.server import application
        from deploy.codec_server.settings import CodecSettings

        settings = CodecSettings.from_environment()
        access = Access.read(settings.access) if settings.access else None
        served = application(keys, Readers(access, keys.keys), settings.origins)
        uvicorn.run(served, host=settings.host, port=settings.port, log_config=None, access_log=False)
    except ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
