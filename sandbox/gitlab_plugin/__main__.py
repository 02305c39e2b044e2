"""`python -m sandbox.gitlab_plugin ENGINE_ADDRESS`: serves the plugin and prints its port, as the engine expects."""

from sandbox.gitlab_plugin.server import main

if __name__ == "__main__":
    main()
