"""What the gateway costs, held to the aims of the issue (Istanbul's rules, limits on, payloads of 200 bytes)."""

from tests.bench.gas import measure_gas


def test_the_gateway_costs_no_more_than_its_aims():
    figures = measure_gas()
    assert figures["gas_send"] <= 50_000
    assert figures["gas_deliver_committee_batch_100"] <= 16_000
    assert figures["gas_settle_committee_batch_100"] <= 11_000
    assert figures["gas_deliver_light_client_batch_100"] <= 18_000
    assert figures["gas_client_update"] <= 90_000
    assert set(figures) == {
        "gas_send",
        "gas_client_update",
        *(f"gas_deliver_light_client_batch_{batch}" for batch in (1, 10, 100)),
        *(f"gas_{step}_committee_batch_{batch}" for step in ("deliver", "settle") for batch in (1, 10, 100)),
    }
