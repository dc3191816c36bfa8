//! Everything that computers listed, as a Parquet file for other tools.
//!
//! One row for each computer and update that the computer listed and is asked about: required, downloaded, installed, failed,
//! pending restart. What is not listed does not apply or is unknown: with all states it has rows, too, and [`computers`] writes a
//! row for each computer with its states counted.
//!
//! The file is written to the data folder first, so that a failure is told and a slow reader keeps no view of the database open;
//! it has no name there and goes with the answer. In memory are the rows of one row group.

mod computers;

use std::{
    collections::HashSet,
    fs::File,
    io::{Seek as _, SeekFrom},
    sync::Arc,
};

use futures_util::{Stream, stream};
use jiff::Timestamp;
use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use tokio::io::AsyncReadExt as _;
use weir_api::report::ComplianceExportQuery;
use weir_model::{
    compliance::Seen,
    ids::UpdateId,
    report::{Arguments, Cell, states::word},
    rights::Scope,
    status::{Entry, State},
};

use super::{
    super::{AdminError, App, index::Index},
    invalid,
    source::{Beside, Member, Source},
};

/// Rows of a row group: with a few hundred bytes each, some tens of megabytes in memory.
const GROUP: usize = 1 << 16;
/// Bytes sent at once.
const PIECE: usize = 256 << 10;

/// The columns. Instants are milliseconds since 1970 in UTC; those of `changed` are by the computer's own clock, and with all
/// states may be absent.
const SCHEMA: &str = "message compliance {
    required binary computer_id (STRING);
    optional binary computer_name (STRING);
    required binary site (STRING);
    required binary update_id (STRING);
    optional binary article (STRING);
    optional binary title (STRING);
    required binary state (STRING);
    required int64 changed (TIMESTAMP(MILLIS,true));
    optional int32 error;
    optional int64 reported (TIMESTAMP(MILLIS,true));
    required int64 as_of (TIMESTAMP(MILLIS,true));
}";

/// A file that was written.
pub(crate) struct ExportFile {
    /// How long it is.
    pub(crate) bytes: u64,
    file: File,
}

impl ExportFile {
    /// Its bytes.
    pub(crate) fn stream(self) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + use<> {
        let file = tokio::fs::File::from_std(self.file);
        stream::try_unfold(file, |mut file| async move {
            let mut piece = Vec::with_capacity(PIECE);
            let read = file.read_buf(&mut piece).await?;
            Ok((read > 0).then_some((piece, file)))
        })
    }
}

/// What the rows are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// What computers listed.
    Listed,
    /// What they are asked about.
    AllStates,
    /// The computers.
    Computers,
}

fn kind(query: &ComplianceExportQuery) -> Result<Kind, AdminError> {
    let word = |text: Option<&str>| text.unwrap_or_default().trim().to_ascii_lowercase();
    match (word(query.rows.as_deref()).as_str(), word(query.states.as_deref()).as_str()) {
        ("" | "updates", "" | "listed") => Ok(Kind::Listed),
        ("" | "updates", "all") => Ok(Kind::AllStates),
        ("computers", "") => Ok(Kind::Computers),
        ("computers", _) => {
            Err(AdminError::invalid("states", "rows of computers have every state counted: leave states out"))
        }
        ("" | "updates", other) => {
            let detail = format!("states is {:?}; it must be listed or all", super::shortened(other));
            Err(AdminError::invalid("states", detail))
        }
        (other, _) => {
            let detail = format!("rows is {:?}; it must be updates or computers", super::shortened(other));
            Err(AdminError::invalid("rows", detail))
        }
    }
}

/// Writes the file.
pub(crate) async fn compliance(
    app: &App,
    scope: Scope,
    query: ComplianceExportQuery,
) -> Result<ExportFile, AdminError> {
    if let Some(format) = query.format.as_deref().filter(|format| !format.eq_ignore_ascii_case("parquet")) {
        let detail = format!("format is {:?}; it must be parquet", super::shortened(format));
        return Err(AdminError::invalid("format", detail));
    }
    let kind = kind(&query)?;
    // it takes what the report of the same data takes
    let report = super::named("compliance-overall")?;
    let given = [("collection", &query.collection), ("site", &query.site), ("group", &query.group)];
    let given = given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let asked = Arguments::read(report, given).map_err(|error| invalid(&error))?;
    let _only = app.shared().reports.exporting.try_lock().map_err(|_| AdminError::Conflict {
        code: "running",
        detail: "a bulk export of compliance is written right now".to_owned(),
        next_step: Some("try again when it is done".to_owned()),
    })?;
    let index = Index::current(app).await?;
    let (live, data, shared) = (app.state.live.clone(), app.process.data.clone(), app.clone());
    app.try_read(move |tx| {
        let beside = Beside { roster: None, failures: &shared.shared().reported_failures };
        let source = Source::new(tx, &live, &index, &asked, 1, &scope, beside)?;
        let file = tempfile::tempfile_in(&data)
            .map_err(|error| AdminError::Internal(format!("{}: {error}", data.display())))?;
        let only: Option<HashSet<UpdateId>> = source.group()?.map(|(_, _, members)| members.into_iter().collect());
        match kind {
            Kind::Computers => computers::write(&source, only.as_ref(), file),
            Kind::Listed | Kind::AllStates => write(&source, only.as_ref(), file, kind == Kind::AllStates),
        }
    })
    .await
}

fn failed(error: ParquetError) -> AdminError {
    AdminError::Internal(format!("the export could not be written: {error}"))
}

fn write(
    source: &Source<'_>,
    only: Option<&HashSet<UpdateId>>,
    file: File,
    all: bool,
) -> Result<ExportFile, AdminError> {
    let mut writer = Writer::new(file, source, all).map_err(failed)?;
    let mut trouble = None;
    let lists = |seen: &Seen<'_>| all || seen.has(State::Installed) || seen.listed().next().is_some();
    source.each(&source.scope()?, only, &lists, &mut |member| {
        // what follows a failure is not written; the walk has no other end
        if trouble.is_none() {
            trouble = writer.add(source, member).err();
        }
    })?;
    match trouble {
        Some(error) => Err(failed(error)),
        None => writer.finish().map_err(failed),
    }
}

/// Rows that wait for their row group to be full. Optional columns have their values and, for each row, whether there is one.
#[derive(Default)]
struct Group {
    computer: Vec<ByteArray>,
    name: (Vec<ByteArray>, Vec<i16>),
    site: Vec<ByteArray>,
    update: Vec<ByteArray>,
    article: (Vec<ByteArray>, Vec<i16>),
    title: (Vec<ByteArray>, Vec<i16>),
    state: Vec<ByteArray>,
    changed: (Vec<i64>, Vec<i16>),
    error: (Vec<i32>, Vec<i16>),
    reported: (Vec<i64>, Vec<i16>),
    as_of: Vec<i64>,
}

/// Id, article and title of an update, shared by all rows that name it.
type Texts = (ByteArray, Option<ByteArray>, Option<ByteArray>);

struct Writer {
    file: SerializedFileWriter<File>,
    /// Also what is not listed.
    all: bool,
    group: Group,
    as_of: i64,
    updates: std::collections::HashMap<UpdateId, Texts>,
    states: [ByteArray; State::ALL.len()],
}

fn bytes(text: &str) -> ByteArray {
    text.as_bytes().to_vec().into()
}

/// The text of a cell that has one.
fn optional(cell: &Cell) -> Option<ByteArray> {
    let text = cell.to_string();
    (!text.is_empty()).then(|| bytes(&text))
}

fn put<T>(column: &mut (Vec<T>, Vec<i16>), value: Option<T>) {
    column.1.push(i16::from(value.is_some()));
    column.0.extend(value);
}

/// How files are written.
fn properties(source: &Source<'_>) -> Arc<WriterProperties> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("weir {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new("as_of".to_owned(), source.now.to_string())]))
        .build();
    Arc::new(properties)
}

/// A file to whose end all was written.
fn ended(file: SerializedFileWriter<File>) -> Result<ExportFile, ParquetError> {
    let mut file = file.into_inner()?;
    let bytes = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    Ok(ExportFile { bytes, file })
}

impl Writer {
    fn new(file: File, source: &Source<'_>, all: bool) -> Result<Self, ParquetError> {
        let schema =
            if all { SCHEMA.replace("required int64 changed", "optional int64 changed") } else { SCHEMA.to_owned() };
        let schema = Arc::new(parse_message_type(&schema)?);
        let file = SerializedFileWriter::new(file, schema, properties(source))?;
        Ok(Self {
            file,
            all,
            group: Group::default(),
            as_of: source.now.as_millisecond(),
            updates: std::collections::HashMap::new(),
            states: State::ALL.map(|state| bytes(word(state))),
        })
    }

    /// The rows of a computer.
    fn add(&mut self, source: &Source<'_>, member: &Member<'_>) -> Result<(), ParquetError> {
        let [computer, name, site] = source.who(member.computer);
        let (computer, name) = (bytes(&computer.to_string()), optional(&name));
        let site = optional(&site).unwrap_or_else(|| bytes("unknown"));
        let reported = member.status.reported.map(Timestamp::as_millisecond);
        for (asked, state, entry) in member.states() {
            if entry.is_none() && !self.all {
                continue;
            }
            let texts = self.updates.entry(asked.update).or_insert_with(|| {
                let [id, article, title] = source.what(asked.update);
                (bytes(&id.to_string()), optional(&article), optional(&title))
            });
            self.group.row(&computer, name.as_ref(), &site, texts, state, &self.states, entry, reported, self.as_of);
            if self.group.computer.len() >= GROUP {
                self.flush()?;
            }
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
        texts(rows, &group.update, None)?;
        texts(rows, &group.article.0, Some(&group.article.1))?;
        texts(rows, &group.title.0, Some(&group.title.1))?;
        texts(rows, &group.state, None)?;
        instants(rows, &group.changed.0, self.all.then_some(group.changed.1.as_slice()))?;
        let mut column = next(rows)?;
        column.typed::<Int32Type>().write_batch(&group.error.0, Some(&group.error.1), None)?;
        column.close()?;
        instants(rows, &group.reported.0, Some(&group.reported.1))?;
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

impl Group {
    fn row(
        &mut self,
        computer: &ByteArray,
        name: Option<&ByteArray>,
        site: &ByteArray,
        (update, article, title): &Texts,
        state: State,
        words: &[ByteArray; State::ALL.len()],
        entry: Option<&Entry>,
        reported: Option<i64>,
        as_of: i64,
    ) {
        self.computer.push(computer.clone());
        put(&mut self.name, name.cloned());
        self.site.push(site.clone());
        self.update.push(update.clone());
        put(&mut self.article, article.clone());
        put(&mut self.title, title.clone());
        let state = words.get(usize::from(state.protocol_number())).cloned().unwrap_or_default();
        self.state.push(state);
        put(&mut self.changed, entry.map(|entry| entry.changed.as_millisecond()));
        put(&mut self.error, entry.and_then(|entry| entry.error));
        put(&mut self.reported, reported);
        self.as_of.push(as_of);
    }
}

type Rows<'r> = SerializedRowGroupWriter<'r, File>;

fn next<'c>(rows: &'c mut Rows<'_>) -> Result<parquet::file::writer::SerializedColumnWriter<'c>, ParquetError> {
    rows.next_column()?.ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))
}

fn texts(rows: &mut Rows<'_>, values: &[ByteArray], present: Option<&[i16]>) -> Result<(), ParquetError> {
    let mut column = next(rows)?;
    column.typed::<ByteArrayType>().write_batch(values, present, None)?;
    column.close()
}

fn instants(rows: &mut Rows<'_>, values: &[i64], present: Option<&[i16]>) -> Result<(), ParquetError> {
    let mut column = next(rows)?;
    column.typed::<Int64Type>().write_batch(values, present, None)?;
    column.close()
}
