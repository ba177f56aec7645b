//! The seam for layers above STORAGE. None is built yet: a stack with another one is refused, with the reason.

use super::problem::problem;
use crate::model::kinds::LayerKind;
use crate::model::report::Problem;

/// Layers that this build can set up.
pub const BUILT: &[LayerKind] = &[LayerKind::Storage];

/// An error for the first layer of a stack that cannot be set up.
pub fn check(stack: &[LayerKind]) -> Result<(), Problem> {
    match stack.iter().find(|layer| !BUILT.contains(layer)) {
        None => Ok(()),
        Some(layer) => Err(problem(
            format!("A resource with the layer {layer} cannot be set up"),
            not_built_reason(*layer),
            "Give the resource the layer list STORAGE.",
        )),
    }
}

/// Why a layer cannot be set up.
#[must_use]
pub fn not_built_reason(layer: LayerKind) -> String {
    format!("this version of Zea does not set up {layer} layers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_storage_is_set_up() {
        assert_eq!(check(&[LayerKind::Storage]), Ok(()));
        let error = check(&[LayerKind::Drbd, LayerKind::Storage]).expect_err("not built");
        assert!(error.message.contains("DRBD"), "{error}");
    }
}
