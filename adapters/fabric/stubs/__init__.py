"""Generated messages; see ../protos/README.md."""
