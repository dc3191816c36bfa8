//! Client settings: what a site tells the agents of its computers (features CS-1 to CS-33, section 18.3).
//!
//! [`definitions`] is the table of all settings: key, kind of value, default, and who honours it. One *default set* holds
//! for every computer; *custom sets* are deployed to collections and replace it setting by setting, the lowest priority
//! number first. [`resultant()`] says what holds for a computer, where each value comes from and what it beat. [`warnings`]
//! says what of a set is allowed and probably not meant.
//!
//! *Off the list:* CS-11 and CS-12 (Office) and CS-31 (boundary groups), which the design leaves out.

mod agent_table;
mod check;
mod definition;
mod order;
mod resultant;
mod updates_table;
mod value;

#[cfg(test)]
mod tests;

pub use check::{Warning, refusal, warnings};
pub use definition::{Definition, Honoured, Kind, Mark, UnknownSetting, definition, definitions};
pub use order::reorder;
pub use resultant::{Beaten, Origin, Resolved, Resultant, Set, resultant};
pub use value::{Period, PeriodUnit, Value, ValueError, scan_interval_hours};

/// Characters of the name of a set.
pub const LONGEST_NAME: usize = 256;
/// Characters of the description of a set.
pub const LONGEST_DESCRIPTION: usize = 1_024;
/// Custom sets of a site.
pub const MOST_SETS: usize = 1_000;
/// Name of the set that holds for every computer.
pub const DEFAULT_SET: &str = "Default";
/// Its id, the same on every server.
pub const DEFAULT_SET_ID: uuid::Uuid = uuid::Uuid::from_u128(0x7767_6c69_656e_4453_8000_0000_0000_0000);

/// A name without blanks around it, if it can name a set.
pub fn checked_name(name: &str) -> Option<String> {
    let name = name.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count())
        && crate::name::is_printable(name)
        && !matches!(name, "." | "..")
        && name.parse::<uuid::Uuid>().is_err();
    fits.then(|| name.to_owned())
}

/// Whether a text can describe a set.
pub fn checked_description(text: &str) -> bool {
    text.chars().count() <= LONGEST_DESCRIPTION && !text.chars().any(|c| c.is_control() && c != '\n')
}
