"""What the test told a script about the simulated fleet, and what the fleet says about itself at its control port.

The truth about a device is never taken from the client under test.
"""

import json
import os
import sys
import time
import traceback
import urllib.request
from concurrent.futures import ThreadPoolExecutor

_told = json.loads(os.environ["SIMULATED_FLEET"])
USER, PASSWORD = "admin", "correct-horse-7"


def address(device):
    """Host and port of a device's API."""
    host, port = _told["devices"][device].rsplit(":", 1)
    return host, int(port)


def _ask(path, body=None):
    request = urllib.request.Request(f"http://{_told['control']}{path}", data=body)
    if body is not None:
        request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.load(reply)


def state(device):
    return _ask(f"/devices/{device}")["state"]


def counters(device):
    return _ask(f"/devices/{device}")["counters"]


def pair(name):
    return _ask(f"/pairs/{name}")


def control(**request):
    return _ask("/control", json.dumps(request).encode())


def expect(what, actual, wanted):
    """Fails unless a value is the one that is right for the simulated state."""
    if actual != wanted:
        raise AssertionError(f"{what}: {actual!r}, not {wanted!r}")


def until(what, condition, seconds=60):
    """Waits, in real time, until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.2)


def raises(kind, text, action):
    """Fails unless an action raises `kind` with `text` in it."""
    try:
        action()
    except kind as error:
        if text in str(error):
            return
        raise AssertionError(f"{text!r} was expected, this came: {error}") from error
    raise AssertionError(f"{text!r} was expected, nothing was raised")


def run(*scenarios):
    """Runs scenarios side by side and ends the script: 0 when all of them held."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(scenarios)) as pool:
        running = [(one.__name__, pool.submit(one)) for one in scenarios]
    failed = 0
    for name, future in running:
        error = future.exception()
        if error is None:
            print(f"held: {name}")
        else:
            failed += 1
            print(f"FAILED: {name}")
            traceback.print_exception(error)
    print(f"{len(running) - failed} held, {failed} failed, {time.monotonic() - began:.0f} s")
    sys.stdout.flush()
    # Threads of a client that still wait for something would keep the script alive.
    os._exit(1 if failed else 0)
