//! One hive of the registry, in memory.

use std::{
    collections::HashMap,
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parking_lot::Mutex;
use regf::{KeyNode, KeyValue, parser::HiveParser};
use weir_model::applicability::facts::RegistryData;

use super::{
    bytes::{u32_at, utf16, utf16_to_nul},
    cost,
};
use crate::facts::names::fold;

/// Largest hive in bytes. Windows: none has more than 2 GiB; genuine ones of `SOFTWARE` have 50 to 200 MiB.
pub(super) const LARGEST: u64 = 512 * 1024 * 1024;
/// Keys whose subkeys are kept at a time.
const KEPT: usize = 100_000;

/// Why a hive cannot be used, or something in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HiveError {
    /// The library found a contradiction in it.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The library gave up.
    #[error("it is damaged, and cannot be taken apart")]
    Panicked,
    /// Reading it would take more than any genuine hive.
    #[error("it claims more than it holds")]
    TooMuch,
}

impl From<regf::Error> for HiveError {
    fn from(error: regf::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// The subkeys of a key by the form in which names are compared.
pub(super) type Subkeys = HashMap<String, Subkey>;

/// A key below another.
#[derive(Clone, Debug)]
pub(super) struct Subkey {
    /// Its name as it is written.
    pub(super) name: String,
    /// Its place among them.
    pub(super) place: usize,
    /// Where it is in the hive.
    pub(super) offset: u32,
    /// Whether it stands for another key.
    pub(super) is_link: bool,
}

/// A hive. When it is opened, the library walks all of it: whatever it holds that does not fit together makes it
/// unreadable as a whole, so that no key is ever missed because the list that names it is damaged.
pub(super) struct Hive {
    parser: HiveParser<Cursor<Vec<u8>>>,
    subkeys: Mutex<HashMap<u32, Arc<Subkeys>>>,
}

impl std::fmt::Debug for Hive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hive").finish_non_exhaustive()
    }
}

impl Hive {
    /// Opens a hive.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, HiveError> {
        if !cost::is_bearable(&bytes) {
            return Err(HiveError::TooMuch);
        }
        let parser = guarded(|| Ok(HiveParser::new(Cursor::new(bytes))?))?;
        Ok(Self { parser, subkeys: Mutex::default() })
    }

    /// The root key.
    pub(super) fn root(&self) -> u32 {
        self.parser.root_cell_offset()
    }

    /// The subkeys of a key.
    pub(super) fn subkeys(&self, key: u32) -> Result<Arc<Subkeys>, HiveError> {
        if let Some(known) = self.subkeys.lock().get(&key) {
            return Ok(Arc::clone(known));
        }
        let found = guarded(|| {
            let node = self.parser.read_key_node(key)?;
            let mut subkeys = Subkeys::new();
            for (place, offset) in self.parser.get_subkey_offsets(&node)?.into_iter().enumerate() {
                let below = self.parser.read_key_node(offset)?;
                let name = below.name();
                let subkey = Subkey { place, offset, is_link: below.is_symlink(), name };
                subkeys.insert(fold(&subkey.name), subkey);
            }
            Ok(Arc::new(subkeys))
        })?;
        let mut kept = self.subkeys.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&found));
        Ok(found)
    }

    /// A value of a key; none if it has none of that name. An empty name is the default value.
    pub(super) fn value(&self, key: u32, name: &str) -> Result<Option<RegistryData<'static>>, HiveError> {
        let form = fold(name);
        guarded(|| {
            for value in self.values_of(key)? {
                if fold(&value.name()) == form {
                    return self.data(&value).map(Some);
                }
            }
            Ok(None)
        })
    }

    /// All values of a key, in the order of the hive.
    pub(super) fn values(&self, key: u32) -> Result<Vec<(String, RegistryData<'static>)>, HiveError> {
        guarded(|| self.values_of(key)?.iter().map(|value| Ok((value.name(), self.data(value)?))).collect())
    }

    fn values_of(&self, key: u32) -> Result<Vec<KeyValue>, HiveError> {
        let node: KeyNode = self.parser.read_key_node(key)?;
        let offsets = self.parser.get_value_offsets(&node)?;
        offsets.into_iter().map(|offset| Ok(self.parser.read_key_value(offset)?)).collect()
    }

    fn data(&self, value: &KeyValue) -> Result<RegistryData<'static>, HiveError> {
        let bytes = if value.is_data_resident() {
            value.get_resident_data().ok_or_else(|| HiveError::Damaged("a value without data".to_owned()))?
        } else if value.actual_data_size() == 0 {
            Vec::new()
        } else {
            self.parser.read_value_data(value.data_offset, value.actual_data_size())?
        };
        Ok(data(value.data_type, bytes))
    }
}

/// Opens a hive and reads every key and value of it; answers how many keys it has. For checking hives as a whole.
pub fn walk_hive(bytes: &[u8]) -> Result<usize, HiveError> {
    let hive = Hive::open(bytes.to_vec())?;
    let mut todo = vec![hive.root()];
    let mut keys = 0;
    while let Some(key) = todo.pop() {
        keys += 1;
        hive.values(key)?;
        todo.extend(hive.subkeys(key)?.values().map(|subkey| subkey.offset));
    }
    Ok(keys)
}

/// Data of a type (`REG_SZ` 1, `REG_EXPAND_SZ` 2, `REG_DWORD` 4, `REG_MULTI_SZ` 7, `REG_QWORD` 11; Windows documentation,
/// "Registry value types"). Numbers of another length than theirs stay bytes.
fn data(kind: u32, bytes: Vec<u8>) -> RegistryData<'static> {
    match (kind, bytes.as_slice()) {
        (1, text) => RegistryData::Sz(utf16_to_nul(text).into()),
        (2, text) => RegistryData::ExpandSz(utf16_to_nul(text).into()),
        (4, number) if number.len() == 4 => RegistryData::Dword(u32_at(number, 0).unwrap_or_default()),
        (7, texts) => {
            let all = utf16(texts);
            let list = all.trim_end_matches('\0');
            let list = if list.is_empty() { Vec::new() } else { list.split('\0').map(str::to_owned).collect() };
            RegistryData::MultiSz(list.into())
        }
        (11, number) if number.len() == 8 => {
            let half = |at| u64::from(u32_at(number, at).unwrap_or_default());
            RegistryData::Qword(half(4) << 32 | half(0))
        }
        _ => RegistryData::Binary(kind, bytes.into()),
    }
}

/// Calls the library. It is tested against damaged hives and has bounds of its own, but what it does with bytes that
/// nobody thought of must not end the process.
fn guarded<T>(read: impl FnOnce() -> Result<T, HiveError>) -> Result<T, HiveError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(HiveError::Panicked))
}
