import pytest


@pytest.mark.parametrize("stack", ["dev", "preprod", "prod"])
def test_runs(stack, run_program):
    program = run_program(stack)
    import json
    print(json.dumps({k: vars(v) for k,v in program.resources.items()}, indent=1)[:6000])
    print(program.outputs)
    assert 0
