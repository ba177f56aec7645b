//! Shapes of the calls under `/v1/zea`, which are ours alone. Never used by a client of another controller.

shapes! {
    /// Lets an actor panic, to try its supervision. Refused unless the configuration allows it.
    InjectPanic {
        must {
            /// Path of the actor, such as `satellite/resource/pvc-1`.
            actor: String,
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
