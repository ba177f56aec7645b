//! Rows of the table of routes: events, health, metrics and what is ours alone. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    Four Get "/v1/events/drbd/promotion" eventsDrbdPromotion Nothing => 200 Events
        "Streams which replicas could be promoted.";
    Four Get "/v1/events/nodes" eventsNodes Nothing => 200 Events
        "Streams what happens to nodes.";
    One Get "/health" health Nothing => 200 Text
        "Tells whether the controller works: no text if it does.";
    One Get "/metrics" metrics ?"resource storage_pools error_reports" Nothing => 200 Text
        "Shows the metrics for Prometheus.";
    One Get "/metrics/scrape-target" metricsScrapeTargets Nothing => 200 Many("ScrapeTargets")
        "Tells Prometheus where drbd-reactor has more metrics.";
    Four Get "/" root Nothing => 200 Text
        "Tells where to go from here.";
    NotBuilt Post "/v1/internal/backups/requestPrevSnap" internalRequestPrevSnap Any => 200 Entries
        "Asks another cluster for the snapshot to build on.";
    NotBuilt Post "/v1/internal/backups/requestShip" internalRequestShip Any => 200 Entries
        "Asks another cluster to send a backup.";
    NotBuilt Post "/v1/internal/backups/requestReceive" internalRequestReceive Any => 200 Entries
        "Asks another cluster to take a backup.";
    NotBuilt Post "/v1/internal/backups/requestReceiveDone" internalRequestReceiveDone
        Any => 200 Entries
        "Tells another cluster that its backup arrived.";
    NotBuilt Post "/v1/internal/backups/requestPrepareAbort" internalRequestPrepareAbort
        Any => 200 Entries
        "Tells another cluster that a backup ends early.";
    One Get "/v1/zea/actors" zeaActors Nothing => 200 Json
        "Shows the tree of actors, with restarts, waiting messages and last failures.";
    One Post "/v1/zea/actors/inject-panic" zeaInjectPanic One("InjectPanic") => 200 Entries
        "Lets an actor panic, to try its supervision; refused unless the configuration allows it.";
    Two Get "/v1/zea/explain/{rd}" zeaExplain Nothing => 200 Json
        "Tells why a resource's replicas were placed where they are.";
    One Get "/v1/zea/encryption" zeaEncryption Nothing => 200 One("EncryptionState")
        "Tells whether the master passphrase was entered, and which volumes wait for a key.";
    One Get "/v1/zea/openapi.json" zeaOpenapi Nothing => 200 Json
        "Shows this document.";
};
