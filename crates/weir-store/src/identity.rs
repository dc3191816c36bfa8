//! What computers were seen as: prints of those that changed, and rows that may be one machine.

use std::ops::ControlFlow;

use jiff::Timestamp;
use weir_model::{
    identity::{Channel, Known, Memory, Print, Sighting},
    ids::ComputerId,
};

use crate::{
    ReadTx, StoreError, WriteTx,
    codec::{Row, args},
    computer::{Registration, THIS_SERVER},
    sql::statements,
};

/// What the row of a computer says of its last call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LastCall {
    /// Row number.
    pub no: u32,
    /// The name in the cookie of the last call; none before this was kept.
    pub cookie_name: Option<String>,
    /// First call.
    pub first_contact_at: Timestamp,
    /// Last call.
    pub last_contact_at: Timestamp,
    /// Its address.
    pub ip_address: Option<String>,
}

statements! {
    LAST_CALL: "reading the last call of a computer" =
        "SELECT computer_no, cookie_name, first_contact_at, last_contact_at, ip_address FROM computer WHERE computer_id = ?1";
    PRINTS_OF: "reading the prints of a computer" =
        "SELECT computer_no, channel, name, hardware, system, first_seen_at, last_seen_at, returns, returned_at, address
         FROM computer_print WHERE computer_no = ?1 ORDER BY channel, first_seen_at, name, hardware, system";
    PRINTS: "listing prints of computers" =
        "SELECT computer_no, channel, name, hardware, system, first_seen_at, last_seen_at, returns, returned_at, address
         FROM computer_print ORDER BY computer_no, channel, name, hardware, system";
    PRINT_PUT: "storing a print of a computer" =
        "INSERT INTO computer_print (computer_no, channel, name, hardware, system, first_seen_at, last_seen_at, returns,
             returned_at, address)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    PRINTS_DELETE: "forgetting the prints of a computer" = "DELETE FROM computer_print WHERE computer_no = ?1";
    PRINTS_PRUNE: "forgetting old prints" = "DELETE FROM computer_print WHERE last_seen_at < ?1";
    KNOWN: "reading who computers are" =
        "SELECT computer_no, dns_name, registered_at, computer_manufacturer, computer_model, bios_name, bios_version,
             bios_release_date, processor_architecture, first_contact_at, last_contact_at
         FROM computer WHERE site_no = ?1 ORDER BY computer_no";
    KNOWN_OF: "reading who some computers are" =
        "SELECT computer_no, dns_name, registered_at, computer_manufacturer, computer_model, bios_name, bios_version,
             bios_release_date, processor_architecture, first_contact_at, last_contact_at
         FROM computer
         WHERE computer_no IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32) AND site_no = 1
         ORDER BY computer_no";
}

fn known(row: &Row<'_>) -> Result<Known, StoreError> {
    let parts = [row.opt_text(3)?, row.opt_text(4)?, row.opt_text(8)?, row.opt_text(5)?, row.opt_text(6)?];
    let registered = !row.is_null(2)?;
    let parts = parts.each_ref().map(Option::as_deref);
    Ok(Known {
        no: row.int(0)?,
        name: row.text(1)?,
        hardware: if registered { hardware(parts, row.opt_time(7)?) } else { String::new() },
        first_contact: row.time(9)?,
        last_contact: row.time(10)?,
    })
}

fn sighting(row: &Row<'_>) -> Result<(u32, Sighting), StoreError> {
    let print = Print { name: row.text(2)?, hardware: row.text(3)?, system: row.text(4)? };
    let sighting = Sighting {
        channel: row.coded(1)?,
        print,
        first_seen: row.time(5)?,
        last_seen: row.time(6)?,
        returns: row.int(7)?,
        returned_at: row.opt_time(8)?,
        address: row.opt_text(9)?,
    };
    Ok((row.int(0)?, sighting))
}

/// The parts of a hardware sheet, in the order in which they are shown. Every reader of rows and of registrations makes the
/// same text of the same machine.
fn hardware(parts: [Option<&str>; 5], released: Option<Timestamp>) -> String {
    let released = released.map(|at| at.strftime("%Y-%m-%d").to_string());
    let parts = parts.into_iter().flatten().chain(released.as_deref());
    Print::of_sheet(parts, "").hardware
}

impl Registration {
    /// What the machine looks like: its hardware and its operating system, without its name.
    pub fn print(&self) -> Print {
        let parts = [
            self.computer_manufacturer.as_deref(),
            self.computer_model.as_deref(),
            self.processor_architecture.as_deref(),
            self.bios_name.as_deref(),
            self.bios_version.as_deref(),
        ];
        let system = format!("{}.{}.{}", self.os_major_version, self.os_minor_version, self.os_build_number);
        let hardware = hardware(parts, self.bios_release_date);
        Print { hardware, ..Print::of_sheet([], &system) }
    }
}

impl ReadTx<'_> {
    /// The last call of a computer, as its row says.
    pub fn computer_last_call(&self, id: &ComputerId) -> Result<Option<LastCall>, StoreError> {
        self.first(&LAST_CALL, args![id.as_str()], |row| {
            Ok(LastCall {
                no: row.int(0)?,
                cookie_name: row.opt_text(1)?,
                first_contact_at: row.time(2)?,
                last_contact_at: row.time(3)?,
                ip_address: row.opt_text(4)?,
            })
        })
    }

    /// What a computer was seen as; empty unless it changed.
    pub fn computer_prints(&self, no: u32) -> Result<Memory, StoreError> {
        let rows = self.all(&PRINTS_OF, args![no], sighting)?;
        Ok(Memory::new(rows.into_iter().map(|(_, sighting)| sighting).collect()))
    }

    /// The same of every computer that changed, by row number.
    pub fn computer_prints_all(&self) -> Result<Vec<(u32, Memory)>, StoreError> {
        let mut all: Vec<(u32, Vec<Sighting>)> = Vec::new();
        for (no, sighting) in self.all(&PRINTS, args![], sighting)? {
            match all.last_mut().filter(|(last, _)| *last == no) {
                Some((_, sightings)) => sightings.push(sighting),
                None => all.push((no, vec![sighting])),
            }
        }
        Ok(all.into_iter().map(|(no, sightings)| (no, Memory::new(sightings))).collect())
    }

    /// Hands every computer that scans here to `each`, by row number, as duplicates are looked for.
    pub fn computer_known_each(&self, mut each: impl FnMut(Known)) -> Result<(), StoreError> {
        self.each(&KNOWN, args![THIS_SERVER], |row| {
            each(known(row)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Those of these computers that scan here, as rows that may be one machine. Numbers and rows ascend.
    pub fn computer_known_of(&self, computers: &[u32]) -> Result<Vec<Known>, StoreError> {
        let mut rows = Vec::with_capacity(computers.len());
        self.each_of(&KNOWN_OF, computers, |row| {
            rows.push(known(row)?);
            Ok(())
        })?;
        Ok(rows)
    }
}

impl WriteTx<'_> {
    /// Remembers exactly this of a computer.
    pub fn computer_prints_put(&self, no: u32, memory: &Memory) -> Result<(), StoreError> {
        self.run(&PRINTS_DELETE, args![no])?;
        for seen in memory.sightings() {
            let channel: Channel = seen.channel;
            let values = args![
                no,
                channel,
                &seen.print.name,
                &seen.print.hardware,
                &seen.print.system,
                seen.first_seen,
                seen.last_seen,
                seen.returns,
                seen.returned_at,
                seen.address.as_deref(),
            ];
            self.run(&PRINT_PUT, values)?;
        }
        Ok(())
    }

    /// Forgets prints that were last seen before. Returns how many.
    pub fn computer_prints_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.run(&PRINTS_PRUNE, args![before])? as u64)
    }
}
