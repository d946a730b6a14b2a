"""The child process: llama.cpp's server around one model file, on a loopback port.

It is started as ``python -m aircher.providers.local.server``.  One line of JSON (``Setup``)
comes on stdin, so that the key is in no argument list and no environment; one line goes out
on stdout when the model is loaded: ``{"url": "http://127.0.0.1:PORT"}``.  It lives until
stdin is closed, which the system does when the parent dies, however it dies.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict
from typing import Any

from aircher.domain.classes import dataclass


@dataclass(frozen=True, slots=True)
class Setup:
    """What the child needs to know.

    ``context`` is the window in tokens; ``idle_s`` the seconds without a request after which
    the model is dropped from memory (it is loaded again by the next request).
    ``small_cache`` stores attention keys and values in 8 bits, which saves 95 MB of 365 for
    the built-in model.
    """

    path: str
    alias: str
    key: str
    context: int
    threads: int
    idle_s: int
    small_cache: bool

    def line(self) -> bytes:
        """As it travels over stdin."""
        return json.dumps(asdict(self)).encode() + b"\n"


def parameters(setup: Setup) -> Any:
    """The settings of llama.cpp's server (``xllamacpp.CommonParams``)."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = setup.path
    params.model_alias = {setup.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # any free one
    params.api_keys = [setup.key]
    params.ui = False
    params.cors_origins = ""  # no web page may talk to it
    params.endpoint_slots = False
    params.cache_ram_mib = 0
    params.n_ctx = setup.context
    params.n_parallel = 1
    params.cpuparams.n_threads = setup.threads
    params.cpuparams_batch.n_threads = setup.threads
    params.sleep_idle_seconds = setup.idle_s
    params.verbosity = 1  # errors only
    if setup.small_cache:
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_Q8_0
    # So small a model wanders off at llama.cpp's 0.8: at 0.8 it answered "What is the capital
    # of France?" with a loop of nonsense, with these values with one right sentence.  They
    # hold where a request does not say otherwise.
    params.sampling.temp = 0.2
    params.sampling.top_p = 0.9
    params.sampling.penalty_repeat = 1.05
    return params


def main() -> None:
    """Serves until stdin ends."""
    for name in ("SIGINT", "SIGHUP"):  # a key press in the terminal is the parent's affair
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the library prints must not be taken for the answer
    setup = Setup(**json.loads(sys.stdin.buffer.readline()))
    import xllamacpp

    server = xllamacpp.Server(parameters(setup))
    print(json.dumps({"url": server.listening_address}), file=answer, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # at once, also in the middle of an answer nobody reads any more


if __name__ == "__main__":
    main()
