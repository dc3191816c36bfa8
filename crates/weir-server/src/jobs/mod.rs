//! Placeholder until its owner lands the interface.
