//! Rows of the table of routes: resource groups. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    Two Get "/v1/resource-groups" resourceGroupList ?"resource_groups* props* limit offset"
        Nothing => 200 Many("ResourceGroup")
        "Lists the resource groups.";
    Two Post "/v1/resource-groups" resourceGroupCreate One("ResourceGroupCreate") => 201 Entries
        "Creates a resource group.";
    Two Get "/v1/resource-groups/{rg}" resourceGroupGet Nothing => 200 One("ResourceGroup")
        "Shows a resource group.";
    Two Put "/v1/resource-groups/{rg}" resourceGroupModify One("ResourceGroupModify") => 200 Entries
        "Changes a resource group.";
    Two Delete "/v1/resource-groups/{rg}" resourceGroupDelete Nothing => 200 Entries
        "Removes a resource group that nothing belongs to.";
    Four Post "/v1/resource-groups/{rg}/spawn" resourceGroupSpawn
        One("ResourceGroupSpawn") => 201 Entries
        "Makes a resource with its volumes out of a group.";
    Four Post "/v1/resource-groups/{rg}/adjust" resourceGroupAdjust
        Optional("ResourceGroupAdjust") => 200 Entries
        "Places a group's resources again.";
    Four Post "/v1/resource-groups/adjustall" resourceGroupAdjustAll
        Optional("ResourceGroupAdjust") => 200 Entries
        "Places every group's resources again.";
    Four Get "/v1/resource-groups/{rg}/query-max-volume-size" queryMaxVolumeSizeFromRscGrp
        Optional("AutoSelectFilter") => 200 One("MaxVolumeSizes")
        "Tells the largest volume that a group can place (deprecated).";
    Four Post "/v1/resource-groups/{rg}/query-size-info" querySizeInfo
        Optional("QuerySizeInfoRequest") => 200 One("QuerySizeInfoResponse")
        "Tells what still fits into a group.";
    Four Post "/v1/queries/resource-groups/query-all-size-info" queryAllSizeInfo
        Optional("QuerySizeInfoRequest") => 200 One("QueryAllSizeInfoResponse")
        "Tells what still fits, for every group.";
    Four Get "/v1/resource-groups/properties/info" resourceGroupPropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a resource group takes.";
    Four Get "/v1/resource-groups/{rg}/volume-groups" volumeGroupList ?"limit offset"
        Nothing => 200 Many("VolumeGroup")
        "Lists a group's volume groups.";
    Four Post "/v1/resource-groups/{rg}/volume-groups" volumeGroupCreate
        One("VolumeGroupCreate") => 201 Entries
        "Creates a volume group.";
    Four Get "/v1/resource-groups/{rg}/volume-groups/{vn}" volumeGroupGet
        Nothing => 200 One("VolumeGroup")
        "Shows a volume group.";
    Four Put "/v1/resource-groups/{rg}/volume-groups/{vn}" volumeGroupModify
        One("VolumeGroupModify") => 200 Entries
        "Changes a volume group.";
    Four Delete "/v1/resource-groups/{rg}/volume-groups/{vn}" volumeGroupDelete
        Nothing => 200 Entries
        "Removes a volume group.";
    Four Get "/v1/resource-groups/{rg}/volume-groups/properties/info" volumeGroupPropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties a volume group takes.";
    Four Get "/v1/stats/resource-groups" resourceGroupStats Nothing => 200 One("Stats")
        "Counts the resource groups.";
};
