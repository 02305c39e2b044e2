"""Plugins in Python end by the interrupt with which the engine ends its plugins, wherever the engine runs."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
IN_THE_BACKGROUND = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for what it starts with &
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])
"""


@pytest.mark.parametrize("module", ["sandbox.language_host", "sandbox.gitlab_plugin"])
def test_a_plugin_in_the_background_of_a_shell_ends_by_an_interrupt(module: str) -> None:
    command = [sys.executable, "-c", IN_THE_BACKGROUND, module, "127.0.0.1:1"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as plugin:
        try:
            assert plugin.stdout is not None
            assert int(plugin.stdout.readline())
            plugin.send_signal(signal.SIGINT)
            assert plugin.wait(timeout=60) in (0, -signal.SIGINT), "its input is still open"
        finally:
            plugin.kill()
