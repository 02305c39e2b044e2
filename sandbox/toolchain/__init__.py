"""The toolchain: the real engine, providers and control plane as binaries in a user cache, and how they get there."""
