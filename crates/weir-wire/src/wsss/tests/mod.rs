//! Tests of the messages between servers.
