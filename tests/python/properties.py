"""Properties of every object, the key-value store, the controller's own, and error reports."""

import linstor

from checks import NODE, POOL, URI, cases, client, equal, made, ok, refused, request, volume, walk

lin = client()
volume(lin, "props")
made(lin.snapshot_create([], "props", "snap"))
made(lin.volume_group_create("local", volume_nr=9))


def of(method, path):
    status, body = request(method, path)
    equal(status, 200)
    return (body[0] if isinstance(body, list) else body).get("props", {})


def rsc_path(rest=""):
    return "/v1/resource-definitions/props" + rest


OBJECTS = {
    "node": (lambda s, d: lin.node_modify(NODE, property_dict=s, delete_props=d), "/v1/nodes/" + NODE),
    "pool": (lambda s, d: lin.storage_pool_modify(NODE, POOL, s, d), "/v1/nodes/{}/storage-pools/{}".format(NODE, POOL)),
    "pool definition": (lambda s, d: lin.storage_pool_dfn_modify(POOL, s, d), "/v1/storage-pool-definitions/" + POOL),
    "group": (lambda s, d: lin.resource_group_modify("local", property_dict=s, delete_props=d),
              "/v1/resource-groups/local"),
    "volume group": (lambda s, d: lin.volume_group_modify("local", 9, s, d), "/v1/resource-groups/local/volume-groups/9"),
    "definition": (lambda s, d: lin.resource_dfn_modify("props", s, d), rsc_path()),
    "volume definition": (lambda s, d: lin.volume_dfn_modify("props", 0, s, d), rsc_path("/volume-definitions/0")),
    "resource": (lambda s, d: lin.resource_modify(NODE, "props", s, d), rsc_path("/resources/" + NODE)),
    "volume": (lambda s, d: lin.volume_modify(NODE, "props", 0, s, d), rsc_path("/resources/{}/volumes/0".format(NODE))),
    "snapshot": (lambda s, d: lin.snapshot_dfn_modify("props", "snap", s, d), rsc_path("/snapshots/snap")),
}


def on_every_object():
    for name, (modify, path) in OBJECTS.items():
        before = of("GET", path)
        made(modify({"Aux/one": "1", "Aux/deep/er/two": "zwei ä"}, None))
        equal(of("GET", path), dict(before, **{"Aux/one": "1", "Aux/deep/er/two": "zwei ä"}))
        ok(modify({"Aux/one": "1"}, None))
        refused(modify({"Aux/three": "3", "Ax/one": "1"}, None), 213)
        assert "Aux/three" not in of("GET", path), "half of a refused change stayed on " + name
        made(modify(None, ["Aux/one", "Aux/deep/er/two"]))
        equal(of("GET", path), before)
        ok(modify(None, ["Aux/one"]))


def normalised():
    made(lin.resource_dfn_modify("props", {"BalanceResourcesEnabled": "nO"}))
    equal(lin.resource_dfn_props_list("props").get("BalanceResourcesEnabled"), "false")
    made(lin.resource_dfn_modify("props", None, ["BalanceResourcesEnabled"]))
    made(lin.resource_dfn_modify("props", {"DrbdOptions/Net/allow-two-primaries": "yes"}))
    equal(lin.resource_dfn_props_list("props").get("DrbdOptions/Net/allow-two-primaries"), "yes")
    refused(lin.resource_dfn_modify("props", {"DrbdOptions/Net/allow-two-primaries": "perhaps"}), 213)
    made(lin.resource_dfn_modify("props", None, ["DrbdOptions/Net/allow-two-primaries"]))
    found = lin.resource_dfn_list_raise(filter_by_props=["Aux/none"])
    equal(found.resource_definitions, [])


def of_the_controller():
    before = lin.controller_props()[0].properties
    made(lin.controller_set_prop("Aux/some where/é", "a=b&c"))
    equal(lin.controller_props()[0].properties.get("Aux/some where/é"), "a=b&c")
    made(lin.controller_del_prop("Aux/some where/é"))
    equal(lin.controller_props()[0].properties, before)
    refused(lin.controller_set_prop("NoSuchThing", "1"), 213)
    made(lin.controller_set_prop("Aux/tail/with/slashes", "1"))
    equal(request("DELETE", "/v1/controller/properties/Aux/tail/with/slashes")[0], 200)
    equal(lin.controller_props()[0].properties, before)


def version_and_reports():
    version = walk(lin.controller_version())
    assert tuple(map(int, version.rest_api_version.split("."))) >= (1, 27, 0), version.rest_api_version
    assert lin.controller_info()
    for report in lin.error_report_list():
        walk(report)
    ok(lin.error_report_delete(ids=["00000000-00000-000000"]))
    walk(lin.error_report_list(with_content=True))
    walk(lin.stats())
    walk(lin.space_reporting_query())


def key_value_store():
    store = linstor.KV("store", uri=URI)
    equal(list(store.items()), [])
    store["a/b"] = "1"
    store["c"] = "ü\n="
    equal(dict(linstor.KV("store", uri=URI).items()), {"a/b": "1", "c": "ü\n="})
    space = linstor.KV("store", uri=URI, namespace="/a/")
    equal(dict(space.items()), {"b": "1"})
    equal(walk(lin.keyvaluestores()).instances(), ["store"])
    status, body = request("GET", "/v1/key-value-store/store")
    equal((status, body[0]["props"]), (200, {"a/b": "1", "c": "ü\n="}))
    del space["b"]
    equal(dict(linstor.KV("store", uri=URI).items()), {"c": "ü\n="})
    linstor.KV("store", uri=URI).clear()
    equal(request("DELETE", "/v1/key-value-store/store")[0], 200)
    equal(walk(lin.keyvaluestores()).instances(), [])


def away_again():
    made(lin.volume_group_delete("local", 9))
    made(lin.snapshot_delete("props", "snap"))
    made(lin.resource_dfn_delete("props"))


cases(on_every_object, normalised, of_the_controller, version_and_reports, key_value_store, away_again)
