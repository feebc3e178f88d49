"""The status page over a whole hub: ledgers join, messages go, an operator falls silent, a node is held, all of it heals."""

import os
import re
import signal

import pytest

from adapters.evm.devnet import DevelopmentNetwork
from relay.processes import hold, release
from tests.support.page_browser import wait, wait_text
from tests.support.stack import Stack

pytestmark = [pytest.mark.live, pytest.mark.stack]


@pytest.fixture(scope="module")
def stack():
    networks = {
        name: DevelopmentNetwork(chain_id=number, block_time_s=0.5)
        for number, name in ((47001, "alpha"), (47002, "beta"))
    }
    with Stack(networks) as stack:
        yield stack


@pytest.fixture(scope="module")
def page(stack, browser):
    """The page of the running hub, opened before anything is registered."""
    page = browser.page(stack.json("up")["page"], keep=True)
    wait_text(page, "#hub-state", "live")
    return page


def send(stack, *, count=1):
    words = ["--count", str(count)] if count > 1 else []
    return stack.json("send", "alpha", "beta", "--to", "mailbox", "--text", "你好 👋", *words)


def test_an_empty_hub_says_what_to_do(page):
    wait_text(page, "#section-map p", "relayhub chain add")
    wait_text(page, "#warning", "Development hub")


def test_ledgers_and_lanes_appear_as_they_join(stack, page):
    stack.join()
    stack.json("lane", "open", "alpha", "beta", "--both")
    wait_text(page, "#section-ledgers td", "beta")
    wait_text(page, "#section-lanes td", "beta → alpha")
    wait_text(page, "#warning", "Simulated or development ledgers, no real ones: alpha, beta")
    wait(page, "document.querySelectorAll('#map canvas').length > 0")


def test_a_message_is_followed_to_its_end(stack, browser, page):
    (sent,) = send(stack)
    page.fill("#find-id", sent["message_id"])
    page.press("#find-id", "Enter")
    wait_text(page, "#outcome", "executed")
    wait(page, "document.querySelectorAll('.timeline li[data-stage]').length === 10")
    timeline = page.inner_text(".timeline")
    assert sent["transaction"] in timeline
    assert re.search(r"org-\d, org-\d", timeline), "who signed"
    assert "ledger beta" in timeline
    assert "你好 👋" in page.inner_text("#detail dl")
    browser.picture(page, "timeline")
    page.fill("#find-id", sent["transaction"])
    page.press("#find-id", "Enter")
    wait_text(page, "#outcome", "executed")


def test_traffic_is_counted_timed_and_drawn(stack, browser, page):
    page.goto(page.url.partition("#")[0] + "#/")
    send(stack, count=200)
    wait_text(page, "#figure-settled", "201")
    wait_text(page, "#figure-in_flight", "0")
    wait(
        page,
        "/\\d.*\\d/.test([...document.querySelectorAll('#section-lanes td')].find((one) => one.dataset.label.includes('delivered p50')).textContent)",
    )
    wait_text(page, ".plot-summary", "201 settled")
    wait(page, "document.querySelectorAll('.plot canvas').length === 2")
    browser.picture(page, "traffic")
    page.fill("#find-id", "")
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": 1280, "height": 1340})
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        wait(page, f"document.documentElement.dataset.theme === '{theme}'")
        browser.picture(page, f"overview-{theme}", whole=False)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_operators_heights_and_signatures_are_shown(page):
    for name in ("org-1", "org-2", "org-3"):
        wait_text(page, "#section-operators td", name)
    wait(
        page,
        "[...document.querySelectorAll('#section-operators td')].some((one) => /^alpha [\\d,]+, beta [\\d,]+$/.test(one.textContent))",
    )


def test_the_evidence_log_is_shown(page):
    wait(page, "parseInt(document.querySelector('#evidence-size')?.textContent ?? '0') > 0")


def test_operators_fall_silent_and_come_back(stack, browser, page):
    for name in ("operator-org-1", "operator-org-2"):
        hold(stack.home, name)
    try:
        wait_text(page, "#section-operators td", "silent")
        send(stack)
        wait_text(page, "#section-attention td a", "operators_silent")
        wait_text(page, "#section-attention td a", "operator_silent")
        wait_text(page, "#section-processes td", "down")
        browser.picture(page, "operators-silent")
    finally:
        for name in ("operator-org-1", "operator-org-2"):
            release(stack.home, name)
    wait_text(page, "#figure-settled", "202")
    wait_text(page, "#section-attention p:not([hidden])", "Nothing waits, and no alarm is on.")


def test_a_ledger_that_stands_still_holds_its_messages_and_lets_them_go(stack, browser, page):
    stack.networks["beta"].rpc("devnet_stall", True)
    try:
        send(stack)
        wait_text(page, "#figure-in_flight", "1")
        wait_text(page, "#section-lanes td.warn", "1")
        browser.picture(page, "ledger-stalled")
    finally:
        stack.networks["beta"].rpc("devnet_stall", False)
    wait_text(page, "#figure-settled", "203")
    wait_text(page, "#section-attention p:not([hidden])", "Nothing waits, and no alarm is on.")


def test_the_page_comes_back_after_the_web_process_was_killed(stack, browser, page):
    before = page.url
    (process,) = stack.processes("web")
    os.kill(process.pid, signal.SIGKILL)
    wait_text(page, "#hub-state", "connection lost")
    wait_text(page, "#hub-state", "live")
    send(stack)
    wait_text(page, "#figure-settled", "204")
    assert page.url == before
    browser.complaints.clear()
