//! Rows of the table of routes: storage pools and free disks. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    One Get "/v1/nodes/{node}/storage-pools" nodeStoragePoolList ?"limit offset cached"
        Nothing => 200 Many("StoragePool")
        "Lists a node's storage pools.";
    One Post "/v1/nodes/{node}/storage-pools" nodeStoragePoolCreate
        One("StoragePoolCreate") => 201 Entries
        "Creates a storage pool.";
    One Get "/v1/nodes/{node}/storage-pools/{sp}" nodeStoragePoolGet ?"cached"
        Nothing => 200 One("StoragePool")
        "Shows a storage pool.";
    One Put "/v1/nodes/{node}/storage-pools/{sp}" nodeStoragePoolModify
        One("PropsModify") => 200 Entries
        "Changes a storage pool's properties.";
    One Delete "/v1/nodes/{node}/storage-pools/{sp}" nodeStoragePoolDelete Nothing => 200 Entries
        "Removes a storage pool.";
    Four Get "/v1/nodes/{node}/storage-pools/properties/info" storagePoolPropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a storage pool takes.";
    One Get "/v1/view/storage-pools" viewStoragePools
        ?"nodes* storage_pools* props* limit offset cached" Nothing => 200 Many("StoragePool")
        "Lists the storage pools of all nodes.";
    Four Get "/v1/stats/storage-pools" storagePoolsStats Nothing => 200 One("Stats")
        "Counts the storage pools.";
    Four Get "/v1/storage-pool-definitions" storagePoolDfnList ?"limit offset"
        Nothing => 200 Many("StoragePoolDefinition")
        "Lists the storage pool definitions.";
    Four Post "/v1/storage-pool-definitions" storagePoolDfnAdd
        One("StoragePoolDefinition") => 201 Entries
        "Creates a storage pool definition.";
    Four Get "/v1/storage-pool-definitions/{sp}" storagePoolDfnGet
        Nothing => 200 One("StoragePoolDefinition")
        "Shows a storage pool definition.";
    Four Put "/v1/storage-pool-definitions/{sp}" storPoolDfnModify One("PropsModify") => 200 Entries
        "Changes a storage pool definition's properties.";
    Four Delete "/v1/storage-pool-definitions/{sp}" storagePoolDefinitionDelete
        Nothing => 200 Entries
        "Removes a storage pool definition.";
    Four Get "/v1/storage-pool-definitions/properties/info" storagePoolDfnPropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a storage pool definition takes.";
    Four Options "/v1/query-max-volume-size" queryMaxVolumeSize
        One("AutoSelectFilter") => 200 One("MaxVolumeSizes")
        "Tells the largest volume that a filter can place.";
    One Get "/v1/physical-storage" viewPhysicalStorage ?"limit offset"
        Nothing => 200 Many("PhysicalStorage")
        "Lists the free disks of all nodes, alike ones together.";
    One Get "/v1/physical-storage/{node}" getPhysicalStorage
        Nothing => 200 Many("PhysicalStorageNode")
        "Lists the free disks of a node.";
    One Post "/v1/physical-storage/{node}" createDevicePool
        One("PhysicalStorageCreate") => 201 Entries
        "Builds storage on free disks, and a storage pool on that.";
};
