"""The sandbox's own routes on each stand-in, for tests and for a curious user: `/_sandbox/{health,state,…}`."""

from collections.abc import Callable

from sandbox.faults import FaultError, parse_fault
from sandbox.requests import RequestLog, masked
from sandbox.web import ApiError, Call, Reply, Routes


def admin_routes(prefix: str, requests: RequestLog, reset: Callable[[], None]) -> Routes:
    """The routes for the stand-in whose tables begin with `prefix`. `reset` puts the whole sandbox back to its seed."""
    routes = Routes()

    @routes.add("GET", "/_sandbox/health", "_sandbox.health", public=True)
    def health(call: Call) -> Reply:
        return Reply(body={"status": "ok"})

    @routes.add("GET", "/_sandbox/state", "_sandbox.state", public=True)
    def state(call: Call) -> Reply:
        """Every record by table, secrets masked."""
        tables = [t for t in call.store.tables() if t.startswith(prefix + ".")]
        return Reply(body={t.removeprefix(prefix + "."): masked(call.store.all(t)) for t in tables})

    @routes.add("GET", "/_sandbox/requests", "_sandbox.requests", public=True)
    def recorded(call: Call) -> Reply:
        """The request log of both stand-ins; `?after=N` for what came later."""
        after = call.query.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise ApiError(400, {"message": f"after={after} is not a number of a request"})
        return Reply(body=requests.entries(int(after)))

    @routes.add("POST", "/_sandbox/reset", "_sandbox.reset", public=True)
    def reset_everything(call: Call) -> Reply:
        reset()
        return Reply(body={"status": "reset"})

    @routes.add("POST", "/_sandbox/fault", "_sandbox.fault.add", public=True)
    def add_fault(call: Call) -> Reply:
        """Makes what follows go wrong, as `sandbox.faults.Fault` says."""
        try:
            call.faults.add(parse_fault(call.body, call.operations))
        except FaultError as error:
            raise ApiError(400, {"message": str(error)}) from None
        return Reply(status=201, body=call.faults.listed())

    @routes.add("GET", "/_sandbox/fault", "_sandbox.fault.list", public=True)
    def faults(call: Call) -> Reply:
        return Reply(body=call.faults.listed())

    @routes.add("DELETE", "/_sandbox/fault", "_sandbox.fault.clear", public=True)
    def clear_faults(call: Call) -> Reply:
        call.faults.clear()
        return Reply(body=[])

    @routes.add("GET", "/_sandbox/operations", "_sandbox.operations", public=True)
    def operations(call: Call) -> Reply:
        """The names of all operations that the stand-in has."""
        return Reply(body=sorted(call.operations))

    return routes
