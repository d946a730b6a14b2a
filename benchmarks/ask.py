"""``aircher ask`` as a whole process beside a script that does nothing but call the same SDK."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.timing import HEAD, environment, interleaved, python, row

BARE = """
import sys
from openai import OpenAI
stream = OpenAI(base_url=sys.argv[1], api_key="k", max_retries=0).chat.completions.create(
    model="m", messages=[{"role": "user", "content": "hello"}], stream=True,
    stream_options={"include_usage": True})
for chunk in stream:
    for choice in chunk.choices:
        sys.stdout.write(choice.delta.content or "")
"""


def run(*, quick: bool = False) -> list[tuple[str, float, float, float]]:
    env = environment()
    server = subprocess.Popen(python("-m", "benchmarks.server"), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        config = Path(env["HOME"]) / ".config" / "aircher" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(
            f'[providers]\ndefault = "openai"\n[providers.openai]\nbase_url = "{url}"\n'
            'api_key_env = "OPENAI_API_KEY"\nmodel = "gpt-5-nano"\n'
        )
        env["OPENAI_API_KEY"] = "k"
        times = interleaved(
            {
                "the SDK alone": python("-c", BARE, url),
                "aircher ask": python("-m", "aircher", "ask", "hello"),
            },
            5 if quick else 20,
            env,
        )
    finally:
        server.terminate()
        server.wait()
    print(HEAD)
    return [row(name, runs, times["the SDK alone"]) for name, runs in times.items()]


if __name__ == "__main__":
    run()
