"""The plugin as the engine starts it: a process that prints its port and speaks gRPC."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.sandbox.gitlab.conftest import Instance


@pytest.fixture(params=["interrupted", "left"])  # as an engine ends it that is done, and as one that is killed
def stub(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    command = [sys.executable, "-m", "sandbox.gitlab_plugin", "127.0.0.1:1"]
    with (
        (tmp_path / "stderr").open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=dict(os.environ)
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
        if request.param == "interrupted":
            process.send_signal(signal.SIGINT)
        else:
            process.stdin.close()
        assert process.wait(timeout=10) == 0
    assert (tmp_path / "stderr").read_text() == ""


def test_it_answers_and_its_errors_are_only_a_message(stub: Any, instance: Instance) -> None:
    assert stub.GetPluginInfo(plugin_pb2.PluginInfo()).version == "10.1.1"
    variables = {"gitlab:config:baseUrl": f"{instance.listener.url}/api/v4/", "gitlab:config:token": "glpat-wrong"}
    with pytest.raises(grpc.RpcError) as refused:
        stub.Configure(provider_pb2.ConfigureRequest(variables=variables))
    assert refused.value.details() == "gitlab: the token was refused: GET /user: 401 401 Unauthorized"
    good = variables | {"gitlab:config:token": instance.account.token}
    answer = stub.Configure(provider_pb2.ConfigureRequest(variables=good))
    assert (answer.acceptSecrets, answer.supportsPreview) == (True, True)
    urn = "urn:pulumi:dev::p::gitlab:index/userRunner:UserRunner::name"
    gone = stub.Read(provider_pb2.ReadRequest(id="99", urn=urn))
    assert (gone.id, gone.HasField("properties"), gone.HasField("inputs")) == ("", False, False)
    with pytest.raises(grpc.RpcError) as missing:
        stub.GetMapping(provider_pb2.GetMappingRequest(key="terraform"))
    assert missing.value.code() is grpc.StatusCode.UNIMPLEMENTED
