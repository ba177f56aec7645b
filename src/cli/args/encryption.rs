//! Words of `zea encryption`. Never a passphrase: arguments can be read by every user of the machine.

use clap::Subcommand;

/// `zea encryption`. Passphrases are asked for at the terminal; where standard input is none, each is the next line of it.
#[derive(Debug, Subcommand)]
pub enum EncryptionCommand {
    /// Create the master passphrase, which guards the keys of all LUKS volumes.
    #[command(visible_alias = "c")]
    CreatePassphrase,
    /// Enter the master passphrase, as after each start of the controller.
    #[command(visible_alias = "e", alias = "enter-passphrase")]
    Enter,
    /// Change the master passphrase: the old one is asked for, then the new one.
    #[command(visible_alias = "m", alias = "modify-passphrase")]
    Modify,
    /// Tell whether there is a master passphrase, whether it was entered, and what waits for it.
    #[command(visible_alias = "s")]
    Status,
}
