//! The metrics that the controller shows: names, labels, what they mean, and how they look as text. Never measures.

use std::fmt::{self, Write};

/// Media type of the text, Prometheus 0.0.4.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4";

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
    /// Counts by buckets.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        })
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Labels, in the order in which values are given.
    pub labels: &'static [&'static str],
    /// What it means, with its unit.
    pub help: &'static str,
}

/// Declares each metric as a constant and lists all of them in [`ALL`].
macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident [$($label:literal)*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Metric =
                Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };
        )*

        /// Every metric, in the order in which it is shown.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    INFO "linstor_info" Gauge ["version" "buildtime" "gitid"]
        "Always 1; the labels tell what runs.";
    NODE_STATE "linstor_node_state" Gauge ["address" "encryption" "port" "node" "nodetype"]
        "State of the link to a node; 2 is online.";
    NODE_RECONNECT_ATTEMPT_COUNT "linstor_node_reconnect_attempt_count"
        Gauge ["address" "encryption" "port" "node" "nodetype"]
        "Attempts to reach a node since its link was lost.";
    RESOURCE_DEFINITION_COUNT "linstor_resource_definition_count" Gauge []
        "Resource definitions.";
    RESOURCE_DEFINITION_RESOURCE_COUNT "linstor_resource_definition_resource_count"
        Gauge ["name" "resource_group"]
        "Replicas of a resource definition.";
    VOLUME_DEFINITION_SIZE_BYTES "linstor_volume_definition_size_bytes"
        Gauge ["name" "volume_number" "resource_group"]
        "Bytes of a volume definition.";
    RESOURCE_STATE "linstor_resource_state" Gauge ["name" "node"]
        "1 while a replica is in use, 0 while it is not, -1 while that is unknown.";
    VOLUME_STATE "linstor_volume_state" Gauge ["resource" "node" "volume" "device_path" "storage_pool"]
        "State of a volume's disk; 1 is up to date, -1 unknown.";
    VOLUME_ALLOCATED_SIZE_BYTES "linstor_volume_allocated_size_bytes"
        Gauge ["resource" "node" "volume" "device_path" "storage_pool"]
        "Bytes that a volume takes; NaN while that is unknown.";
    STORAGE_POOL_CAPACITY_FREE_BYTES "linstor_storage_pool_capacity_free_bytes"
        Gauge ["storage_pool" "node" "driver" "backing_pool"]
        "Bytes free in a storage pool; 0 if it is diskless, NaN while that is unknown.";
    STORAGE_POOL_CAPACITY_TOTAL_BYTES "linstor_storage_pool_capacity_total_bytes"
        Gauge ["storage_pool" "node" "driver" "backing_pool"]
        "Bytes of a storage pool; 0 if it is diskless, NaN while that is unknown.";
    STORAGE_POOL_ERROR_COUNT "linstor_storage_pool_error_count"
        Gauge ["storage_pool" "node" "driver" "backing_pool"]
        "Errors in a storage pool's last report.";
    ERROR_REPORTS_COUNT "linstor_error_reports_count" Gauge ["hostname" "module"]
        "Error reports; without labels their sum.";
    SCRAPE_REQUESTS_COUNT "linstor_scrape_requests_count" Counter []
        "How often the metrics were asked for.";
    SCRAPE_DURATION_SECONDS "linstor_scrape_duration_seconds" Gauge []
        "Seconds that it took to gather these metrics.";
    RESTAPI_REQUEST_DURATION_SECONDS "linstor_restapi_request_duration_seconds" Histogram ["apicall"]
        "Seconds that calls of the REST API took.";
    APICALL_DURATION_SECONDS "linstor_apicall_duration_seconds" Histogram ["apicall" "peer"]
        "Seconds that messages between controller and satellite took.";
}

/// Upper bounds in seconds of the buckets of both histograms: from a cached read to a volume that waits for its node.
pub const DURATION_BUCKETS_SECONDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0];

/// The value of [`NODE_STATE`] for a connection status as the API spells it. One that we do not know is unknown, 6.
pub fn node_state(connection_status: &str) -> i32 {
    const NAMES: [&str; 13] = [
        "OFFLINE",
        "CONNECTED",
        "ONLINE",
        "VERSION_MISMATCH",
        "FULL_SYNC_FAILED",
        "AUTHENTICATION_ERROR",
        "UNKNOWN",
        "HOSTNAME_MISMATCH",
        "OTHER_CONTROLLER",
        "AUTHENTICATED",
        "NO_STLT_CONN",
        "MISSING_EXT_TOOLS",
        "DUPLICATE_UNAME",
    ];
    let known = (0..).zip(NAMES).find(|(_, name)| *name == connection_status);
    known.map_or(6, |(number, _)| number)
}

/// The value of [`VOLUME_STATE`] for a disk state as the API spells it.
pub fn volume_state(disk_state: &str) -> i32 {
    match disk_state {
        "UpToDate" => 1,
        "Created" => 2,
        "Attached" => 3,
        "Diskless" => 4,
        "Inconsistent" => 5,
        "Failed" => 6,
        "To:Creating" => 7,
        "To:Attachable" => 8,
        "To:Attaching" => 9,
        "Diskless(Detached)" => 90,
        _ => -1,
    }
}

/// Appends the two lines that introduce a metric.
pub fn write_head(text: &mut String, metric: &Metric) {
    let Metric { name, kind, help, .. } = metric;
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a String takes all");
}

/// Appends one value. `labels` are values for the metric's labels, in their order; fewer leave the last ones out.
pub fn write_value(text: &mut String, metric: &Metric, labels: &[&str], value: f64) {
    text.push_str(metric.name);
    for (index, (name, value)) in metric.labels.iter().zip(labels).enumerate() {
        text.push_str(if index == 0 { "{" } else { "," });
        write!(text, "{name}=\"{}\"", escape(value)).expect("a String takes all");
    }
    if !labels.is_empty() && !metric.labels.is_empty() {
        text.push('}');
    }
    writeln!(text, " {value}").expect("a String takes all");
}

/// The metrics as a page for people, of which `docs/reference/metrics.md` is a copy.
pub fn reference() -> String {
    let mut page = "# Metrics\n\n`GET /metrics` shows these, as text for Prometheus.\n\n".to_owned();
    page.push_str("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n");
    for Metric { name, kind, labels, help } in ALL {
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        writeln!(page, "| `{name}` | {kind} | {labels} | {help} |").expect("a String takes all");
    }
    page
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_what_prometheus_takes() {
        let mut names: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for Metric { name, labels, help, .. } in ALL {
            let is_name = |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(is_name(name) && labels.iter().all(is_name), "{name}");
            assert!(!help.contains(['\n', '\\', '|']), "{name}");
        }
        assert!(DURATION_BUCKETS_SECONDS.is_sorted());
    }

    #[test]
    fn text() {
        let mut text = String::new();
        write_head(&mut text, &ERROR_REPORTS_COUNT);
        write_value(&mut text, &ERROR_REPORTS_COUNT, &[], 3.0);
        write_value(&mut text, &ERROR_REPORTS_COUNT, &["a\"b\\c\nd", "CONTROLLER"], 2.5);
        write_value(&mut text, &RESOURCE_STATE, &["res1"], -1.0);
        write_value(&mut text, &RESOURCE_DEFINITION_COUNT, &["no label for it"], f64::NAN);
        let expected = "# HELP linstor_error_reports_count Error reports; without labels their sum.\n\
            # TYPE linstor_error_reports_count gauge\n\
            linstor_error_reports_count 3\n\
            linstor_error_reports_count{hostname=\"a\\\"b\\\\c\\nd\",module=\"CONTROLLER\"} 2.5\n\
            linstor_resource_state{name=\"res1\"} -1\n\
            linstor_resource_definition_count NaN\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn states_as_numbers() {
        for (name, number) in [("OFFLINE", 0), ("ONLINE", 2), ("NO_STLT_CONN", 10), ("DUPLICATE_UNAME", 12), ("?", 6)] {
            assert_eq!(node_state(name), number, "{name}");
        }
        for (name, number) in [("UpToDate", 1), ("Diskless", 4), ("Diskless(Detached)", 90), ("DUnknown", -1)] {
            assert_eq!(volume_state(name), number, "{name}");
        }
    }
}
