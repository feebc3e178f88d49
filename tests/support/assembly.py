"""A tiny assembler of EVM code for tests: mnemonics, numbers (as the shortest push), `:label` and `@label`."""

# fmt: off
OPCODES = {
    "STOP": 0x00, "ADD": 0x01, "SUB": 0x03, "ISZERO": 0x15, "KECCAK256": 0x20, "ADDRESS": 0x30,
    "ORIGIN": 0x32, "CALLER": 0x33, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37,
    "EXTCODEHASH": 0x3f, "RETURNDATASIZE": 0x3d, "RETURNDATACOPY": 0x3e, "TIMESTAMP": 0x42,
    "NUMBER": 0x43, "CHAINID": 0x46, "BASEFEE": 0x48, "SHL": 0x1b, "SHR": 0x1c, "BLOCKHASH": 0x40, "COINBASE": 0x41,
    "DIFFICULTY": 0x44, "GASLIMIT": 0x45, "SELFBALANCE": 0x47, "TLOAD": 0x5c, "TSTORE": 0x5d, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52,
    "SLOAD": 0x54, "SSTORE": 0x55, "JUMP": 0x56, "JUMPI": 0x57, "GAS": 0x5a, "JUMPDEST": 0x5b,
    "MCOPY": 0x5e, "PUSH0": 0x5f, "DUP1": 0x80, "DUP2": 0x81, "SWAP1": 0x90, "LOG0": 0xa0, "LOG1": 0xa1,
    "CREATE": 0xf0, "CALL": 0xf1, "RETURN": 0xf3, "DELEGATECALL": 0xf4, "STATICCALL": 0xfa,
    "REVERT": 0xfd, "INVALID": 0xfe, "SELFDESTRUCT": 0xff,
}
# fmt: on


def assemble(text):
    """Code of a listing: words apart by spaces; numbers in any base are pushed; labels take two bytes."""
    code, labels, wanted = bytearray(), {}, []
    for word in text.split():
        if word.startswith(":"):
            labels[word[1:]] = len(code)
            code.append(OPCODES["JUMPDEST"])
        elif word.startswith("@"):
            wanted.append((len(code) + 1, word[1:]))
            code += b"\x61\0\0"
        elif word in OPCODES:
            code.append(OPCODES[word])
        else:
            number = int(word, 0)
            data = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
            code += bytes([0x5F + len(data)]) + data
    for place, label in wanted:
        code[place : place + 2] = labels[label].to_bytes(2, "big")
    return bytes(code)


def creation_of(code):
    """Creation code that puts this code."""
    return bytes([0x61]) + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code


def call(address, gas="GAS", opcode="CALL"):
    """Listing of a call without calldata to an address; leaves 1 or 0 on the stack."""
    value = "0 " if opcode == "CALL" else ""
    return f"0 0 0 0 {value}0x{address.hex()} {gas} {opcode}"


def answer(expression):
    """Listing that returns the word that an expression leaves on the stack."""
    return f"{expression} 0 MSTORE 32 0 RETURN"
