"""Lets the requests of schemathesis meet, so that much of what they name is there."""

import zlib

import schemathesis

# The first device and its first module are there from the beginning, and stay.
IDS = ("0", "1", "2")
QUERIES = (
    "SELECT * FROM devices",
    "SELECT deviceId, tags AS t FROM devices.modules WHERE IS_DEFINED(deviceId)",
    "SELECT status, COUNT() AS n FROM devices GROUP BY status",
)

# The locks on feedback that was received and not settled yet.
lock_tokens = []


@schemathesis.hook
def before_call(context, case, kwargs):
    path, body, headers = case.path_parameters, case.body, case.headers
    draw = zlib.crc32(repr((path, headers, body)).encode("utf-8", "replace"))
    if draw % 4 == 0:
        return
    ids = IDS[1:] if case.method == "DELETE" else IDS
    for name in path:
        path[name] = ids[draw // 4 % len(ids)]
    if "lockToken" in path and lock_tokens:
        path["lockToken"] = lock_tokens.pop()
    if "If-Match" in headers and draw % 3 != 0:
        headers["If-Match"] = "*"
    if isinstance(body, dict):
        for member, name in (("deviceId", "id"), ("moduleId", "mid")):
            if member in body and name in path:
                body[member] = path[name]
        # The modules of a disabled device are closed to a shared access signature.
        if path.get("id") == IDS[0]:
            body.pop("status", None)
        if "query" in body:
            body["query"] = QUERIES[draw % len(QUERIES)]


@schemathesis.hook
def after_call(context, case, response):
    lock_tokens.extend(response.headers.get("iothub-messagelocktoken", []))
