"""A real S3 server for the tests: OpenStack Swift behind its S3 API, all of its servers in this one process.

s3-server.py DIRECTORY USER SECRET    keeps what it is given below DIRECTORY, an empty one on a disk with extended
attributes; prints its port once it serves, and ends with its standard input. The access key is test:USER.
"""

import os
import sys

import eventlet

eventlet.monkey_patch()

from eventlet import tpool, wsgi
from swift.common import constraints, storage_policy, utils

directory, user, secret = sys.argv[1:4]

conf_file = os.path.join(directory, "swift.conf")
with open(conf_file, "w") as out:
    out.write("[swift-hash]\nswift_hash_path_suffix = tests\n")
    out.write("[storage-policy:0]\nname = gold\ndefault = yes\n")
utils.SWIFT_CONF_FILE = conf_file
utils.HASH_PATH_SUFFIX = b"tests"
utils.HASH_PATH_PREFIX = b""
constraints.SWIFT_CONF_FILE = conf_file
storage_policy.reload_storage_policies()

from swift.account.server import AccountController
from swift.common.middleware import catch_errors, copy, gatekeeper, listing_formats, slo, tempauth
from swift.common.middleware.s3api import s3api
from swift.common.ring import RingBuilder
from swift.container.server import ContainerController
from swift.obj.server import ObjectController
from swift.proxy.server import Application


class NoCache:
    """Stands where Swift looks for memcached, and keeps nothing."""

    def __init__(self, app):
        self.app = app

    def __call__(self, env, start_response):
        env["swift.cache"] = self
        return self.app(env, start_response)

    def get(self, *_args, **_options):
        return None

    def set(self, *_args, **_options):
        pass

    delete = set


def listen():
    return eventlet.listen(("127.0.0.1", 0))


def serve(socket, app):
    eventlet.spawn(wsgi.server, socket, app, log=open(os.devnull, "w"), log_output=False)


def write_ring(name, port):
    """One copy of everything, on the one disk there is."""
    device = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "disk", "weight": 1.0}
    builder = RingBuilder(1, 1, 1)
    builder.add_dev(device)
    builder.rebalance()
    builder.get_ring().save(os.path.join(directory, name + ".ring.gz"))


devices = os.path.join(directory, "devices")
os.makedirs(os.path.join(devices, "disk"))
conf = {"swift_dir": directory, "devices": devices, "mount_check": "false", "log_level": "CRITICAL"}

storage = {"account": AccountController, "container": ContainerController, "object": ObjectController}
sockets = {name: listen() for name in storage}
for name, socket in sockets.items():
    write_ring(name, socket.getsockname()[1])
for name, controller in storage.items():
    serve(sockets[name], controller(conf))

app = Application(dict(conf, account_autocreate="true"))
for module, settings in [
    (slo, {"min_segment_size": "1"}),
    (copy, {}),
    (tempauth, {"user_test_" + user: secret + " .admin"}),
    (s3api, {"location": "us-east-1"}),
    (listing_formats, {}),
    (gatekeeper, {}),
    (catch_errors, {}),
]:
    app = module.filter_factory(conf, **settings)(app)
port = listen()
serve(port, NoCache(app))
print(port.getsockname()[1], flush=True)
tpool.execute(sys.stdin.read)
os._exit(0)
