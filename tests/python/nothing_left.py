"""After a script: what the first start made is there, and nothing else; neither in lists, nor as files or loop devices."""

import os

from checks import NODE, POOL, POOL_FOLDER, cases, client, equal, loops, walk

lin = client()


def lists_are_empty():
    equal([node.name for node in walk(lin.node_list_raise()).nodes], [NODE])
    equal(walk(lin.resource_dfn_list_raise()).resource_definitions, [])
    equal(walk(lin.resource_list_raise()).resources, [])
    equal(walk(lin.volume_list_raise()).resources, [])
    equal(walk(lin.snapshot_dfn_list_raise()).snapshots, [])
    equal(walk(lin.keyvaluestores()).instances(), [])
    pools = walk(lin.storage_pool_list_raise()).storage_pools
    equal(sorted(pool.name for pool in pools), ["DfltDisklessStorPool", POOL])
    groups = walk(lin.resource_group_list_raise()).resource_groups
    equal(sorted(group.name for group in groups), ["DfltRscGrp", "local"])


def disk_is_empty():
    equal(loops(), [])
    equal(os.listdir(POOL_FOLDER), [])


cases(lists_are_empty, disk_is_empty)
