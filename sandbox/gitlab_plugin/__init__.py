"""The Pulumi resource plugin `gitlab` for the sandbox.

A stand-in for the official plugin, which cannot be built from packages. It gives the same resources the same ids, inputs
and outputs, and sends GitLab the requests that the official one sends, so that a program cannot tell them apart.

`table` says what a resource is; `checks` and `diffs` are pure; `operations` talks to GitLab through `client`; `provider` and
`server` are the plugin protocol.
"""

VERSION = "10.1.1"
