//! Conversions between values and columns.

use std::cell::RefCell;

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use uuid::Uuid;
use weir_model::{
    exposure::DocumentKind,
    identity::Channel as PrintChannel,
    ids::{
        ChangeNumber, CollectionId, ContentDigest, DeploymentId, RevisionId, RevisionNumber, Sha256Digest, UpdateId,
    },
    message::MessageSeverity,
    report::Format as ReportFormat,
    retirement::Reason as RetirementReason,
    rights::Role,
    rule::Trigger,
    site::SiteKind,
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
    update::{CategoryKind, Severity, UpdateType},
    window::WindowKind,
};

use crate::{
    StoreError,
    alert::{AlertMoment, AlertSeverity},
    approval::ApprovalState,
    bundle::{BundleState, PartState},
    collection::MemberSource,
    content_file::ContentState,
    delivery::DeliveryState,
    downstream::Admission,
    fragment::TextKind,
    intent::{IntentKind, IntentOrigin},
    job::JobState,
    membership::CollectionLink,
    rule::RuleRunResult,
    selection::SelectionKind,
    staging::ListKind,
    subscription::Channel,
};

pub(crate) use crate::row::{Cell, Row};

/// A value on its way into a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'v> {
    Blob(&'v [u8]),
    Int(i64),
    Null,
    /// The first bytes of the array: guids and digests by value.
    Short([u8; 32], u8),
    Text(&'v str),
}

/// Gathers the values of a statement.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        &[$($crate::codec::Value::from($value)),*]
    };
}
pub(crate) use args;

/// The values of one row, for statements that are run with many.
macro_rules! row {
    ($($value:expr),* $(,)?) => {
        [$($crate::codec::Value::from($value)),*]
    };
}
pub(crate) use row;

fn short(bytes: &[u8]) -> Value<'static> {
    let mut array = [0; 32];
    array[..bytes.len()].copy_from_slice(bytes);
    Value::Short(array, bytes.len() as u8)
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Null => ValueRef::Null,
            Self::Short(array, len) => ValueRef::Blob(&array[..usize::from(*len)]),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

macro_rules! value_from {
    ($($type:ty => |$value:ident| $result:expr;)+) => {
        $(impl From<$type> for Value<'_> {
            fn from($value: $type) -> Self {
                $result
            }
        })+
    };
}

value_from! {
    bool => |value| Value::Int(value.into());
    i16 => |value| Value::Int(value.into());
    i32 => |value| Value::Int(value.into());
    i64 => |value| Value::Int(value);
    u8 => |value| Value::Int(value.into());
    u32 => |value| Value::Int(value.into());
    // Lengths and counts of things that exist: far below 2^63.
    u64 => |value| Value::Int(value as i64);
    usize => |value| Value::Int(value as i64);
    ChangeNumber => |value| Value::Int(value.0 as i64);
    CollectionId => |value| short(value.0.as_bytes());
    ContentDigest => |value| short(&value.0);
    DeploymentId => |value| Value::Int(value.0.into());
    RevisionId => |value| Value::Int(value.0.into());
    RevisionNumber => |value| Value::Int(value.0.into());
    Sha256Digest => |value| short(&value.0);
    Timestamp => |value| Value::Int(value.as_microsecond());
    UpdateId => |value| short(value.0.as_bytes());
    Uuid => |value| short(value.as_bytes());
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(value: &'v str) -> Self {
        Value::Text(value)
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(value: &'v String) -> Self {
        Value::Text(value)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(value: &'v [u8]) -> Self {
        Value::Blob(value)
    }
}

impl<'v> From<&'v Vec<u8>> for Value<'v> {
    fn from(value: &'v Vec<u8>) -> Self {
        Value::Blob(value)
    }
}

impl<'v, T> From<Option<T>> for Value<'v>
where
    Value<'v>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Value::from)
    }
}

/// An enumeration that is stored as a small number. The numbers are part of the schema.
pub(crate) trait Coded: Copy + 'static {
    const CODES: &'static [(Self, i64)];
}

macro_rules! coded {
    ($($type:ident { $($variant:ident = $code:literal),+ $(,)? })+) => {
        $(
            impl Coded for $type {
                const CODES: &'static [(Self, i64)] = &[$((Self::$variant, $code)),+];
            }

            impl From<$type> for Value<'_> {
                fn from(value: $type) -> Self {
                    Value::Int(match value {
                        $($type::$variant => $code),+
                    })
                }
            }
        )+
    };
}

coded! {
    Admission { Waiting = 0, Allowed = 1, Refused = 2, Reported = 3 }
    AlertMoment { Opened = 0, Changed = 1, Acknowledged = 2, Muted = 3, Unmuted = 4, Closed = 5 }
    AlertSeverity { Information = 0, Warning = 1, Critical = 2 }
    ApprovalState { Waiting = 0, Done = 1, Rejected = 2, Failed = 3 }
    BundleState { Receiving = 0, Committed = 1, Applied = 2 }
    CategoryKind { Company = 0, Product = 1, ProductFamily = 2, UpdateClassification = 3 }
    Channel { Mail = 0, Webhook = 1 }
    CollectionKind { Rule = 0, TargetGroup = 1 }
    ContentState { Verified = 0, Quarantined = 1, Lost = 2 }
    DeliveryState { Waiting = 0, Delivered = 1, GivenUp = 2, Dropped = 3 }
    DeploymentAction { Block = 0, Install = 1, Optional = 2, Uninstall = 3, Detect = 4 }
    DeploymentOrigin { Local = 0, Parent = 1, Rule = 2 }
    DocumentKind { Cvrf = 0, Csaf = 1, Kev = 2 }
    IntentKind { Setting = 0, Selection = 1, Criterion = 2, UpdateGroup = 3, Collection = 4, Decline = 5, EulaAcceptance = 6, Deployment = 7, MaintenanceWindow = 8, Rule = 9, ClientSettings = 10, UpdateSetting = 11, Phased = 12, SavedSearch = 13, DeploymentTemplate = 14, UpdateStop = 15 }
    IntentOrigin { Local = 0, Parent = 1, Bundle = 2 }
    ListKind { Categories = 0, Updates = 1, Members = 2 }
    JobState { Waiting = 0, Running = 1, Done = 2, Failed = 3, Cancelled = 4 }
    CollectionLink { Includes = 0, Excludes = 1, Names = 2, LimitedBy = 3 }
    MemberSource { Manual = 0, Requested = 1, Rule = 2, Include = 3 }
    MessageSeverity { Information = 0, Warning = 1, Error = 2 }
    PartState { Here = 1, Used = 2 }
    PrintChannel { Name = 0, Sheet = 1, Anchor = 2 }
    RetirementReason { Silent = 0, Duplicate = 1, Chosen = 2 }
    ReportFormat { Csv = 0, Html = 1, Json = 2, Text = 3 }
    Role { ReadOnlyAnalyst = 0, Operator = 1, SoftwareUpdateManager = 2, FullAdministrator = 3 }
    RuleRunResult { Done = 0, Nothing = 1, Failed = 2, Skipped = 3 }
    SelectionKind { Classifications = 0, Languages = 1, Products = 2, FileLanguages = 3 }
    TextKind { Document = 0, Core = 1, Extended = 2, Localized = 3, Eula = 4 }
    SiteKind { Central = 0, Primary = 1, Secondary = 2, Replica = 3 }
    Severity { Low = 0, Moderate = 1, Important = 2, Critical = 3 }
    Trigger { Manual = 0, Schedule = 1, Synchronization = 2 }
    UpdateType { Category = 0, Detectoid = 1, Driver = 2, Software = 3 }
    WindowKind { AllDeployments = 0, SoftwareUpdates = 1, TaskSequences = 2 }
}

/// Form byte of packed bytes: stored as they are.
const RAW: u8 = 0;
/// Form byte of packed bytes: one zstd frame.
const ZSTD: u8 = 1;
/// Shorter texts are not worth a frame.
const WORTHWHILE: usize = 160;
const LEVEL: i32 = 1;

thread_local! {
    // A context is 1 MB and costly to set up for texts of 1 kB.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

fn zstd_failed(source: std::io::Error) -> StoreError {
    StoreError::Corrupt { what: format!("a compressed text: {source}") }
}

/// Packs bytes for storage: a form byte, then the bytes or their zstd frame.
pub(crate) fn pack(plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let raw = || {
        let mut data = Vec::with_capacity(1 + plain.len());
        data.push(RAW);
        data.extend_from_slice(plain);
        data
    };
    if plain.len() < WORTHWHILE {
        return Ok(raw());
    }
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(zstd::bulk::Compressor::new(LEVEL).map_err(zstd_failed)?),
        };
        let mut data = vec![0; 1 + zstd::zstd_safe::compress_bound(plain.len())];
        data[0] = ZSTD;
        let written = compressor.compress_to_buffer(plain, &mut data[1..]).map_err(zstd_failed)?;
        if written >= plain.len() {
            return Ok(raw());
        }
        data.truncate(1 + written);
        data.shrink_to_fit();
        Ok(data)
    })
}

/// Appends the plain form of packed bytes, which is `plain_len` long.
pub(crate) fn unpack_into(plain: &mut Vec<u8>, data: &[u8], plain_len: usize) -> Result<(), StoreError> {
    let damaged = |why: &str| StoreError::Corrupt { what: format!("a stored text: {why}") };
    match data.split_first() {
        Some((&RAW, rest)) if rest.len() == plain_len => plain.extend_from_slice(rest),
        Some((&ZSTD, frame)) => {
            let start = plain.len();
            plain.resize(start + plain_len, 0);
            let written = DECOMPRESSOR.with_borrow_mut(|slot| {
                let decompressor = match slot {
                    Some(decompressor) => decompressor,
                    None => slot.insert(zstd::bulk::Decompressor::new().map_err(zstd_failed)?),
                };
                decompressor.decompress_to_buffer(frame, &mut plain[start..]).map_err(zstd_failed)
            })?;
            if written != plain_len {
                return Err(damaged("its length is not the recorded one"));
            }
        }
        _ => return Err(damaged("unknown form or wrong length")),
    }
    Ok(())
}

/// A whole text; `what` names it in an error.
pub(crate) fn text_from(bytes: Vec<u8>, what: &str) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|_| StoreError::Corrupt { what: format!("{what} is not UTF-8") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_bytes_come_back() {
        for plain in [vec![], vec![7; 10], vec![7; 100_000], (0..=255).cycle().take(700).collect()] {
            let data = pack(&plain).expect("packs");
            let mut back = b"before".to_vec();
            unpack_into(&mut back, &data, plain.len()).expect("unpacks");
            assert_eq!(back[6..], plain);
        }
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let data = pack(&[7; 1000]).expect("packs");
        let mut out = Vec::new();
        assert!(unpack_into(&mut out, &data, 999).is_err());
        assert!(unpack_into(&mut out, &data, 1001).is_err());
        assert!(unpack_into(&mut out, &data[..data.len() - 1], 1000).is_err());
        assert!(unpack_into(&mut out, &[], 0).is_err());
        assert!(unpack_into(&mut out, &[9, 1], 1).is_err());
    }
}
