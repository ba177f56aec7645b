//! Rows of the table of routes: replicas, their volumes and pairs of replicas. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    Two Get "/v1/view/resources" viewResources
        ?"nodes* resources* storage_pools* props* limit offset" Nothing => 200 Many("Resource")
        "Lists the replicas of all resources that have volumes, with these.";
    Two Get "/v1/resource-definitions/{rd}/resources" resourceList ?"limit offset"
        Nothing => 200 Many("Resource")
        "Lists a resource's replicas, without volumes.";
    Four Post "/v1/resource-definitions/{rd}/resources" resourceCreate
        Many("ResourceCreate") => 201 Entries
        "Creates several replicas at once.";
    Two Get "/v1/resource-definitions/{rd}/resources/{node}" resourceGet
        Nothing => 200 One("Resource")
        "Shows a replica.";
    Two Post "/v1/resource-definitions/{rd}/resources/{node}" resourceCreateOnNode
        Optional("ResourceCreate") => 201 Entries
        "Creates a replica.";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}" resourceModify
        One("ResourceModify") => 200 Entries
        "Changes a replica's properties and role.";
    Two Delete "/v1/resource-definitions/{rd}/resources/{node}" resourceDelete ?"keep_tiebreaker"
        Nothing => 200 Entries
        "Removes a replica.";
    Two Post "/v1/resource-definitions/{rd}/resources/{node}/make-available" resourceMakeAvailableOnNode
        Optional("ResourceMakeAvailable") => 200 Entries
        "Sees to it that a node can use a resource.";
    Four Post "/v1/resource-definitions/{rd}/resources/{node}/activate" resourceActivate
        Nothing => 200 Entries
        "Builds a replica's layers up again.";
    Four Post "/v1/resource-definitions/{rd}/resources/{node}/deactivate" resourceDeactivate
        Nothing => 200 Entries
        "Takes a replica's layers down and keeps its data.";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}/toggle-disk" resourceToggleDisk
        One("ToggleDiskRequest") => 200 Entries
        "Gives a replica a disk, takes it away or moves it.";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}/toggle-disk/diskless" resourceToggleDiskless
        Nothing => 200 Entries
        "Takes a replica's disk away (deprecated).";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}/toggle-disk/diskless/{pool}"
        resourceToggleDisklessDisklesspool
        Nothing => 200 Entries
        "Takes a replica's disk away and names the diskless pool (deprecated).";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}/toggle-disk/diskful" resourceToggleDiskful
        Optional("ToggleDiskDiskful") => 200 Entries
        "Gives a replica a disk (deprecated).";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}/toggle-disk/diskful/{sp}" resourceToggleDiskfulStoragepool
        Optional("ToggleDiskDiskful") => 200 Entries
        "Gives a replica a disk in a pool (deprecated).";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}/migrate-disk/{from}" resourceMigrateDisk
        Optional("ToggleDiskDiskful") => 200 Entries
        "Moves another node's disk here (deprecated).";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}/migrate-disk/{from}/{sp}" resourceMigrateDiskStoragepool
        Nothing => 200 Entries
        "Moves another node's disk here into a pool (deprecated).";
    Two Post "/v1/resource-definitions/{rd}/autoplace" resourceAutoplace
        Optional("AutoPlaceRequest") => 201 Entries
        "Places replicas where they fit best.";
    Four Get "/v1/resource-definitions/{rd}/resources/properties/info" resourcePropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a replica takes.";
    Four Get "/v1/resource-definitions/{rd}/resources/{node}/volumes" resourceVolumeList
        ?"limit offset" Nothing => 200 Many("Volume")
        "Lists a replica's volumes.";
    Four Get "/v1/resource-definitions/{rd}/resources/{node}/volumes/{vn}" resourceVolumeGet
        Nothing => 200 One("Volume")
        "Shows a replica's volume.";
    Four Put "/v1/resource-definitions/{rd}/resources/{node}/volumes/{vn}" volumeModify
        One("PropsModify") => 200 Entries
        "Changes properties of a replica's volume.";
    Four Get "/v1/resource-definitions/{rd}/resources/{node}/volumes/properties/info" volumePropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a replica's volume takes.";
    Four Get "/v1/stats/resources" resourcesStats Nothing => 200 One("Stats")
        "Counts the replicas.";
    Four Get "/v1/resource-definitions/{rd}/resource-connections" resourceConnectionsList
        Nothing => 200 Many("ResourceConnection")
        "Lists the pairs of a resource's replicas.";
    Four Get "/v1/resource-definitions/{rd}/resource-connections/{node_a}/{node_b}" resourceConnectionList
        Nothing => 200 One("ResourceConnection")
        "Shows a pair of replicas; either may come first.";
    Four Put "/v1/resource-definitions/{rd}/resource-connections/{node_a}/{node_b}" resourceConnectionModify
        One("PropsModify") => 200 Entries
        "Sets properties of a pair of replicas.";
    Four Get "/v1/resource-definitions/{rd}/resource-connections/properties/info" resourceConnectionPropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a pair of replicas takes.";
    NotBuilt Delete "/v1/resource-definitions/{rd}/resources" resourceTruncate
        ?"delete_empty_resource_definition" Nothing => 200 Entries
        "Removes all replicas of a resource.";
    NotBuilt Post "/v1/resource-definitions/{rd}/resources/{node}/unmake-available" resourceUnmakeAvailable
        Nothing => 200 Entries
        "Undoes making a resource available.";
};
