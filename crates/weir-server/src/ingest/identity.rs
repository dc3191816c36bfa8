//! Notices that a computer is not what it was: what [`weir_model::identity`] remembers of it. The database is read and written
//! only where something changed, so that a computer which stays as it is costs nothing.

use jiff::Timestamp;
use weir_model::identity::{Channel, Print, Rule, Seen};
use weir_store::{
    StoreError, WriteTx,
    computer::{ComputerRow, Contact, Registration},
    identity::LastCall,
};

/// A call came with another name in its cookie than the call before. To be asked before the row is changed.
pub(super) fn name(
    tx: &WriteTx<'_>,
    last: &LastCall,
    contact: &Contact,
    rule: &Rule,
    now: Timestamp,
) -> Result<(), StoreError> {
    // the first cookie since names of cookies are kept
    let Some(cookie_name) = &last.cookie_name else { return Ok(()) };
    let (before, print) = (Print::of_name(cookie_name), Print::of_name(&contact.dns_name));
    let seen = Seen {
        print: before,
        since: last.first_contact_at,
        until: last.last_contact_at,
        address: last.ip_address.clone(),
    };
    observe(tx, last.no, Channel::Name, &seen, &print, contact.ip_address.as_deref(), rule, now)
}

/// A computer registered with another hardware sheet than before.
pub(super) fn sheet(
    tx: &WriteTx<'_>,
    known: &ComputerRow,
    registration: &Registration,
    rule: &Rule,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(before) = &known.registration else { return Ok(()) };
    let seen =
        Seen { print: before.print(), since: known.first_contact_at, until: known.last_contact_at, address: None };
    observe(tx, known.no, Channel::Sheet, &seen, &registration.print(), known.ip_address.as_deref(), rule, now)
}

/// A report came whose computer had seen less of the catalogue than when the report before came.
pub(super) fn stepped_back(
    tx: &WriteTx<'_>,
    no: u32,
    address: Option<&str>,
    rule: &Rule,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut memory = tx.computer_prints(no)?;
    if memory.step_back(address, rule, now) {
        tx.computer_prints_put(no, &memory)?;
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "all of what is seen of one call")]
fn observe(
    tx: &WriteTx<'_>,
    no: u32,
    channel: Channel,
    before: &Seen,
    print: &Print,
    address: Option<&str>,
    rule: &Rule,
    now: Timestamp,
) -> Result<(), StoreError> {
    if before.print == *print {
        return Ok(());
    }
    let mut memory = tx.computer_prints(no)?;
    if memory.observe(channel, before, print, address, rule, now) {
        tx.computer_prints_put(no, &memory)?;
        tracing::debug!(computer = no, ?channel, "a computer shows itself differently than before");
    }
    Ok(())
}
