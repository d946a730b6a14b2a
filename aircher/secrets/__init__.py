"""Where API keys come from: a command of the user's, the environment, the keyring, a sealed file."""
