"""Generated from `adapters/chainmaker/protos`; its README has the command."""
