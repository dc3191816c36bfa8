//! Files that hold a policy.

mod intune;
mod pol;
mod powershell;
mod reg;
mod reg_text;

pub use intune::{Profile, Setting, profile};
pub use pol::{PolError, is_pol, read_pol, write_pol};
pub use powershell::script;
pub use reg::{RegError, read_reg, write_reg};

/// Bytes of a file that are read.
pub const MOST_BYTES: usize = 4 << 20;
/// Instructions of a file that are read.
pub const MOST_ENTRIES: usize = 20_000;
