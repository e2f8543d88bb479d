# SPDX-License-Identifier: MIT
"""The wire format of profiles, read for what pprof itself forgives, and written."""

FIELDS = {  # numbers as published
    "Profile": {1: ("sample_type", "ValueType"), 2: ("sample", "Sample"),
                3: ("mapping", "Mapping"), 4: ("location", "Location"),
                5: ("function", "Function"), 6: ("string_table", bytes), 9: ("time_nanos", int),
                10: ("duration_nanos", int), 11: ("period_type", "ValueType"), 12: ("period", int),
                13: ("comment", int), 14: ("default_sample_type", int)},
    "ValueType": {1: ("type", int), 2: ("unit", int)},
    "Sample": {1: ("location_id", int), 2: ("value", int), 3: ("label", "Label")},
    "Label": {1: ("key", int), 2: ("str", int), 3: ("num", int), 4: ("num_unit", int)},
    "Mapping": {1: ("id", int), 2: ("memory_start", int), 3: ("memory_limit", int),
                4: ("file_offset", int), 5: ("filename", int), 6: ("build_id", int),
                7: ("has_functions", int), 8: ("has_filenames", int),
                9: ("has_line_numbers", int), 10: ("has_inline_frames", int)},
    "Location": {1: ("id", int), 2: ("mapping_id", int), 3: ("address", int), 4: ("line", "Line")},
    "Line": {1: ("function_id", int), 2: ("line", int), 3: ("column", int)},
    "Function": {1: ("id", int), 2: ("name", int), 3: ("system_name", int), 4: ("filename", int)},
}


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def decode(data, message="Profile"):
    """name -> list of values, of every field that is there."""
    fields, at = {}, 0
    while at < len(data):
        key, at = read_varint(data, at)
        name, kind = FIELDS[message][key >> 3]
        values = fields.setdefault(name, [])
        if key & 7 == 0:
            value, at = read_varint(data, at)
            values.append(value)
            continue
        assert key & 7 == 2, f"wire type {key & 7} of {message}.{name}"
        length, at = read_varint(data, at)
        part, at = data[at:at + length], at + length
        assert len(part) == length, f"{message}.{name} is cut"
        if kind is int:  # packed
            position = 0
            while position < length:
                value, position = read_varint(part, position)
                values.append(value)
        else:
            values.append(part if kind is bytes else decode(part, kind))
    return fields


def one(fields, name):
    """The value of a field that is not repeated; 0 when it is not there."""
    return fields.get(name, [0])[-1]


# --- writing: a field of 0 is not there

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value) if value else b""


def message(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body
