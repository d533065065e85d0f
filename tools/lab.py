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
PORTS = range(8888, 8988)
START_SECONDS = 120
STOP_SECONDS = 30


def open_lab(path: Path, port: int | None = None, browser: bool = True) -> int:
    """Serve the course until Ctrl-C, with one lesson open.

    Parameters
    ----------
    path : Path
        The lesson, below the course's folder.
    port : int, optional
        Default: the first free one from 8888.
    browser : bool
        Whether to open a browser.

    Returns
    -------
    int
        JupyterLab's exit code.

    Raises
    ------
    OSError
        If this port is taken.
    """
    port = free_port(port)
    token = secrets.token_hex(24)
    if is_root():
        print("Running as root, as in a container: JupyterLab is started with --allow-root.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # containers stop by SIGTERM
    print("Starting JupyterLab ...", flush=True)
    process = subprocess.Popen(command(path, port, browser), env=_environment(token))
    try:
        if _wait_until_open(process, port):
            address = f"http://{ADDRESS}:{port}{quote(_tree(path))}?token={token}"
            print(f"\nThe course is open at\n\n    {address}\n\nStop it with Ctrl-C.\n", flush=True)
        return process.wait()
    except KeyboardInterrupt:
        return _stop(process)


def command(path: Path, port: int, browser: bool) -> list[str]:
    """Return the command line that starts JupyterLab.

    Parameters
    ----------
    path : Path
        The lesson to open, below the course's folder.
    port : int
        A free port.
    browser : bool
        Whether JupyterLab opens a browser.
    """
    options = {
        "ServerApp.ip": ADDRESS,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": lessons.ROOT,
        "ServerApp.open_browser": browser,
        "ServerApp.answer_yes": True,  # one Ctrl-C is enough
        "Application.log_level": "ERROR",
        "LabApp.default_url": _tree(path),
        "LabApp.news_url": None,  # JupyterLab asks the network for neither news nor updates
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        "MappingKernelManager.transport_encryption": "auto",  # other users cannot read kernels
    }
    words = [sys.executable, "-m", "jupyterlab", *(["--allow-root"] if is_root() else [])]
    return words + [f"--{name}={value}" for name, value in options.items()]


def is_root() -> bool:
    """Return whether this is root's process, which JupyterLab refuses without an option."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def free_port(port: int | None = None) -> int:
    """Return `port`, or the first free port from 8888.

    Raises
    ------
    OSError
        If it is taken, or if no port is free.
    ValueError
        If there is no such port.
    """
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"A port is a number from 1 to 65535; it was {port}.")
    for candidate in [port] if port else PORTS:
        if _is_free(candidate):
            return candidate
    if port:
        raise OSError(f"Port {port} is taken; leave --port out to get a free one.")
    raise OSError(f"No port from {PORTS[0]} to {PORTS[-1]} is free.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name != "nt":  # on Windows, this option would let two programs share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def _tree(path: Path) -> str:
    """The address of a lesson on JupyterLab's server."""
    return f"/lab/tree/{path.relative_to(lessons.ROOT).as_posix()}"


def _environment(token: str) -> dict[str, str]:
    """The environment variables of JupyterLab.

    The token travels there, because any user of the machine can read a command line. `labconfig`
    beside this file keeps JupyterLab from asking about news; the user's own settings follow it.
    """
    folders = [str(Path(__file__).parent), os.environ.get("JUPYTER_CONFIG_PATH")]
    return {
        **os.environ,
        "JUPYTER_TOKEN": token,
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_PATH": os.pathsep.join(folder for folder in folders if folder),
    }


def _wait_until_open(process: subprocess.Popen, port: int) -> bool:
    """Wait until the server answers; False if it ended or did not answer in time."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((ADDRESS, port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


def _stop(process: subprocess.Popen) -> int:
    """Let JupyterLab shut its kernels down; a second Ctrl-C does not wait for that."""
    if os.name != "nt":  # on Windows the Ctrl-C has reached it already; this would leave kernels
        process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
    print("The course is closed.")
    return 0
