"""`python -m sandbox.gitlab_plugin ENGINE_ADDRESS`: serves the plugin and prints its port, as the engine expects."""

import os

from sandbox.gitlab_plugin.server import main

if __name__ == "__main__":
    main()
    os._exit(0)  # without Python's tidying up, for which the engine would wait
