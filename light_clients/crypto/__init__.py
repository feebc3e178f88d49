"""Each a thin door to one well-kept cryptographic library."""
