"""Nodes and their interfaces, with a second node whose satellite nobody started."""

from checks import NODE, cases, client, equal, free_port, made, ok, refused, request, walk, warned

lin = client()
PORT = free_port()


def node(name):
    return walk(lin.node_list_raise(filter_by_nodes=[name])).node(name)


def the_own_node():
    own = node(NODE)
    equal((own.type, own.connection_status), ("COMBINED", "ONLINE"))
    assert "FILE_THIN" in own.storage_providers and "STORAGE" in own.resource_layers, own.data_v1
    status, interfaces = request("GET", "/v1/nodes/{}/net-interfaces".format(NODE))
    equal((status, [each["name"] for each in interfaces]), (200, [each.name for each in own.net_interfaces]))
    assert interfaces and all(each["address"] for each in interfaces), interfaces
    equal(node(NODE.upper()), None)
    equal([found.name for found in lin.node_list_raise(filter_by_nodes=[NODE.upper()]).nodes], [NODE])
    status, body = request("GET", "/v1/nodes/" + NODE)
    equal((status, body["name"]), (200, NODE))
    status, body = request("GET", "/v1/nodes/nowhere")
    equal(status, 404)


def a_second_node():
    made(lin.node_create("two", "Satellite", "127.0.0.1", port=PORT, property_dict={"Aux/site": "b"}))
    two = node("two")
    equal((two.type, two.props.get("Aux/site")), ("SATELLITE", "b"))
    assert two.connection_status in ("OFFLINE", "NO_STLT_CONN"), two.connection_status
    refused(lin.node_create("two", "Satellite", "127.0.0.1", port=PORT), 500)
    refused(lin.node_create("TWO", "Satellite", "127.0.0.1", port=PORT), 500)
    refused(lin.node_create("-two", "Satellite", "127.0.0.1", port=PORT), 200)
    refused(lin.node_create("three", "Satellite", "no address", port=PORT), 210)


def properties_and_filters():
    made(lin.node_modify("two", property_dict={"Aux/rack": "7", "AutoplaceTarget": "no"}))
    equal(node("two").props.get("AutoplaceTarget"), "false")
    found = lin.node_list_raise(filter_by_props=["Aux/rack=7"]).nodes
    equal([each.name for each in found], ["two"])
    equal(lin.node_list_raise(filter_by_props=["Aux/rack=8"]).nodes, [])
    made(lin.node_modify("two", delete_props=["Aux/rack"]))
    equal("Aux/rack" in node("two").props, False)
    refused(lin.node_modify("two", property_dict={"AutoplaceTraget": "no"}), 213)
    refused(lin.node_modify("nowhere", property_dict={"Aux/a": "b"}), 300)


def interfaces():
    made(lin.netinterface_create("two", "second", "127.0.0.2"))
    made(lin.netinterface_modify("two", "second", ip="127.0.0.3"))
    equal({each.name: each.address for each in node("two").net_interfaces},
          {"default": "127.0.0.1", "second": "127.0.0.3"})
    refused(lin.netinterface_create("two", "second", "127.0.0.2"), 505)
    refused(lin.netinterface_create("two", "other", "not.an.address."), 210)
    refused(lin.netinterface_modify("two", "nowhere", ip="127.0.0.3"), 305)
    made(lin.netinterface_delete("two", "second"))
    warned(lin.netinterface_delete("two", "second"), 3000)
    equal(len(node("two").net_interfaces), 1)


def node_connections():
    made(lin.node_conn_modify(NODE, "two", {"Paths/a/" + NODE: "default", "Paths/a/two": "default"}, None))
    walk(lin.node_conn_list_raise())
    walk(lin.node_conn_list_raise(NODE, "two"))
    ok(lin.node_conn_modify(NODE, "two", None, ["Paths/a/" + NODE, "Paths/a/two"]))


def offline_nodes_do_not_place():
    made(lin.resource_dfn_create("far", layer_list=["STORAGE"]))
    made(lin.volume_dfn_create("far", 16384))
    answer = refused(lin.resource_auto_place("far", 2), 996)
    text = " ".join(" ".join(filter(None, (r.message, r.cause, r.details, r.correction))) for r in answer)
    assert "two" in text and NODE in text, text
    made(lin.resource_dfn_delete("far"))


def away_again():
    ok(lin.node_reconnect(["two"]))
    ok(lin.node_evacuate("two"))
    assert "EVACUATE" in node("two").flags, node("two").flags
    ok(lin.node_restore("two"))
    equal("EVACUATE" in node("two").flags, False)
    made(lin.node_delete("two"))
    warned(lin.node_delete("two"), 3000)
    made(lin.node_create("gone", "Satellite", "127.0.0.1", port=PORT))
    made(lin.node_lost("gone"))
    equal([each.name for each in lin.node_list_raise().nodes], [NODE])
    refused(lin.node_lost(NODE))


cases(the_own_node, a_second_node, properties_and_filters, interfaces, node_connections, offline_nodes_do_not_place,
      away_again)
