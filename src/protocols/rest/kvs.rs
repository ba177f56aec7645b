//! Key-value stores on the wire. Written with a change of properties; read as a list even when one is asked for.

use super::shape::Props;

shapes! {
    /// A key-value store.
    KeyValueStore {
        must {
            /// Name.
            name: String,
        }
        may {
            /// What it holds.
            props: Props,
        }
    }
}
