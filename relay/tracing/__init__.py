"""Traces of messages' whole lives for OpenTelemetry, made from milestones after a message is settled; a process of its own.

Nothing on a message's way knows of it, and nothing here is imported where `[tracing]` names no endpoint.
"""
