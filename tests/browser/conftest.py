"""One browser for the tests of a file."""

import pytest

from tests.support.page_browser import chromium


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(autouse=True)
def no_complaints(browser):
    """A page throws nothing and writes no error; what a test breaks on purpose it takes from the list."""
    browser.complaints.clear()
    yield
    browser.close_pages()
    assert browser.complaints == []
