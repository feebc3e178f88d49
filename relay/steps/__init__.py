"""The journey of a message in the order in which it happens: look · claim · carry · submit."""
