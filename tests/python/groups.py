"""Resource groups and volume groups, what spawns from them, and how much would."""

import linstor
from linstor.resourcegroup import ResourceGroup

from checks import (NODE, POOL, URI, cases, checksum, client, device, equal, made, ok, refused, size_of, volumes_of,
                    walk, warned, within, write)

lin = client()


def group(name):
    found = walk(lin.resource_group_list_raise(filter_by_resource_groups=[name])).resource_groups
    return found[0] if found else None


def a_group():
    made(lin.resource_group_create("bronze", description="one copy", place_count=1, storage_pool=POOL,
                                   layer_list=["storage"], provider_list=["FILE_THIN"], property_dict={"Aux/a": "1"}))
    bronze = group("bronze")
    equal((bronze.description, bronze.properties), ("one copy", {"Aux/a": "1"}))
    chosen = bronze.select_filter
    equal((chosen.place_count, chosen.storage_pool_list, chosen.layer_stack), (1, [POOL], ["STORAGE"]))
    refused(lin.resource_group_create("Bronze"), 522)
    refused(lin.resource_group_create("b"), 237)
    made(lin.resource_group_modify("bronze", description="changed", property_dict={"Aux/b": "2"}, delete_props=["Aux/a"]))
    equal((group("bronze").description, group("bronze").properties), ("changed", {"Aux/b": "2"}))
    equal([each.name for each in lin.resource_group_list_raise(filter_by_props=["Aux/b=2"]).resource_groups], ["bronze"])
    refused(lin.resource_group_modify("nowhere", description="x"), 317)


def counts_as_text():
    """The linstor client hands its --place-count on as it was typed."""
    ok(lin.resource_group_modify("bronze", place_count="2"))
    equal(group("bronze").select_filter.place_count, 2)
    ok(lin.resource_group_modify("bronze", place_count="1"))
    refused(lin.resource_group_modify("bronze", place_count="many"))


def volume_groups():
    made(lin.volume_group_create("bronze"))
    made(lin.volume_group_create("bronze", volume_nr=3, property_dict={"Aux/v": "3"}))
    refused(lin.volume_group_create("bronze", volume_nr=3), 523)
    found = walk(lin.volume_group_list_raise("bronze")).volume_groups
    equal([each.number for each in found], [0, 3])
    made(lin.volume_group_modify("bronze", 3, property_dict={"Aux/v": "4"}))
    equal(walk(lin.volume_group_list_raise("bronze")).volume_groups[1].properties, {"Aux/v": "4"})
    refused(lin.volume_group_modify("bronze", 7, property_dict={"Aux/v": "4"}), 318)


def spawned():
    refused(lin.resource_group_spawn("bronze", "few", ["16MiB"]))
    made(lin.resource_group_spawn("bronze", "two", ["16MiB", "32MiB"]))
    equal(sorted(each.number for each in volumes_of(lin, "two")), [0, 3])
    equal((size_of(device(lin, "two", 0)), size_of(device(lin, "two", 3))), (16 << 20, 32 << 20))
    written = write(device(lin, "two", 3))
    equal(checksum(device(lin, "two", 3)), written)
    refused(lin.resource_group_spawn("bronze", "two", ["16MiB", "32MiB"]), 501)
    made(lin.resource_group_spawn("bronze", "plan", ["16MiB", "32MiB"], definitions_only=True))
    equal(volumes_of(lin, "plan"), [])
    # What was never placed is placed.
    ok(lin.resource_group_adjust("bronze"))
    equal(len(volumes_of(lin, "plan")), 2)
    ok(lin.resource_auto_place("plan", 1, storage_pool=POOL))
    equal(len(volumes_of(lin, "plan")), 2)
    refused(lin.resource_group_spawn("nowhere", "none", ["16MiB"]), 317)
    refused(lin.resource_group_spawn("bronze", "much", ["16MiB", "900TiB"]))
    left = [each.name for each in lin.resource_dfn_list_raise().resource_definitions]
    assert "much" not in left or volumes_of(lin, "much") == [], left
    lin.resource_dfn_delete("much")


def how_much():
    info = walk(lin.resource_group_query_size_info("bronze"))
    space = info.space_info
    free = lin.storage_pool_list_raise(filter_by_stor_pools=[POOL]).storage_pools[0].free_space
    # A thin pool gives 20 times what it has, unless told otherwise.
    within(space.max_vlm_size_in_kib, free.free_capacity, free.total_capacity * 20)
    most = walk(lin.resource_group_qmvs("bronze"))[0]
    equal([each.node_names for each in most.candidates], [[NODE]])
    none = lin.resource_group_query_size_info("bronze", place_count=4)
    assert none is not None
    refused([lin.resource_group_query_size_info("nowhere")], 317)


def the_class():
    with linstor.MultiLinstor([URI]) as multi:
        silver = ResourceGroup("silver", existing_client=multi)
        silver.layer_list = ["STORAGE"]
        silver.redundancy = 1
        silver.storage_pool = [POOL]
        silver.nr_volumes = 1
        resource = silver.create_resource("shining", ["16MiB"])
        assert resource.volumes[0].device_path.startswith("/dev/"), resource.volumes
        resource.delete()
        silver.delete()
    equal(group("silver"), None)


def away_again():
    refused(lin.resource_group_delete("bronze"), 501)
    for name in ("two", "plan"):
        made(lin.resource_dfn_delete(name))
    made(lin.volume_group_delete("bronze", 3))
    warned(lin.volume_group_delete("bronze", 3), 3000)
    made(lin.resource_group_delete("bronze"))
    warned(lin.resource_group_delete("bronze"), 3000)


cases(a_group, counts_as_text, volume_groups, spawned, how_much, the_class, away_again)
