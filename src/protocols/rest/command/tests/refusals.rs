//! One row a refusal: code, and words of message, cause and correction.

use super::*;
use crate::model::code::*;

fn refused(line: &str, body: &str) -> Refusal {
    match ask(line, body).1 {
        Err(Untranslated::Refused(why)) => why,
        other => panic!("{line} {body}: {other:?}"),
    }
}

fn unreadable(line: &str, body: &str) -> String {
    match ask(line, body).1 {
        Err(Untranslated::Body(error)) => error.to_string(),
        other => panic!("{line} {body}: {other:?}"),
    }
}

/// Checks rows of request line, body, code and a part of what is told.
fn check(rows: &[(&str, &str, u16, &str)]) {
    for (line, body, code, part) in rows {
        let note = *refused(line, body).note;
        let (cause, cure) = (note.cause.expect(line), note.correction.expect(line));
        assert_eq!(note.code, *code, "{line} {body}: {}", note.message);
        let told = format!("{} | {cause} | {cure}", note.message);
        assert!(told.contains(part), "{line} {body}: {told}");
    }
}

const RD: &str = "POST /v1/resource-definitions";
const RES: &str = "POST /v1/resource-definitions/res1/resources/alpha";
const TOGGLE: &str = "PUT /v1/resource-definitions/res1/resources/alpha/toggle-disk";

#[test]
fn names_have_codes_by_kind() {
    let long = format!("POST /v1/nodes/{}/net-interfaces", "x".repeat(300));
    check(&[
        ("POST /v1/nodes", r#"{"name":"a_b","type":"Satellite"}"#, FAIL_INVLD_NODE_NAME, "may not contain '_'"),
        ("DELETE /v1/nodes/a", "", FAIL_INVLD_NODE_NAME, "2 to 255"),
        (&long, r#"{"name":"default","address":"10.0.0.1"}"#, FAIL_INVLD_NODE_NAME, "300 characters"),
        ("PUT /v1/nodes/al%20pha/reconnect", "", FAIL_INVLD_NODE_NAME, "host name"),
        ("DELETE /v1/nodes/alpha/net-interfaces/x", "", FAIL_INVLD_NET_NAME, "3 to 32"),
        ("DELETE /v1/nodes/alpha/storage-pools/9pool", "", FAIL_INVLD_STOR_POOL_NAME, "begin with '9'"),
        (
            "POST /v1/nodes/alpha/storage-pools",
            r#"{"storage_pool_name":"pool","provider_kind":"LVM","free_space_mgr_name":"a/b"}"#,
            FAIL_INVLD_FREE_SPACE_MGR_NAME,
            "contain '/'",
        ),
        ("DELETE /v1/resource-groups/x", "", FAIL_INVLD_RSC_GRP_NAME, "2 to 48"),
        ("DELETE /v1/resource-definitions/all", "", FAIL_INVLD_RSC_NAME, "reserved"),
        ("DELETE /v1/resource-definitions/r%C3%A4s", "", FAIL_INVLD_RSC_NAME, "may not contain"),
        ("DELETE /v1/resource-definitions/res1/snapshots/.", "", FAIL_INVLD_SNAPSHOT_NAME, "2 to 48"),
        ("DELETE /v1/resource-definitions/res1/snapshots/snap1?nodes=a_b", "", FAIL_INVLD_NODE_NAME, "a_b"),
        ("DELETE /v1/key-value-store/x", "", FAIL_INVLD_KVS_NAME, "2 to 48"),
        (RD, r#"{"resource_definition":{"name":"","external_name":null}}"#, FAIL_INVLD_RSC_NAME, "one of the two"),
        (RD, r#"{"resource_definition":{"name":"res1","external_name":"x"}}"#, FAIL_INVLD_EXT_NAME, "one of the two"),
        (
            "POST /v1/resource-definitions/res1/resources",
            r#"[{"resource":{"node_name":"alpha"}},{}]"#,
            FAIL_INVLD_NODE_NAME,
            "[1].resource.node_name",
        ),
    ]);
}

#[test]
fn unknown_words_come_with_the_known_ones() {
    let vd = "POST /v1/resource-definitions/res1/volume-definitions";
    check(&[
        ("POST /v1/nodes", r#"{"name":"alpha","type":"Sattelite"}"#, FAIL_INVLD_NODE_TYPE, "SATELLITE, COMBINED"),
        (
            "POST /v1/nodes/alpha/storage-pools",
            r#"{"storage_pool_name":"pool","provider_kind":"btrfs"}"#,
            FAIL_INVLD_PROVIDER,
            "FILE, FILE_THIN",
        ),
        (
            RD,
            r#"{"resource_definition":{"name":"res1","layer_data":[{"type":"raid"}]}}"#,
            FAIL_INVLD_LAYER_KIND,
            "DRBD, ",
        ),
        (
            "PUT /v1/resource-groups/rg1",
            r#"{"select_filter":{"provider_list":["lvm","x"]}}"#,
            FAIL_INVLD_PROVIDER,
            "'x' is no kind of storage pool",
        ),
        (
            "PUT /v1/nodes/alpha/net-interfaces/default",
            r#"{"satellite_encryption_type":"tls"}"#,
            FAIL_INVLD_ENCRYPT_TYPE,
            "PLAIN, SSL",
        ),
        (
            RD,
            r#"{"resource_definition":{"name":"res1"},"drbd_transport_type":"RDMA"}"#,
            FAIL_INVLD_TRANSPORT_TYPE,
            "Use one of: IP",
        ),
        (RES, r#"{"resource":{"flags":["DELETE"]}}"#, FAIL_INVLD_REQUEST, "DISKLESS, DRBD_DISKLESS"),
        (RES, r#"{"resource":{"flags":["TIE_BREAKER"]}}"#, FAIL_INVLD_REQUEST, "'TIE_BREAKER' is no flag"),
        (vd, r#"{"volume_definition":{"size_kib":4,"flags":["DELETE"]}}"#, FAIL_INVLD_REQUEST, "GROSS_SIZE"),
        (TOGGLE, r#"{"operation":"AWAY"}"#, FAIL_INVLD_REQUEST, "INTO_DRBD_DISKFUL, INTO_DRBD_DISKLESS"),
        (
            "POST /v1/resource-definitions/res1/snapshot-rollback/snap1",
            r#"{"zfs_rollback_strategy":"magic"}"#,
            FAIL_INVLD_REQUEST,
            "rollback, clone, dynamic",
        ),
    ]);
}

#[test]
fn addresses_and_numbers() {
    let interface = "POST /v1/nodes/alpha/net-interfaces";
    let vd = "POST /v1/resource-definitions/res1/volume-definitions";
    let spawn = "POST /v1/resource-groups/rg1/spawn";
    let placed = "POST /v1/resource-definitions/res1/autoplace";
    check(&[
        (interface, r#"{"name":"default","address":"node1.example"}"#, FAIL_INVLD_NET_ADDR, "literal IPv4"),
        (interface, r#"{"name":"default","address":"10.0.0.300"}"#, FAIL_INVLD_NET_ADDR, "10.0.0.300"),
        (interface, r#"{"name":"default","address":"10.0.0.1","satellite_port":0}"#, FAIL_INVLD_NET_PORT, "1 to 65535"),
        (interface, r#"{"name":"default","address":"::1","satellite_port":70000}"#, FAIL_INVLD_NET_PORT, "70000"),
        (vd, r#"{"volume_definition":{"size_kib":-1}}"#, FAIL_INVLD_VLM_SIZE, "negative"),
        (vd, r#"{"volume_definition":{"size_kib":4,"volume_number":-1}}"#, FAIL_INVLD_VLM_NR, "0 to 65534"),
        (vd, r#"{"volume_definition":{"size_kib":4,"volume_number":65535}}"#, FAIL_INVLD_VLM_NR, "0 to 65534"),
        (vd, r#"{"volume_definition":{"size_kib":4},"drbd_minor_number":1048576}"#, FAIL_INVLD_MINOR_NR, "1048575"),
        ("DELETE /v1/resource-definitions/res1/volume-definitions/one", "", FAIL_INVLD_VLM_NR, "'one'"),
        ("DELETE /v1/resource-definitions/res1/volume-definitions/99999999999", "", FAIL_INVLD_VLM_NR, "far too large"),
        ("DELETE /v1/resource-groups/rg1/volume-groups/-1", "", FAIL_INVLD_VLM_NR, "0 to 65534"),
        (spawn, r#"{"resource_definition_name":"res1","volume_sizes":[4,-4]}"#, FAIL_INVLD_VLM_SIZE, "-4 KiB"),
        (spawn, r#"{"resource_definition_name":"res1","peer_slots":0}"#, FAIL_INVLD_REQUEST, "1 to 31"),
        (RES, r#"{"drbd_node_id":32}"#, FAIL_INVLD_NODE_ID, "0 to 31"),
        (placed, r#"{"select_filter":{"place_count":-2}}"#, FAIL_INVLD_PLACE_COUNT, "-2 is no valid place count"),
        (
            placed,
            r#"{"select_filter":{"x_replicas_on_different_map":{"Aux/zone":-1}}}"#,
            FAIL_INVLD_PLACE_COUNT,
            "for each value",
        ),
    ]);
}

#[test]
fn wishes_that_nothing_carries_out_are_refused_by_name() {
    let vd = "POST /v1/resource-definitions/res1/volume-definitions";
    let clone = "POST /v1/resource-definitions/res1/clone";
    let place = "POST /v1/resource-definitions/res1/autoplace";
    let available = "POST /v1/resource-definitions/res1/resources/alpha/make-available";
    let modify = "PUT /v1/resource-definitions/res1/resources/alpha";
    let rows = [
        (RD, r#"{"resource_definition":{"name":"res1"},"drbd_port":7000}"#, "drbd_port"),
        ("PUT /v1/resource-definitions/res1", r#"{"drbd_port":7000}"#, "drbd_port"),
        (RES, r#"{"drbd_tcp_ports":[7000]}"#, "drbd_tcp_ports"),
        (RES, r#"{"drbd_tcp_port_count":2}"#, "drbd_tcp_port_count"),
        (RES, r#"{"drbd_client":true}"#, "drbd_client"),
        (RES, r#"{"snap_names":["snap1"]}"#, "snap_names"),
        (modify, r#"{"drbd_tiebreaker":true}"#, "drbd_tiebreaker"),
        (modify, r#"{"drbd_client":true}"#, "drbd_client"),
        (place, r#"{"copy_all_snaps":true}"#, "copy_all_snaps"),
        (place, r#"{"select_filter":{"diskless_type":"DRBD_DISKLESS"}}"#, "diskless_type"),
        (available, r#"{"auto_manage_dual_primary":true}"#, "auto_manage_dual_primary"),
        (vd, r#"{"volume_definition":{"size_kib":4,"flags":["ENCRYPTED"]}}"#, "ENCRYPTED"),
        (clone, r#"{"name":"res2","volume_sizes":[0,8]}"#, "volume_sizes"),
        ("POST /v1/resource-groups/rg1/adjust", r#"{"snap_names":["snap1"]}"#, "snap_names"),
        (TOGGLE, r#"{"operation":"INTO_DRBD_CLIENT"}"#, "INTO_DRBD_CLIENT"),
        (TOGGLE, r#"{"operation":"INTO_DRBD_DISKFUL","layer_list":["STORAGE"]}"#, "layer_list"),
    ];
    for (line, body, field) in rows {
        let note = *refused(line, body).note;
        assert_eq!(note.code, FAIL_INVLD_REQUEST, "{line} {body}");
        assert!(note.message.contains(field) && note.message.contains("not built"), "{line}: {}", note.message);
        let told = format!("{note:?}");
        assert!(note.correction.is_some() && !told.contains("hunter"), "{line}: {told}");
    }
}

#[test]
fn requests_that_contradict_themselves_or_ask_for_nothing() {
    check(&[
        (TOGGLE, r#"{"operation":"INTO_DRBD_DISKLESS","migrate_from":"beta"}"#, FAIL_INVLD_REQUEST, "migrate_from"),
        ("POST /v1/resource-definitions/res1/resources", "[]", FAIL_INVLD_REQUEST, "empty"),
        ("POST /v1/actions/snapshot/multi", r#"{"snapshots":[]}"#, FAIL_INVLD_REQUEST, "empty"),
    ]);
}

#[test]
fn unreadable_bodies_name_the_field() {
    let vd = "POST /v1/resource-definitions/res1/volume-definitions";
    for (line, body, part) in [
        ("POST /v1/nodes", "", "no body"),
        ("POST /v1/nodes", "null", "no body"),
        ("POST /v1/nodes", r#"{"name":"alpha""#, "not JSON"),
        ("POST /v1/nodes", r#"{"name":"alpha","type":"Satellite"} x"#, "not JSON"),
        ("POST /v1/nodes", r#"{"type":"Satellite"}"#, "`name`"),
        ("POST /v1/nodes", r#"["alpha"]"#, "the top level"),
        (vd, r#"{"volume_definition":{"size_kib":1.5}}"#, "volume_definition.size_kib"),
        (vd, r#"{"volume_definition":{"size_kib":18446744073709551616}}"#, "volume_definition.size_kib"),
        (vd, r#"{"volume_definition":{"size_kib":"1G"}}"#, "volume_definition.size_kib"),
        ("PUT /v1/resource-groups/rg1", r#"{"select_filter":{"place_count":"+2"}}"#, "select_filter.place_count"),
        ("POST /v1/resource-definitions/res1/resources", r#"{"resource":{}}"#, "the top level"),
        ("POST /v1/resource-definitions/res1/resources", r#"[{"resource":{"flags":7}}]"#, "[0].resource.flags"),
        ("PUT /v1/key-value-store/csi", r#"{"override_props":{"a":1}}"#, "override_props.a"),
        ("PATCH /v1/error-reports", r#"{"ids":"x"}"#, "ids"),
        (TOGGLE, "{}", "operation"),
        (TOGGLE, r#"{"operation":null,"storage_pool":"pool"}"#, "INTO_DRBD_DISKFUL"),
    ] {
        let text = unreadable(line, body);
        assert!(text.contains(part), "{line} {body}: {text}");
    }
}
