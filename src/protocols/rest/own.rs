//! Shapes of the calls under `/v1/zea`, which are ours alone. Never used by a client of another controller.

shapes! {
    /// Lets an actor panic, to try its supervision. Refused unless the configuration allows it.
    InjectPanic {
        must {
            /// Path of the actor, such as `satellite/resource/pvc-1`.
            actor: String,
        }
    }

    /// What is known of keys.
    EncryptionState {
        must {
            /// `unset`, `locked` or `unlocked`: whether there is a master passphrase, and whether it was entered.
            status: String,
            /// Resource definitions with a LUKS layer on some node.
            encrypted: i64,
        }
        may {
            /// Volumes that are not open for want of a key.
            waiting: Vec<WaitingVolume>,
        }
    }

    /// A volume that is not open for want of a key.
    WaitingVolume {
        must {
            /// Its resource.
            resource: String,
            /// The node of its replica.
            node: String,
            /// Its number.
            volume_number: i32,
            /// What it lacks, for people.
            why: String,
        }
    }

    /// Where Prometheus finds more to scrape.
    ScrapeTargets {
        must {
            /// Address and port of each.
            targets: Vec<String>,
        }
    }
}
