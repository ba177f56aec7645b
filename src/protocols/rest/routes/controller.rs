//! Rows of the table of routes: the controller, its passphrase, error reports, key-value stores. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    One Get "/v1/controller/version" controllerVersion Nothing => 200 One("ControllerVersion")
        "Tells the versions of the controller and the API.";
    One Get "/v1/controller/properties" controllerPropertyList Nothing => 200 Texts
        "Lists the controller's properties.";
    One Post "/v1/controller/properties" controllerPropertyModify One("PropsModify") => 201 Entries
        "Changes the controller's properties.";
    One Delete "/v1/controller/properties/{key*}" controllerPropertyDelete Nothing => 200 Entries
        "Removes a property of the controller; its key may hold slashes.";
    Four Get "/v1/controller/properties/info" controllerPropertiesInfo
        Nothing => 200 Map("PropsInfo")
        "Tells which properties the controller takes.";
    Four Get "/v1/controller/properties/info/all" allPropertiesInfo Nothing => 200 Json
        "Tells which properties each kind of object takes.";
    Four Get "/v1/controller/config" controllerConfig Nothing => 200 One("ControllerConfig")
        "Shows the controller's configuration.";
    Four Put "/v1/controller/config" controllerSetConfig One("ControllerConfig") => 200 Entries
        "Sets the controller's log levels.";
    NotBuilt Post "/v1/controller/backup/db" controllerBackupDB Any => 201 Entries
        "Copies the database to a file (deprecated).";
    NotBuilt Post "/v1/controller/database/export" controllerExportDB Any => 201 Entries
        "Writes the database to a file.";
    NotBuilt Post "/v1/controller/auth/initialize-token-auth" controllerAuthTokenInitialize
        Any => 201 Entries
        "Turns tokens on and makes the first ones.";
    NotBuilt Get "/v1/controller/auth/token" controllerAuthTokenList Nothing => 200 Json
        "Lists the tokens.";
    NotBuilt Post "/v1/controller/auth/token" controllerAuthTokenCreate Any => 201 Entries
        "Makes a token.";
    NotBuilt Put "/v1/controller/auth/token/{id}" controllerAuthTokenModify Any => 200 Entries
        "Changes or suspends a token.";
    NotBuilt Delete "/v1/controller/auth/token/{id}" controllerAuthTokenRevoke
        Nothing => 200 Entries
        "Revokes a token.";
    Four Get "/v1/encryption/passphrase" passphraseStatus Nothing => 200 One("PassphraseStatus")
        "Tells whether the master passphrase is set and entered.";
    Four Post "/v1/encryption/passphrase" encryptionPassphraseCreate
        One("PassPhraseCreate") => 201 Entries
        "Sets the master passphrase.";
    Four Put "/v1/encryption/passphrase" encryptionPassphraseModify
        One("PassPhraseCreate") => 200 Entries
        "Changes the master passphrase.";
    Four Patch "/v1/encryption/passphrase" encryptionPassphraseEnter Text => 200 Entries
        "Enters the master passphrase.";
    Four Get "/v1/error-reports" errorReportList ?"node since to withContent limit offset"
        Nothing => 200 Many("ErrorReport")
        "Lists error reports.";
    Four Get "/v1/error-reports/{id}" errorReportShow ?"node since to withContent limit offset"
        Nothing => 200 Many("ErrorReport")
        "Shows an error report, in a list of one or none.";
    Four Patch "/v1/error-reports" errorReportDelete One("ErrorReportDelete") => 200 Entries
        "Deletes the error reports that fit.";
    Four Delete "/v1/error-reports/{id}" errorReportDeleteSingle Nothing => 200 Entries
        "Deletes an error report.";
    Four Get "/v1/stats/error-reports" errorReportStats Nothing => 200 One("Stats")
        "Counts the error reports.";
    NotBuilt Get "/v1/sos-report" createSOSReport ?"nodes* rscs* exclude* include-ctrl since"
        Nothing => 201 Entries
        "Gathers everything for support into a file.";
    NotBuilt Get "/v1/sos-report/download" downloadSOSReport
        ?"nodes* rscs* exclude* include-ctrl since" Nothing => 200 Bytes
        "Gathers everything for support and sends it.";
    Four Get "/v1/space-report" spaceReport Nothing => 200 One("SpaceReport")
        "Reports how much space everything takes.";
    Four Get "/v1/key-value-store" keyValueStoresList Nothing => 200 Many("KeyValueStore")
        "Lists the key-value stores.";
    Four Get "/v1/key-value-store/{instance}" keyValueStoreList Nothing => 200 Many("KeyValueStore")
        "Shows a key-value store, in a list of one.";
    Four Put "/v1/key-value-store/{instance}" keyValueStoreModify One("PropsModify") => 200 Entries
        "Creates or changes a key-value store.";
    Four Delete "/v1/key-value-store/{instance}" keyValueStoreDelete Nothing => 200 Entries
        "Removes a key-value store.";
};
