"""Which package provides an adapter, and what its installed files are: a certificate is of these files and no others."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from adapters.protocol import Misconfigured
from adapters.registry import BUILT_IN, GROUP

WORLDS = "relayhub.worlds"
"""Entry points that start two ledgers of an adapter's kind for its certification, under the adapter's name."""
OURS = "relayhub"
_PASSING = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""Files that say how a package came here, not what it is."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who provides an adapter.

    Attributes:
        name: the adapter's.
        package: the distribution, as it is installed.
        version: its version.
        target: `module:attribute` of the factory.
        built_in: whether it is part of the hub, whose own tests certify it.
    """

    name: str
    package: str
    version: str
    target: str
    built_in: bool


def providers() -> list[Provider]:
    """Every adapter that is installed, by name; none is loaded."""
    found = {name: Provider(name, OURS, _version_of(OURS), target, built_in=True) for name, target in BUILT_IN.items()}
    for point in metadata.entry_points(group=GROUP):
        if point.name not in BUILT_IN:
            found[point.name] = _provider(point)
    return [found[name] for name in sorted(found)]


def provider_of(name: str) -> Provider:
    """Who provides the adapter of a name.

    Raises:
        Misconfigured: nobody does.
    """
    every = providers()
    for provider in every:
        if provider.name == name:
            return provider
    known = ", ".join(provider.name for provider in every)
    raise Misconfigured(f"There is no adapter named {name!r}; choose one of {known}.")


def files_hash(provider: Provider) -> str:
    """SHA-256 over every installed file of an adapter's package, names and contents in order; as hex.

    The package's list of files counts and, where it is installed as a link to a folder, the files of the adapter's module.
    What a Python interpreter writes itself does not.

    Raises:
        Misconfigured: the package has no files that can be read.
    """
    digest = hashlib.sha256()
    files = dict(sorted(_files(provider)))
    if not files:
        raise Misconfigured(f"The files of {provider.package} cannot be found; reinstall it.")
    for name, path in files.items():
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise Misconfigured(f"{name} of {provider.package} cannot be read; reinstall it.") from error
        digest.update(f"{content}  {name}\n".encode())
    return digest.hexdigest()


def _provider(point: metadata.EntryPoint) -> Provider:
    package = point.dist.name if point.dist is not None else "unknown"
    version = point.dist.version if point.dist is not None else "unknown"
    return Provider(point.name, package, version, point.value, built_in=False)


def _version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


def _files(provider: Provider) -> Iterator[tuple[str, Path]]:
    try:
        listed = metadata.distribution(provider.package).files or []
    except metadata.PackageNotFoundError:
        listed = []
    for item in listed:
        path = Path(str(item.locate()))
        if _counts(path) and path.is_file():
            yield str(item), path
    module = provider.target.partition(":")[0].partition(".")[0]
    spec = importlib.util.find_spec(module)
    if spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        root = Path(folder)
        for path in root.rglob("*"):
            if _counts(path) and path.is_file():
                yield f"{module}/{path.relative_to(root)}", path
    if not spec.submodule_search_locations and spec.origin is not None:
        yield Path(spec.origin).name, Path(spec.origin)


def _counts(path: Path) -> bool:
    return "__pycache__" not in path.parts and path.suffix != ".pyc" and path.name not in _PASSING
