"""The master passphrase: creating, entering, changing it; what is refused without it; and that nothing shows it."""

from checks import CODE_MASK, cases, client, consts, equal, made, ok, refused, request

lin = client()
NO_KEY, EXISTS, WRONG, PROPERTY, ACCEPTED = (code & CODE_MASK for code in (
    consts.FAIL_NOT_FOUND_CRYPT_KEY, consts.FAIL_EXISTS_CRYPT_PASSPHRASE, consts.FAIL_INVLD_CRYPT_PASSPHRASE,
    consts.FAIL_INVLD_PROP, consts.PASSPHRASE_ACCEPTED))
PATH = "/v1/encryption/passphrase"


def status(expected):
    equal(request("GET", PATH), (200, {"status": expected}))
    equal(lin.crypt_status()[0].status, expected)


def accepted(replies):
    equal(ok(replies)[0].ret_code & CODE_MASK, ACCEPTED)


def without_one():
    status("unset")
    refused(lin.crypt_enter_passphrase("first"), NO_KEY)
    refused(lin.crypt_modify_passphrase("first", "second"), NO_KEY)
    made(lin.resource_dfn_create("secret", layer_list=["LUKS", "STORAGE"]))
    refused(lin.volume_dfn_create("secret", 16384, passphrase="own"), NO_KEY)


def created_once():
    made(lin.crypt_create_passphrase("first"))
    status("unlocked")
    refused(lin.crypt_create_passphrase("other"), EXISTS)


def entered():
    refused(lin.crypt_enter_passphrase("wrong"), WRONG)
    accepted(lin.crypt_enter_passphrase("first"))


def changed():
    refused(lin.crypt_modify_passphrase("wrong", "second"), WRONG)
    ok(lin.crypt_modify_passphrase("first", "zweite, \u00e4"))
    refused(lin.crypt_enter_passphrase("first"), WRONG)
    accepted(lin.crypt_enter_passphrase("zweite, \u00e4"))


def of_a_volume():
    made(lin.volume_dfn_create("secret", 16384))
    ok(lin.volume_dfn_modify_passphrase("secret", 0, "hunter2"))
    status_code, volumes = request("GET", "/v1/resource-definitions/secret/volume-definitions")
    assert status_code == 200 and "hunter2" not in str(volumes), volumes
    assert not [key for key in volumes[0].get("props", {}) if "Passphrase" in key], volumes
    made(lin.resource_dfn_delete("secret"))


def not_shown():
    _, props = request("GET", "/v1/controller/properties")
    assert not [key for key in props if key.startswith("encrypted/")], props
    refused(lin.controller_set_prop("encrypted/masterkey", "x"), PROPERTY)
    # What got into the wrong place by mistake is not repeated.
    for method, body in (("PATCH", {"hunter2": 1}), ("POST", "hunter2"), ("PUT", ["hunter2"])):
        answer = request(method, PATH, body)
        equal(answer[0], 400)
        assert "hunter2" not in str(answer), answer


cases(without_one, created_once, entered, changed, of_a_volume, not_shown)
