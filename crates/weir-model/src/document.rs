//! Placeholder until its helper lands the interface.
