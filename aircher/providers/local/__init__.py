"""The built-in model: a small language model run by a child process on this machine."""
