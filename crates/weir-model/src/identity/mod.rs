//! Who a computer is, when its id does not say: two machines with one id, and one machine with several.
//!
//! A computer is known by the id that it gives itself (`SusClientId`). Disk images that were not prepared for copying carry
//! it along: all their copies are then one computer to a server, whose status is that of whichever reported last, so that
//! each of them looks compliant with what another one installed. [`Memory`] finds these by what goes back and forth. The
//! other way round, a machine that was installed anew has a new id, and its old row never calls again: [`duplicates()`].
//!
//! Neither can be proven: the protocol knows nothing that is certain to be one machine's own (the registration of MS-WUSP
//! 2.2.2.2.3 carries no serial number). Everything here is therefore a verdict with its evidence.

mod duplicates;
mod memory;
#[cfg(test)]
mod tests;

pub use duplicates::{Duplicate, Known, Likeness, Member, QUIET_DAYS, Standing, duplicates};
pub use memory::{Certainty, Channel, Cloned, Evidence, KEPT, Memory, Rule, Seen, Sighting};

/// Characters of each part of a print.
const LONGEST: usize = 256;

/// What a machine looks like: equal prints may be one machine, different ones are two machines or one that changed.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Print {
    /// DNS name in lower case; empty in a sheet: what a machine registers as its name may be written otherwise than in its
    /// cookie, and the server keeps one of the two.
    pub name: String,
    /// Maker, model, BIOS and processor architecture, as registered; empty in a name.
    pub hardware: String,
    /// Version and build of the operating system, as registered; empty in a name.
    pub system: String,
}

impl Print {
    /// What a cookie tells: the name alone.
    pub fn of_name(name: &str) -> Self {
        Self { name: part(name).to_lowercase(), ..Self::default() }
    }

    /// What a registration tells. `hardware` are its parts in the order in which they are shown.
    pub fn of_sheet<'p>(hardware: impl IntoIterator<Item = &'p str>, system: &str) -> Self {
        let parts = hardware.into_iter().map(str::trim).filter(|part| !part.is_empty());
        let hardware = parts.collect::<Vec<_>>().join(", ");
        Self { name: String::new(), hardware: part(&hardware), system: part(system) }
    }
}

/// A text of bounded length.
fn part(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}
