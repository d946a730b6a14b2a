"""Memory: the app's process with every SDK loaded, beside an interpreter that did nothing."""

from __future__ import annotations

import subprocess

from benchmarks.timing import environment, python

# The resident size now; the peak would count the parent's pages from before the program began.
REPORT = "print(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')))"
ALL = (
    "import aircher.tui.app, aircher.bootstrap.compose\n"
    "import openai, anthropic, google.genai, ollama\n" + REPORT
)


def run(*, quick: bool = False) -> tuple[float, float]:
    env = environment()

    def megabytes(code: str) -> float:
        out = subprocess.run(
            python("-c", code), env=env, check=True, capture_output=True, text=True
        ).stdout
        return int(out) / 1024

    floor, loaded = megabytes(REPORT), megabytes(ALL)
    print(f"python                  {floor:>6.0f} MB")
    print(f"app and all four SDKs   {loaded:>6.0f} MB   {loaded / floor:.1f}x")
    return floor, loaded


if __name__ == "__main__":
    run()
