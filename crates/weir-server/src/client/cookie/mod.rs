//! Cookies of the client plane (MS-WUSP 2.2.3.4, 2.2.3.5, 3.1.5.4): sealed, so that the server keeps nothing about a
//! conversation.
//!
//! *Invariant:* nothing of a cookie is believed before its seal was checked; the clear-text Expiration never is.

mod check;
mod layout;
mod seal;
#[cfg(test)]
mod tests;

pub use check::{CookieFault, Expected, check};
pub use layout::{Anchor, Anchors, AuthorizationCookie, Cookie, CookieTooLong, ProtocolVersion, TimedAnchor};
pub use seal::{KeyRing, Kind, SealError};
