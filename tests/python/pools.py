"""Storage pools and their definitions: the first start's, and a thick one of files in another folder."""

import os

from checks import NODE, POOL, WORK, cases, checksum, client, device, equal, made, refused, request, walk, warned, write

lin = client()
THICK = os.path.join(WORK, "thick")


def pool(name):
    found = walk(lin.storage_pool_list_raise(filter_by_stor_pools=[name])).storage_pools
    return found[0] if found else None


def the_first_pool():
    first = pool(POOL)
    equal((first.node_name, first.provider_kind, first.is_thin()), (NODE, "FILE_THIN", True))
    assert first.supports_snapshots(), first.data_v1
    assert 0 < first.free_space.free_capacity <= first.free_space.total_capacity, first.data_v1
    diskless = pool("DfltDisklessStorPool")
    equal((diskless.provider_kind, diskless.is_diskless()), ("DISKLESS", True))
    status, body = request("GET", "/v1/nodes/{}/storage-pools/{}".format(NODE, POOL))
    equal((status, body["storage_pool_name"]), (200, POOL))


def a_thick_one():
    os.mkdir(THICK)
    made(lin.storage_pool_create(NODE, "thick", "FILE", THICK))
    thick = pool("thick")
    equal((thick.provider_kind, thick.is_thin(), thick.reports), ("FILE", False, []))
    refused(lin.storage_pool_create(NODE, "thick", "FILE", THICK), 510)
    refused(lin.storage_pool_create(NODE, "x y", "FILE", THICK), 208)
    refused(lin.storage_pool_create("nowhere", "thick", "FILE", THICK), 300)
    made(lin.resource_dfn_create("fat", layer_list=["STORAGE"]))
    made(lin.volume_dfn_create("fat", 16384))
    made(lin.resource_auto_place("fat", 1, storage_pool="thick"))
    path = device(lin, "fat")
    written = write(path, 16)
    equal(checksum(path, 16), written)
    files = [os.path.join(THICK, name) for name in os.listdir(THICK)]
    assert any(os.stat(name).st_blocks * 512 >= 16 << 20 for name in files), files
    refused(lin.storage_pool_delete(NODE, "thick"))
    made(lin.resource_dfn_delete("fat"))
    equal(os.listdir(THICK), [])


def a_folder_that_is_not_there():
    lin.storage_pool_create(NODE, "lost", "FILE_THIN", os.path.join(WORK, "a", "b", "c"))
    lost = pool("lost")
    if lost is not None:
        made(lin.storage_pool_delete(NODE, "lost"))
    equal(pool("lost"), None)


def properties():
    made(lin.storage_pool_modify(NODE, "thick", {"Aux/tier": "cold", "MaxOversubscriptionRatio": "3"}))
    equal(pool("thick").properties.get("Aux/tier"), "cold")
    found = lin.storage_pool_list_raise(filter_by_props=["Aux/tier=cold"]).storage_pools
    equal([each.name for each in found], ["thick"])
    made(lin.storage_pool_modify(NODE, "thick", {}, ["Aux/tier"]))
    equal("Aux/tier" in pool("thick").properties, False)
    refused(lin.storage_pool_modify(NODE, "thick", {"MaxOversubscriptionRatio": "much"}), 213)
    refused(lin.storage_pool_modify(NODE, "nowhere", {"Aux/a": "b"}), 310)


def definitions():
    made(lin.storage_pool_dfn_create("fast"))
    refused(lin.storage_pool_dfn_create("fast"), 509)
    made(lin.storage_pool_dfn_modify("fast", {"Aux/x": "y"}))
    names = [each.name for each in walk(lin.storage_pool_dfn_list()[0]).storage_pool_definitions]
    assert "fast" in names and POOL in names, names
    made(lin.storage_pool_dfn_delete("fast"))
    warned(lin.storage_pool_dfn_delete("fast"), 3000)


def sizes():
    answer = walk(lin.storage_pool_dfn_max_vlm_sizes(1, storage_pool_name=POOL))
    assert answer and answer[0].candidates, answer
    equal([each.node_names for each in answer[0].candidates], [[NODE]])


def away_again():
    made(lin.storage_pool_delete(NODE, "thick"))
    warned(lin.storage_pool_delete(NODE, "thick"), 3000)
    equal(pool("thick"), None)


cases(the_first_pool, a_thick_one, a_folder_that_is_not_there, properties, definitions, sizes, away_again)
