"""Whether the adapters of a lane's ledgers may carry it: on a production hub those of third parties need a certificate."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from relay.certify.certificate import certificate_path, state_of
from relay.certify.packages import provider_of
from relay.config import HubConfig
from relay.errors import NotNow
from relay.registry.chains import chain_named
from relay.store import Store


def check_certificates(config: HubConfig, store: Store, home: Path, ledgers: Iterable[str]) -> None:
    """Refuse ledgers whose adapter is a third party's and has no certificate of this version.

    Args:
        config: the hub's; development hubs ask for none, nor does one that says `require_certificates = false`.
        store: its database.
        home: its folder, where certificates lie.
        ledgers: names.

    Raises:
        NotNow: a certificate is missing or does not hold.
        NotFound: a ledger is not registered.
    """
    if config.development or not config.require_certificates:
        return
    for adapter in sorted({chain_named(store, name).adapter for name in ledgers}):
        provider = provider_of(adapter)
        certified, why = state_of(provider, home)
        if not certified:
            raise NotNow(
                f"The adapter {adapter} ({provider.package} {provider.version}) is not certified: {why}.",
                f"Run: relayhub adapter certify {adapter} --out {certificate_path(home, adapter)}.",
            )
