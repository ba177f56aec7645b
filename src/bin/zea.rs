//! `zea`, the admin's command line: hands this process's arguments and streams to [`zea::cli`], and nothing more.

use std::process::ExitCode;

fn main() -> ExitCode {
    zea::tls::install();
    ExitCode::from(zea::cli::main())
}
