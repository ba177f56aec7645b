//! Error reports on the wire. Never holds a secret: whoever writes a report leaves them out.

shapes! {
    /// An error report.
    ErrorReport {
        must {
            /// The node that wrote it.
            node_name: String,
            /// When, in milliseconds since the epoch.
            error_time: i64,
            /// `ErrorReport-<id>.log`; clients cut the id out of it.
            filename: String,
        }
        may {
            /// The whole text; in lists only when asked for.
            text: String,
            /// `CONTROLLER` or `SATELLITE`.
            module: String,
            /// Version of who wrote it.
            version: String,
            /// The peer that it was dealing with.
            peer: String,
            /// Kind of failure.
            exception: String,
            /// Its text.
            exception_message: String,
            /// Where it arose: file.
            origin_file: String,
            /// Where it arose: function.
            origin_method: String,
            /// Where it arose: line.
            origin_line: Option<i32>,
        }
    }

    /// Deletes error reports; all conditions have to hold.
    ErrorReportDelete {
        may {
            /// Not older than, in milliseconds since the epoch.
            since: Option<i64>,
            /// Not younger than, in milliseconds since the epoch.
            to: Option<i64>,
            /// Written by one of these nodes.
            nodes: Vec<String>,
            /// Of this kind.
            exception: Option<String>,
            /// By this version.
            version: Option<String>,
            /// With one of these ids.
            ids: Vec<String>,
        }
    }
}
