"""Requests that no client should send: each is answered by a list that says why, and the server goes on."""

import http.client
import json
import socket
import threading

from checks import CODE_MASK, HOST, NODE, PORT, cases, client, equal, made, rc_list, request, volumes_of, walk

lin = client()
DEFINITIONS = "/v1/resource-definitions"
STATUS = (200, 201, 400, 403, 404, 405, 413, 500, 501)


def definition(name):
    return {"resource_definition": {"name": name, "layer_data": [{"type": "STORAGE"}]}}


def refused(answer, *codes):
    """A list of entries of which one is an error; status in the four or five hundreds, or the body was not read."""
    found = rc_list(answer)
    assert answer[0] in STATUS and answer[0] >= 400, answer
    assert any(entry["ret_code"] < 0 and entry["ret_code"] & (1 << 62) for entry in answer[1]), answer
    assert not codes or any(code in codes for code in found), (found, answer)


def healthy():
    equal(request("GET", "/health")[0], 200)
    equal(len(walk(lin.node_list_raise()).nodes), 1)


def not_json():
    for body in (b"{", b"", b"nonsense", b"[1,", b"\xff\xfe", b'{"a":1}}', b"[" * 100000, b'"text"', b"17", b"null", b"[]"):
        for method, path in (("POST", DEFINITIONS), ("POST", "/v1/nodes"), ("PUT", "/v1/nodes/" + NODE),
                             ("POST", "/v1/resource-groups/local/spawn"), ("POST", "/v1/resource-groups"),
                             ("POST", "/v1/controller/properties"), ("POST", "/v1/actions/snapshot/multi")):
            answer = request(method, path, body)
            rc_list(answer)
            assert answer[0] in STATUS, answer
            if body not in (b"", b"null", b"[]"):
                refused(answer)
    healthy()


def wrong_types():
    for body in ({"resource_definition": 1}, {"resource_definition": {"name": 1}}, {"resource_definition": {"name": None}},
                 {"resource_definition": {"name": ["a"]}}, {"resource_definition": {"name": "abc", "layer_data": "STORAGE"}},
                 {"resource_definition": {"name": "abc", "props": ["a"]}},
                 {"resource_definition": {"name": "abc", "props": {"Aux/a": {}}}}, {}):
        refused(request("POST", DEFINITIONS, body))
    for body in ({"volume_sizes": "1"}, {"volume_sizes": [{}]}, {"resource_definition_name": "abc"},
                 {"resource_definition_name": {}, "volume_sizes": [16384]}):
        refused(request("POST", "/v1/resource-groups/local/spawn", body))
    refused(request("PUT", "/v1/nodes/" + NODE, {"override_props": "x"}))
    refused(request("PUT", "/v1/nodes/" + NODE, {"delete_props": {"x": 1}}))
    equal(lin.resource_dfn_list_raise().resource_definitions, [])


def unknown_fields_and_queries():
    status, _ = answer = request("POST", DEFINITIONS + "?nonsense=1&limit=x", dict(definition("odd"), nonsense={"a": [1]}))
    assert status in (201, 400, 500), answer
    rc_list(answer)
    request("DELETE", DEFINITIONS + "/odd")
    for path in ("/v1/nodes?limit=-1", "/v1/nodes?limit=x&offset=y", "/v1/nodes?nodes=%ff", "/v1/view/resources?offset=99999999999999999999"):
        status, body = request("GET", path)
        assert status in (200, 400, 500) and isinstance(body, list), (path, status, body)


def names():
    for name in ("", "a", "-a", "1a", "a b", "a/b", "../../etc", "a\0b", "é" * 10, "x" * 49, "x" * 100000, "all", "a\nb", "$(id)"):
        refused(request("POST", DEFINITIONS, definition(name)), 202)
        if name != "all":
            refused(request("POST", "/v1/resource-groups", {"name": name}), 237)
    for name in ("", "-a", "a b", "a/b", "../../etc", "a\0b", ".a", "a_b", "x" * 256, "x" * 100000):
        refused(request("POST", "/v1/nodes", {"name": name, "type": "SATELLITE", "net_interfaces": [
            {"name": "default", "address": "127.0.0.1"}]}), 200)
    equal(lin.resource_dfn_list_raise().resource_definitions, [])
    equal(request("GET", "/v1/nodes/" + "x" * 4000)[0], 404)
    rc_list(request("GET", "/v1/nothing/of/the/kind"))
    equal(request("GET", "/v1/nothing/of/the/kind")[0], 404)
    equal(request("PATCH", "/v1/nodes")[0], 405)


def sizes():
    equal(request("POST", DEFINITIONS, definition("sized"))[0], 201)
    path = DEFINITIONS + "/sized/volume-definitions"
    for size in (0, -1, -2 ** 63, 2 ** 63 - 1, 2 ** 63, 2 ** 64, 10 ** 40, 1.5, 16384.0, "16384", "16MiB", True, None, [], {}, 2 ** 53):
        answer = request("POST", path, {"volume_definition": {"size_kib": size}})
        rc_list(answer)
        if size != 16384.0 and size != "16384":
            refused(answer)
    for number in (-1, 65535, 2 ** 40, "x"):
        refused(request("POST", path, {"volume_definition": {"size_kib": 16384, "volume_number": number}}))
    for size in (0, -1, 2 ** 62, 1.5, "x"):
        refused(request("POST", "/v1/resource-groups/local/spawn", {"resource_definition_name": "spawned", "volume_sizes": [size]}))
    equal([each.name for each in lin.resource_dfn_list_raise().resource_definitions], ["sized"])
    equal(volumes_of(lin, "sized"), [])
    equal(request("DELETE", DEFINITIONS + "/sized")[0], 200)


def ten_thousand_properties():
    many = {"Aux/key-{}".format(number): "value" for number in range(10000)}
    refused(request("PUT", "/v1/nodes/" + NODE, {"override_props": many}))
    refused(request("POST", DEFINITIONS, {"resource_definition": {"name": "many", "props": many}}))
    refused(request("PUT", "/v1/nodes/" + NODE, {"override_props": {"Aux/" + "k" * 100000: "v"}}))
    refused(request("PUT", "/v1/nodes/" + NODE, {"override_props": {"Aux/v": "v" * 1000000}}))
    refused(request("PUT", "/v1/nodes/" + NODE, {"override_props": {"Aux/v": "v" * 20000000}}))
    status, body = request("GET", "/v1/nodes/" + NODE)
    equal([key for key in body.get("props", {}) if key.startswith("Aux/")], [])


def cut_off_half_way():
    body = json.dumps(definition("cut")).encode()
    head = "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    whole = head.format(DEFINITIONS, len(body)).encode() + body
    for length in range(1, len(whole), 7):
        with socket.create_connection((HOST, int(PORT)), timeout=10) as connection:
            connection.sendall(whole[:length])
    for text in (b"\0" * 100, b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5000 + b"\r\n"):
        with socket.create_connection((HOST, int(PORT)), timeout=10) as connection:
            try:
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(4096)
            except OSError:
                pass
    equal(lin.resource_dfn_list_raise().resource_definitions, [])
    healthy()


def a_thousand_identical_creates():
    def create(rounds, answers):
        connection = http.client.HTTPConnection(HOST, int(PORT), timeout=60)
        for _ in range(rounds):
            connection.request("POST", DEFINITIONS, json.dumps(definition("same")), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answers.append((answer.status, json.loads(answer.read())))
        connection.close()

    answers = []
    threads = [threading.Thread(target=create, args=(10, answers)) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(len(answers), 1000)
    for status, entries in answers:
        rc_list((status, entries))
        if status != 201:
            equal((status, entries[0]["ret_code"] & CODE_MASK), (500, 501))
    equal(sum(status == 201 for status, _ in answers), 1)
    equal([each.name for each in lin.resource_dfn_list_raise().resource_definitions], ["same"])
    made(lin.resource_dfn_delete("same"))
    healthy()


cases(not_json, wrong_types, unknown_fields_and_queries, names, sizes, ten_thousand_properties, cut_off_half_way,
      a_thousand_identical_creates)
