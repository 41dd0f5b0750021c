"""One message to an address on the web, with a limit that holds whatever the other side does."""

from __future__ import annotations

import http.client
import ipaddress
import queue
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MOST_RETRIES = 20
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""How long is waited before the second try; each further wait is twice as long, up to a limit."""
_LATER = (408, 425, 429)
"""What a server says who may do it later; 5xx too."""


@dataclass(frozen=True)
class Answer:
    """What became of a message: nothing wrong, or what, and whether it is worth another try."""

    problem: str = ""
    again: bool = False


class _Stays(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: another place would get the message, and the headers that open the first one."""

    def redirect_request(self, *words: Any, **more: Any) -> None:
        return None


def post(address: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
    """Post JSON to an address of http or https, once.

    In a thread of its own, since a name that isn't found and an answer that comes letter by letter know no limit.
    """
    came: queue.Queue[Answer] = queue.Queue()
    thread = threading.Thread(
        target=lambda: came.put(_posted(address, body, headers, timeout_s)), name="gandream-webhook", daemon=True
    )
    thread.start()
    try:
        return came.get(timeout=timeout_s)
    except queue.Empty:
        return Answer(f"no answer within {timeout_s:g} s", True)


def _posted(address: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
    known = {"Content-Type": "application/json", "User-Agent": "gandream"}
    request = urllib.request.Request(address, body, {**known, **headers}, method="POST")
    try:
        with _opener(address).open(request, timeout=timeout_s):
            return Answer()
    except urllib.error.HTTPError as error:
        error.close()
        if 300 <= error.code < 400:
            return Answer(f"says that it moved (status {error.code}): give the new address")
        return Answer(f"answered with status {error.code}", error.code >= 500 or error.code in _LATER)
    except urllib.error.URLError as error:
        why = error.reason
        if isinstance(why, ssl.SSLCertVerificationError):
            return Answer(f"its certificate isn't good: {why.verify_message}")
        if isinstance(why, TimeoutError):
            return Answer(f"no answer within {timeout_s:g} s", True)
        return Answer(f"doesn't answer: {getattr(why, 'strerror', None) or why}", True)
    except TimeoutError:
        return Answer(f"no answer within {timeout_s:g} s", True)
    except (OSError, http.client.HTTPException) as error:
        return Answer(
            f"doesn't answer as a web server: {getattr(error, 'strerror', None) or type(error).__name__}", True
        )
    except (ValueError, UnicodeError) as error:  # a host's name that can't be one
        return Answer(f"isn't an address: {error}")


def _opener(address: str) -> urllib.request.OpenerDirector:
    """What opens addresses of the web and nothing else; this machine is reached directly, whatever proxy there is."""
    opener = urllib.request.OpenerDirector()
    handlers = [
        urllib.request.ProxyHandler({} if _here(urlsplit(address).hostname or "") else None),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Stays(),
    ]
    for handler in handlers:
        opener.add_handler(handler)
    return opener


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
