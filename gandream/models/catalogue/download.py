"""One file over http(s): resumable, bounded, and never mistaken for a web page. The standard library does the talking.

Proxies are those of the environment (``https_proxy``, ``no_proxy`` ...). What came so far stays in a ``.part`` file, so
that a download goes on where it stopped, in this run or the next; RFC 9110, section 14 (ranges) and 13.1.5 (If-Range).
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from gandream.base.errors import CheckpointError
from gandream.base.files import disk_errors, published

MAX_BYTES = 8 << 30
"""Of a model file."""
BLOCK = 1 << 18
TRIES = 6
"""In a row without any progress, before it is given up."""
WAIT_S = 1.0
"""Before the second try; each further wait is twice as long."""
TIMEOUT_S = 30
"""Without a byte, before a connection counts as dropped."""
PAGE = re.compile(rb"(?is)(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype\s+html|html|head|body|script)")

Progress = Callable[[int, int | None], None]
"""Told of bytes that came, and of all there are, if known."""


class _DroppedError(Exception):
    """The connection broke, or the server is busy: another try may do better."""

    def __init__(self, why: str, wait_s: float | None = None):
        super().__init__(why)
        self.wait_s = wait_s


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only; within one server also those of plain http, which it was asked for."""

    def redirect_request(self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str):
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        same_plain = old.scheme == new.scheme == "http" and old.netloc == new.netloc
        if new.scheme != "https" and not same_plain:
            raise _not_https(req.full_url, newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _not_https(url: str, to: str) -> CheckpointError:
    problem = f"the server redirects to {to[:200]}, which is not https"
    return CheckpointError(url, problem, "Nothing was added. Is there another address for it?")


def download(url: str, part: Path, progress: Progress, limit: int = MAX_BYTES) -> None:
    """Bring a file to ``part``, going on from what is there of the same file; CheckpointError if it can't be had."""
    failures = 0
    with disk_errors(part, "GANDREAM_MODELS names another folder for models."), _alone(url, part):
        while True:
            before = _size(part)
            try:
                _attempt(url, part, progress, limit)
                return
            except CheckpointError:
                if not _size(part):
                    discard(part)
                raise
            except _DroppedError as error:
                failures = 1 if _size(part) > before else failures + 1
                if failures >= TRIES:
                    kept = f" {_size(part) / 1e6:.1f} MB are kept; the same command goes on." if _size(part) else ""
                    if not kept:
                        discard(part)
                    raise CheckpointError(url, f"the download broke off: {error}", f"Try again later.{kept}") from error
                time.sleep(min(30.0, WAIT_S * 2 ** (failures - 1)) if error.wait_s is None else error.wait_s)


def discard(part: Path) -> None:
    """Forget what came of a download."""
    for path in (part, _note(part)):
        path.unlink(missing_ok=True)


def _attempt(url: str, part: Path, progress: Progress, limit: int) -> None:
    """One request, from where the last one stopped if the server still has the same file."""
    have, validator = _size(part), _validator(part, url)
    headers = {"User-Agent": "gandream", "Accept": "*/*", "Accept-Encoding": "identity"}
    if have and validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    try:
        opener = urllib.request.build_opener(_Redirects)
        with opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S) as answer:
            _receive(url, answer, part, progress, limit, have)
    except urllib.error.HTTPError as error:
        _refused(url, error, part, have)
    except urllib.error.URLError as error:
        _unreachable(url, error)
    except (TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
        raise _DroppedError(str(error) or type(error).__name__) from error


def _receive(url: str, answer: Any, part: Path, progress: Progress, limit: int, have: int) -> None:
    """Write what comes to ``part``: after what is there where the answer continues it, else from the start."""
    continued = answer.status == 206 and (match := _range(answer)) is not None and match[0] == have
    if answer.status == 206 and not continued:
        discard(part)
        raise _DroppedError("the server sent another part than was asked for", 0)
    start = have if continued else 0
    length = answer.headers.get("Content-Length")
    total = start + int(length) if length and length.isdigit() else None
    if (total or 0) > limit:
        problem = f"the file has {(total or 0) / (1 << 30):.1f} GiB, and models have {limit / (1 << 30):g} GiB at most"
        raise CheckpointError(url, problem, "Nothing was added.")
    _room(url, part, total, start)
    with open(part, "ab" if continued else "wb") as file:
        if not continued:
            etag = answer.headers.get("ETag") or ""
            strong = etag if etag.startswith('"') else answer.headers.get("Last-Modified") or ""
            _remember(part, url, strong)
        count = start
        progress(count, total)
        while block := answer.read(BLOCK):
            if not count and PAGE.match(block):
                raise CheckpointError(url, "this is a web page, not a model", _about_page(url))
            count += len(block)
            if count > limit:
                raise CheckpointError(url, f"the file has more than {limit / (1 << 30):g} GiB", "Nothing was added.")
            file.write(block)
            progress(count, total)
    if total is not None and count < total:
        raise _DroppedError(f"{count} of {total} bytes came")


def _refused(url: str, error: urllib.error.HTTPError, part: Path, have: int) -> None:
    """What an HTTP status means: another try, or the end."""
    if error.code == 416 and have:
        match = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range") or "")
        if match and int(match[1]) == have:
            return  # It was whole already.
        discard(part)
        raise _DroppedError("the file changed meanwhile", 0) from error
    if 300 <= error.code < 400:
        raise _not_https(url, error.headers.get("Location") or "nowhere") from error
    if error.code in (408, 425, 429) or error.code >= 500:
        wait = error.headers.get("Retry-After") or ""
        raise _DroppedError(
            f"{error.code} {error.reason}", min(30.0, float(wait)) if wait.isdigit() else None
        ) from error
    why = {
        401: "the server wants a login (401)",
        403: "the server doesn't give it to everyone (403)",
        404: "there is no such file (404)",
        410: "the file is gone (410)",
    }.get(error.code, f"the server answered {error.code} {error.reason}")
    hint = "Look whether the address still works in a browser."
    hint = "Fetch it with a browser, and add the file." if error.code in (401, 403) else hint
    raise CheckpointError(url, why, f"{hint} Nothing was added.") from error


def _unreachable(url: str, error: urllib.error.URLError) -> None:
    reason = error.reason
    if isinstance(reason, ssl.SSLCertVerificationError):
        problem = f"the server's certificate isn't trusted: {reason.verify_message}"
        raise CheckpointError(
            url, problem, "Behind a company's proxy, SSL_CERT_FILE names its certificates."
        ) from error
    if isinstance(reason, (TimeoutError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError, ssl.SSLError)):
        raise _DroppedError(str(reason)) from error
    words = getattr(reason, "strerror", None) or str(reason)
    host = urlsplit(url).hostname
    hint = "Is there a network? A proxy is taken from https_proxy and http_proxy."
    raise CheckpointError(url, f"{host} can't be reached: {words}", hint) from error


def _about_page(url: str) -> str:
    """What to do about a site that gave a page."""
    host = urlsplit(url).hostname or ""
    if host.endswith("google.com"):
        return "Google Drive asks before it gives large files: fetch it with a browser, and add the file."
    if host.endswith("dropbox.com"):
        return "End the address in dl=1 instead of dl=0."
    if host.endswith("huggingface.co"):
        return "Write hf://owner/repository/file, or put /resolve/ where the address has /blob/."
    if host.endswith("github.com"):
        return "Put /raw/ where the address has /blob/."
    return "Open it in a browser, fetch the file there, and add the file."


def _room(url: str, part: Path, total: int | None, have: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have > free:
        need = f"{(total - have) / 1e6:.0f} MB are to come, and {part.parent} has room for {free / 1e6:.0f}"
        raise CheckpointError(url, need, "Make room, or name another folder with GANDREAM_MODELS.")


def _range(answer: Any) -> tuple[int, int] | None:
    match = re.match(r"bytes (\d+)-(\d+)/", answer.headers.get("Content-Range") or "")
    return (int(match[1]), int(match[2])) if match else None


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _note(part: Path) -> Path:
    return part.with_suffix(".json")


def _remember(part: Path, url: str, validator: str) -> None:
    with published(_note(part)) as note:
        note.write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")


def _validator(part: Path, url: str) -> str:
    """What says that the server still has the file that came in part; empty where nothing does."""
    try:
        note = json.loads(_note(part).read_text(encoding="utf-8"))
        return str(note["validator"]) if note["url"] == url else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


@contextmanager
def _alone(url: str, part: Path) -> Iterator[IO[bytes]]:
    """Hold a lock, so that two commands never write to one file; CheckpointError if another one does."""
    with open(part, "ab") as lock:
        try:
            if os.name == "posix":
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CheckpointError(url, "another gandream is fetching this right now", "Wait for it.") from error
        yield lock
