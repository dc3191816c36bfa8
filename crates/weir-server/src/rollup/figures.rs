//! The figures of this server.
