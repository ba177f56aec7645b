//! The remote transport.
