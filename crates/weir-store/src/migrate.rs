//! Bringing the schema up to date.
