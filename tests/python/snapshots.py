"""Snapshots, what is restored or rolled back from them, and clones; all data compared by checksum."""

import os

from checks import (NODE, POOL, POOL_FOLDER, cases, checksum, client, device, equal, loops, made, refused, request,
                    size_of, volume, volumes_of, walk, warned, write)

lin = client()
SUMS = {}


def snapshots(resource=None):
    found = walk(lin.snapshot_dfn_list_raise(filter_by_resources=[resource] if resource else None))
    return found.snapshots


def taken():
    path = volume(lin, "src")
    SUMS["old"] = write(path)
    made(lin.snapshot_create([], "src", "first"))
    SUMS["new"] = write(path)
    snapshot = snapshots("src")[0]
    equal((snapshot.rsc_name, snapshot.name, snapshot.nodes), ("src", "first", [NODE]))
    assert "SUCCESSFUL" in snapshot.flags, snapshot.flags
    equal([each.size for each in snapshot.snapshot_volume_definitions], [16384])
    equal(checksum(path), SUMS["new"])
    refused(lin.snapshot_create([], "src", "first"), 514, 516)
    refused(lin.snapshot_create([], "src", "?"), 218)
    refused(lin.snapshot_create([], "nowhere", "first"), 301)
    refused(lin.snapshot_create(["nowhere"], "src", "other"), 300, 302)
    made(lin.snapshot_dfn_modify("src", "first", {"Aux/why": "before"}))
    equal(snapshots("src")[0].data_v1["props"].get("Aux/why"), "before")


def restored():
    made(lin.resource_dfn_create("dst", layer_list=["STORAGE"]))
    made(lin.snapshot_volume_definition_restore("src", "first", "dst"))
    made(lin.snapshot_resource_restore([], "src", "first", "dst"))
    path = device(lin, "dst")
    equal((size_of(path), checksum(path)), (16 << 20, SUMS["old"]))
    own = write(path)
    equal((checksum(path), checksum(device(lin, "src"))), (own, SUMS["new"]))
    refused(lin.snapshot_resource_restore([], "src", "nowhere", "dst"), 313, 315)
    refused(lin.snapshot_volume_definition_restore("src", "first", "nowhere"), 301)


def restored_ones_grow():
    made(lin.volume_dfn_modify("dst", 0, size=32768))
    equal(size_of(device(lin, "dst")), 32 << 20)
    made(lin.resource_dfn_delete("dst"))


def rolled_back():
    made(lin.snapshot_rollback("src", "first"))
    equal(checksum(device(lin, "src")), SUMS["old"])
    write(device(lin, "src"))
    made(lin.snapshot_rollback("src", "first"))
    equal(checksum(device(lin, "src")), SUMS["old"])
    refused(lin.snapshot_rollback("src", "nowhere"), 313, 315)
    equal(len(snapshots("src")), 1)


def many_at_once():
    written = {name: write(volume(lin, name)) for name in ("one", "two")}
    made(lin.snapshot_create_multi([], ["one", "two"], "both"))
    equal(sorted((each.rsc_name, each.name) for each in snapshots() if each.name == "both"),
          [("one", "both"), ("two", "both")])
    for name in written:
        write(device(lin, name))
        made(lin.snapshot_rollback(name, "both"))
        equal(checksum(device(lin, name)), written[name])
    refused(lin.snapshot_create_multi([], ["one", "nowhere"], "neither"), 301)
    equal([each for each in snapshots() if each.name == "neither"], [])
    for name in written:
        made(lin.snapshot_delete(name, "both"))
        made(lin.resource_dfn_delete(name))


def cloned():
    started = lin.resource_dfn_clone("src", "copy")
    equal((started.source_name, started.clone_name), ("src", "copy"))
    made(started.messages)
    assert lin.resource_dfn_clone_wait_complete("src", "copy", wait_interval=0.1, timeout=60)
    equal(checksum(device(lin, "copy")), SUMS["old"])
    own = write(device(lin, "copy"))
    equal((checksum(device(lin, "copy")), checksum(device(lin, "src"))), (own, SUMS["old"]))
    again = lin.resource_dfn_clone("src", "copy")
    refused(again.messages, 501)
    equal(request("GET", "/v1/resource-definitions/src/clone/nowhere")[0], 404)
    equal(request("GET", "/v1/resource-definitions/src/sync-status"), (200, {"synced_on_all": True}))
    made(lin.resource_dfn_delete("copy"))
    equal(checksum(device(lin, "src")), SUMS["old"])


def its_source_may_go_first():
    refused(lin.resource_dfn_delete("src"))
    made(lin.resource_delete(NODE, "src"))
    equal((volumes_of(lin, "src"), loops()), ([], []))
    equal(len(snapshots("src")), 1)
    made(lin.resource_dfn_create("late", layer_list=["STORAGE"]))
    made(lin.snapshot_volume_definition_restore("src", "first", "late"))
    made(lin.snapshot_resource_restore([NODE], "src", "first", "late", {POOL: POOL}))
    equal(checksum(device(lin, "late")), SUMS["old"])
    made(lin.snapshot_delete("src", "first"))
    warned(lin.snapshot_delete("src", "first"), 3000)
    equal(checksum(device(lin, "late")), SUMS["old"])
    made(lin.resource_dfn_delete("late"))
    made(lin.resource_dfn_delete("src"))
    equal(os.listdir(POOL_FOLDER), [])


cases(taken, restored, restored_ones_grow, rolled_back, many_at_once, cloned, its_source_may_go_first)
