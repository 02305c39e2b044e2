"""The sandbox's own routes on each stand-in, for tests and for a curious user: `/_sandbox/{health,state,requests,reset}`."""

from collections.abc import Callable

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

    return routes
