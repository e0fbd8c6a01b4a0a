"""Ask a process over HTTP whether it is well: exits with 0, or with 1 and why not.

python -m deploy.service.probe [URL]        by default /readyz at the port of ERRAND_HEALTH_ADDRESS
"""

import http.client
import os
import sys
from urllib.parse import urlsplit


def why_not(url: str) -> str:
    """Why it is not well; nothing where it is. No proxy is asked, whatever the environment says."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=4)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return "" if answer.status == 200 else f"{url}: {answer.status} {answer.read(200).decode(errors='replace')}"
    except OSError as error:
        return f"{url}: {error}"
    finally:
        connection.close()


def main() -> int:
    port = os.environ.get("ERRAND_HEALTH_ADDRESS", "").rpartition(":")[2]
    if problem := why_not(sys.argv[1] if len(sys.argv) > 1 else f"http://127.0.0.1:{port or 80}/readyz"):
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
