"""What the programs have in common that use the SDK for Python: the hub, and checks that are reported as lines of JSON.

The environment variable HUB says where the hub is: its connection string, a bearer token, a file of certificates, and
what else a program needs. Without a connection string there, the environment is what the hub's program prints.
"""

import json
import os
import time

HUB = json.loads(os.environ["HUB"])
if "connectionString" in HUB:
    os.environ["REQUESTS_CA_BUNDLE"] = HUB["certificates"]
else:
    HUB["connectionString"] = os.environ["IOTHUB_CS"]

from azure.core.credentials import AccessToken  # noqa: E402
from msrest.exceptions import HttpOperationError  # noqa: E402

HOST = HUB["connectionString"].split(";")[0].split("=")[1]
STRANGER = HUB["connectionString"].rsplit("SharedAccessKey=", 1)[0] + "SharedAccessKey=" + "MTEx" * 11

called = set()
checks = []


class Recorded:
    """A client, or the class of clients, that notes which of its methods are called."""

    def __init__(self, target):
        self._target = target

    def __getattr__(self, name):
        called.add(name)
        return getattr(self._target, name)


class HubCredential:
    """A credential as those of azure-identity are."""

    def get_token(self, *scopes, **_):
        assert scopes == ("https://iothubs.azure.net/.default",), scopes
        return AccessToken(HUB["bearerToken"], int(time.time()) + 3600)


def connect(client_class, connection_string=HUB["connectionString"]):
    """Makes a client by a connection string, unless it is None: then by a token credential."""
    factory = Recorded(client_class)
    if connection_string is None:
        return Recorded(factory.from_token_credential(HOST, HubCredential()))
    return Recorded(factory.from_connection_string(connection_string))


def check(name):
    def register(run):
        checks.append((name, run))
        return run

    return register


def equal(actual, expected):
    assert actual == expected, f"got {actual!r} instead of {expected!r}"


def refused(status, code, call, *arguments):
    """Checks that a call fails with a status and with the hub's name for the error."""
    try:
        call(*arguments)
    except HttpOperationError as error:
        equal(error.response.status_code, status)
        equal(error.response.headers.get("iothub-errorcode"), code)
        assert isinstance(json.loads(error.response.text), dict), error.response.text
    else:
        raise AssertionError(f"it was not refused with {status} {code}")


def eventually(read, is_so):
    """Reads until what is read is so, and returns it: a client of the SDK can wait for nothing."""
    end = time.monotonic() + 10
    while not is_so(read_last := read()):
        assert time.monotonic() < end, f"it is still {read_last!r}"
        time.sleep(0.02)
    return read_last


def report(client_class=None):
    """Does all checks, and then looks whether they have called every method of a class, if there is one."""

    def write(name, error):
        print(json.dumps({"name": name, "error": error}), flush=True)

    for name, run in checks:
        try:
            run()
            write(name, None)
        except Exception as reason:
            write(name, f"{type(reason).__name__}: {reason}")
    if client_class is None:
        return
    methods = {name for name in dir(client_class) if not name.startswith("_")}
    write("every method is called", ", ".join(sorted(methods - called)) or None)
