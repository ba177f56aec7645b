//! Rows of the table of routes: resource definitions and volume definitions. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    Two Get "/v1/resource-definitions" resourceDefinitionList
        ?"resource_definitions* with_volume_definitions props* limit offset" Nothing => 200 Many("ResourceDefinition")
        "Lists the resource definitions.";
    Two Post "/v1/resource-definitions" resourceDefinitionCreate
        One("ResourceDefinitionCreate") => 201 Entries
        "Creates a resource definition.";
    Two Get "/v1/resource-definitions/{rd}" resourceDefinitionGet
        Nothing => 200 One("ResourceDefinition")
        "Shows a resource definition, without its volumes.";
    Two Put "/v1/resource-definitions/{rd}" resourceDefinitionModify
        One("ResourceDefinitionModify") => 200 Entries
        "Changes a resource definition.";
    Two Delete "/v1/resource-definitions/{rd}" resourceDefinitionDelete Nothing => 200 Entries
        "Removes a resource definition and all its replicas.";
    Three Post "/v1/resource-definitions/{rd}/clone" resourceDefinitionClone
        One("CloneRequest") => 201 One("CloneStarted")
        "Begins to copy a resource definition with its data.";
    Three Get "/v1/resource-definitions/{rd}/clone/{clone}" resourceDefinitionCloneStatus
        Nothing => 200 One("CloneStatus")
        "Tells how a copy goes.";
    Three Get "/v1/resource-definitions/{rd}/sync-status" resourceDefinitionSyncStatus
        Nothing => 200 One("SyncStatus")
        "Tells whether every replica is up to date.";
    NotBuilt Post "/v1/resource-definitions/{rd}/files/{file}" resourceDeploy Nothing => 200 Entries
        "Puts an external file wherever the resource is.";
    NotBuilt Delete "/v1/resource-definitions/{rd}/files/{file}" resourceUndeploy
        Nothing => 200 Entries
        "Takes an external file away again.";
    Four Get "/v1/resource-definitions/properties/info" resourceDefinitionPropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a resource definition takes.";
    Four Get "/v1/stats/resource-definitions" resourceDefinitionStats Nothing => 200 One("Stats")
        "Counts the resource definitions.";
    NotBuilt Put "/v1/resource-definitions/{rd}/drbd-proxy" resourceDrbdProxyModify
        Any => 200 Entries
        "Changes options of DRBD Proxy.";
    NotBuilt Get "/v1/resource-definitions/{rd}/drbd-proxy/properties/info" drbdProxyPropertiesInfo
        Nothing => 200 Json
        "Tells which options DRBD Proxy takes.";
    NotBuilt Post "/v1/resource-definitions/{rd}/drbd-proxy/enable/{node_a}/{node_b}" resourceDrbdProxyEnable
        Any => 200 Entries
        "Puts DRBD Proxy between two replicas.";
    NotBuilt Post "/v1/resource-definitions/{rd}/drbd-proxy/disable/{node_a}/{node_b}" resourceDrbdProxyDisable
        Nothing => 200 Entries
        "Takes DRBD Proxy away from between two replicas.";
    Two Get "/v1/resource-definitions/{rd}/volume-definitions" volumeDefinitionList
        Nothing => 200 Many("VolumeDefinition")
        "Lists a resource definition's volumes.";
    Two Post "/v1/resource-definitions/{rd}/volume-definitions" volumeDefinitionCreate
        One("VolumeDefinitionCreate") => 200 Entries
        "Creates a volume definition.";
    Two Get "/v1/resource-definitions/{rd}/volume-definitions/{vn}" volumeDefinitionGet
        Nothing => 200 One("VolumeDefinition")
        "Shows a volume definition.";
    Two Put "/v1/resource-definitions/{rd}/volume-definitions/{vn}" volumeDefinitionModify
        One("VolumeDefinitionModify") => 200 Entries
        "Resizes a volume, or changes its properties and flags.";
    Two Delete "/v1/resource-definitions/{rd}/volume-definitions/{vn}" volumeDefinitionDelete
        Nothing => 200 Entries
        "Removes a volume on all nodes.";
    Four Put "/v1/resource-definitions/{rd}/volume-definitions/{vn}/encryption-passphrase"
        volumeDefinitionModifyPassphrase
        One("VolumeDefinitionModifyPassphrase") => 200 Entries
        "Changes an encrypted volume's passphrase.";
    Four Get "/v1/resource-definitions/{rd}/volume-definitions/properties/info" volumeDefinitionPropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a volume definition takes.";
};
