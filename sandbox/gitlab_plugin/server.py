"""The plugin as a gRPC server.

The SDK's own `main` would answer an error with the exception's type, and print a traceback that the engine shows to the
user. So the server is made here, from the SDK's servicer: an error of the plugin becomes its message and nothing more.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.gitlab_plugin import VERSION
from sandbox.gitlab_plugin.errors import PluginError
from sandbox.gitlab_plugin.provider import GitLabProvider


class _Errors(grpc.aio.ServerInterceptor):
    """Turns the plugin's errors into statuses, and a method that the plugin does not have into UNIMPLEMENTED."""

    async def intercept_service(self, continuation: Callable[..., Awaitable[Any]], details: Any) -> Any:
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        inner = handler.unary_unary

        async def answer(request: Any, context: Any) -> Any:
            try:
                result = inner(request, context)
                return await result if asyncio.iscoroutine(result) else result
            except PluginError as error:
                await context.abort(grpc.StatusCode.UNKNOWN, str(error))
            except NotImplementedError:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{details.method} is not there")

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


class _Servicer(ProviderServicer):
    async def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:
        """What is gone has no properties at all: the engine takes an empty map for a thing, and would import it."""
        found: provider_pb2.ReadResponse = await super().Read(request, context)  # type: ignore[no-untyped-call] # the SDK says no types here
        return found if found.id else provider_pb2.ReadResponse()


async def _serve(engine: str) -> None:
    provider = GitLabProvider()
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS, interceptors=[_Errors()])
    servicer = _Servicer(sys.argv[1:], VERSION, provider, engine_address=engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, over.set)  # by which the engine ends its plugins, one after another
    print(port, flush=True)  # from now on it may be interrupted
    threading.Thread(target=_tell_end_of_stdin, args=(loop, over), daemon=True).start()
    try:
        await over.wait()
        await server.stop(grace=None)
    finally:
        provider.close()


def _tell_end_of_stdin(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    """The engine holds the other end: that it is closed, says also that the engine was killed.

    Python's own reading would hold a lock, for which the end of the process waits a second before it aborts.
    """
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(over.set)


def main() -> None:
    parser = argparse.ArgumentParser(prog="pulumi-resource-gitlab")
    parser.add_argument("engine", nargs="?", default="", help="the engine's address")
    known, _ = parser.parse_known_args()
    try:
        asyncio.run(_serve(known.engine))
    except KeyboardInterrupt:
        return
