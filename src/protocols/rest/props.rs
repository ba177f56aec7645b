//! Properties on the wire: the change that every kind of object takes, and the catalogue of what may be set.
//! Never says which property is allowed where.

use super::shape::Props;

shapes! {
    /// A change of properties.
    PropsModify {
        may {
            /// Properties to set, or to replace where they are set already.
            override_props: Props,
            /// Full keys of the properties to remove; done after the overrides. An unset key is no error.
            delete_props: Vec<String>,
            /// Prefixes below which every property is removed.
            delete_namespaces: Vec<String>,
        }
    }

    /// What one property means and takes.
    PropsInfo {
        may {
            /// What it is for.
            info: String,
            /// `regex`, `symbol`, `boolean`, `boolean_true_false`, `range`, `range_float`, `string`,
            /// `numeric_or_symbol` or `long`.
            prop_type: String,
            /// A regular expression or the alternatives.
            value: String,
            /// What holds while nothing is set.
            dflt: String,
            /// Unit of a number.
            unit: String,
        }
    }
}

impl PropsModify {
    /// True when nothing at all is asked for.
    pub fn is_empty(&self) -> bool {
        self.override_props.is_empty() && self.delete_props.is_empty() && self.delete_namespaces.is_empty()
    }
}
