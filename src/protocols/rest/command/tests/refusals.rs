//! One row a refusal.
