//! The table, one file for each origin. *Invariant:* every list is in the order of its codes, and no code is twice.

mod advice;
mod agent;
mod agent_parts;
mod agent_store;
mod general;
mod network;
mod protocol;
mod servicing;
mod transfer;
mod trust;
mod win32;

use super::{ErrorCode, Source};

/// Writes entries as `CODE NAME "meaning", "likely cause", next step;` after their source.
macro_rules! codes {
    ($source:ident; $($code:literal $name:ident $meaning:literal, $cause:expr, $next:expr;)+) => {
        &[$(ErrorCode {
            code: $code,
            name: stringify!($name),
            meaning: $meaning,
            cause: $cause,
            next_step: $next,
            source: $crate::error_code::Source::$source,
        }),+]
    };
}
use codes;

/// All lists.
static LISTS: [&[ErrorCode]; 18] = [
    agent::CODES,
    agent_parts::CODES,
    agent_store::CODES,
    general::COM,
    general::DATABASE,
    general::SETUP,
    general::SETUP_ROLLBACK,
    network::CODES,
    network::SOCKETS,
    network::WEB_SERVICES,
    protocol::CODES,
    servicing::CODES,
    transfer::BITS,
    transfer::DELIVERY_OPTIMIZATION,
    transfer::HTTP,
    trust::CERTIFICATES,
    trust::SECURITY,
    win32::CODES,
];

/// The entry of a code.
pub(super) fn find(code: u32) -> Option<&'static ErrorCode> {
    LISTS.iter().find_map(|list| list.get(list.binary_search_by_key(&code, |entry| entry.code).ok()?))
}

/// All entries, list by list.
pub(super) fn all() -> impl Iterator<Item = &'static ErrorCode> {
    LISTS.iter().flat_map(|list| list.iter())
}

#[cfg(test)]
pub(super) fn lists() -> &'static [&'static [ErrorCode]] {
    &LISTS
}
