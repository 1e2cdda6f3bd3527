"""Real client programs (Claude Code, Codex CLI, opencode, aider), run headless against `./run demo`.

`tests/clients/run` is the command. Nothing here is part of the pytest suite but `test_*.py`, which tests the runner.
"""
