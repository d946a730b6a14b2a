"""What ``aircher commit`` prints on stdout: the message byte for byte, subjects, JSON, a dry run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from aircher.cli import contract
from aircher.cli.narration import money
from aircher.cli.printing import print_json
from aircher.domain.changes import Changes
from aircher.domain.commits import CommitMessage, Prepared, Written
from aircher.domain.errors import AircherError
from aircher.domain.routes import Candidate


def print_messages(messages: Sequence[CommitMessage]) -> None:
    """Exactly what would go to ``git commit -F -``, in UTF-8 whatever the terminal's encoding."""
    _print_bytes("".join(str(message) for message in messages))


def print_subjects(messages: Sequence[CommitMessage]) -> None:
    """One subject a line."""
    _print_bytes("".join(f"{message.subject}\n" for message in messages))


def _print_bytes(text: str) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def _message_json(message: CommitMessage) -> dict[str, Any]:
    return {
        "subject": message.subject,
        "body": message.body,
        "trailers": list(message.trailers),
        "message": str(message),
    }


def written_json(written: Written, changes: Changes, *, commit: str = "") -> dict[str, Any]:
    """The object that --json prints; ``commit`` is the id of what was committed."""
    return {
        **_message_json(written.messages[0]),
        "messages": [_message_json(message) for message in written.messages],
        "source": written.source,
        "task": written.task,
        "provider": written.ref.provider if written.ref else None,
        "model": written.ref.model if written.ref else None,
        "usage": contract.tokens_json(written.tokens),
        "cost": contract.cost_json(written.cost),
        "files": [
            {
                "path": file.name,
                "old_path": file.old_name or None,
                "status": file.status,
                "added": file.added,
                "removed": file.removed,
            }
            for file in changes.files
        ],
        "notes": list(written.notes),
        "committed": bool(commit),
        "commit": commit or None,
        "error": None,
    }


def error_json(error: AircherError) -> dict[str, Any]:
    """The object that --json prints where nothing came of it."""
    return {"messages": [], "committed": False, "commit": None, "error": contract.error_json(error)}


def print_dry_run(prepared: Prepared | None, rules: Written | None, *, as_json: bool) -> None:
    """What would be sent, its size and cost; or the message that rules make."""
    if as_json:
        print_json(_dry_run_json(prepared, rules))
    elif prepared is not None:
        print("\n".join(_dry_run_lines(prepared)))
    elif rules is not None:
        print("nothing would be sent; the message would be:\n")
        print_messages(rules.messages[:1])


def _dry_run_lines(prepared: Prepared) -> list[str]:
    payload, candidate = prepared.payload, prepared.candidate
    lines = [f"task      {prepared.task}"]
    if candidate is not None:
        lines.append(f"model     {candidate.ref} ({candidate.reason})")
        lines += _estimate_lines(candidate)
    lines.append(f"calls     {prepared.calls}")
    lines += [f"left out  {cut}" for cut in payload.cuts]
    lines += [f"blacked out  {secret}" for secret in payload.secrets]
    return [*lines, "", "--- system", payload.system, "", "--- text", payload.text]


def _estimate_lines(candidate: Candidate) -> list[str]:
    estimate = candidate.estimate
    if estimate is None:
        return []
    about = "" if estimate.exact else "~"
    cost = money(estimate.likely)
    if estimate.worst.nano_usd:
        cost = f"about {cost.removeprefix('~')}, at most {money(estimate.worst).removeprefix('~')}"
    return [f"tokens    {about}{estimate.prompt:,} in", f"cost      {cost}"]


def _dry_run_json(prepared: Prepared | None, rules: Written | None) -> dict[str, Any]:
    if prepared is None:
        made = [_message_json(m) for m in rules.messages] if rules else []
        return {"sent": False, "payload": None, "messages": made}
    plan = prepared.candidate
    estimate = plan.estimate if plan else None
    return {
        "sent": False,
        "payload": {"system": prepared.payload.system, "text": prepared.payload.text},
        "task": prepared.task,
        "provider": plan.ref.provider if plan else None,
        "model": plan.ref.model if plan else None,
        "tokens": estimate.prompt if estimate else None,
        "exact": estimate.exact if estimate else False,
        "cost": {
            "likely": contract.cost_json(estimate.likely),
            "worst": contract.cost_json(estimate.worst),
        }
        if estimate
        else None,
        "calls": prepared.calls,
        "left_out": list(prepared.payload.cuts),
        "secrets": list(prepared.payload.secrets),
    }
