"""The strict reader and the canonical writer of protobuf, beside Google's own."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from light_clients import protobuf
from light_clients.errors import LightClientError, ProtobufFieldInvalid, ProtobufNotCanonical, ProtobufTruncated
from light_clients.protobuf import Message

KINDS = {1: "UINT64", 2: "INT64", 3: "SFIXED64", 4: "BYTES", 5: "STRING", 6: "MESSAGE", 7: "UINT64", 8: "BYTES"}


def google_message():
    file = descriptor_pb2.FileDescriptorProto(name="probe.proto", package="probe", syntax="proto3")
    message = file.message_type.add(name="Probe")
    for number, kind in KINDS.items():
        field = message.field.add(name=f"f{number}", number=number, label=3 if number in {7, 8} else 1)
        field.type = getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{kind}")
        if kind == "MESSAGE":
            field.type_name = ".probe.Probe"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("probe.Probe"))


PROBE = google_message()
UNSIGNED = st.integers(0, 2**64 - 1)
SIGNED = st.integers(-(2**63), 2**63 - 1)


def written(one, two, three, four, five, packed, many):
    return b"".join(
        (
            protobuf.integer_field(1, one),
            protobuf.integer_field(2, two),
            protobuf.sfixed64_field(3, three),
            protobuf.octets_field(4, four),
            protobuf.text_field(5, five),
            protobuf.message_field(6, b""),
            protobuf.packed_field(7, packed),
            *(protobuf.message_field(8, item) for item in many),
        )
    )


@given(
    UNSIGNED,
    SIGNED,
    SIGNED,
    st.binary(),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(UNSIGNED),
    st.lists(st.binary()),
)
def test_it_writes_and_reads_as_google_does(one, two, three, four, five, packed, many):
    google = PROBE(f1=one, f2=two, f3=three, f4=four, f5=five, f7=packed, f8=many)
    google.f6.SetInParent()
    data = written(one, two, three, four, five, packed, many)
    assert data == google.SerializeToString(deterministic=True)
    read = Message.read(data, range(1, 9), ordered=True)
    assert (read.integer(1), read.signed(2), read.signed(3), read.octets(4), read.text(5)) == (
        one,
        two,
        three,
        four,
        five,
    )
    assert (read.has(6), read.integers(7), read.repeated(8)) == (True, tuple(packed), tuple(many))
    assert protobuf.delimited(data)[: -len(data)] == protobuf.varint(len(data))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_and_google_reads_what_is_read(data):
    try:
        read = Message.read(data, KINDS)
        values = read.integer(1), read.octets(4), read.text(5), read.integers(7), read.repeated(8)
    except LightClientError:
        return
    google = PROBE.FromString(data)
    assert (google.f1, google.f4, google.f5, tuple(google.f7), tuple(google.f8)) == values


def test_fields_may_be_absent_and_unpacked():
    read = Message.read(bytes.fromhex("3801 3802"))
    assert read.integers(7) == (1, 2)
    assert (read.integer(1), read.signed(2), read.octets(4), read.text(5), read.has(1), read.repeated(8)) == (
        0,
        0,
        b"",
        "",
        False,
        (),
    )
    assert Message.read(bytes.fromhex("0d01000000")).integer(1) == 1


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("08", ProtobufTruncated),
        ("0880", ProtobufTruncated),
        ("220201", ProtobufTruncated),
        ("0901", ProtobufTruncated),
        ("088000", ProtobufNotCanonical),
        ("08ffffffffffffffffff02", ProtobufNotCanonical),
        ("0880808080808080808080", ProtobufNotCanonical),
        ("08ffffffffffffffffff80", ProtobufNotCanonical),
        ("10010801", ProtobufNotCanonical),
        ("4801", ProtobufFieldInvalid),
        ("0001", ProtobufFieldInvalid),
        ("0b", ProtobufFieldInvalid),
    ],
)
def test_refused(data, error):
    with pytest.raises(error):
        Message.read(bytes.fromhex(data), KINDS, ordered=True)


@pytest.mark.parametrize(
    ("data", "reader", "number"),
    [
        ("08010801", Message.integer, 1),
        ("0a00", Message.integer, 1),
        ("2001", Message.octets, 4),
        ("2201ff", Message.text, 4),
        ("4001", Message.repeated, 8),
        ("420041", Message.read, 8),
    ],
)
def test_a_field_of_another_type_is_refused(data, reader, number):
    with pytest.raises(LightClientError):
        reader(Message.read(bytes.fromhex(data)), number)


def test_a_message_has_a_largest_number_of_fields(monkeypatch):
    monkeypatch.setattr(protobuf, "MAXIMUM_FIELDS", 2)
    assert len(Message.read(bytes.fromhex("08010801")).fields) == 2
    with pytest.raises(ProtobufFieldInvalid):
        Message.read(bytes.fromhex("080108010801"))
