"""Start-up: --version and --help beside ``python -c pass``; first paint beside an empty Textual app."""

from __future__ import annotations

from benchmarks.timing import HEAD, environment, interleaved, python, row

SCRIPT = python("-c", "import sys; from aircher.entry import main; sys.exit(main())")
"""What the installed console script does."""

EMPTY_APP = """
from textual.app import App
class Empty(App):
    def on_mount(self): self.call_after_refresh(self.exit)
Empty().run(headless=True, size=(120, 36))
"""

OUR_APP = """
import sys
from textual.app import App
from aircher import entry
run = App.run
App.run = lambda self: run(self, headless=True, size=(120, 36))
def open_services(*_given, **_named):  # the first frame is out; services come after it
    from aircher.domain.errors import NoModel
    raise NoModel("enough")
entry._open_services = open_services
sys.argv = ["aircher"]
sys.stdin.isatty = sys.stdout.isatty = lambda: True
assert entry.main() == 8  # not 1: a fault of ours would be timed with its traceback
"""
"""The whole program as the console script runs it, its arguments read, up to the first frame."""


def run(*, quick: bool = False) -> list[tuple[str, float, float, float]]:
    env = environment()
    runs = 5 if quick else 20
    times = interleaved(
        {
            "python -c pass": python("-c", "pass"),
            "aircher --version": [*SCRIPT, "--version"],
            "aircher --help": [*SCRIPT, "--help"],
            "empty Textual app": python("-c", EMPTY_APP),
            "aircher, first paint": python("-c", OUR_APP),
        },
        runs,
        env,
    )
    floors = {
        "aircher --version": "python -c pass",
        "aircher --help": "python -c pass",
        "aircher, first paint": "empty Textual app",
    }
    print(HEAD)
    return [row(name, values, times[floors.get(name, name)]) for name, values in times.items()]


if __name__ == "__main__":
    run()
