//! Error reports: what went wrong inside, one text file each, and a bounded index of them in memory.

/// The reports of this process.
#[derive(Debug, Clone, Default)]
pub struct ErrorReports {}
