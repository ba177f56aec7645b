//! Which layers can be set up: those that are not built are refused, with the reason.

use super::problem::problem;
use crate::model::kinds::LayerKind;
use crate::model::report::Problem;

/// Layers that this build can set up.
pub const BUILT: &[LayerKind] =
    &[LayerKind::Writecache, LayerKind::Cache, LayerKind::Bcache, LayerKind::Luks, LayerKind::Storage];

/// An error for the first layer of a stack that cannot be set up.
pub fn check(stack: &[LayerKind]) -> Result<(), Problem> {
    stack.iter().find(|layer| !BUILT.contains(layer)).map_or(Ok(()), |layer| Err(not_built(*layer)))
}

/// The error for a layer that cannot be set up.
#[must_use]
pub fn not_built(layer: LayerKind) -> Problem {
    problem(
        format!("A resource with the layer {layer} cannot be set up"),
        not_built_reason(layer),
        "Give the resource the layer list STORAGE, or LUKS,STORAGE.",
    )
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
    fn only_what_is_built_is_set_up() {
        assert_eq!(check(&[LayerKind::Storage]), Ok(()));
        assert_eq!(check(&[LayerKind::Writecache, LayerKind::Luks, LayerKind::Storage]), Ok(()));
        for layer in [LayerKind::Drbd, LayerKind::Nvme] {
            let error = check(&[layer, LayerKind::Storage]).expect_err("not built");
            assert!(error.message.contains(layer.as_str()), "{error}");
        }
    }
}
