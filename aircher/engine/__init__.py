"""The one road: detect, route, reserve, call, settle, record.  Front ends consume its events."""
