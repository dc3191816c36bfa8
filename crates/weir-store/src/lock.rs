//! The lock of a data folder.
