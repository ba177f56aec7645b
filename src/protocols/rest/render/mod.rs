//! Values of the model as the API shows them. Never asks a clock or a node: what is not in the values is left out.

pub mod entries;
