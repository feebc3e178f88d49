"""Everything that is spoilt and judged twice."""

from __future__ import annotations

from tests.mutations.gateway_subjects import gateway_subjects
from tests.mutations.judges import Subject
from tests.mutations.light_client_subjects import light_client_subjects


def subjects() -> list[Subject]:
    """A delivery, a settlement, a header with its seals and proofs, a header that moves a light client on."""
    return [*gateway_subjects(), *light_client_subjects()]
