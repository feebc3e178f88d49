"""What a genesis file says about consensus (Besu `JsonBftConfigOptions`, `QbftFork`; GoQuorum `params.ChainConfig`).

Of `config` one family's section is read, and its `transitions`: a list under the family's name in Besu, a list in GoQuorum.
Read are the epoch length, whether blocks come faster than one a second, sets that a transition puts in place, and where the
validators come from; what changes rewards and times is passed over.

1. There is one section of one family; a network that moves from one family to another is pinned after it has moved.
2. A transition stands at a block, never at a time, and changes neither family nor epoch length.
3. A key that is unknown is refused: it might change who seals. So is a set that a transition of GoQuorum puts in place:
   from which block on its nodes use it differs from Besu.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from light_clients.bft.options import read_address
from light_clients.bft.types import (
    BftConfiguration,
    Dialect,
    SelectionMode,
    ValidatorOverride,
    ValidatorSelection,
)
from light_clients.errors import ConfigurationInvalid
from light_clients.ibft.types import IbftConfiguration
from light_clients.ibft2.types import Ibft2Configuration
from light_clients.qbft.types import QbftConfiguration
from schemas.suites import keccak256

_FAMILIES: Mapping[str, type[BftConfiguration]] = {
    "qbft": QbftConfiguration,
    "ibft2": Ibft2Configuration,
    "ibft": IbftConfiguration,
}
_SECTIONS = {**{name: name for name in _FAMILIES}, "istanbul": "ibft"}
_EPOCH_KEYS = ("epochlength", "epoch")
_PERIOD_KEY = "xblockperiodmilliseconds"
_MODE_KEY = "validatorselectionmode"
_CONTRACT_KEY = "validatorcontractaddress"
_PASSED_OVER = {
    "blockperiodseconds",
    "emptyblockperiodseconds",
    "xemptyblockperiodseconds",
    "requesttimeoutseconds",
    "maxrequesttimeoutseconds",
    "blockreward",
    "miningbeneficiary",
    "beneficiarymode",
    "policy",
    "ceil2nby3block",
    "allowedfutureblocktime",
    "gossipedhistorylimit",
    "messagequeuelimit",
    "duplicatemessagelimit",
    "futuremessageslimit",
    "futuremessagesmaxdistance",
    "contractsizelimit",
    "transactionsizelimit",
    "minergaslimit",
}
_SECTION_KEYS = {*_PASSED_OVER, *_EPOCH_KEYS, _PERIOD_KEY, _MODE_KEY, _CONTRACT_KEY}
_TRANSITION_KEYS = {*_PASSED_OVER, _PERIOD_KEY, _MODE_KEY, _CONTRACT_KEY, "block", "validators"}


@dataclass(frozen=True, slots=True)
class GenesisConsensus:
    """What a genesis file says: the family by its name, and the configuration of its light client."""

    family: str
    configuration: BftConfiguration


def read_genesis(genesis: Mapping[str, Any]) -> GenesisConsensus:
    """Reads the consensus of a genesis file.

    Args:
        genesis: The file as a JSON reader gives it.

    Returns:
        The family and its configuration. The list of a contract is looked for at slot 0; its code is pinned where the
        file has it.

    Raises:
        ConfigurationInvalid: The file is no genesis of a BFT family, contradicts itself, or says what no client can follow.
    """
    config = _lower(genesis.get("config"), "config")
    family, section = _section(config)
    _check_keys(section, _SECTION_KEYS, f"config.{family}")
    transitions = _transitions(config.get("transitions"), family)
    configuration_type = _FAMILIES[family]
    told: dict[str, Any] = {"epoch_length": _epoch_length(section)}
    if family == "qbft" and config.get("isquorum") is True:
        told["dialect"] = Dialect.GOQUORUM
    periods = [_integer(part[_PERIOD_KEY], _PERIOD_KEY) for part in (section, *transitions) if _PERIOD_KEY in part]
    if any(period < 1000 for period in periods):
        told["sub_second_blocks"] = True
    codes = _codes(genesis.get("alloc", {}))
    told["overrides"] = tuple(_override(part) for part in transitions if "validators" in part)
    if told["overrides"] and (family == "ibft" or "dialect" in told):
        raise ConfigurationInvalid("A set that a transition of GoQuorum puts in place cannot be followed.")
    told["selections"] = _selections(section, transitions, codes)
    return GenesisConsensus(family, configuration_type(**told))


def _section(config: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    found = [(family, config[key]) for key, family in _SECTIONS.items() if key in config]
    if len(found) != 1:
        raise ConfigurationInvalid(
            "The config of a genesis has one of qbft, ibft2, ibft and istanbul; pin a network that has moved from one to "
            "another after it has moved, with options of its own.",
            found=", ".join(family for family, _ in found),
        )
    family, section = found[0]
    return family, _lower(section, family)


def _transitions(value: Any, family: str) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        lists = _lower(value, "transitions")
        if not set(lists) <= {family}:
            raise ConfigurationInvalid(
                "The transitions are of another family.", expected=family, found=", ".join(lists)
            )
        value = lists.get(family, [])
    if not isinstance(value, list):
        raise ConfigurationInvalid("The transitions of a genesis are a list.")
    read = [_lower(item, "transitions") for item in value]
    for item in read:
        if "block" not in item:
            raise ConfigurationInvalid("A transition stands at a block; one at a time cannot be followed.")
        _check_keys(item, _TRANSITION_KEYS, "a transition")
    return sorted(read, key=lambda item: _integer(item["block"], "block"))


def _selections(
    section: Mapping[str, Any], transitions: list[Mapping[str, Any]], codes: Mapping[bytes, bytes]
) -> tuple[ValidatorSelection, ...]:
    selections: list[ValidatorSelection] = []
    if _CONTRACT_KEY in section:
        selections.append(_by_contract(0, section, codes))
    for item in transitions:
        height, mode = _integer(item["block"], "block"), item.get(_MODE_KEY)
        if mode == "contract":
            selections.append(_by_contract(height, item, codes))
        elif mode == "blockheader":
            selections.append(ValidatorSelection(height, SelectionMode.HEADER))
        elif mode is not None or _CONTRACT_KEY in item:
            raise ConfigurationInvalid(
                "A transition of the validators is to blockheader, or to contract with the contract's address.",
                found=str(mode),
            )
    return tuple(selections)


def _by_contract(height: int, part: Mapping[str, Any], codes: Mapping[bytes, bytes]) -> ValidatorSelection:
    address = read_address(part.get(_CONTRACT_KEY), _CONTRACT_KEY)
    return ValidatorSelection(height, SelectionMode.CONTRACT, address, 0, codes.get(address, b""))


def _codes(alloc: Any) -> dict[bytes, bytes]:
    """Hashes of the code of accounts that exist from the first block on, by address."""
    hashes = {}
    for name, account in _lower(alloc, "alloc").items():
        code = account.get("code") if isinstance(account, Mapping) else None
        digits = code.removeprefix("0x") if isinstance(code, str) else ""
        if digits:
            try:
                hashes[bytes(read_address(name, "alloc"))] = keccak256(bytes.fromhex(digits))
            except ValueError:
                raise ConfigurationInvalid("The code of an account is no hexadecimal.", found=name[:80]) from None
    return hashes


def _override(part: Mapping[str, Any]) -> ValidatorOverride:
    validators = part["validators"]
    if not isinstance(validators, list):
        raise ConfigurationInvalid("The validators of a transition are a list.")
    addresses = sorted(read_address(item, "validators") for item in validators)
    return ValidatorOverride(_integer(part["block"], "block"), tuple(addresses))


def _epoch_length(section: Mapping[str, Any]) -> int:
    told = [section[key] for key in _EPOCH_KEYS if key in section]
    return _integer(told[0], "epochlength") if told else BftConfiguration().epoch_length


def _check_keys(part: Mapping[str, Any], known: set[str], name: str) -> None:
    unknown = set(part) - known
    if unknown:
        raise ConfigurationInvalid(
            f"What {', '.join(sorted(unknown))} in {name} changes is not known, or cannot be followed; "
            "write the options of the light client by hand.",
        )


def _lower(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationInvalid(f"The {name} of a genesis is an object.")
    return {str(key).lower(): item for key, item in value.items()}


def _integer(value: Any, name: str) -> int:
    if isinstance(value, str):
        digits = value.removeprefix("0x")
        try:
            value = int(digits, 16 if digits != value else 10)
        except ValueError:
            value = None
    if type(value) is not int or value < 0:
        raise ConfigurationInvalid(f"The {name} of a genesis is a whole number.", found=str(value)[:80])
    return value
