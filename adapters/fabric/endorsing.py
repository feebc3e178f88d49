"""Endorsement by peers of several organisations, and the channel's configuration as far as a sender must know it.

Before anything is endorsed, the sender's certificate is held against the configuration in force: one that its organisation
took back, or that the channel does not know, would only be found invalid in a block.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from adapters.fabric.identities import SigningIdentity
from adapters.fabric.peers import Endorsement, Nodes, largest_agreement
from adapters.fabric.proposals import Proposal, transaction_envelope
from adapters.protocol import AdapterError, BadAnswer, MemberRefused, Misconfigured, Rejected, Unreachable
from light_clients.errors import LightClientError
from light_clients.fabric.config_block import SMART_BFT, ChannelConfig, read_config, read_config_block
from light_clients.fabric.errors import IdentityRevoked, MembershipUnknown

TRIES, PAUSE_S = 8, 0.25
"""How often endorsement is asked for where peers are not at the same block, and the pause between."""

FRESH_S = 2.0
"""Seconds for which the configuration is not looked for again."""


class Channel:
    """The channel as senders see it."""

    def __init__(self, nodes: Nodes, organisations: Sequence[str], endorsers: int) -> None:
        """Have transactions endorsed by these organisations, of which so many must agree."""
        self.nodes = nodes
        self.organisations = tuple(organisations)
        self.endorsers = endorsers
        self._lock = threading.Lock()
        self._config: ChannelConfig | None = None
        self._height = -1
        self._looked = float("-inf")

    def take_up(self, organisations: Sequence[str], endorsers: int) -> None:
        """Have transactions endorsed by these organisations from now on, of which so many must agree."""
        self.organisations, self.endorsers = tuple(organisations), endorsers

    def check_member(self, reader: SigningIdentity, identity: SigningIdentity) -> None:
        """Hold a member's certificate against the channel's configuration.

        Raises:
            Misconfigured: the channel does not accept it; the text says why.
        """
        try:
            self.config(reader).identity(identity.serialized)
        except IdentityRevoked as error:
            raise MemberRefused(
                f"The certificate of {identity.msp_id} that sends was revoked in channel {self.nodes.channel}; ask "
                f"{identity.msp_id} for another."
            ) from error
        except MembershipUnknown as error:
            raise MemberRefused(
                f"Channel {self.nodes.channel} has no organisation {identity.msp_id}; send as a member of one that it has."
            ) from error
        except LightClientError as error:
            raise MemberRefused(f"Channel {self.nodes.channel} refuses the certificate that sends: {error}") from error

    def is_byzantine(self, reader: SigningIdentity) -> bool:
        """Whether the channel is ordered by SmartBFT."""
        return self.config(reader).consensus == SMART_BFT

    def config(self, reader: SigningIdentity) -> ChannelConfig:
        """The configuration in force, not older than two seconds.

        Raises:
            AdapterError: by kind.
        """
        with self._lock:
            if self._config is not None and time.monotonic() - self._looked < FRESH_S:
                return self._config
        newest = self._newest_config(reader)
        with self._lock:
            known = self._config if newest == self._height else None
        if known is None:
            known = self._read(reader, newest)
        with self._lock:
            self._config, self._height, self._looked = known, newest, time.monotonic()
        return known

    def _newest_config(self, reader: SigningIdentity) -> int:
        from adapters.fabric.definitions import chain_height

        tip = chain_height(self.nodes, reader) - 1
        (block,) = self.nodes.blocks(reader, tip, tip)
        return block.content.last_config

    def _read(self, reader: SigningIdentity, height: int) -> ChannelConfig:
        (block,) = self.nodes.blocks(reader, height, height)
        label = self.nodes.own.label
        try:
            brought = read_config_block(block.content, self.nodes.channel)
            if brought is None:
                raise BadAnswer(f"Block {height} of {label} brings no configuration; leave it.", endpoint=label)
            return read_config(brought.channel_config)
        except LightClientError as error:
            raise BadAnswer(f"Block {height} of {label} brings no configuration ({error}).", endpoint=label) from error


def endorse(channel: Channel, identity: SigningIdentity, proposal: Proposal) -> bytes:
    """Have a proposal endorsed, and write the signed envelope of the transaction.

    Raises:
        Rejected: endorsers refuse it, or too few of them answer alike.
        AdapterError: too few of them answer.
    """
    failure: AdapterError = Unreachable("no peer was asked")
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_S)
        answers = channel.nodes.endorse_by(channel.organisations, identity, proposal, channel.endorsers)
        given = [answer for answer in answers if isinstance(answer, Endorsement)]
        errors = [answer for answer in answers if isinstance(answer, AdapterError)]
        agreeing = largest_agreement(given)
        if len(agreeing) >= channel.endorsers:
            pairs = [(each.endorser, each.signature) for each in agreeing]
            return transaction_envelope(identity, proposal, agreeing[0].payload, pairs)
        if len(given) >= channel.endorsers:
            failure = Rejected(
                f"Peers of only {len(agreeing)} organisations endorse the same answer, {channel.endorsers} are needed; one is "
                "behind or runs another chaincode."
            )
            continue
        failure = _why(channel, len(given), errors)
        if not (given and isinstance(failure, Rejected)):
            break  # none endorses, or too few answer: a peer that is merely behind is not the reason
    raise failure


def _why(channel: Channel, count: int, errors: Sequence[AdapterError]) -> AdapterError:
    """The refusal of most, or of one whose configuration a person must change, else that peers fail."""
    for kind in (Rejected, Misconfigured):
        found = next((error for error in errors if isinstance(error, kind)), None)
        if found is not None:
            return found
    return Unreachable(
        f"Peers of {count} of the {channel.endorsers} organisations needed endorse; {errors[0]}",
        endpoint=errors[0].endpoint,
    )
