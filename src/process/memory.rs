//! What the kernel may show of this process's memory, which holds keys. Never touches another process.

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};

/// Lets no core file be written of this process and of those that it starts, and lets only root look into its memory.
pub fn forbid_core_dumps() -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    set_dumpable(false)
}
