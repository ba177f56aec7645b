//! From command lines to calls: every plain command, and that each call is one that the API has.

use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::cli::args::Cli;
use crate::protocols::rest::routes::{Match, find};

/// The calls of a line: `METHOD target`, and the body.
fn calls(line: &str) -> Vec<(String, Value)> {
    let words = std::iter::once("zea").chain(line.split_whitespace());
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    let steps = match &cli.command {
        Command::Node(command) => node::steps(command),
        Command::Pool(command) => resource::pool_steps(command),
        Command::Group(command) => group::steps(command),
        Command::Definition(command) => definition::steps(command),
        Command::Volume(command) => definition::volume_steps(command),
        Command::Resource(command) => resource::steps(command),
        Command::Snapshot(command) => snapshot::steps(command),
        Command::Controller(command) => small::controller_steps(command),
        Command::Errors(command) => small::error_steps(command),
        other => panic!("{other:?} is no plain command"),
    };
    steps
        .into_iter()
        .map(|(Step::Show(call, _) | Step::Find(call, ..) | Step::Change(call))| described(&call))
        .collect()
}

fn described(call: &Call) -> (String, Value) {
    let path = call.target.split('?').next().expect("a split has a first part");
    assert!(matches!(find(call.method.as_str(), path), Match::Found { .. }), "{call:?} is no route");
    let body = call.body.as_ref().map_or(Value::Null, |body| serde_json::from_str(body).expect("JSON"));
    (format!("{} {}", call.method, call.target), body)
}

fn assert_calls(table: &[(&str, &str, Value)]) {
    for (line, target, body) in table {
        assert_eq!(calls(line), [((*target).to_owned(), body.clone())], "{line}");
    }
}

#[test]
fn nodes() {
    let nothing = Value::Null;
    assert_calls(&[
        ("node list", "GET /v1/nodes", nothing.clone()),
        ("n l alpha beta", "GET /v1/nodes?nodes=alpha&nodes=beta", nothing.clone()),
        ("node info", "GET /v1/nodes", nothing.clone()),
        (
            "n c alpha 10.0.0.1 --property Aux/site=a=b",
            "POST /v1/nodes",
            json!({"name":"alpha","type":"SATELLITE","props":{"Aux/site":"a=b"},
                "net_interfaces":[{"name":"default","address":"10.0.0.1","is_active":true}]}),
        ),
        (
            "node create beta fd00::1 --type combined --port 3367 --encryption ssl --interface fast",
            "POST /v1/nodes",
            json!({"name":"beta","type":"COMBINED","net_interfaces":[{"name":"fast","address":"fd00::1",
                "satellite_port":3367,"satellite_encryption_type":"SSL","is_active":true}]}),
        ),
        ("node delete a%b", "DELETE /v1/nodes/a%25b", nothing.clone()),
        ("node lost alpha", "DELETE /v1/nodes/alpha/lost", nothing.clone()),
        ("node evacuate alpha", "PUT /v1/nodes/alpha/evacuate", json!({})),
        (
            "node evacuate alpha --target b,c --do-not-target d",
            "PUT /v1/nodes/alpha/evacuate",
            json!({"target":["b","c"],"do_not_target":["d"]}),
        ),
        ("node restore alpha --delete-resources", "PUT /v1/nodes/alpha/restore", json!({"delete_resources":true})),
        ("node evict alpha", "PUT /v1/nodes/alpha/evict", nothing.clone()),
        ("node reconnect alpha", "PUT /v1/nodes/alpha/reconnect", nothing.clone()),
        ("node set-property alpha Aux/x 1", "PUT /v1/nodes/alpha", json!({"override_props":{"Aux/x":"1"}})),
        ("node sp alpha Aux/x", "PUT /v1/nodes/alpha", json!({"delete_props":["Aux/x"]})),
        ("node interface list alpha", "GET /v1/nodes/alpha/net-interfaces", nothing.clone()),
        (
            "n i c alpha fast 10.1.0.1 --active",
            "POST /v1/nodes/alpha/net-interfaces",
            json!({"name":"fast","address":"10.1.0.1","is_active":true}),
        ),
        ("n i m alpha fast --port 7", "PUT /v1/nodes/alpha/net-interfaces/fast", json!({"satellite_port":7})),
        ("n i d alpha fast", "DELETE /v1/nodes/alpha/net-interfaces/fast", nothing),
    ]);
    assert_eq!(calls("node reconnect a1 b1").len(), 2);
}

#[test]
fn pools_and_groups() {
    let nothing = Value::Null;
    assert_calls(&[
        ("sp l ssd --nodes a,b", "GET /v1/view/storage-pools?storage_pools=ssd&nodes=a&nodes=b", nothing.clone()),
        (
            "pool create file-thin alpha ssd /var/lib/pool",
            "POST /v1/nodes/alpha/storage-pools",
            json!({"storage_pool_name":"ssd","provider_kind":"FILE_THIN",
                "props":{"StorDriver/StorPoolName":"/var/lib/pool"}}),
        ),
        (
            "pool create lvm alpha san vg0 --shared-space 0san --external-locking",
            "POST /v1/nodes/alpha/storage-pools",
            json!({"storage_pool_name":"san","provider_kind":"LVM","props":{"StorDriver/StorPoolName":"vg0"},
                "free_space_mgr_name":"0san","external_locking":true}),
        ),
        ("pool delete alpha ssd", "DELETE /v1/nodes/alpha/storage-pools/ssd", nothing.clone()),
        ("sp sp alpha ssd k v", "PUT /v1/nodes/alpha/storage-pools/ssd", json!({"override_props":{"k":"v"}})),
        ("rg l", "GET /v1/resource-groups", nothing.clone()),
        ("rg m g1 -c 3", "PUT /v1/resource-groups/g1", json!({"select_filter":{"place_count":3}})),
        ("rg d g1", "DELETE /v1/resource-groups/g1", nothing.clone()),
        (
            "rg s g1 res1 1G 64MiB --partial",
            "POST /v1/resource-groups/g1/spawn",
            json!({"resource_definition_name":"res1","volume_sizes":[1_048_576,65_536],"partial":true,
                "definitions_only":false}),
        ),
        ("rg adjust", "POST /v1/resource-groups/adjustall", json!({})),
        ("rg adjust g1", "POST /v1/resource-groups/g1/adjust", json!({})),
        ("rg size g1", "POST /v1/resource-groups/g1/query-size-info", json!({})),
        ("rg vg l g1", "GET /v1/resource-groups/g1/volume-groups", nothing.clone()),
        ("rg vg c g1 --number 2", "POST /v1/resource-groups/g1/volume-groups", json!({"volume_number":2})),
        ("rg vg d g1 2", "DELETE /v1/resource-groups/g1/volume-groups/2", nothing),
        ("rg sp g1 k", "PUT /v1/resource-groups/g1", json!({"delete_props":["k"]})),
    ]);
}

#[test]
fn a_group_is_made_with_its_volumes() {
    let group = ("POST /v1/resource-groups".to_owned(), json!({"name":"g1","select_filter":{"place_count":2}}));
    let volume = ("POST /v1/resource-groups/g1/volume-groups".to_owned(), json!({}));
    assert_eq!(calls("group create g1 -c 2"), [group.clone(), volume.clone()]);
    assert_eq!(calls("group create g1 -c 2 --volumes 0"), std::slice::from_ref(&group));
    assert_eq!(calls("group create g1 -c 2 --volumes 2"), [group, volume.clone(), volume]);
}

#[test]
fn definitions_and_volumes() {
    let nothing = Value::Null;
    assert_calls(&[
        ("rd l", "GET /v1/resource-definitions?with_volume_definitions=true", nothing.clone()),
        ("rd c res1", "POST /v1/resource-definitions", json!({"resource_definition":{"name":"res1"}})),
        (
            "rd c res1 -g g1 -l drbd,storage --peer-slots 3 --property a=b",
            "POST /v1/resource-definitions",
            json!({"resource_definition":{"name":"res1","resource_group_name":"g1","props":{"a":"b"},
                "layer_data":[{"type":"DRBD"},{"type":"STORAGE"}]},"drbd_peer_slots":3}),
        ),
        (
            "rd c --external-name a-volume!",
            "POST /v1/resource-definitions",
            json!({"resource_definition":{"external_name":"a-volume!"}}),
        ),
        ("rd d res1", "DELETE /v1/resource-definitions/res1", nothing.clone()),
        ("rd sp res1 a b", "PUT /v1/resource-definitions/res1", json!({"override_props":{"a":"b"}})),
        (
            "vd c res1 1G",
            "POST /v1/resource-definitions/res1/volume-definitions",
            json!({"volume_definition":{"size_kib":1_048_576}}),
        ),
        (
            "vd c res1 1G --gross --number 4",
            "POST /v1/resource-definitions/res1/volume-definitions",
            json!({"volume_definition":{"size_kib":1_048_576,"volume_number":4,"flags":["GROSS_SIZE"]}}),
        ),
        (
            "volume list res1",
            "GET /v1/resource-definitions?with_volume_definitions=true&resource_definitions=res1",
            nothing.clone(),
        ),
        ("vd s res1 0 2G", "PUT /v1/resource-definitions/res1/volume-definitions/0", json!({"size_kib":2_097_152})),
        ("vd d res1 0", "DELETE /v1/resource-definitions/res1/volume-definitions/0", nothing),
    ]);
}

#[test]
fn resources_and_snapshots() {
    let nothing = Value::Null;
    let resource = "/v1/resource-definitions/res1/resources/alpha";
    assert_calls(&[
        (
            "r l res1 --nodes a --pools p",
            "GET /v1/view/resources?resources=res1&nodes=a&storage_pools=p",
            nothing.clone(),
        ),
        ("r lv", "GET /v1/view/resources", nothing.clone()),
        (
            "r c res1 alpha -s ssd",
            &format!("POST {resource}"),
            json!({"resource":{"node_name":"alpha","props":{"StorPoolName":"ssd"}}}),
        ),
        (
            "r c res1 a1 b1 --diskless -l drbd",
            "POST /v1/resource-definitions/res1/resources",
            json!([{"resource":{"node_name":"a1","flags":["DISKLESS"]},"layer_list":["DRBD"]},
                {"resource":{"node_name":"b1","flags":["DISKLESS"]},"layer_list":["DRBD"]}]),
        ),
        ("r ap res1", "POST /v1/resource-definitions/res1/autoplace", json!({})),
        (
            "r ap res1 -c 2 -s ssd",
            "POST /v1/resource-definitions/res1/autoplace",
            json!({"select_filter":{"place_count":2,"storage_pool_list":["ssd"]}}),
        ),
        (
            "r ap res1 --additional 1",
            "POST /v1/resource-definitions/res1/autoplace",
            json!({"select_filter":{"additional_place_count":1}}),
        ),
        ("r d res1 alpha", &format!("DELETE {resource}"), nothing.clone()),
        ("r d res1 alpha --keep-tiebreaker", &format!("DELETE {resource}?keep_tiebreaker=true"), nothing.clone()),
        ("r ma res1 alpha --diskful", &format!("POST {resource}/make-available"), json!({"diskful":true})),
        ("r activate res1 alpha", &format!("POST {resource}/activate"), nothing.clone()),
        ("r deactivate res1 alpha", &format!("POST {resource}/deactivate"), nothing.clone()),
        ("s l res1", "GET /v1/view/snapshots?resources=res1", nothing.clone()),
        ("s c res1 s1", "POST /v1/resource-definitions/res1/snapshots", json!({"name":"s1"})),
        (
            "s c res1 s1 --nodes a,b",
            "POST /v1/resource-definitions/res1/snapshots",
            json!({"name":"s1","nodes":["a","b"]}),
        ),
        ("s d res1 s1 --nodes a", "DELETE /v1/resource-definitions/res1/snapshots/s1?nodes=a", nothing),
        ("s rollback res1 s1", "POST /v1/resource-definitions/res1/snapshot-rollback/s1", json!({})),
        (
            "s rollback res1 s1 --zfs dynamic",
            "POST /v1/resource-definitions/res1/snapshot-rollback/s1",
            json!({"zfs_rollback_strategy":"dynamic"}),
        ),
    ]);
}

#[test]
fn the_controller_and_its_reports() {
    assert_calls(&[
        ("controller version", "GET /v1/controller/version", Value::Null),
        ("c properties", "GET /v1/controller/properties", Value::Null),
        ("c sp a/b c", "POST /v1/controller/properties", json!({"override_props":{"a/b":"c"}})),
        ("errors list --node a --limit 5", "GET /v1/error-reports?node=a&limit=5", Value::Null),
        ("errors show 1-2-3", "GET /v1/error-reports/1-2-3?withContent=true", Value::Null),
    ]);
}

#[test]
fn what_cannot_be_right_is_refused_before_it_is_sent() {
    for (line, says) in [
        ("node create alpha host.example", "address"),
        ("node create -x- 10.0.0.1", "unexpected argument"),
        ("node create under_score 10.0.0.1", "node name"),
        ("node create alpha 10.0.0.1 --port 0", "0"),
        ("node create alpha 10.0.0.1 --type toaster", "COMBINED"),
        ("pool create floppy alpha ssd", "LVM_THIN"),
        ("pool create lvm alpha x", "storage pool name"),
        ("make res1 10", "no unit"),
        ("make res1", "required"),
        ("make all 10G", "reserved"),
        ("group spawn g1 res1 0G", "range"),
        ("volume resize res1 0 5X", "'X' is no unit"),
        ("volume create res1 1G --number 65535", "65534"),
        ("definition create", "required"),
        ("definition create res1 -l foo", "layers"),
        ("resource create res1", "required"),
        ("resource create res1 a -s p --diskless", "cannot be used with"),
        ("resource autoplace res1 --additional 1 -c 2", "cannot be used with"),
        ("snapshot create res1 1", "snapshot name"),
        ("property unset disk/1 a", "kinds of object"),
        ("property unset pool/1 a", "pool/NODE/POOL"),
        ("frobnicate", "unrecognized"),
        ("--output xml url", "table, json"),
    ] {
        let words = std::iter::once("zea").chain(line.split(' '));
        let error = Cli::try_parse_from(words).expect_err(line);
        assert!(error.use_stderr(), "{line}");
        assert!(error.to_string().contains(says), "{line}: {error}");
    }
    // An empty name would turn a call for one object into one for all of them.
    assert!(Cli::try_parse_from(["zea", "node", "delete", ""]).is_err());
}

#[test]
fn the_words_are_consistent() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
}
