//! The alert that ids are shared by several machines.

use jiff::Timestamp;
use weir_model::{alert::AlertSeverity, identity::Certainty};
use weir_store::{ReadTx, StoreError};

use super::watch::Holds;
use crate::admin::identity;

/// Several machines have one id.
pub(super) const CLONED: &str = "computers.cloned";
/// Names in the alert.
const NAMES: usize = 5;

/// Ids that are certain to be shared, in one alert. What is only suspected is listed, and alerts nobody.
pub(super) fn cloned(tx: &ReadTx<'_>, now: Timestamp) -> Result<Holds, StoreError> {
    let mut cloned = identity::cloned(tx, now)?;
    cloned.retain(|(_, _, cloned)| cloned.certainty == Certainty::Certain);
    if cloned.is_empty() {
        return Ok(Holds::new());
    }
    let mut names = Vec::new();
    for (no, ..) in cloned.iter().take(NAMES) {
        names.extend(tx.computer_show(*no)?.map(|row| row.id.to_string()));
    }
    let more = if cloned.len() > names.len() { ", ..." } else { "" };
    let count = match cloned.len() {
        1 => "1 id is".to_owned(),
        count => format!("{count} ids are"),
    };
    let message = format!(
        "{count} shared by several machines, whose status is that of whichever reported last: {}{more}. See weir computers \
         clones; --script prints what gives a machine an id of its own",
        names.join(", ")
    );
    Ok([("computers".to_owned(), (AlertSeverity::Warning, message))].into())
}
