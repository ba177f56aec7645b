"""What the scripts share: the client, asserts on answers, data with its checksum, and a walk over all that a client may
read. It starts no server: the test that runs a script says by environment variables where one listens."""

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import traceback

import linstor
from linstor import sharedconsts as consts
from linstor.responses import ApiCallResponse, RESTMessageResponse

HOST, PORT = os.environ["ZEA_ADDRESS"].rsplit(":", 1)
URI = "linstor://{}:{}".format(HOST, PORT)
NODE = os.environ["ZEA_NODE"]
POOL = "local"
POOL_FOLDER = os.environ["ZEA_POOL"]
WORK = os.environ["ZEA_WORK"]

MIB = 1024 * 1024
CODE_MASK = 0x7FFF
# Read by no command: keys that no server ever sent there, and names that are left out where they are empty.
NEVER_READ = ("data_v0", "data_v1", "name_suffix", "resource_name_suffix", "StorageVolumeData.layer_type",
              "VolumeState.number")


def client():
    """A connected client of today's python-linstor."""
    lin = linstor.Linstor(URI, timeout=120, keep_alive=True)
    lin.connect()
    return lin


def said(replies):
    return "; ".join("{} [{:#x}] {} {}".format(r, r.ret_code & (1 << 64) - 1, r.cause, r.details) for r in replies)


def ok(replies):
    """Every entry is a success, a note or a warning, and there is one."""
    assert replies, "an empty answer"
    for reply in replies:
        assert isinstance(reply, ApiCallResponse), type(reply)
        assert not reply.is_error(), said(replies)
    return replies


def made(replies):
    """As `ok`, and one entry at least is a plain success."""
    ok(replies)
    assert any(reply.is_success() for reply in replies), said(replies)
    return replies


def refused(replies, *codes):
    """One entry at least is an error, of one of the codes, with a message and a cause or a cure."""
    assert replies and all(isinstance(reply, ApiCallResponse) for reply in replies), replies
    errors = [reply for reply in replies if reply.is_error()]
    assert errors, "not refused: " + said(replies)
    found = [reply.ret_code & CODE_MASK for reply in errors]
    assert not codes or any(code in codes for code in found), "{} instead of {}: {}".format(found, codes, said(replies))
    for reply in errors:
        assert reply.message, said(replies)
        assert reply.cause or reply.correction or reply.details, "neither cause nor cure: " + said(replies)
    return replies


def warned(replies, code):
    """No error, and a warning of that code."""
    ok(replies)
    assert any(reply.is_warning() and reply.ret_code & CODE_MASK == code for reply in replies), said(replies)
    return replies


def equal(found, wanted):
    assert found == wanted, "found {!r}, wanted {!r}".format(found, wanted)


def within(found, low, high):
    assert low <= found <= high, "{} is not within {} and {}".format(found, low, high)


def walk(thing, depth=0):
    """Reads every property of an answer as the tables of LINSTOR's own client do: a missing key fails here."""
    assert depth < 20
    if isinstance(thing, (list, tuple)):
        for entry in thing:
            walk(entry, depth + 1)
    elif isinstance(thing, dict):
        walk(list(thing.values()), depth + 1)
    elif isinstance(thing, RESTMessageResponse):
        for name in sorted(dir(type(thing))):
            full = "{}.{}".format(type(thing).__name__, name)
            if isinstance(getattr(type(thing), name), property) and name not in NEVER_READ and full not in NEVER_READ:
                walk(read(thing, name), depth + 1)
        json.dumps(thing.data_v1)
    return thing


def read(thing, name):
    try:
        return getattr(thing, name)
    except Exception as error:
        raise AssertionError("{}.{}: {!r} in {}".format(type(thing).__name__, name, error, thing.data_v1))


def volumes_of(lin, resource):
    found = walk(lin.resource_list_raise(filter_by_resources=[resource]))
    return [volume for rsc in lin.volume_list_raise(filter_by_resources=[resource]).resources for volume in rsc.volumes
            if found.resources]


def device(lin, resource, number=0):
    """The path under which the volume's data is; it is a block device."""
    path = {volume.number: volume.device_path for volume in volumes_of(lin, resource)}[number]
    assert os.path.exists(path), path
    return path


def size_of(path):
    """Bytes of a device, as the kernel says."""
    with open(path, "rb") as file:
        return file.seek(0, os.SEEK_END)


def write(path, mebibytes=4, offset=0):
    """Random data, on the disk before this returns; its checksum."""
    data = os.urandom(mebibytes * MIB)
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def checksum(path, mebibytes=4, offset=0):
    """Checksum of what the device holds, read anew from it."""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(offset)
        return hashlib.sha256(file.read(mebibytes * MIB)).hexdigest()


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()


def volume(lin, name, size="16MiB", **more):
    """One replica of one volume, made from the group that the first start leaves."""
    made(lin.resource_group_spawn("local", name, [size], **more))
    return device(lin, name)


def request(method, path, body=None, headers=None):
    """A bare request: status, headers and the body as JSON."""
    connection = http.client.HTTPConnection(HOST, int(PORT), timeout=60)
    try:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, data, headers or {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def rc_list(answer):
    """The answer is a list of ApiCallRc entries; their codes."""
    status, entries = answer
    assert isinstance(entries, list) and entries, answer
    for entry in entries:
        assert isinstance(entry.get("ret_code"), int) and entry.get("message"), answer
    return [entry["ret_code"] & CODE_MASK for entry in entries]


def free_port():
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cases(*functions):
    """Runs them all in order, each told by name; the script fails when one of them does."""
    failed = 0
    for function in functions:
        print("{}: {}".format(os.path.basename(sys.argv[0]), function.__name__.replace("_", " ")), flush=True)
        try:
            function()
        except Exception:
            failed += 1
            traceback.print_exc(limit=-3, file=sys.stdout)
    sys.exit(1 if failed else 0)


def loops():
    """Backing files of loop devices that lie under the work folder or the pool's."""
    found = []
    for name in os.listdir("/sys/block"):
        try:
            with open("/sys/block/{}/loop/backing_file".format(name)) as file:
                backing = file.read().rstrip("\n")
        except OSError:
            continue
        if backing.startswith(POOL_FOLDER + "/") or backing.startswith(WORK + "/"):
            found.append(backing)
    return found
