"""What a hub tells Prometheus: `GET /metrics`, in base units and with finite labels. docs/metrics.md lists all of it."""
