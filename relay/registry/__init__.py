"""What the hub is configured with: ledgers, lanes, operators, officers' proposals. Everything here is done once and shown."""
