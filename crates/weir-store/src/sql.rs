//! The registry of SQL texts.
