"""One call to the door, made within its container, where it has the name that it answers to.

python door_client.py PATH KEY BODY
"""

import sys
import urllib.error
import urllib.request


def main() -> None:
    path, key, body = sys.argv[1:]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://localhost:8240{path}", body.encode() or None, headers)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            print(answer.read().decode())
    except urllib.error.HTTPError as refused:
        if refused.code != 503:
            raise
        print("{}")  # Temporal or a worker is away, and the same call can be made again


if __name__ == "__main__":
    main()
