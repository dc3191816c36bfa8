//! A wsusutil package: every record checked before anything is written.

use std::io::BufReader;

use rayon::prelude::*;
use weir_store::revision::FileSource;
use weir_wire::package::{Limits, PackageError, Reader, Record};

use super::{Package, Ready, Report, Source, Step, document};
use crate::admin::chain;

/// Records parsed together.
const TOGETHER: usize = 512;
/// Bytes of records parsed together.
const TOGETHER_BYTES: usize = 64 << 20;

/// Why a package is refused.
pub(super) struct Refused {
    /// The record to blame, if one is.
    pub(super) record: Option<u64>,
    /// In words.
    pub(super) message: String,
    /// Records that the package announced.
    pub(super) records: u64,
}

impl Refused {
    fn new(error: &PackageError, records: u64) -> Self {
        Self { record: record_of(error), message: chain(error), records }
    }

    /// Damage of the cabinet itself has no record of its own: that of the record it was met in.
    fn within(record: u64, error: &PackageError, records: u64) -> Self {
        let refused = Self::new(error, records);
        if !matches!(error, PackageError::Cabinet(_)) {
            return refused;
        }
        let message = format!("record {record} of metadata.txt cannot be read: {}", refused.message);
        Self { record: Some(record), message, ..refused }
    }
}

fn record_of(error: &PackageError) -> Option<u64> {
    match error {
        PackageError::Document { record, .. }
        | PackageError::Duplicate { record, .. }
        | PackageError::Frame { record, .. }
        | PackageError::Identity { record, .. }
        | PackageError::Row { record, .. } => Some(*record),
        _ => None,
    }
}

/// Reads a package to its end.
pub(super) fn read(name: &str, source: Box<dyn Source>, report: Report<'_>) -> Result<Package, Refused> {
    let mut reader =
        Reader::open(BufReader::new(source), &Limits::default()).map_err(|error| Refused::new(&error, 0))?;
    let announced = reader.package().updates.len() as u64;
    let mut sources = Vec::new();
    for (row, file) in reader.package().files.iter().enumerate() {
        // C# exporters leave files without an address out, others may write an empty one
        if file.mu_url.is_empty() {
            continue;
        }
        if !document::is_source(&file.mu_url) {
            let message = format!("package.xml: File {} has no usable address: {:?}", row + 1, file.mu_url);
            return Err(Refused { record: Some(row as u64 + 1), message, records: announced });
        }
        sources.push(FileSource { digest: file.digest, url: file.mu_url.clone(), origin: "package".to_owned() });
    }
    let refused = |error: PackageError| Refused::new(&error, announced);
    let mut records = reader.records().map_err(refused)?;
    let mut revisions = Vec::with_capacity(announced as usize);
    loop {
        let (mut group, mut bytes) = (Vec::new(), 0);
        while group.len() < TOGETHER && bytes < TOGETHER_BYTES {
            match records.next() {
                Some(record) => {
                    let number = (revisions.len() + group.len()) as u64 + 1;
                    let record = record.map_err(|error| Refused::within(number, &error, announced))?;
                    bytes += record.text.len();
                    group.push(record);
                }
                None => break,
            }
        }
        if group.is_empty() {
            break;
        }
        // in order, so that the first broken record is the one that is named
        let parsed: Vec<Result<(u64, Ready), Refused>> =
            group.into_par_iter().map(|record| parse(record, announced)).collect();
        for result in parsed {
            revisions.push(result?);
        }
        report(Step::Parse, revisions.len() as u64, announced);
    }
    Ok(Package { name: name.to_owned(), revisions, sources })
}

fn parse(mut record: Record, announced: u64) -> Result<(u64, Ready), Refused> {
    let text = std::mem::take(&mut record.text);
    let number = record.number;
    let ready = document::ready(text).map_err(|message| Refused {
        record: Some(number),
        message: format!("record {number} of metadata.txt, {}: {message}", record.identity),
        records: announced,
    })?;
    record.check(ready.identity).map_err(|error| Refused::new(&error, announced))?;
    Ok((number, ready))
}
