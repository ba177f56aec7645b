"""Volumes with data: made, grown, formatted, mounted, made available, taken out of use, deleted."""

import os

import linstor
from linstor.resource import Resource, Volume

from checks import (NODE, POOL, POOL_FOLDER, URI, WORK, cases, checksum, client, device, equal, loops, made, ok, refused,
                    run, size_of, volume, volumes_of, walk, warned, write)

lin = client()


def step_by_step():
    made(lin.resource_dfn_create("web", layer_list=["STORAGE"], resource_group="DfltRscGrp"))
    made(lin.volume_dfn_create("web", 16384))
    made(lin.volume_dfn_create("web", 8192, volume_nr=5))
    refused(lin.volume_dfn_create("web", 8192, volume_nr=5), 503)
    refused(lin.resource_dfn_create("WEB"), 501)
    made(lin.resource_create([linstor.ResourceData(NODE, "web", storage_pool=POOL)]))
    refused(lin.resource_create([linstor.ResourceData(NODE, "web", storage_pool=POOL)]), 502)
    found = walk(lin.volume_list_raise(filter_by_resources=["web"])).resources[0]
    equal([each.number for each in found.volumes], [0, 5])
    equal([each.storage_pool_name for each in found.volumes], [POOL, POOL])
    for each in found.volumes:
        equal(each.state.disk_state, "UpToDate" if each.state.disk_state == "UpToDate" else "Created")
    equal(size_of(device(lin, "web", 5)), 8 << 20)
    equal(sorted(os.listdir(POOL_FOLDER)), ["web_00000.img", "web_00005.img"])
    first, second = write(device(lin, "web"), 16), write(device(lin, "web", 5), 8)
    equal((checksum(device(lin, "web"), 16), checksum(device(lin, "web", 5), 8)), (first, second))
    made(lin.volume_dfn_delete("web", 5))
    warned(lin.volume_dfn_delete("web", 5), 3000)
    equal(os.listdir(POOL_FOLDER), ["web_00000.img"])
    equal(checksum(device(lin, "web"), 16), first)
    listed = walk(lin.resource_dfn_list_raise(filter_by_resource_definitions=["web"])).resource_definitions[0]
    equal([each.size for each in listed.volume_definitions], [16384])


def without_a_disk_there_is_no_volume():
    made(lin.resource_delete(NODE, "web"))
    warned(lin.resource_delete(NODE, "web"), 3000)
    equal((os.listdir(POOL_FOLDER), loops()), ([], []))
    equal(volumes_of(lin, "web"), [])
    made(lin.resource_auto_place("web", 1))
    equal(len(volumes_of(lin, "web")), 1)
    ok(lin.resource_auto_place("web", 1))
    made(lin.resource_dfn_delete("web"))
    warned(lin.resource_dfn_delete("web"), 3000)


def grown_with_its_data():
    path = volume(lin, "grow")
    written = write(path, 16)
    made(lin.volume_dfn_modify("grow", 0, size=32768))
    equal((size_of(path), checksum(path, 16)), (32 << 20, written))
    more = write(path, 16, offset=16 << 20)
    equal((checksum(path, 16), checksum(path, 16, offset=16 << 20)), (written, more))
    warned(lin.volume_dfn_modify("grow", 0, size=32768), 1023)
    refused(lin.volume_dfn_modify("grow", 0, size=1 << 50))
    equal((size_of(path), checksum(path, 16)), (32 << 20, written))
    refused(lin.volume_dfn_modify("grow", 7, size=65536), 303)
    refused(lin.volume_dfn_modify("grow", 0, size=16384), 998)
    equal((size_of(path), checksum(path, 16, offset=16 << 20)), (32 << 20, more))
    run("blkdiscard", "-f", "-o", str(16 << 20), path)
    made(lin.volume_dfn_modify("grow", 0, size=16384))
    equal((size_of(path), checksum(path, 16)), (16 << 20, written))
    made(lin.resource_dfn_delete("grow"))


def formatted_and_mounted():
    for kind, least in (("ext4", 16384), ("xfs", 400 * 1024)):
        name = "fs-" + kind
        made(lin.resource_dfn_create(name, layer_list=["STORAGE"]))
        made(lin.volume_dfn_create(name, least))
        made(lin.resource_dfn_modify(name, {"FileSystem/Type": kind}))
        made(lin.resource_auto_place(name, 1, storage_pool=POOL))
        path, point = device(lin, name), os.path.join(WORK, "mnt-" + kind)
        equal(run("blkid", "-p", "-o", "value", "-s", "TYPE", path).strip(), kind)
        os.mkdir(point)
        run("mount", path, point)
        try:
            with open(os.path.join(point, "file"), "wb") as file:
                file.write(b"held")
            refused(lin.resource_dfn_delete(name), 997)
            equal(open(os.path.join(point, "file"), "rb").read(), b"held")
        finally:
            run("umount", point)
        made(lin.resource_dfn_delete(name))


def made_available():
    volume(lin, "here")
    ok(lin.resource_make_available(NODE, "here"))
    ok(lin.resource_make_available(NODE, "here", diskful=True))
    equal(len(volumes_of(lin, "here")), 1)
    refused(lin.resource_make_available("nowhere", "here"), 300)
    refused(lin.resource_make_available(NODE, "nowhere"), 301)
    made(lin.resource_dfn_delete("here"))
    made(lin.resource_dfn_create("there", layer_list=["STORAGE"]))
    made(lin.volume_dfn_create("there", 16384))
    ok(lin.resource_make_available(NODE, "there", diskful=True))
    equal(len(volumes_of(lin, "there")), 1)
    made(lin.resource_dfn_delete("there"))


def out_of_use_and_back():
    written = write(volume(lin, "idle"))
    equal([os.path.basename(name) for name in loops()], ["idle_00000.img"])
    made(lin.resource_deactivate(NODE, "idle"))
    found = walk(lin.resource_list_raise(filter_by_resources=["idle"])).resources[0]
    assert "INACTIVE" in found.flags, found.flags
    equal(loops(), [])
    made(lin.resource_activate(NODE, "idle"))
    equal(checksum(device(lin, "idle")), written)
    made(lin.resource_dfn_delete("idle"))


def the_class():
    with linstor.MultiLinstor([URI]) as multi:
        made(multi.resource_group_create("plain", layer_list=["STORAGE"], storage_pool=POOL, place_count=1))
        resource = Resource("a name for people", existing_client=multi, resource_group="plain")
        resource.placement.redundancy = 1
        resource.placement.storage_pool = POOL
        resource.volumes[0] = Volume("16MiB")
        resource.autoplace()
        equal((resource.is_diskful(NODE), resource.diskless_nodes()), (True, []))
        path = resource.volumes[0].device_path
        written = write(path)
        resource.volumes[0].size = 32 << 20
        equal((size_of(path), checksum(path)), (32 << 20, written))
        resource.snapshot_create("then")
        write(path)
        other = resource.restore_from_snapshot("then", "other")
        equal(checksum(other.volumes[0].device_path), written)
        resource.snapshot_rollback("then")
        equal(checksum(Resource("a name for people", existing_client=multi).volumes[0].device_path), written)
        copy = resource.clone("copied", timeout=60)
        equal(checksum(copy.volumes[0].device_path), written)
        assert resource.is_thin()
        for each in (copy, other, resource):
            each.delete()
        made(multi.resource_group_delete("plain"))


cases(step_by_step, without_a_disk_there_is_no_volume, grown_with_its_data, formatted_and_mounted, made_available,
      out_of_use_and_back, the_class)
