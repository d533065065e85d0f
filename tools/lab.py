"""Open the lessons in JupyterLab."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from tools import lessons

ADDRESS = "127.0.0.1"
START_SECONDS = 120


def open_lab(path: Path, port: int | None = None, browser: bool = True) -> int:
    """Serve the course until Ctrl-C, with the lesson at `path` open; returns JupyterLab's exit code.

    Without `port` it is the first free one from 8888. Raises OSError if the wanted port is taken.
    """
    port = free_port(port)
    token = secrets.token_hex(24)
    address = f"http://{ADDRESS}:{port}/lab/tree/{quote(path.relative_to(lessons.ROOT).as_posix())}?token={token}"
    # The token travels in the environment: any user of the machine can read a command line.
    environment = dict(
        os.environ,
        JUPYTER_TOKEN=token,
        JUPYTER_PREFER_ENV_PATH="1",
        JUPYTER_CONFIG_PATH=config_path(),
    )
    if is_root():
        print(
            "Running as root, as in a container: JupyterLab is told that this is meant (--allow-root)."
        )
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # what stops a container is a Ctrl-C, too
    print("Starting JupyterLab ...", flush=True)
    process = subprocess.Popen(command(path, port, browser), env=environment)
    try:
        if wait_until_open(process, port):
            print(f"\nThe course is open at\n\n    {address}\n\nStop it with Ctrl-C.\n", flush=True)
        return process.wait()
    except KeyboardInterrupt:
        return stop(process)


def command(path: Path, port: int, browser: bool) -> list[str]:
    """The command line that starts JupyterLab on this lesson."""
    options = {
        "ServerApp.ip": ADDRESS,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": lessons.ROOT,
        "ServerApp.open_browser": browser,
        "ServerApp.answer_yes": True,  # one Ctrl-C is enough
        "Application.log_level": "ERROR",
        "LabApp.default_url": f"/lab/tree/{path.relative_to(lessons.ROOT).as_posix()}",
        "LabApp.news_url": None,  # neither news nor updates are asked for on the network
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        "MappingKernelManager.transport_encryption": "auto",  # of what a kernel says, on a machine with other users
    }
    root = ["--allow-root"] if is_root() else []
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        *root,
        *(f"--{name}={value}" for name, value in options.items()),
    ]


def config_path() -> str:
    """Where Jupyter finds our `labconfig` (it keeps JupyterLab from asking about news), and then the user's own places."""
    return os.pathsep.join(
        filter(None, [str(Path(__file__).parent), os.environ.get("JUPYTER_CONFIG_PATH")])
    )


def is_root() -> bool:
    """Whether this is root's process, for which JupyterLab asks to be told that it is meant."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def free_port(wanted: int | None) -> int:
    """`wanted` if it is free, or the first free port from 8888."""
    for port in [wanted] if wanted else range(8888, 8988):
        with socket.socket() as probe:
            if os.name != "nt":  # there, this option would let two programs share the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
                return port
            except OSError:
                continue
    raise OSError(
        f"Port {wanted} is taken; leave --port out to get a free one."
        if wanted
        else "No port from 8888 to 8987 is free."
    )


def wait_until_open(process: subprocess.Popen, port: int) -> bool:
    """Wait until the server answers; False if it ended or did not answer in time."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((ADDRESS, port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


def stop(process: subprocess.Popen) -> int:
    """Let JupyterLab shut its kernels down; a second Ctrl-C does not wait for that."""
    if (
        os.name != "nt"
    ):  # there, the Ctrl-C has reached it already, and this would leave its kernels behind
        process.terminate()
    try:
        process.wait(timeout=30)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
    print("The course is closed.")
    return 0
