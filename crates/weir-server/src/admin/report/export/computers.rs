//! One row for each computer, with its states counted: what shares are made of, and who lists nothing.

use std::{collections::HashSet, fs::File, sync::Arc};

use jiff::Timestamp;
use parquet::{
    data_type::{BoolType, ByteArray, ByteArrayType, Int32Type},
    errors::ParquetError,
    file::writer::SerializedFileWriter,
    schema::parser::parse_message_type,
};
use weir_model::{
    ids::UpdateId,
    report::states::word,
    status::{Counts, State, computer_state},
};

use super::{
    super::{
        super::{AdminError, computer::system},
        source::{Member, Source},
    },
    ExportFile, GROUP, bytes, ended, failed, instants, next, optional, properties, put, texts,
};

/// The columns. Instants are milliseconds since 1970 in UTC.
const SCHEMA: &str = "message computers {
    required binary computer_id (STRING);
    optional binary computer_name (STRING);
    required binary site (STRING);
    required group collections (LIST) {
        repeated group list {
            required binary element (STRING);
        }
    }
    optional binary os (STRING);
    required int64 last_contact (TIMESTAMP(MILLIS,true));
    optional int64 last_scan (TIMESTAMP(MILLIS,true));
    optional int64 last_report (TIMESTAMP(MILLIS,true));
    required boolean reported;
    required int32 updates_required;
    required int32 updates_downloaded;
    required int32 updates_pending_restart;
    required int32 updates_failed;
    required int32 updates_installed;
    required int32 updates_not_applicable;
    required int32 updates_unknown;
    required binary state (STRING);
    required boolean compliant;
    required int64 as_of (TIMESTAMP(MILLIS,true));
}";

/// The states with a column, in the order of these.
const COUNTED: [State; 7] = [
    State::Required,
    State::Downloaded,
    State::PendingRestart,
    State::Failed,
    State::Installed,
    State::NotApplicable,
    State::Unknown,
];

/// Writes the file.
pub(super) fn write(
    source: &Source<'_>,
    only: Option<&HashSet<UpdateId>>,
    file: File,
) -> Result<ExportFile, AdminError> {
    let mut writer = Writer::new(file, source, only.is_some()).map_err(failed)?;
    let mut trouble = None;
    source.each(&source.scope()?, only, &|_| true, &mut |member| {
        // what follows a failure is not written; the walk has no other end
        if trouble.is_none() {
            trouble = writer.add(source, member).err();
        }
    })?;
    match trouble {
        Some(error) => Err(error),
        None => writer.finish().map_err(failed),
    }
}

/// Rows that wait for their row group to be full.
#[derive(Default)]
struct Group {
    computer: Vec<ByteArray>,
    name: (Vec<ByteArray>, Vec<i16>),
    site: Vec<ByteArray>,
    collections: Lists,
    os: (Vec<ByteArray>, Vec<i16>),
    contact: Vec<i64>,
    scan: (Vec<i64>, Vec<i16>),
    report: (Vec<i64>, Vec<i16>),
    reported: Vec<bool>,
    counts: [Vec<i32>; COUNTED.len()],
    state: Vec<ByteArray>,
    compliant: Vec<bool>,
    as_of: Vec<i64>,
}

/// A column of lists: for each place whether a text is there, and whether it goes on with the list before it.
#[derive(Default)]
struct Lists {
    texts: Vec<ByteArray>,
    present: Vec<i16>,
    goes_on: Vec<i16>,
}

impl Lists {
    fn put(&mut self, list: impl IntoIterator<Item = ByteArray>) {
        let before = self.texts.len();
        for (at, text) in list.into_iter().enumerate() {
            self.texts.push(text);
            self.present.push(1);
            self.goes_on.push(i16::from(at > 0));
        }
        if self.texts.len() == before {
            self.present.push(0);
            self.goes_on.push(0);
        }
    }
}

struct Writer {
    file: SerializedFileWriter<File>,
    group: Group,
    as_of: i64,
    /// Only some updates are asked about.
    narrowed: bool,
}

impl Writer {
    fn new(file: File, source: &Source<'_>, narrowed: bool) -> Result<Self, ParquetError> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let file = SerializedFileWriter::new(file, schema, properties(source))?;
        Ok(Self { file, group: Group::default(), as_of: source.now.as_millisecond(), narrowed })
    }

    /// The row of a computer.
    fn add(&mut self, source: &Source<'_>, member: &Member<'_>) -> Result<(), AdminError> {
        let computer = member.computer;
        let [id, name, site] = source.who(computer);
        let system = source.tx.computer_show(computer.no)?.map(|row| system(&row)).unwrap_or_default();
        let reported = member.status.reported.is_some();
        let counts: Counts = member.states().map(|(_, state, _)| state).collect();
        let state = if self.narrowed && member.asked.is_empty() {
            // nobody complies with what nobody asked of it
            State::Unknown
        } else {
            computer_state(reported, member.states().map(|(_, state, _)| state))
        };
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
        let group = &mut self.group;
        group.computer.push(bytes(&id.to_string()));
        put(&mut group.name, optional(&name));
        group.site.push(optional(&site).unwrap_or_else(|| bytes("unknown")));
        let seen = member.groups.iter().filter(|id| source.tree.sees(**id));
        group.collections.put(seen.map(|id| bytes(&source.tree.name(*id))));
        put(&mut group.os, (!system.is_empty()).then(|| bytes(&system)));
        group.contact.push(computer.last_contact_at.as_millisecond());
        put(&mut group.scan, millis(computer.last_sync_at));
        put(&mut group.report, millis(computer.last_report_at));
        group.reported.push(reported);
        for (column, state) in group.counts.iter_mut().zip(COUNTED) {
            column.push(i32::try_from(counts.of(state)).unwrap_or(i32::MAX));
        }
        group.state.push(bytes(word(state)));
        group.compliant.push(state.is_compliant());
        group.as_of.push(self.as_of);
        if self.group.computer.len() >= GROUP {
            self.flush().map_err(failed)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let group = std::mem::take(&mut self.group);
        let mut out = self.file.next_row_group()?;
        let rows = &mut out;
        texts(rows, &group.computer, None)?;
        texts(rows, &group.name.0, Some(&group.name.1))?;
        texts(rows, &group.site, None)?;
        let lists = &group.collections;
        let mut column = next(rows)?;
        column.typed::<ByteArrayType>().write_batch(&lists.texts, Some(&lists.present), Some(&lists.goes_on))?;
        column.close()?;
        texts(rows, &group.os.0, Some(&group.os.1))?;
        instants(rows, &group.contact, None)?;
        instants(rows, &group.scan.0, Some(&group.scan.1))?;
        instants(rows, &group.report.0, Some(&group.report.1))?;
        let mut column = next(rows)?;
        column.typed::<BoolType>().write_batch(&group.reported, None, None)?;
        column.close()?;
        for counts in &group.counts {
            let mut column = next(rows)?;
            column.typed::<Int32Type>().write_batch(counts, None, None)?;
            column.close()?;
        }
        texts(rows, &group.state, None)?;
        let mut column = next(rows)?;
        column.typed::<BoolType>().write_batch(&group.compliant, None, None)?;
        column.close()?;
        instants(rows, &group.as_of, None)?;
        out.close()?;
        Ok(())
    }

    fn finish(mut self) -> Result<ExportFile, ParquetError> {
        if !self.group.computer.is_empty() {
            self.flush()?;
        }
        ended(self.file)
    }
}
