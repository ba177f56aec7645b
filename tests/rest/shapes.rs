//! Every read of a cluster made by hand: what comes is what the shapes say, no more, no less, and what clients know.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zea::protocols::rest::{
    body, connection, controller, definition, encryption, group, kvs, node, own, pool, props, remote, resource,
    size_query, snapshot,
};

use super::client::{ask, get};
use super::stage::{cluster, serve};

/// The answer printed again by its shape: differs if a member is misspelt, missing, superfluous or empty.
fn echo<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Value {
    serde_json::to_value(body::read::<T>(bytes).unwrap()).unwrap()
}

type Echo = fn(&[u8]) -> Value;
type Map<T> = std::collections::BTreeMap<String, T>;

const READS: &[(&str, Echo)] = &[
    ("/v1/nodes", echo::<Vec<node::Node>>),
    ("/v1/nodes/alpha", echo::<node::Node>),
    ("/v1/nodes/beta/", echo::<node::Node>),
    ("/v1/nodes/ALPHA/net-interfaces", echo::<Vec<node::NetInterface>>),
    ("/v1/nodes/alpha/net-interfaces/default", echo::<node::NetInterface>),
    ("/v1/nodes/alpha/config", echo::<node::SatelliteConfig>),
    ("/v1/nodes/properties/info", echo::<Map<props::PropsInfo>>),
    ("/v1/node-connections", echo::<Vec<connection::NodeConnection>>),
    ("/v1/nodes/alpha/storage-pools", echo::<Vec<pool::StoragePool>>),
    ("/v1/nodes/alpha/storage-pools/pool_ssd", echo::<pool::StoragePool>),
    ("/v1/view/storage-pools?cached=true&limit=0&offset=0", echo::<Vec<pool::StoragePool>>),
    ("/v1/storage-pool-definitions", echo::<Vec<pool::StoragePoolDefinition>>),
    ("/v1/storage-pool-definitions/DfltStorPool", echo::<pool::StoragePoolDefinition>),
    ("/v1/resource-groups", echo::<Vec<group::ResourceGroup>>),
    ("/v1/resource-groups/fast", echo::<group::ResourceGroup>),
    ("/v1/resource-groups/fast/volume-groups", echo::<Vec<group::VolumeGroup>>),
    ("/v1/resource-groups/fast/volume-groups/0", echo::<group::VolumeGroup>),
    ("/v1/resource-groups/fast/query-max-volume-size", echo::<size_query::MaxVolumeSizes>),
    ("/v1/resource-definitions", echo::<Vec<definition::ResourceDefinition>>),
    ("/v1/resource-definitions?with_volume_definitions=True", echo::<Vec<definition::ResourceDefinition>>),
    ("/v1/resource-definitions/res1", echo::<definition::ResourceDefinition>),
    ("/v1/resource-definitions/res1/volume-definitions", echo::<Vec<definition::VolumeDefinition>>),
    ("/v1/resource-definitions/res1/volume-definitions/0", echo::<definition::VolumeDefinition>),
    ("/v1/resource-definitions/res1/sync-status", echo::<definition::SyncStatus>),
    ("/v1/resource-definitions/res1/resources", echo::<Vec<resource::Resource>>),
    ("/v1/resource-definitions/res1/resources/alpha", echo::<resource::Resource>),
    ("/v1/resource-definitions/res1/resources/alpha/volumes", echo::<Vec<resource::Volume>>),
    ("/v1/resource-definitions/res1/resources/beta/volumes/0", echo::<resource::Volume>),
    ("/v1/resource-definitions/res1/resource-connections", echo::<Vec<connection::ResourceConnection>>),
    ("/v1/resource-definitions/res1/resource-connections/beta/alpha", echo::<connection::ResourceConnection>),
    ("/v1/view/resources", echo::<Vec<resource::Resource>>),
    ("/v1/view/snapshots", echo::<Vec<snapshot::Snapshot>>),
    ("/v1/resource-definitions/res1/snapshots", echo::<Vec<snapshot::Snapshot>>),
    ("/v1/resource-definitions/res1/snapshots/SNAP1", echo::<snapshot::Snapshot>),
    ("/v1/controller/version", echo::<controller::ControllerVersion>),
    ("/v1/controller/properties", echo::<Map<String>>),
    ("/v1/controller/properties/info", echo::<Map<props::PropsInfo>>),
    ("/v1/controller/config", echo::<controller::ControllerConfig>),
    ("/v1/controller/properties/info/all", echo::<Map<Map<props::PropsInfo>>>),
    ("/v1/key-value-store", echo::<Vec<kvs::KeyValueStore>>),
    ("/v1/key-value-store/csi-backup-mapping", echo::<Vec<kvs::KeyValueStore>>),
    ("/v1/encryption/passphrase", echo::<encryption::PassphraseStatus>),
    ("/v1/remotes", echo::<remote::RemoteList>),
    ("/v1/remotes/s3", echo::<Vec<remote::S3Remote>>),
    ("/v1/stats/nodes", echo::<controller::Stats>),
    ("/v1/stats/resources", echo::<controller::Stats>),
    ("/v1/stats/storage-pools", echo::<controller::Stats>),
    ("/v1/stats/error-reports", echo::<controller::Stats>),
    ("/v1/space-report", echo::<controller::SpaceReport>),
    ("/metrics/scrape-target", echo::<Vec<own::ScrapeTargets>>),
    ("/v1/zea/actors", echo::<Vec<zea::actors::system::ActorInfo>>),
    ("/v1/zea/openapi.json", echo::<Value>),
    ("/v1/zea/explain/res1", echo::<Value>),
];

#[test]
fn every_read_is_as_its_shape_says() {
    let stage = serve(cluster());
    for (target, echo) in READS {
        let answer = get(stage.address, target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json", "{target}");
        let json = answer.json();
        assert_eq!(json, echo(&answer.body), "{target}");
        if let Value::Array(list) = &json {
            assert!(!list.is_empty() || target.contains("connections") || target.contains("s3"), "{target}");
        }
    }
    let posts: [(&str, Echo); 2] = [
        ("/v1/resource-groups/fast/query-size-info", echo::<size_query::QuerySizeInfoResponse>),
        ("/v1/queries/resource-groups/query-all-size-info", echo::<size_query::QueryAllSizeInfoResponse>),
    ];
    for (target, echo) in posts {
        for body in ["", "null", "{\"select_filter\":{\"place_count\":1}}"] {
            let answer = ask(stage.address, "POST", target, "", body);
            assert_eq!((answer.status, answer.json()), (200, echo(&answer.body)), "{target} {body}");
        }
    }
}

/// The example of the fact sheet (§3.18), but for what DRBD's events tell: no node tells of that yet.
#[test]
fn a_replica_as_clients_know_it() {
    let stage = serve(cluster());
    let json = get(stage.address, "/v1/view/resources?nodes=alpha").json();
    let drbd_definition = json!({"peer_slots":7,"al_stripes":1,"al_stripe_size_kib":32,"port":-1,"transport_type":"IP",
        "secret":"s3cr3t","down":false});
    let drbd_volume = json!({"drbd_volume_definition":{"volume_number":0,"minor_number":1000},
        "device_path":"/dev/drbd1000","backing_device":"/dev/vg0/res1_00000","allocated_size_kib":1048840,
        "usable_size_kib":1048576});
    let storage_volume = json!({"volume_number":0,"device_path":"/dev/vg0/res1_00000","allocated_size_kib":1052672,
        "usable_size_kib":1048840});
    let expected = json!([{"name":"Res1","node_name":"Alpha","uuid":"5e4d1a9c-2c0c-4c5c-9f57-0a6d3c1b7e11",
        "create_timestamp":1767225600123_i64,"props":{"StorPoolName":"pool_ssd"},
        "layer_object":{"type":"DRBD",
            "children":[{"type":"STORAGE","storage":{"storage_volumes":[storage_volume]}}],
            "drbd":{"drbd_resource_definition":drbd_definition,"node_id":0,"tcp_ports":[7000],"peer_slots":7,
                "al_stripes":1,"al_size":32,"drbd_volumes":[drbd_volume]}},
        "state":{"in_use":false},
        "volumes":[{"volume_number":0,"storage_pool_name":"pool_ssd","provider_kind":"LVM",
            "device_path":"/dev/drbd1000","allocated_size_kib":1052672,"uuid":"a2a4d4f7-4c0e-4d7e-8f0b-6f5f6f0c9a01",
            "state":{"disk_state":"UpToDate"},
            "layer_data_list":[{"type":"DRBD","data":drbd_volume},{"type":"STORAGE","data":storage_volume}]}]}]);
    assert_eq!(json, expected);
}

#[test]
fn a_diskless_replica_on_a_silent_node() {
    let stage = serve(cluster());
    let json = get(stage.address, "/v1/view/resources?nodes=beta").json();
    let replica = &json[0];
    assert_eq!(replica["flags"], json!(["DISKLESS", "DRBD_DISKLESS"]));
    assert_eq!(replica["volumes"][0]["provider_kind"], "DISKLESS");
    assert_eq!(replica["layer_object"]["drbd"]["node_id"], 1);
    for absent in ["state", "device_path", "allocated_size_kib"] {
        assert_eq!(replica["volumes"][0][absent], Value::Null, "{absent}");
    }
    assert_eq!(replica["state"], Value::Null);
}

#[test]
fn nodes_and_pools_tell_only_what_is_known() {
    let stage = serve(cluster());
    let nodes = get(stage.address, "/v1/nodes").json();
    assert_eq!(nodes[0]["name"], "Alpha");
    assert_eq!(nodes[0]["connection_status"], "ONLINE");
    assert_eq!(nodes[0]["storage_providers"], json!(["DISKLESS", "LVM"]));
    assert_eq!(nodes[0]["unsupported_providers"], json!({"ZFS":["no zfs"]}));
    assert_eq!(nodes[1]["connection_status"], "OFFLINE");
    assert_eq!(nodes[1]["storage_providers"], Value::Null);
    let pools = get(stage.address, "/v1/view/storage-pools?cached=true&storage_pools=POOL_ssd").json();
    assert_eq!((&pools[0]["free_capacity"], &pools[0]["total_capacity"]), (&json!(4_000_000), &json!(8_000_000)));
    assert_eq!(pools[0]["free_space_mgr_name"], "Alpha;pool_ssd");
    assert_eq!(pools[0]["static_traits"], json!({"Provisioning":"Fat","SupportsSnapshots":"false"}));
    assert_eq!(pools[1]["free_capacity"], Value::Null);
    assert_eq!(pools[1]["reports"][0]["ret_code"], json!(-9223372036854774806_i64));
    let diskless = get(stage.address, "/v1/nodes/beta/storage-pools/dfltdisklessstorpool").json();
    assert_eq!(diskless["free_capacity"], json!(i64::MAX));
    assert_eq!(get(stage.address, "/v1/nodes/beta/config").status, 503);
    assert_eq!(
        get(stage.address, "/metrics/scrape-target").json(),
        json!([{"targets":["10.0.0.1:9942","[fd00::2]:9942"]}])
    );
}

#[test]
fn groups_read_back_as_they_were_written() {
    let stage = serve(cluster());
    let group = get(stage.address, "/v1/resource-groups/fast").json();
    let filter = json!({"place_count":2,"storage_pool":"pool_ssd","storage_pool_list":["pool_ssd"],
        "replicas_on_same":["Aux/site"],"x_replicas_on_different_map":{"Aux/rack":1},
        "layer_stack":["DRBD","STORAGE"],"diskless_on_remaining":false});
    assert_eq!((&group["select_filter"], &group["description"]), (&filter, &json!("d\"quoted\"")));
}

#[test]
fn snapshots_overlay_properties_and_tell_their_moment() {
    let stage = serve(cluster());
    let snapshot = &get(stage.address, "/v1/view/snapshots?nodes=ALPHA&resources=res1").json()[0];
    assert_eq!(snapshot["props"], json!({"Aux/owner":"you","Aux/x":"1"}));
    assert_eq!(snapshot["nodes"], json!(["Alpha"]));
    assert_eq!(snapshot["flags"], json!(["SUCCESSFUL"]));
    assert_eq!(snapshot["snapshots"][0]["create_timestamp"], json!(1767225600500_i64));
    assert_eq!(get(stage.address, "/v1/view/snapshots?nodes=beta").json(), json!([]));
}

#[test]
fn what_is_not_there_is_404_with_a_bare_code() {
    let stage = serve(cluster());
    for (target, code) in [
        ("/v1/nodes/gamma", 300),
        ("/v1/nodes/a%2Fb", 300),
        ("/v1/nodes/gamma/storage-pools", 300),
        ("/v1/resource-definitions/none", 301),
        ("/v1/resource-definitions/none/resources", 301),
        ("/v1/resource-definitions/none/snapshots", 301),
        ("/v1/resource-definitions/res1/resources/gamma", 302),
        ("/v1/resource-definitions/res1/volume-definitions/1", 303),
        ("/v1/resource-definitions/res1/volume-definitions/x", 303),
        ("/v1/resource-definitions/res1/resources/alpha/volumes/7", 304),
        ("/v1/nodes/alpha/net-interfaces/eth7", 305),
        ("/v1/node-connections?node_a=alpha&node_b=beta", 306),
        ("/v1/storage-pool-definitions/none", 309),
        ("/v1/nodes/alpha/storage-pools/none", 310),
        ("/v1/resource-definitions/res1/snapshots/none", 315),
        ("/v1/key-value-store/none", 316),
        ("/v1/resource-groups/none", 317),
        ("/v1/resource-groups/fast/volume-groups/1", 318),
        ("/v1/resource-definitions/res1/clone/res1", 301),
    ] {
        let answer = get(stage.address, target);
        let (ret_code, text) = answer.entry();
        assert_eq!((answer.status, ret_code), (404, -4_611_686_018_427_387_904 + code), "{target}: {text}");
    }
}
