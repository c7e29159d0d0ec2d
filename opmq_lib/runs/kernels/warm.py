"""Start kernels beneath Papermill: forked from a zygote where there is one, cold elsewhere.

Papermill, nbclient and the notebook see an ordinary kernel either way. Read `docs/batch.md` first.
"""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from opmq_lib.runs.kernels.kernel import Settings

POSSIBLE = sys.platform == "linux" and hasattr(os, "pidfd_open")
MOST_STARTS = 3  # one after the other, before a batch does without
SECONDS_TO_IMPORT = 120
SECONDS_TO_ANSWER = 30
"""A zygote that has not forked by then (it is stopped, say) is replaced."""


class ZygoteError(Exception):
    """There is no zygote to fork from."""


class Zygotes:
    """The zygote of a batch, started when first asked for, and its successors if it dies.

    Args:
        preload: Modules that notebooks are going to import.
        environment: Of the zygote; that of each kernel comes with it.
    """

    def __init__(self, preload: Iterable[str], environment: Mapping[str, str]) -> None:
        self._preload, self._environment = list(preload), dict(environment)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._starts_left = MOST_STARTS if POSSIBLE else 0
        self.when_ready: Callable[[], object] = lambda: None  # called when all is imported

    def fork(
        self, argv: list[str], settings: Settings, cwd: str, env: Mapping[str, str], log: IO[bytes]
    ) -> "Forked":
        """Return a new process that becomes a kernel.

        Raises:
            ZygoteError: If no zygote can be had; a cold kernel does as well.
        """
        request = {"argv": argv, "settings": asdict(settings), "cwd": cwd, "env": dict(env)}
        while True:
            control, zygote = self._ready()
            mine, theirs = socket.socketpair()
            mine.settimeout(SECONDS_TO_ANSWER)
            try:
                with theirs:
                    socket.send_fds(control, [b"+"], [theirs.fileno(), log.fileno()])
                mine.sendall(json.dumps(request).encode() + b"\n")
                return Forked(mine)
            except OSError:  # it has died, is about to, or does not answer
                mine.close()
                zygote.kill()

    def close(self) -> None:
        """End the zygote, if there is one; none is started after that."""
        self._starts_left = 0
        if self._control is None and (process := self._process) is not None:
            process.kill()  # not to wait for its imports
        with self._lock:
            self._end()

    def _ready(self) -> "tuple[socket.socket, subprocess.Popen[bytes]]":
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self._end()
            if self._control is None and self._starts_left > 0:
                self._starts_left -= 1
                self._control = self._start()
            if self._control is None or self._process is None:
                raise ZygoteError("no zygote")
            return self._control, self._process

    def _start(self) -> socket.socket | None:
        """Start a zygote and wait until it is ready; `None` if it refuses."""
        mine, theirs = socket.socketpair()
        mine.settimeout(SECONDS_TO_IMPORT)
        with theirs:
            module = [sys.executable, "-P", "-m", "opmq_lib.runs.kernels.zygote"]
            self._process = subprocess.Popen(
                [*module, str(theirs.fileno()), *self._preload],
                env=self._environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in a terminal is for the runner alone
            )
        with suppress(OSError):
            if mine.recv(1):
                mine.settimeout(None)
                self.when_ready()
                return mine
        mine.close()
        self._starts_left = 0  # it would refuse again
        self._end()
        return None

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()  # how the zygote learns that it is over
            self._control = None
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)  # it may have been stopped
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process.kill()
            self._process.wait()
            self._process = None


class Forked:
    """What Jupyter uses of `subprocess.Popen`, for a child of the zygote."""

    stdin = stdout = stderr = None

    def __init__(self, runner: socket.socket) -> None:
        self._socket, self._lock = runner, threading.Lock()
        self.returncode: int | None = None
        self.lost = False
        if (pid := self._number()) is None:
            raise ConnectionResetError
        self.pid, self._ended = pid, os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return how it ended, or `None` while it lives."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until it ends; return how, or `None` if it still lives."""
        with self._lock:  # its own thread asks, and who ends it
            if self.returncode is None:
                poller = select.poll()  # unlike `select`, at ease with descriptors above 1023
                poller.register(self._ended, select.POLLIN)
                if poller.poll(None if timeout is None else timeout * 1000):
                    number = self._number()
                    self.lost = number is None  # the zygote has died, and it with that, or hangs
                    self.returncode = -signal.SIGKILL if number is None else number
                    os.close(self._ended)
                    self._socket.close()  # the zygote lets go of it, and kills what it had started
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to it and to what it started."""
        if self.poll() is None:
            os.killpg(self.pid, number)  # until we close the socket, nobody else gets its number

    def kill(self) -> None:
        """Kill it and what it started."""
        self.send_signal(signal.SIGKILL)

    terminate = kill

    def _number(self) -> int | None:
        """Return what the zygote says next; `None` if it is no longer there, or hangs."""
        try:
            received = self._socket.recv(4, socket.MSG_WAITALL)
        except OSError:
            return None
        return int.from_bytes(received, "big", signed=True) if len(received) == 4 else None


class Provisioner(LocalProvisioner):
    """Jupyter's way to start a local kernel, but warm where there is a zygote.

    Attributes:
        settings: What the kernel arranges before it starts.
        zygotes: Where to fork from; `None` for a cold kernel.
        forked: The kernel's process, if it is a warm one.
    """

    settings = Settings()
    zygotes: Zygotes | None = None
    forked: Forked | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel."""
        argv = cmd[cmd.index("ipykernel_launcher") + 1 :]
        if self.zygotes is not None:
            asked = (argv, self.settings, str(kwargs["cwd"]), kwargs["env"], kwargs["stdout"])
            with suppress(ZygoteError):
                # The first fork waits for the imports; other notebooks' threads go on.
                self.forked = self.zygotes.fork(*asked)
                self.process = cast("subprocess.Popen[bytes]", self.forked)
                self.pid = self.pgid = self.forked.pid
                return self.connection_info
        settings = json.dumps(asdict(self.settings))
        module = ["-P", "-m", "opmq_lib.runs.kernels.kernel", settings]
        return await super().launch_kernel([cmd[0], *module, *argv], **kwargs)

    async def wait(self) -> int | None:
        """Wait until the kernel has ended; return how."""
        while self.process is not None and self.process.poll() is None:
            await asyncio.sleep(0.005)
        process, self.process = self.process, None
        return 0 if process is None else process.returncode

    @property
    def lost(self) -> bool:
        """Whether the kernel ended because its zygote did."""
        return self.forked is not None and self.forked.poll() is not None and self.forked.lost
