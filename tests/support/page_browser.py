"""A real browser on the status page: Debian's chromium, and the hub's HTTP application on a port of its own."""

import json
import os
import time
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.debian import needs
from tests.support.served_hub import ServedHub

PATIENCE_S = 120
VIOLATIONS = (
    "addEventListener('securitypolicyviolation', (event) => (window.violations ??= []).push(event.violatedDirective))"
)


class Browser:
    """Pages of one browser; whatever a page says on its console or throws is an error of the test."""

    def __init__(self, browser, pictures):
        self._browser = browser
        self._pictures = pictures
        self._contexts = []
        self.complaints = []

    def page(self, url, *, width=1280, height=900, locale="en-GB", theme="light", ready=True, keep=False):
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, color_scheme=theme, timezone_id="UTC"
        )
        context.set_default_timeout(1000 * PATIENCE_S)
        if not keep:
            self._contexts.append(context)
        page = context.new_page()
        page.add_init_script(VIOLATIONS)
        page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(url)
        if ready:
            wait(page, "document.body.dataset.ready === 'yes'")
        return page

    def close_pages(self):
        """Close the pages that are not kept."""
        while self._contexts:
            self._contexts.pop().close()

    def picture(self, page, name, *, whole=True):
        page.screenshot(path=self._pictures / f"{name}.png", full_page=whole)


def wait(page, expression):
    """Wait until an expression of the page is true: asked from outside, because the page's policy forbids a poll within it."""
    deadline = time.monotonic() + PATIENCE_S
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {expression}\n{page.inner_text('body')[:2000]}"
        page.wait_for_timeout(100)


def wait_text(page, selector, text):
    """Wait until an element says something."""
    found = "[...document.querySelectorAll(%s)].some((one) => one.textContent.includes(%s))"
    wait(page, found % (json.dumps(selector), json.dumps(text)))


@contextmanager
def chromium(tmp_path):
    """Start the browser; pictures go to RELAYHUB_SCREENSHOTS, or to the test's folder."""
    pictures = Path(os.environ.get("RELAYHUB_SCREENSHOTS") or tmp_path / "screenshots")
    pictures.mkdir(parents=True, exist_ok=True)
    path = needs("chromium")
    needs("fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield Browser(browser, pictures)
        finally:
            browser.close()


@contextmanager
def served(hub, **options):
    """Serve a filled hub on a free port; yields its address."""
    server = ServedHub(hub.store, home=hub.home, **options)
    try:
        yield server.url
    finally:
        server.stop()
