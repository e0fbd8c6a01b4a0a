"""Which certificates of servers are trusted."""

import ssl
from functools import cache

import httpx2


@cache
def trusted_roots() -> ssl.SSLContext:
    """For every client of a worker: the system's roots, or those of `SSL_CERT_FILE` or `SSL_CERT_DIR`.

    One for the process: to read the roots takes 17 ms.
    """
    return httpx2.create_ssl_context()
