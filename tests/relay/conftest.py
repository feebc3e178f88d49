"""What tests of the relay share."""

import pytest
import structlog


@pytest.fixture
def logged():
    with structlog.testing.capture_logs() as entries:
        yield entries
