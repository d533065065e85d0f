"""Real second processes: two workers equal one, a killed worker, and what is said of a cluster that cannot be."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from medlearn import training
from medlearn._keras import keras, tf
from medlearn.training import _cluster

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "train_anywhere.py"
OPTIONS = [
    "--images",
    "160",
    "--size",
    "32",
    "--batch",
    "10",
    "--epochs",
    "2",
    "--every",
    "3",
]  # 16 steps an epoch
PATIENCE = 150


def free_ports(number):
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def config(ports, index):
    return json.dumps(
        {
            "cluster": {"worker": [f"127.0.0.1:{port}" for port in ports]},
            "task": {"type": "worker", "index": index},
        }
    )


@contextmanager
def started(folder, options=OPTIONS, number=2):
    """The example as `number` workers; whatever happens, none outlives the block."""
    ports = free_ports(number)
    environments = [
        os.environ | ({"TF_CONFIG": config(ports, index)} if number > 1 else {})
        for index in range(number)
    ]
    workers = [
        subprocess.Popen(
            [sys.executable, str(EXAMPLE), *options, "--folder", str(folder)],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for environment in environments
    ]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def run(folder, **options):
    """Train to the end; the last line that worker 0 printed."""
    with started(folder, **options) as workers:
        told = [worker.communicate(timeout=PATIENCE) for worker in workers]
        assert [worker.returncode for worker in workers] == [0] * len(workers), told
    return told[0][0].strip().splitlines()[-1]


def weights(folder):
    return keras.models.load_model(folder / "model.keras").get_weights()


def state(folder):
    checkpoint = tf.train.load_checkpoint(str(folder))
    return json.loads(checkpoint.get_tensor("state/.ATTRIBUTES/VARIABLE_VALUE"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return folder, run(folder, number=1)


def expect_equal(folder, other):
    for one, two in zip(weights(folder), weights(other), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_example_is_short():
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) < 90


def test_two_processes_equal_one(alone, tmp_path):
    folder, told = alone
    two = run(tmp_path)
    assert told.startswith("1 replica(s)") and two.startswith("2 replica(s)")
    expect_equal(folder, tmp_path)
    numbers = [[float(number) for number in re.findall(r"\d\.\d+", line)] for line in (told, two)]
    np.testing.assert_allclose(*numbers, atol=2e-4)


def test_a_worker_killed_within_an_epoch_and_all_started_again_end_as_one(alone, tmp_path):
    with started(tmp_path) as (survivor, victim):
        until = time.monotonic() + PATIENCE
        while not (tmp_path / "ckpt-2.index").exists():
            assert time.monotonic() < until and survivor.poll() is None, survivor.communicate()[1][
                -2000:
            ]
            time.sleep(0.005)
        victim.send_signal(signal.SIGKILL)
        _, complaint = survivor.communicate(timeout=PATIENCE)
    assert victim.returncode == -signal.SIGKILL and survivor.returncode not in (0, None)
    assert re.search(
        r"RuntimeError: A worker went away in epoch \d+, after step \d+ .* go on from the last checkpoint\.",
        complaint,
    )
    assert (state(tmp_path)["epoch"], state(tmp_path)["step"]) < (2, 0)
    run(tmp_path)
    expect_equal(alone[0], tmp_path)


# ---- a cluster that cannot be: one sentence, in bounded time -----------------------------------------------


@pytest.mark.parametrize(
    "written, sentence",
    [
        ("{", "does not name workers"),
        ("[]", "does not name workers"),
        ('{"cluster": {"worker": ["a:1", "b:2"]}}', "does not name workers"),
        (
            '{"cluster": {"worker": ["a", "b"]}, "task": {"type": "worker", "index": 0}}',
            "does not name workers",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
            "has 2 workers",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": "0"}}',
            "has 2 workers",
        ),
        (
            '{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}',
            "address of its own",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:99999"]}, "task": {"type": "worker", "index": 0}}',
            "address of its own",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "ps", "index": 0}}',
            "every process is a worker",
        ),
        (
            '{"cluster": {"worker": ["a:1"], "ps": ["b:2"]}, "task": {"type": "worker", "index": 0}}',
            "every process is a worker",
        ),
    ],
)
def test_a_wrong_tf_config(written, sentence, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", written)
    with pytest.raises(ValueError, match=sentence):
        training.strategy()


def test_a_chief_comes_first():
    written = json.dumps(
        {
            "cluster": {"chief": ["a:1"], "worker": ["b:2", "c:3"]},
            "task": {"type": "worker", "index": 1},
        }
    )
    assert _cluster._read(written) == (["a:1", "b:2", "c:3"], 2)


def test_a_port_in_use(monkeypatch):
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("TF_CONFIG", config([port, *free_ports(1)], 0))
        with pytest.raises(OSError, match=f"Worker 0 cannot listen at port {port} .* older run"):
            training.strategy(wait=5)


@pytest.mark.parametrize("index, missing", [(0, "Worker 1 "), (1, "Worker 0 ")])
def test_a_worker_that_never_comes(index, missing, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config(free_ports(2), index))
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=f"{missing}.*did not come within 0.5 s"):
        training.strategy(wait=0.5)
    assert time.monotonic() - began < 5


def test_a_guest_that_says_nothing_is_not_a_worker(monkeypatch):
    ports = free_ports(2)
    monkeypatch.setenv("TF_CONFIG", config(ports, 0))
    with socket.socket() as silent:
        knock = threading.Timer(0.2, lambda: silent.connect(("127.0.0.1", ports[0])))
        knock.start()
        with pytest.raises(TimeoutError, match="Worker 1"):
            training.strategy(wait=1)
        knock.join()


def test_a_machine_that_has_no_name(monkeypatch):
    written = {
        "cluster": {"worker": ["no-such-machine.invalid:1", f"127.0.0.1:{free_ports(1)[0]}"]},
        "task": {"type": "worker", "index": 1},
    }
    monkeypatch.setenv("TF_CONFIG", json.dumps(written))
    with pytest.raises((ValueError, TimeoutError), match="no-such-machine"):
        training.strategy(wait=1)


def meeting(lists, wait):
    """What the workers of `lists`, each with the addresses it believes in, raise, or None, when they meet."""
    told = [None] * len(lists)

    def meet(index):
        try:
            _cluster._meet(lists[index], index, wait)
        except Exception as error:
            told[index] = error

    threads = [threading.Thread(target=meet, args=(index,)) for index in range(len(lists))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(wait + 10)
    assert not any(thread.is_alive() for thread in threads)
    return told


def test_three_workers_meet():
    workers = [f"127.0.0.1:{port}" for port in free_ports(3)]
    assert meeting([workers] * 3, wait=10) == [None] * 3


def test_workers_with_different_clusters_say_so():
    one, two, three = (f"127.0.0.1:{port}" for port in free_ports(3))
    told = meeting([[one, two], [one, two, three][:1] + [three]], wait=5)
    assert all(isinstance(each, ValueError) and "another cluster" in str(each) for each in told)


def test_tensorflow_was_used_before(monkeypatch):
    tf.constant(1) + 1
    ports = free_ports(2)
    monkeypatch.setenv("TF_CONFIG", config(ports, 0))
    workers = [f"127.0.0.1:{port}" for port in ports]
    other = threading.Thread(target=_cluster._meet, args=(workers, 1, 10))
    other.start()
    with pytest.raises(RuntimeError, match=r"Call training.strategy\(\) first"):
        training.strategy(wait=10)
    other.join(20)


def test_one_machine_without_tf_config(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert training.strategy().num_replicas_in_sync == 1
    monkeypatch.setenv("TF_CONFIG", config(free_ports(1), 0))
    assert training.strategy().num_replicas_in_sync == 1
