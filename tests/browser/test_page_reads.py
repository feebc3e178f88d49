"""The status page in a real browser, over a database written by hand: languages, themes, keyboard, widths, hostile names."""

import re
import time

import pytest
from sqlalchemy import update

from relay import tokens
from relay.evidence.cosignatures import CosignatureKey
from relay.evidence.standings import STANDINGS, write_standings
from relay.evidence.witness_roll import WitnessEntry
from relay.reasons import explain
from relay.store.tables import chains, incidents, lanes, operators, verifiers, waits
from schemas.payloads import TextPayload, encode_payload
from tests.support.filled_hub import LANE, FilledHub
from tests.support.page_browser import served, wait, wait_text

HOSTILE = '<img src=x onerror="window.hurt=1">'
WIDE = "跨境贸易账本🚢"
HOUR_S = 3600

ADDRESSES = {
    "#/": "#section-lanes td",
    "#/message/c002cccc": "#outcome",
    f"#/lane/{LANE.hex()}": "[data-fact=backlog]",
    "#/reason/wallet_empty": "#explanation",
}
"""What stands behind the #, and an element that shows that it is there."""

CONTRASTS = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.offsetParent || getComputedStyle(element).visibility === "hidden") continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(ground(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.tagName + "." + element.className + " " + element.textContent.slice(0, 40)]);
  }
  return found;
}"""
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.offsetParent && one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".unseen, #map, thead"))
  .map((one) => one.tagName + "." + one.className + " " + one.textContent.slice(0, 40))"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Lanes of every trust level; a hostile name, a Chinese one; a wait, an alarm, a freeze, an incident."""
    now = time.time()
    hub = FilledHub(tmp_path_factory.mktemp("page"))
    fresh = {"client_time": int(now), "client_expires_at": int(now) + HOUR_S, "tip_at": now}
    hub.chain("alpha", 1, **fresh, endpoints=[])
    hub.chain(HOSTILE, 2, **fresh, software="relayhub-chainmaker-simulator v2.3.2")
    hub.chain(WIDE, 3, **fresh, consensus="development", state="frozen")
    counted = {
        "final": 5,
        "claimed": 4,
        "attested": 4,
        "submitted": 3,
        "delivered": 3,
        "settled": 2,
        "executed": 2,
        "failed": 1,
    }
    hub.lane(destination=HOSTILE, final_height=9, opened_at=now, **counted)
    for number, (destination, trust) in enumerate(
        ((WIDE, "development"), (HOSTILE, "both"), (HOSTILE, "light-client")), 1
    ):
        hub.lane(lane_id=bytes([number]) * 32, source=WIDE if trust == "both" else "alpha", destination=destination,
                 trust=trust, channel=f"other-{number}", source_verifier=bytes([6 + number]) * 20, state="frozen" if trust == "development" else "active")  # fmt: skip
    for nonce in range(1, 6):
        hub.message(nonce, sent_at=now - 100 + nonce, payload=encode_payload(TextPayload(text="你好 <b>👋</b>")))
    for nonce in range(1, 4):
        hub.outcome(nonce, 1 if nonce < 3 else 2)
    for stage, nonce in (
        ("final", 5),
        ("proved", 4),
        ("attested", 4),
        ("submitted", 3),
        ("delivered", 3),
        ("settled", 2),
    ):
        hub.milestone(stage, nonce, now - 60, 7, b"\x0c" * 32)
    hub.operator("org-1", 3, seen_at=now + HOUR_S, signed_at=now)
    hub.operator("机构二", 4)
    for kind, identifier, code, text in (
        ("back", LANE.hex(), "operators_silent", f"1 of 2 signed {HOSTILE}"),
        ("chain", "alpha", "wallet_empty", "The wallet is empty."),
    ):
        hub.add(
            waits,
            kind=kind,
            id=identifier,
            code=code,
            party=HOSTILE,
            text=text,
            since=now - 9,
            next_at=now + 600,
            attempts=1,
        )
    hub.add(verifiers, chain="alpha", address=b"\x09" * 20, kind="light-client", peer=WIDE, light_client=b"\x09" * 20,
            client_height=5, client_time=int(now) - 9 * HOUR_S, expires_at=int(now) + HOUR_S)  # fmt: skip
    hub.add(incidents, at=now - 5, name="misbehaviour", subject=WIDE, text=f"Two headers {HOSTILE}", evidence=b"")
    yield hub
    hub.store.close()


@pytest.fixture(scope="module")
def url(hub):
    with served(hub) as url:
        yield url


def test_it_shows_names_as_text_whatever_they_are(browser, url):
    page = browser.page(url)
    wait_text(page, "#section-ledgers td", HOSTILE)
    wait_text(page, "#section-lanes td", f"alpha → {HOSTILE}")
    wait_text(page, "#section-attention td", f"1 of 2 signed {HOSTILE}")
    wait_text(page, "#section-attention td", HOSTILE)
    wait_text(page, "#section-incidents td", f"Two headers {HOSTILE}")
    wait_text(page, "#section-ledgers td", WIDE)
    page.goto(f"{url}/#/message/{'c001' + 'cc' * 30}")
    wait_text(page, "#detail dd", "你好 <b>👋</b>")
    assert page.evaluate("[window.hurt, document.querySelectorAll('main img, main b').length]") == [None, 0]
    assert page.evaluate("window.violations ?? []") == []
    browser.picture(page, "hostile-names")


def test_nothing_is_loaded_from_elsewhere(browser, url):
    page = browser.page(url)
    wait(page, "document.querySelectorAll('.plot canvas').length === 2")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert {name.startswith(url + "/page/") for name in loaded} == {True}
    assert page.evaluate("window.violations ?? []") == []
    assert page.evaluate("document.querySelectorAll('style, script:not([src])').length") == 0


def test_it_says_what_stands_still_and_links_to_the_reason(browser, url):
    page = browser.page(url)
    for said in ("operator_silent", "wallet_empty", "operators_silent", "client_frozen", "client_expires_soon"):
        wait_text(page, "#section-attention td a", said)
    wait_text(page, "#warning", "Development hub")
    wait_text(page, "#warning", HOSTILE)
    page.click("#section-attention a:text-is('wallet_empty')")
    wait_text(page, "#detail h2", "wallet_empty")
    wait(page, "document.querySelector('#explanation')?.textContent.length > 20")
    wait_text(page, "#detail li", "The wallet is empty.")
    page.click("#detail a")
    wait(page, "!document.querySelector('#overview').hidden")


def test_waits_and_alarms_are_told_in_the_readers_language(browser, url):
    page = browser.page(url, locale="zh-CN")
    wait_text(page, "#section-attention td", explain("wallet_empty").zh)
    told = page.locator("#section-attention tr", has=page.locator("a:text-is('wallet_empty')"))
    assert told.locator("small[lang=en]").inner_text() == "The wallet is empty."
    wait_text(page, "#section-attention td", "最近询问：")
    wait_text(page, "#section-attention td", "冻结: 账本 " + WIDE)
    assert "审批员" in page.inner_text("#section-attention")
    page.goto(f"{url}/#/lane/{LANE.hex()}")
    wait_text(page, "#detail p.warn", explain("operators_silent").zh)
    page.goto(f"{url}/#/message/c005cccc")
    wait_text(page, "#detail p.warn", explain("wallet_empty").zh)


def test_trust_is_told_by_words_and_shapes_too(browser, url):
    page = browser.page(url)
    told = {
        trust: page.text_content(f"#section-lanes .trust-{trust}")
        for trust in ("committee", "light-client", "both", "development")
    }
    assert len({text[0] for text in told.values()}) == 4, "a shape of its own"
    assert {text[2:] for text in told.values()} == {"committee", "light client", "both", "development"}


def test_a_message_is_found_by_its_id_and_by_its_transactions(browser, url):
    page = browser.page(url)
    for identifier in ("c002" + "cc" * 30, "0xD102" + "dd" * 30, "d202" + "dd" * 10):
        page.fill("#find-id", identifier)
        page.press("#find-id", "Enter")
        wait_text(page, "#detail .stage", "settled")
        wait_text(page, "#outcome", "executed")
    assert page.locator(".timeline li[data-stage]").count() == 7
    page.fill("#find-id", "c005" + "cc" * 30)
    page.press("#find-id", "Enter")
    wait_text(page, ".timeline li.pending", "delivered")
    page.fill("#find-id", "f" * 64)
    page.press("#find-id", "Enter")
    wait_text(page, "#detail .bad", "No message")
    assert [text for text in browser.complaints if "404" not in text] == []
    browser.complaints.clear()


def test_what_is_no_id_is_said_at_once(browser, url):
    page = browser.page(url)
    page.fill("#find-id", "你好")
    page.press("#find-id", "Enter")
    wait_text(page, "#said", "6 to 64 hexadecimal digits")
    assert not page.evaluate("document.querySelector('#find-id').validity.valid")
    assert page.evaluate("location.hash") == ""


def test_changes_come_by_themselves(browser, hub, url):
    page = browser.page(url)
    wait_text(page, "#figure-sent", "5")
    with hub.store.write() as connection:
        connection.execute(update(lanes).where(lanes.c.lane_id == LANE).values(final=1_234_567))
        connection.execute(update(chains).where(chains.c.name == "alpha").values(tip=4_000))
    try:
        wait_text(page, "#figure-sent", "1,234,567")
        wait_text(page, "#section-ledgers td", "3,990")
    finally:
        with hub.store.write() as connection:
            connection.execute(update(lanes).where(lanes.c.lane_id == LANE).values(final=5))
    wait_text(page, "#figure-sent", "5")


def test_the_logs_witnesses_are_told(browser, hub, url):
    """Two have to cosign; one is behind and it is said why."""
    log, before = hub.home.evidence / "log", hub.home.load()
    log.mkdir(parents=True)
    root = "A" * 43 + "="
    (log / "checkpoint").write_text(f"relayhub/hub\n42\n{root}\n\n\N{EM DASH} relayhub/hub AAAAAAAAAAAA\n")
    (log / "checkpoint.cosigned").write_text(f"relayhub/hub\n40\n{root}\n\n\N{EM DASH} relayhub/hub AAAAAAAAAAAA\n")
    keys = [
        CosignatureKey.create(name, bytes([number]) * 32)
        for number, name in enumerate(("bank.example", "tax.example"), 1)
    ]
    roll = {
        name: WitnessEntry(key=key.text, url="http://127.0.0.1:1")
        for name, key in zip(("Bank", "税务局"), keys, strict=True)
    }
    hub.home.save(before.model_copy(update={"witnesses": roll, "witness_threshold": 2}))
    now = time.time()
    good = {"size": 42, "at": now, "behind_since": 0, "code": "", "text": ""}
    behind = {"size": 40, "at": now - 9, "behind_since": now - 5, "code": "unreachable", "text": "It does not answer."}
    write_standings(hub.home.evidence / STANDINGS, {keys[0].name: good, keys[1].name: behind})
    try:
        page = browser.page(url)
        wait_text(page, "#witnesses", "40 leaves cosigned by 2 of 2")
        wait_text(page, "#witnesses", "Bank: 42 leaves")
        wait_text(page, "#witnesses .bad", "税务局: behind")
        wait_text(page, "#witnesses .bad", "it does not answer")
    finally:
        hub.home.save(before)


def test_what_is_gone_leaves_the_page(browser, hub, url):
    hub.operator("late", 9)
    page = browser.page(url)
    wait_text(page, "#section-operators td", "late")
    with hub.store.write() as connection:
        connection.execute(operators.delete().where(operators.c.name == "late"))
    wait(page, "![...document.querySelectorAll('#section-operators td')].some((one) => one.textContent === 'late')")


@pytest.mark.parametrize(
    ("locale", "title", "language"),
    [("zh-CN", "跨链中继枢纽", "zh-CN"), ("en-GB", "Relay Hub", "en"), ("fr-FR", "Relay Hub", "en")],
)
def test_it_speaks_the_browsers_language(browser, url, locale, title, language):
    page = browser.page(url, locale=locale)
    wait_text(page, "h1", title)
    assert page.evaluate("document.documentElement.lang") == language


def test_language_and_theme_are_switched_and_remembered(browser, url):
    page = browser.page(url)
    page.click("#language")
    wait_text(page, "#section-attention h2", "等待、告警与冻结")
    wait_text(page, "#section-lanes .trust", "见证委员会")
    page.click("#theme")
    page.reload()
    wait_text(page, "#section-attention h2", "等待、告警与冻结")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert not re.search(r"\{\w+\}", page.inner_text("body"))
    browser.picture(page, "chinese-dark")
    page.goto(f"{url}/#/reason/wallet_empty")
    wait(page, "/[\\u4e00-\\u9fff]/.test(document.querySelector('#explanation')?.textContent ?? '')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_contrast(browser, url, theme):
    page = browser.page(url, theme=theme)
    for address, shown in ADDRESSES.items():
        page.goto(f"{url}/{address}")
        wait(page, f"document.querySelector('{shown}')?.checkVisibility()")
        measured = page.evaluate(CONTRASTS)
        assert len(measured) > 15
        assert [one for one in measured if one[0] < 4.5] == []
    browser.picture(page, f"reason-{theme}")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_telephones_width_has_all_of_it(browser, url, locale):
    page = browser.page(url, width=360, height=740, locale=locale)
    wait(page, "document.querySelectorAll('.plot canvas').length === 2")
    for address, shown in ADDRESSES.items():
        page.goto(f"{url}/{address}")
        wait(page, f"document.querySelector('{shown}')?.checkVisibility()")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate(TOO_WIDE) == []
    page.goto(f"{url}/#/")
    browser.picture(page, f"telephone-{locale}")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_table_is_wider_than_an_ordinary_screen(browser, url, locale):
    page = browser.page(url, locale=locale)
    wait(page, "document.querySelectorAll('#section-lanes td').length > 0")
    frames = "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth)"
    assert page.evaluate(f"{frames}.map((one) => [one.closest('section').id, one.scrollWidth])") == []


def test_everything_is_reached_by_keyboard(browser, url):
    page = browser.page(url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0, "it is seen once it has the focus"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.focus("#skip")
    wanted = set(
        page.evaluate("""() => [...document.querySelectorAll("a, button, input, select, summary, [tabindex='0']")]
      .filter((one) => one.checkVisibility() && !one.disabled).map((one, i) => (one.dataset.stop = i, i))""")
    )
    seen, unseen = set(), []
    for _ in range(len(wanted) * 2):
        stop, outlined = page.evaluate("""() => { const one = document.activeElement, style = getComputedStyle(one);
          return [one.dataset.stop, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]; }""")
        if stop is not None:
            seen.add(int(stop))
            if not outlined:
                unseen.append(page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
        page.keyboard.press("Tab")
        if wanted <= seen:
            break
    assert wanted - seen == set()
    assert unseen == []


def test_the_map_is_walked_by_arrow_keys_and_has_a_table(browser, url):
    page = browser.page(url)
    page.focus("#map")
    page.keyboard.press("ArrowRight")
    wait_text(page, "#said", "trust")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait(page, "/^#\\/lanes?\\//.test(location.hash)")
    page.goto(f"{url}/#/map")
    page.focus("#section-map summary")
    page.keyboard.press("Enter")
    rows = page.locator("#section-map details tbody tr")
    assert rows.count() == 3, "one a connection, however many lanes it has"
    assert page.get_attribute("#map", "role") == "img"
    assert "4 lanes" in page.get_attribute("#map", "aria-label")


def test_lanes_are_filtered_and_ordered(browser, url):
    page = browser.page(url)
    page.fill("#lanes-filter", "light-client")
    wait(page, "document.querySelectorAll('#section-lanes tbody tr').length === 1")
    page.fill("#lanes-filter", "nothing like this")
    wait_text(page, "#section-lanes p", "No lane matches")
    page.fill("#lanes-filter", "")
    page.select_option("#lanes-order", "by_backlog")
    wait(page, f"document.querySelector('#section-lanes tbody tr').dataset.key === '{LANE.hex()}'")


def test_a_hub_with_tokens_asks_for_one(browser, hub, url):
    made = tokens.create(hub.store, tokens.Role.AUDITOR, "auditor", now=time.time())
    try:
        page = browser.page(url, ready=False)
        wait(page, "!document.querySelector('#token').hidden")
        page.fill("#token-text", "rht_nonsense")
        page.press("#token-text", "Enter")
        wait(page, "document.querySelector('#token-error').textContent.length > 10")
        page.fill("#token-text", made.text)
        page.press("#token-text", "Enter")
        wait(page, "document.body.dataset.ready === 'yes'")
        wait_text(page, "#section-lanes td", "alpha")
    finally:
        with hub.store.write() as connection:
            connection.execute(tokens.api_tokens.delete())
    assert [text for text in browser.complaints if "401" not in text] == []
    browser.complaints.clear()
