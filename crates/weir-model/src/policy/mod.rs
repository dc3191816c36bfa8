//! Windows policy: the registry values by which a computer is pointed at an update server and told how to behave.
//!
//! * [`known_values`] is the table of all values (features, section 26): key, kind, range, meaning, the policy it belongs
//!   to, its setting in the Policy CSP, and how well it is known.
//! * [`render`](render()) makes a [`Policy`] for a site from client settings and options; [`mod@file`] writes it as `.reg`,
//!   `Registry.pol`, PowerShell script or custom profile of Intune, and reads the first two.
//! * [`check`](check()) says what of values that were found somewhere keeps a computer from scanning here.
//!
//! Sources: WindowsUpdate.admx, DeliveryOptimization.admx and Bits.admx of Windows 11; "Policy CSP - Update"; "Manage
//! additional Windows Update settings"; [MS-GPREG] 2.2.1; "Registry Policy File Format" of the Group Policy reference.

pub mod address;
mod check;
pub mod file;
mod known;
pub mod registry;
mod render;
mod table;

#[cfg(test)]
mod tests;

pub use address::{Address, AddressError};
pub use check::{Finding, Severity, Site, check};
pub use known::{Branch, Csp, CspFormat, Evidence, Known, Shape, UnknownValue, known, known_at, known_values};
pub use render::{Options, Policy, PolicyValue, RenderError, Source, render};
