"""A cluster of real processes against one; a killed worker; clusters that cannot be."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from medlearn import training
from medlearn._keras import keras, tf
from medlearn.training import _cluster, _rendezvous

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "train_anywhere.py"
# 16 steps an epoch
OPTIONS = ["--images=160", "--size=32", "--batch-size=10", "--epochs=2", "--every=3"]
PATIENCE = 150


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [free.getsockname()[1] for free in sockets]
    for free in sockets:
        free.close()
    return ports


def addresses(count):
    return [f"127.0.0.1:{port}" for port in free_ports(count)]


def config(workers, index):
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


@contextmanager
def started(folder, count):
    """The example as `count` workers; whatever happens, none outlives the block."""
    cluster, processes = addresses(count), []
    for index in range(count):
        task = {"TF_CONFIG": config(cluster, index)} if count > 1 else {}
        command = [sys.executable, str(EXAMPLE), *OPTIONS, "--folder", str(folder)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        processes.append(subprocess.Popen(command, env=os.environ | task, text=True, **pipes))
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def train(folder, count):
    """Train to the end; return the last line that worker 0 printed, and the weights."""
    with started(folder, count) as processes:
        outputs = [process.communicate(timeout=PATIENCE) for process in processes]
        assert [process.returncode for process in processes] == [0] * count, outputs
    weights = keras.models.load_model(folder / "model.keras").get_weights()
    return outputs[0][0].strip().splitlines()[-1], weights


def steps_saved(folder):
    state = tf.train.load_checkpoint(str(folder)).get_tensor("state/.ATTRIBUTES/VARIABLE_VALUE")
    return json.loads(state)["epoch"], json.loads(state)["step"]


def wait_for(path, process):
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()[1]
        time.sleep(0.005)


@pytest.mark.slow
def test_two_workers_of_which_one_is_killed_end_as_one_process(tmp_path):
    with started(tmp_path / "two", 2) as (survivor, victim):
        wait_for(tmp_path / "two" / "ckpt-2.index", survivor)
        victim.send_signal(signal.SIGKILL)
        _, complaint = survivor.communicate(timeout=PATIENCE)
    assert victim.returncode == -signal.SIGKILL and survivor.returncode not in (0, None)
    sentence = r"RuntimeError: A worker went away in epoch \d+, after step \d+ .* last checkpoint\."
    assert re.search(sentence, complaint)
    assert steps_saved(tmp_path / "two") < (2, 0)

    two, weights = train(tmp_path / "two", 2)  # all are started again and go on
    one, expected = train(tmp_path / "one", 1)
    assert one.startswith("1 replica(s)") and two.startswith("2 replica(s)")
    for weight, reference in zip(weights, expected, strict=True):
        np.testing.assert_allclose(weight, reference, atol=1e-5)
    numbers = [[float(number) for number in re.findall(r"\d\.\d+", line)] for line in (one, two)]
    np.testing.assert_allclose(*numbers, atol=2e-4)


# ---- clusters that cannot be: one sentence, in bounded time --------------------------------------


def task(cluster, task_type="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": task_type, "index": index}})


TWO = {"worker": ["a:1", "b:2"]}


WRONG = [
    ("{", "does not name workers"),
    ("[]", "does not name workers"),
    (json.dumps({"cluster": TWO}), "does not name workers"),
    (task({"worker": ["a", "b"]}), "does not name workers"),
    (task(TWO, index=2), "has 2 workers"),
    (task(TWO, index="0"), "has 2 workers"),
    (task({"worker": ["a:1", "a:1"]}), "address of its own"),
    (task({"worker": ["a:1", "b:99999"]}), "address of its own"),
    (task(TWO, task_type="ps"), "every process is a worker"),
    (task({"worker": ["a:1"], "ps": ["b:2"]}), "every process is a worker"),
]


def test_a_wrong_tf_config_is_refused():
    for written, message in WRONG:
        with pytest.raises(ValueError, match=message):
            _cluster._read(written)


def test_a_chief_comes_first():
    cluster = {"chief": ["a:1"], "worker": ["b:2", "c:3"]}
    assert _cluster._read(task(cluster, index=1)) == (["a:1", "b:2", "c:3"], 2)


def test_one_machine_with_and_without_tf_config(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert training.strategy().num_replicas_in_sync == 1
    monkeypatch.setenv("TF_CONFIG", config(addresses(1), 0))
    assert training.strategy().num_replicas_in_sync == 1


def test_a_port_in_use_is_named():
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        workers = [f"127.0.0.1:{port}", *addresses(1)]
        with pytest.raises(OSError, match=f"Worker 0 cannot listen at port {port} .* older run"):
            _rendezvous.meet(workers, 0, wait=5)


@pytest.mark.parametrize("index, missing", [(0, "Worker 1 "), (1, "Worker 0 ")])
def test_a_worker_that_never_comes_is_named(index, missing):
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=f"{missing}.*did not come within 0.5 s"):
        _rendezvous.meet(addresses(2), index, wait=0.5)
    assert time.monotonic() - began < 5


def test_a_caller_that_says_nothing_is_not_a_worker():
    workers = addresses(2)
    host, port = workers[0].split(":")
    with socket.socket() as silent:
        call = threading.Timer(0.2, lambda: silent.connect((host, int(port))))
        call.start()
        with pytest.raises(TimeoutError, match="Worker 1"):
            _rendezvous.meet(workers, 0, wait=1)
        call.join()


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\n",
        b"1\n",
        b"medlearn worker seven \n",
        b"medlearn worker 7 CLUSTER",
        b"medlearn worker 0 CLUSTER",
        b"medlearn worker " + b"9" * 5000 + b" CLUSTER",
    ],
)
def test_strangers_and_impossible_ranks_are_passed_over(said):
    """Each says its line, and the true worker comes afterwards."""
    workers = addresses(2)
    host, port = workers[0].split(":")
    said = said.replace(b"CLUSTER", _rendezvous._cluster(workers))
    true_worker = threading.Thread(target=_rendezvous.meet, args=(workers, 1, 20))

    def call():
        with socket.create_connection((host, int(port))) as stranger:
            stranger.sendall(said)
        true_worker.start()

    stranger = threading.Timer(0.2, call)
    stranger.start()
    _rendezvous.meet(workers, 0, wait=20)
    stranger.join()
    true_worker.join()


def test_a_stranger_alone_does_not_count_as_the_missing_worker():
    workers = addresses(2)
    host, port = workers[0].split(":")
    said = b"medlearn worker 7 " + _rendezvous._cluster(workers)
    with socket.socket() as stranger:
        call = threading.Timer(
            0.2, lambda: (stranger.connect((host, int(port))), stranger.sendall(said))
        )
        call.start()
        with pytest.raises(TimeoutError, match="Worker 1"):
            _rendezvous.meet(workers, 0, wait=1)
        call.join()


def calling(address, words, pause=0.0, reset=False):
    """A thread that connects, sends one word after another, and closes or resets."""

    def call():
        host, port = address.split(":")
        with suppress(OSError), socket.create_connection((host, int(port))) as caller:
            for word in words:
                caller.sendall(word)
                time.sleep(pause)
            if reset:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return threading.Timer(0.2, call)


def test_strangers_who_drip_hold_up_nobody():
    workers = addresses(2)
    drips = [calling(workers[0], [b"x"] * 20, pause=0.1) for _ in range(3)]
    for drip in drips:
        drip.start()
    assert meeting([workers] * 2, wait=1, delays={0: 0, 1: 0.4}) == [None, None]
    for drip in drips:
        drip.join()


def test_a_dripping_service_in_the_place_of_worker_0_is_left_in_time():
    with socket.create_server(("127.0.0.1", 0)) as service:
        workers = [f"127.0.0.1:{service.getsockname()[1]}", *addresses(1)]

        def drip():
            with suppress(OSError), service.accept()[0] as caller:
                for _ in range(40):
                    caller.sendall(b"y")
                    time.sleep(0.1)

        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        with pytest.raises(TimeoutError, match="Worker 0 .* did not come within 0.5 s"):
            _rendezvous.meet(workers, 1, wait=0.5)
        assert time.monotonic() - began < 2
        dripping.join()


@pytest.mark.parametrize("reset", [False, True])
def test_a_worker_who_greets_and_goes_is_missing_when_the_others_are_there(reset):
    workers = addresses(3)
    greeting = b"medlearn worker 1 " + _rendezvous._cluster(workers)
    dead = calling(workers[0], [greeting], pause=0.1, reset=reset)
    dead.start()
    errors = meeting([workers] * 3, wait=1, delays={0: 0, 2: 0.4})
    dead.join()
    assert isinstance(errors[0], TimeoutError) and "Worker 1 " in str(errors[0])
    assert "did not come within 1 s" in str(errors[0])
    assert isinstance(errors[2], TimeoutError)


def test_a_worker_listens_at_its_own_address_only():
    workers = addresses(2)
    with _rendezvous._listen(workers, 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    with _rendezvous._listen(["192.0.2.1:" + workers[0].split(":")[1]], 0) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"  # an address that something forwards to us


def test_a_machine_that_does_not_exist_is_named():
    workers = ["no-such-machine.invalid:1", *addresses(1)]
    with pytest.raises((ValueError, TimeoutError), match="no-such-machine"):
        _rendezvous.meet(workers, 1, wait=1)


def meeting(clusters, wait, delays=None):
    """What `meet` raises in each worker, or None; each worker knows a cluster of its own.

    With delays only those come that have one, so many seconds late.
    """
    errors = [None] * len(clusters)
    delays = delays or dict.fromkeys(range(len(clusters)), 0)

    def meet(index):
        time.sleep(delays[index])
        try:
            _rendezvous.meet(clusters[index], index, wait)
        except Exception as error:
            errors[index] = error

    threads = [threading.Thread(target=meet, args=(index,)) for index in delays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(wait + 10)
    assert not any(thread.is_alive() for thread in threads)
    return errors


def test_three_workers_meet():
    assert meeting([addresses(3)] * 3, wait=10) == [None] * 3


def test_workers_with_different_clusters_say_so():
    first, second, third = addresses(3)
    errors = meeting([[first, second], [first, third]], wait=5)
    assert all(isinstance(error, ValueError) for error in errors)
    assert all("another cluster" in str(error) for error in errors)


def test_a_strategy_after_other_operations_says_what_to_do(monkeypatch):
    tf.constant(1) + 1
    workers = addresses(2)
    monkeypatch.setenv("TF_CONFIG", config(workers, 0))
    other = threading.Thread(target=_rendezvous.meet, args=(workers, 1, 10))
    other.start()
    with pytest.raises(RuntimeError, match=r"Call training.strategy\(\) first"):
        training.strategy(wait=10)
    other.join(20)
