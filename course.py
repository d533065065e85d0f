#!/usr/bin/env python3
"""Open, test and run the course. The first use sets it up in .venv beside this file.

    python3 course.py                   open the lessons in JupyterLab (--no-browser, --port 8888)
    python3 course.py test              run the tests and every notebook
    python3 course.py run 02            run lesson 02 (or all lessons) and print its results (--real, --save, --times FILE)
    python3 course.py setup             only set up (--wheels FOLDER: fill a stick, or set up from it without a network)
    python3 course.py data              what data sets there are (fetch NAME, mirror --to F NAME)
    python3 course.py site --to F       the lessons and the instructor kit as a web site
    python3 course.py student --to F    copies of the lessons without their solutions, for a class
    python3 course.py collect F --to T  a table of who solved what, from what students hand in
    python3 course.py colab --to F      copies for Google Colab (--repository OWNER/NAME)
    python3 course.py bench [NAME]      what is compared with what, in which tables; run one of these benchmarks again
    python3 course.py doctor            what is there, and what to do about what is not
    python3 course.py clean             remove what running the course left behind

Each command tells more with --help.
"""
# Standard library only, in the syntax of Python 3.6: an older Python must get far enough to say what it needs.
# What the commands do lives in the folder tools.

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "set-up.stamp"
LOG = VENV / "setup.log"
VERSIONS = ((3, 13), (3, 12), (3, 11))
EVERYTHING = ".[cpu,lab,test,docs]"

FULL_DISK = (
    "The disk is full: the course needs about 3 GB in %s and some in the folder for temporary files (TMPDIR); "
    "make room, then run this command again." % HERE
)
NO_NETWORK = (
    "No network: setting up fetches the libraries once, and the package index cannot be reached; connect (behind a "
    "proxy, set HTTPS_PROXY) and run this command again. The course itself needs no network. The log is %s"
    % LOG
)
CAUSES = (
    (("No space left on device", "not enough space on the disk", "Disk quota exceeded"), FULL_DISK),
    (
        (
            "NewConnectionError",
            "Failed to establish a new connection",
            "Max retries exceeded",
            "Name or service not known",
            "Temporary failure in name resolution",
            "getaddrinfo failed",
            "nodename nor servname",
            "Network is unreachable",
            "Connection refused",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "Read timed out",
            "ProxyError",
        ),
        NO_NETWORK,
    ),
    (
        ("No matching distribution found for tensorflow",),
        "TensorFlow has no build for this machine (it has none for Macs with an Intel processor, for 32-bit systems and "
        "for Alpine Linux): run the course on another, or in Google Colab.",
    ),
)


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return
    wheels = wheels_folder(arguments)
    if not ready():
        if sys.version_info[:2] not in VERSIONS:
            run_instead(find_python() + [str(Path(__file__).resolve())] + arguments)
        set_up(wheels)
    elif wheels and not filled(wheels):
        stop(fill(wheels))
    os.environ["PYTHONUTF8"] = (
        "1"  # Python 3.11 and 3.12 on Windows misread the install's path if it has accents
    )
    run_instead([str(PYTHON), "-P", "-m", "tools"] + arguments)


def stop(problem):
    if problem:
        raise SystemExit(problem)


def find_python():
    """The newest Python on PATH that the course runs on; each is asked, because a shim of that name may start nothing."""
    for version in VERSIONS:
        for name, option in (("python%d.%d" % version, []), ("py", ["-%d.%d" % version])):
            path = shutil.which(name)
            if path and asked_version([path] + option) == version:
                return [path] + option
    raise SystemExit(
        "The course needs Python 3.11, 3.12 or 3.13; this is Python %d.%d (%s) and PATH holds no other: "
        "install one of the three, then run this command again."
        % (sys.version_info[:2] + (sys.executable,))
    )


def asked_version(python):
    ask = python + ["-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]
    try:
        answer = subprocess.run(
            ask, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        ).stdout
        return tuple(int(part) for part in answer.split())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def run_instead(command):
    """Hand this process over to `command`; Windows cannot, so there it waits for it."""
    sys.stdout.flush()
    if os.name == "nt":
        raise SystemExit(subprocess.call(command))
    os.execv(command[0], command)


# ---- setting up ----------------------------------------------------------------------------------------------------


def fingerprint():
    """The folder (an environment holds absolute paths) and, on a second line, what its dependencies are."""
    wanted = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        wanted.update((HERE / name).read_bytes())
    return "%s\n%s\n" % (HERE, wanted.hexdigest())


def stamped():
    """What the last set-up that ended well wrote down, or "" if there is none to trust."""
    if not (PYTHON.exists() and STAMP.exists()):
        return ""
    return STAMP.read_text(encoding="utf-8", errors="replace")


def ready():
    return stamped() == fingerprint()


def set_up(wheels=None):
    """Make .venv, or bring it up to date. The stamp is taken away first and comes last: half an environment has none."""
    old = stamped()
    if old.split("\n")[0] == str(HERE):
        print("The course asks for other libraries than before; updating %s." % VENV)
        STAMP.unlink()
    else:
        old = ""
        make_environment()
    problem = fill(wheels) if wheels and not filled(wheels) else None
    problem = problem or install_libraries(wheels)
    if problem == NO_NETWORK and old:
        print(
            "No network, so the libraries stay as they were; connect some day and run `course.py setup`."
        )
        STAMP.write_text(old, encoding="utf-8")
        return
    problem = problem or step(
        "Starting TensorFlow once",
        [str(PYTHON), "-P", "-c", "from medlearn._keras import tf; import tools"],
    )
    if problem:
        raise SystemExit(problem)
    STAMP.write_text(fingerprint(), encoding="utf-8")
    print("Set up. From now on the course starts in seconds and needs no network.")


def make_environment():
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SystemExit(
            "This Python (%s) cannot make environments, for its module venv is missing: on Debian and Ubuntu install it "
            "with `sudo apt install python%d.%d-venv`, then run this command again."
            % ((sys.executable,) + sys.version_info[:2])
        )
    if VENV.exists() and not LOG.exists() and any(VENV.iterdir()):
        raise SystemExit(
            "%s was not made by this command, which would replace it: rename or remove it, then run this command again."
            % VENV
        )
    print("Setting up the course in %s; this happens once." % VENV)
    if VENV.exists():
        shutil.rmtree(str(VENV))
    VENV.mkdir()
    python = "Making an environment with Python %d.%d" % sys.version_info[:2]
    problem = step(python, [sys.executable, "-m", "venv", str(VENV)])
    if problem:
        raise SystemExit(problem)


def install_libraries(wheels=None):
    """Install everything: from the package index, or, with a folder of wheels, from there and nowhere else."""
    offline = ["--no-index", "--find-links", str(wheels)] if wheels else []
    return step(
        "Installing JupyterLab, TensorFlow and the course (some minutes, 2 GB)",
        pip("install") + offline + ["-c", "constraints.txt", "-e", EVERYTHING],
        ((("No matching distribution found", "satisfies the requirement"), wrong_wheels(wheels)),)
        if wheels
        else (),
    )


def pip(command):
    return [
        str(PYTHON),
        "-I",
        "-m",
        "pip",
        command,
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
    ]


# ---- a folder of wheels, so that a class installs without a network ------------------------------------------------


def wheels_folder(arguments):
    """FOLDER of `setup --wheels FOLDER`, or None."""
    if arguments[:1] != ["setup"] or not any(
        each.split("=")[0] == "--wheels" for each in arguments
    ):
        return None
    place = [each.split("=")[0] for each in arguments].index("--wheels")
    given = arguments[place].split("=", 1)[1:] or arguments[place + 1 : place + 2]
    if not given or not given[0]:
        raise SystemExit(
            "--wheels needs the name of a folder: one with wheels, or a new one to fill."
        )
    folder = Path(os.path.abspath(os.path.expanduser(given[0])))
    if folder.exists() and not (folder.is_dir() and (filled(folder) or not any(folder.iterdir()))):
        raise SystemExit(
            "%s is neither a folder of wheels nor an empty or new one: name another." % folder
        )
    return folder


def filled(folder):
    return any(folder.glob("*.whl"))


def fill(folder):
    """Put all that `install_libraries` needs on a machine like this one into `folder`; it has its name when it is whole."""
    partial = folder.with_name(folder.name + ".partial")
    problem = step(
        "Fetching wheels into %s (some minutes, about 1 GB)" % folder,
        pip("wheel") + ["-c", "constraints.txt", "-w", str(partial), EVERYTHING] + build_tools(),
    )
    if problem:
        return problem
    for own in partial.glob("medlearn-*.whl"):
        own.unlink()  # the course itself is installed from its folder
    if folder.exists():
        folder.rmdir()
    os.rename(str(partial), str(folder))
    return None


def build_tools():
    """What building the editable install asks for; pip wheel fetches these for itself alone."""
    import tomllib  # late: this line is only reached by a Python that has it

    needs = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["build-system"][
        "requires"
    ]
    return needs + ["editables"] if needs else []


def wrong_wheels(folder):
    return (
        "The wheels in %s are not those of this machine (Python %d.%d on %s) or of this version of the course: fill "
        "another folder on a machine of this kind, with `python3 course.py setup --wheels FOLDER`. The log is %s"
        % ((folder,) + sys.version_info[:2] + (sys.platform, LOG))
    )


def step(title, command, causes=()):
    """Run one step under its title with its output in the log; returns None, or one sentence on what went wrong."""
    watched = sys.stdout.isatty()
    print("  %s ..." % title, end="", flush=True)
    began, lines = time.time(), []
    environment = dict(os.environ, PYTHONUTF8="1", PIP_USER="0")
    with open(str(LOG), "a", encoding="utf-8") as log:
        log.write("\n%s\n%s\n" % (title, command))
        log.flush()
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=str(HERE),
            env=environment,
        )
        for raw in process.stdout:
            lines.append(raw.decode("utf-8", "replace").rstrip())
            log.write(lines[-1] + "\n")
            log.flush()
            if watched:  # the line being worked on, so that a slow step is seen to move
                width = shutil.get_terminal_size().columns - 8
                print("\r\033[K    %s" % lines[-1].strip()[:width], end="", flush=True)
    failed = process.wait()
    print(
        "%s %d s" % ("\r\033[K  %s ..." % title if watched else "", time.time() - began), flush=True
    )
    return explain(lines, causes) if failed else None


def explain(lines, causes=()):
    """One sentence for a step that failed, from what it printed; `causes` go before those of every step."""
    text = "\n".join(lines)
    for signs, sentence in tuple(causes) + CAUSES:
        if any(sign in text for sign in signs):
            return sentence
    last = (
        [line for line in lines if line.lstrip().lower().startswith("error")]
        or lines
        or ["(no output)"]
    )
    return "Setting up failed: %s. The whole log is %s; nothing half-made will be used." % (
        last[-1].strip(" ."),
        LOG,
    )


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(
            errors="replace"
        )  # a path that the terminal cannot show must not stop the course
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        raise SystemExit(
            "\nStopped. Run the same command again to go on; nothing half-made will be used."
        )
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SystemExit(FULL_DISK)
        raise SystemExit("The course cannot be set up here: %s." % error)
