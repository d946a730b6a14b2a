"""Where API keys come from: the environment, then the operating system's keyring."""
