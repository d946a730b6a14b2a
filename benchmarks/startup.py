"""Start-up: --version and --help beside ``python -c pass``; first paint beside an empty Textual app."""

from __future__ import annotations

from benchmarks.timing import environment, interleaved, median_ms, python, ratio

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
from aircher.tui.app import AircherApp
from aircher.entry import _open_services
AircherApp._open = lambda self: self.exit(0)  # the first frame is out; services come after it
AircherApp(_open_services).run(headless=True, size=(120, 36))
"""


def run(*, quick: bool = False) -> list[tuple[str, float, float]]:
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
    rows = []
    print(f"{'command':<24}{'median':>10}{'over floor':>12}{'x floor':>9}")
    for name, values in times.items():
        floor = times[floors.get(name, name)]
        extra = median_ms(values) - median_ms(floor)
        rows.append((name, median_ms(values), ratio(values, floor)))
        print(
            f"{name:<24}{median_ms(values):>7.0f} ms{extra:>9.0f} ms{ratio(values, floor):>8.2f}x"
        )
    return rows


if __name__ == "__main__":
    run()
