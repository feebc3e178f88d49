"""What is done: registry, journeys, workers, operators, the command line."""
