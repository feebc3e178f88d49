"""What QBFT, IBFT2 and legacy IBFT share: votes, seals, sets, state. The form of the headers is in each family's own folder."""
