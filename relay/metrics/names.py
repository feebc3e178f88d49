"""Every metric of the hub: its name, type, labels, and one sentence. docs/metrics.md is made from this list.

Source: the naming rules of Prometheus (base units, `_total` for counters, timestamps rather than ages where something ends). Labels
hold names of ledgers, lanes, operators, processes and endpoints, and codes; never an id, never free text.
"""

from __future__ import annotations

from dataclasses import dataclass

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Attributes:
        name: as Prometheus shows it; a histogram has `_bucket`, `_sum` and `_count` behind it.
        kind: counter, gauge or histogram.
        labels: names of its labels.
        text: what it says, in one sentence.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of its samples."""
        if self.kind == HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


METRICS = (
    Metric(
        "relayhub_build_info",
        GAUGE,
        ("hub", "version", "database", "tables", "mode"),
        "1; what runs here, by its labels.",
    ),
    Metric(
        "relayhub_ready", GAUGE, (), "1 while the supervisor says that every process runs and the interface answers."
    ),
    Metric("relayhub_read_seconds", GAUGE, (), "What the newest snapshot of the database took."),
    # lanes
    Metric(
        "relayhub_lane_info",
        GAUGE,
        ("lane", "source", "destination", "channel", "trust", "state"),
        "1; a lane's ends, trust level and state, by its labels.",
    ),
    Metric(
        "relayhub_lane_messages_total",
        COUNTER,
        ("lane", "stage"),
        "Messages that reached a stage that is never taken back: final, delivered, settled.",
    ),
    Metric(
        "relayhub_lane_outcomes_total",
        COUNTER,
        ("lane", "outcome"),
        "What became of delivered messages: executed, failed, expired, refused.",
    ),
    Metric(
        "relayhub_lane_in_stage", GAUGE, ("lane", "stage"), "Messages that stand at a stage now and are not settled."
    ),
    Metric("relayhub_lane_backlog", GAUGE, ("lane",), "Messages that are final and not delivered."),
    Metric(
        "relayhub_lane_oldest_undelivered_age_seconds",
        GAUGE,
        ("lane",),
        "Since when the oldest message without delivery was sent; 0 where none waits.",
    ),
    Metric(
        "relayhub_lane_oldest_unsettled_age_seconds",
        GAUGE,
        ("lane",),
        "Since when the oldest message that is not settled was sent; 0 where none waits.",
    ),
    Metric(
        "relayhub_lane_conserved",
        GAUGE,
        ("lane",),
        "1 where delivered messages and their outcomes are as many; 0 must never be.",
    ),
    # how long stages take
    Metric(
        "relayhub_stage_seconds",
        HISTOGRAM,
        ("ledger", "stage"),
        "From the stage before to this one (`final`: from the block time of sending), a message; by the ledger on which it depends. "
        "Counted since the web process began.",
    ),
    Metric(
        "relayhub_delivery_seconds",
        HISTOGRAM,
        ("ledger",),
        "From sending to delivery, a message; by the destination. Counted since the web process began.",
    ),
    # ledgers
    Metric(
        "relayhub_ledger_info", GAUGE, ("ledger", "adapter", "consensus", "state"), "1; a ledger's kind, by its labels."
    ),
    Metric("relayhub_ledger_frozen", GAUGE, ("ledger",), "1 where two final blocks of one height froze the ledger."),
    Metric("relayhub_ledger_tip_height", GAUGE, ("ledger",), "The newest height that the endpoints serve."),
    Metric("relayhub_ledger_tip_age_seconds", GAUGE, ("ledger",), "Since when the newest height is the newest."),
    Metric(
        "relayhub_client_height", GAUGE, ("ledger",), "The newest height whose header the hub's light client verified."
    ),
    Metric(
        "relayhub_client_behind_blocks", GAUGE, ("ledger",), "Blocks between the light client and the newest height."
    ),
    Metric(
        "relayhub_client_age_seconds", GAUGE, ("ledger",), "Age of the light client's newest header, by its own time."
    ),
    Metric(
        "relayhub_client_expiry_timestamp_seconds",
        GAUGE,
        ("ledger",),
        "When the hub's light client expires, Unix seconds; absent where it never does.",
    ),
    Metric(
        "relayhub_ledger_waiting_seconds",
        GAUGE,
        ("ledger", "reason"),
        "Since when a ledger waits, by the reason's code; absent where it does not.",
    ),
    Metric(
        "relayhub_endpoint_resting_seconds",
        GAUGE,
        ("ledger", "endpoint"),
        "Since when an endpoint is not asked, because it failed; absent where it is.",
    ),
    Metric(
        "relayhub_certificate_expiry_timestamp_seconds",
        GAUGE,
        ("ledger",),
        "When the first of the certificates for a ledger ends, Unix seconds; absent where none is used.",
    ),
    # light clients that stand on ledgers
    Metric(
        "relayhub_contract_client_height",
        GAUGE,
        ("ledger", "peer"),
        "Height of the peer's light client that stands on a ledger (the lowest one that lanes use).",
    ),
    Metric(
        "relayhub_contract_client_behind_blocks",
        GAUGE,
        ("ledger", "peer"),
        "Blocks between that light client and the one of the hub.",
    ),
    Metric("relayhub_contract_client_age_seconds", GAUGE, ("ledger", "peer"), "Age of that light client's header."),
    Metric(
        "relayhub_contract_client_expiry_timestamp_seconds",
        GAUGE,
        ("ledger", "peer"),
        "When that light client expires, Unix seconds; absent where it never does.",
    ),
    Metric("relayhub_contract_client_frozen", GAUGE, ("ledger", "peer"), "1 where such a light client is frozen."),
    # wallets and transactions
    Metric(
        "relayhub_wallet_balance_base_units",
        GAUGE,
        ("ledger",),
        "Coins of the relayer's account in the ledger's smallest unit; absent until it was read.",
    ),
    Metric(
        "relayhub_wallet_runway_seconds",
        GAUGE,
        ("ledger",),
        "How long the balance lasts at the rate of the last day; +Inf where nothing was spent.",
    ),
    Metric(
        "relayhub_transactions_open",
        GAUGE,
        ("ledger", "purpose", "state"),
        "Transactions that are queued or sent and not yet mined.",
    ),
    Metric(
        "relayhub_transactions_total",
        COUNTER,
        ("ledger", "purpose", "state"),
        "Transactions by how they ended (mined, reverted, failed, lost, void), since the web process began.",
    ),
    Metric(
        "relayhub_gas_total",
        COUNTER,
        ("ledger", "purpose"),
        "Gas of mined transactions (the limit where no receipt was read), since the web process began.",
    ),
    Metric(
        "relayhub_fees_base_units_total",
        COUNTER,
        ("ledger", "purpose"),
        "What that gas cost at most, in the ledger's smallest unit, since the web process began.",
    ),
    # operators and claims
    Metric("relayhub_operator_info", GAUGE, ("operator", "organisation", "state"), "1; an operator's house and state."),
    Metric("relayhub_operator_seen_age_seconds", GAUGE, ("operator",), "Since when it asked for claims; +Inf = never."),
    Metric("relayhub_operator_signed_age_seconds", GAUGE, ("operator",), "Since when it signed; +Inf = never."),
    Metric(
        "relayhub_operator_silent",
        GAUGE,
        ("operator",),
        "1 where an active operator asks no more, or signed nothing while others made a quorum.",
    ),
    Metric("relayhub_claims_open", GAUGE, (), "Claims that wait for signatures."),
    # what waits, what is refused, what went wrong
    Metric(
        "relayhub_waits", GAUGE, ("kind", "reason"), "What waits (chain, client, lane, back), by the reason's code."
    ),
    Metric("relayhub_wait_age_seconds", GAUGE, ("kind", "reason"), "Since when the oldest of these waits."),
    Metric(
        "relayhub_refusals_total",
        COUNTER,
        ("reason",),
        "Attestations that were refused, by name, since the web process began.",
    ),
    Metric("relayhub_incidents_total", COUNTER, ("kind",), "Freezes and what operators did wrong, by kind, ever."),
    # processes
    Metric("relayhub_process_up", GAUGE, ("process",), "1 while a process of the supervisor lives."),
    Metric(
        "relayhub_process_restarts_total",
        COUNTER,
        ("process",),
        "How often the supervisor started a process again, since it began itself.",
    ),
    Metric("relayhub_heartbeat_age_seconds", GAUGE, ("process",), "Since when the watch gave no sign of life."),
    # evidence
    Metric(
        "relayhub_evidence_log_leaves", GAUGE, (), "Leaves under the newest published checkpoint; absent without a log."
    ),
    Metric("relayhub_evidence_checkpoint_age_seconds", GAUGE, (), "Since when that checkpoint is published."),
    Metric(
        "relayhub_evidence_queue_length", GAUGE, (), "Decisions that are not yet leaves under a published checkpoint."
    ),
    Metric(
        "relayhub_evidence_queue_age_seconds", GAUGE, (), "Since when the oldest of these waits; 0 where none does."
    ),
)
NAMED = {metric.name: metric for metric in METRICS}


def sample_names() -> set[str]:
    """Every name that a query may use."""
    return {sample for metric in METRICS for sample in metric.samples}
