"""Which configurations of the BFT families can be (Besu `BftForksSchedule`, `ForkingValidatorProvider`, `BftValidatorOverrides`).

1. Numbers are within their ranges, and the dialect is one of the family's.
2. Overrides and selections stand in ascending order of their heights; an override names a set.
3. A contract has an address; only Besu's QBFT selects validators by a contract.
4. A switch away from a contract needs an override at the same height: the parent's header lists nobody who could go on.
   A pinned set is an override.
5. While a contract selects, no override can: the ledger would not look at it.
"""

from __future__ import annotations

from light_clients.bft.types import (
    MAXIMUM_VOTES,
    BftConfiguration,
    Dialect,
    SelectionMode,
    ValidatorSelection,
    is_validator_set,
)
from light_clients.errors import ConfigurationInvalid


def check_configuration(configuration: BftConfiguration) -> None:
    """Refuses a configuration that cannot be; the list of checks is the module's.

    Raises:
        ConfigurationInvalid: A number is out of its range, an order is wrong, or two parts contradict each other.
    """
    _check_numbers(configuration)
    _check_overrides(configuration)
    heights = [selection.height for selection in configuration.selections]
    if heights != sorted(set(heights)) or any(height < 0 for height in heights):
        raise ConfigurationInvalid("Selections of the validators stand in ascending order of their heights.")
    overridden = {override.height for override in configuration.overrides}
    before = SelectionMode.HEADER
    for selection in configuration.selections:
        _check_selection(configuration, selection)
        unlisted = selection.mode is SelectionMode.PINNED or SelectionMode.HEADER is not before
        if selection.mode is not SelectionMode.CONTRACT and unlisted and max(selection.height, 1) not in overridden:
            raise ConfigurationInvalid(
                "Headers list nobody where validators are pinned or came from a contract; give an override at that height.",
                found=selection.height,
            )
        before = selection.mode
    for height in overridden:
        if configuration.selection_at(height).mode is SelectionMode.CONTRACT:
            raise ConfigurationInvalid("An override stands where a contract selects the validators.", found=height)


def _check_numbers(configuration: BftConfiguration) -> None:
    if configuration.dialect not in configuration.dialects:
        known = ", ".join(configuration.dialects)
        raise ConfigurationInvalid(f"The dialect is one of {known}.", found=configuration.dialect)
    if not 1 <= configuration.epoch_length < 2**63:
        raise ConfigurationInvalid("The epoch length is at least 1 block.", found=configuration.epoch_length)
    if not 1 <= configuration.trusting_period_s < 2**32:
        raise ConfigurationInvalid("The trusting period is at least 1 second.", found=configuration.trusting_period_s)
    if not 0 <= configuration.maximum_drift_s <= 3600:
        raise ConfigurationInvalid("The drift of clocks is at most an hour.", found=configuration.maximum_drift_s)
    if len(configuration.votes) > MAXIMUM_VOTES:
        raise ConfigurationInvalid(
            "There are too many open votes.", expected=MAXIMUM_VOTES, found=len(configuration.votes)
        )


def _check_overrides(configuration: BftConfiguration) -> None:
    heights = [override.height for override in configuration.overrides]
    if heights != sorted(set(heights)) or any(height < 1 for height in heights):
        raise ConfigurationInvalid("Overrides of the validators stand in ascending order of their heights.")
    for override in configuration.overrides:
        if not is_validator_set(override.validators):
            raise ConfigurationInvalid(
                "An override names 1 to 256 addresses of 20 bytes in ascending order.", found=override.height
            )


def _check_selection(configuration: BftConfiguration, selection: ValidatorSelection) -> None:
    if selection.mode is not SelectionMode.CONTRACT:
        if selection.contract or selection.slot or selection.code_hash:
            raise ConfigurationInvalid("Only a contract has an address, a slot and code.", found=selection.height)
        return
    if configuration.dialect is not Dialect.BESU:
        raise ConfigurationInvalid("Only Besu's QBFT selects validators by a contract.", found=configuration.dialect)
    if len(selection.contract) != 20 or len(selection.code_hash) not in (0, 32) or not 0 <= selection.slot < 2**256:
        raise ConfigurationInvalid(
            "A contract has an address of 20 bytes, a slot below 2**256 and a code hash of 32 bytes or none.",
            found=selection.height,
        )
