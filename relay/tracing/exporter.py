"""Spans to a collector by OTLP over HTTP: the only module that knows OpenTelemetry.

Source: OTLP 1.x, section OTLP/HTTP (protobuf); OpenTelemetry semantic conventions, resource `service.*`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from relay.tracing.journeys import WHOLE, Span

TIMEOUT_S = 10.0
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
NANOSECONDS = 1_000_000_000


class Exporter:
    """Tells spans to a collector.

    Args:
        endpoint: its OTLP/HTTP URL, with the path.
        hub: the hub's name, told as `service.instance.id`.
    """

    def __init__(self, endpoint: str, hub: str) -> None:
        session = requests.Session()
        session.trust_env = False  # no proxy and no .netrc of whoever started the hub
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=TIMEOUT_S, session=session)
        package = version("relayhub")
        self._resource = Resource({"service.name": "relayhub", "service.version": package, "service.instance.id": hub})
        self._scope = InstrumentationScope("relayhub", package)

    def tell(self, spans: Sequence[Span]) -> bool:
        """Send spans in one request; whether the collector took them."""
        if not spans:
            return True
        return self._exporter.export([self._readable(span) for span in spans]) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # the package says nothing of its types here

    def _readable(self, span: Span) -> ReadableSpan:
        context = SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=SAMPLED)
        parent = SpanContext(span.trace_id, span.parent_id, is_remote=False, trace_flags=SAMPLED)
        return ReadableSpan(
            name=span.name,
            context=context,
            parent=parent if span.parent_id else None,
            resource=self._resource,
            attributes=dict(span.attributes),
            kind=SpanKind.CONSUMER if span.name == WHOLE else SpanKind.INTERNAL,
            instrumentation_scope=self._scope,
            status=Status(StatusCode.ERROR, span.failed) if span.failed else Status(StatusCode.OK),
            start_time=round(span.start_s * NANOSECONDS),
            end_time=round(span.end_s * NANOSECONDS),
        )
