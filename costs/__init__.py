"""What the nodes of an environment cost a month, by Scaleway's public catalogue."""
