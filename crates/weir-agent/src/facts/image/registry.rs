//! The registry of an image: which hive a path leads to, and the key there.

use std::{collections::HashMap, path::Path, sync::Arc};

use parking_lot::Mutex;
use weir_model::applicability::{Fact, GapKind, facts::RegistryData};

use super::{
    hive::{Hive, HiveError, LARGEST, Subkeys},
    recovery::{Recovery, recover},
    tree::{Tree, TreeError},
};
use crate::facts::{file::gap, names::fold};

/// Keys that stand for others, one after the other.
const MOST_LINKS: usize = 16;
/// Levels of keys. Windows: 512.
const DEEPEST: usize = 512;
/// Paths that are remembered.
const KEPT: usize = 200_000;

/// The hives, and which control set is the current one.
#[derive(Debug)]
pub(super) struct Registry {
    software: Slot,
    system: Slot,
    components: Slot,
    default: Slot,
    control_set: Option<String>,
    found: Mutex<HashMap<String, Option<Place>>>,
}

/// A hive, or why there is none.
type Slot = Result<Arc<Hive>, String>;

/// A key in a hive.
#[derive(Clone, Debug)]
struct Place {
    hive: Arc<Hive>,
    key: u32,
}

/// Where a path leads before any hive is asked.
enum Mount<'a> {
    /// Into a hive, with the path below its root.
    Hive(&'a Slot, String),
    /// A key above hives, which is always there.
    Above,
    /// What an image does not have.
    Elsewhere,
}

impl Registry {
    /// Opens the hives of an image. What cannot be opened is told in `warnings`, and asked in vain later.
    pub(super) fn open(tree: &Tree, warnings: &mut Vec<String>) -> Self {
        let mut slot = |name: &str| {
            let opened = open(tree, name, warnings);
            match &opened {
                Err(why) if name == "SOFTWARE" || name == "SYSTEM" => warnings.push(format!("hive {name}: {why}")),
                // Not every image has the others.
                _ => {}
            }
            opened
        };
        let mut registry = Self {
            software: slot("SOFTWARE"),
            system: slot("SYSTEM"),
            components: slot("COMPONENTS"),
            default: slot("DEFAULT"),
            control_set: None,
            found: Mutex::default(),
        };
        // Which one is current is a number in `Select`; what starts next if nothing has started yet.
        let select = r"HKEY_LOCAL_MACHINE\SYSTEM\Select";
        let number = ["Current", "Default"].into_iter().find_map(|name| match registry.value(select, name) {
            Ok(Some(RegistryData::Dword(number))) if number > 0 => Some(number),
            _ => None,
        });
        registry.control_set = number.map(|number| format!("ControlSet{number:03}"));
        if registry.control_set.is_none() && registry.system.is_ok() {
            warnings.push("hive SYSTEM: Select names no control set".to_owned());
        }
        registry
    }

    /// Whether a key exists.
    pub(super) fn key(&self, path: &str) -> Fact<bool> {
        if matches!(self.mount(path), Mount::Above) {
            return Ok(true);
        }
        Ok(self.place(path)?.is_some())
    }

    /// A value; none if the key or the value does not exist.
    pub(super) fn value(&self, path: &str, name: &str) -> Fact<Option<RegistryData<'static>>> {
        match self.place(path)? {
            Some(Place { hive, key }) => hive.value(key, name).map_err(|why| damaged(path, &why)),
            None => Ok(None),
        }
    }

    /// All values of a key; none if the key does not exist.
    pub(super) fn values(&self, path: &str) -> Fact<Option<Vec<(String, RegistryData<'static>)>>> {
        match self.place(path)? {
            Some(Place { hive, key }) => hive.values(key).map(Some).map_err(|why| damaged(path, &why)),
            None => Ok(None),
        }
    }

    /// Names of subkeys in the order of the hive; none if the key does not exist.
    pub(super) fn subkeys(&self, path: &str) -> Fact<Option<Vec<String>>> {
        let Some(Place { hive, key }) = self.place(path)? else { return Ok(None) };
        let subkeys = hive.subkeys(key).map_err(|why| damaged(path, &why))?;
        let mut names: Vec<_> = subkeys.values().collect();
        names.sort_by_key(|subkey| subkey.place);
        Ok(Some(names.into_iter().map(|subkey| subkey.name.clone()).collect()))
    }

    /// A value that is a number.
    pub(super) fn dword(&self, path: &str, name: &str) -> Fact<Option<u32>> {
        Ok(match self.value(path, name)? {
            Some(RegistryData::Dword(number)) => Some(number),
            _ => None,
        })
    }

    /// A value that is a text that is not empty.
    pub(super) fn text(&self, path: &str, name: &str) -> Fact<Option<String>> {
        Ok(match self.value(path, name)? {
            Some(RegistryData::Sz(text) | RegistryData::ExpandSz(text)) if !text.is_empty() => Some(text.into_owned()),
            _ => None,
        })
    }

    fn mount(&self, path: &str) -> Mount<'_> {
        let mut parts = path.splitn(3, '\\');
        let (root, first, rest) = (parts.next().unwrap_or_default(), parts.next(), parts.next().unwrap_or_default());
        let is = |name: &str| first.is_some_and(|first| first.eq_ignore_ascii_case(name));
        match root {
            "HKEY_LOCAL_MACHINE" | "HKEY_USERS" if first.is_none() => Mount::Above,
            "HKEY_LOCAL_MACHINE" if is("SOFTWARE") => Mount::Hive(&self.software, rest.to_owned()),
            "HKEY_LOCAL_MACHINE" if is("COMPONENTS") => Mount::Hive(&self.components, rest.to_owned()),
            "HKEY_LOCAL_MACHINE" if is("SYSTEM") => {
                const CURRENT: &str = "CurrentControlSet";
                let (head, tail) = rest.split_once('\\').unwrap_or((rest, ""));
                match &self.control_set {
                    Some(set) if head.eq_ignore_ascii_case(CURRENT) => {
                        let slash = if tail.is_empty() { "" } else { "\\" };
                        Mount::Hive(&self.system, format!("{set}{slash}{tail}"))
                    }
                    None if head.eq_ignore_ascii_case(CURRENT) => Mount::Elsewhere,
                    _ => Mount::Hive(&self.system, rest.to_owned()),
                }
            }
            "HKEY_USERS" if is(".DEFAULT") || is("S-1-5-18") => Mount::Hive(&self.default, rest.to_owned()),
            // Users' hives, those of security, and what exists only while Windows runs.
            _ => Mount::Elsewhere,
        }
    }

    /// The key at a path; none if there is none.
    fn place(&self, path: &str) -> Fact<Option<Place>> {
        let form = fold(path);
        if let Some(known) = self.found.lock().get(&form) {
            return Ok(known.clone());
        }
        let found = self.walk(path)?;
        let mut kept = self.found.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(form, found.clone());
        Ok(found)
    }

    fn walk(&self, path: &str) -> Fact<Option<Place>> {
        let mut target = path.to_owned();
        for _ in 0..MOST_LINKS {
            let (hive, below) = match self.mount(&target) {
                Mount::Hive(Ok(hive), below) => (hive, below),
                Mount::Hive(Err(_), _) => return Err(gap(GapKind::Unreadable, path)),
                Mount::Above | Mount::Elsewhere => return Err(gap(GapKind::NotCollected, path)),
            };
            match step(hive, &below).map_err(|why| damaged(path, &why))? {
                Step::Found(key) => return Ok(Some(Place { hive: Arc::clone(hive), key })),
                Step::Absent => return Ok(None),
                Step::TooDeep => return Err(gap(GapKind::TooMuch, path)),
                Step::Link { key, rest } => {
                    let link = link_target(hive, key).map_err(|why| damaged(path, &why))?;
                    let link = link.ok_or_else(|| gap(GapKind::Unreadable, path))?;
                    let slash = if rest.is_empty() { "" } else { "\\" };
                    target = format!("{link}{slash}{rest}");
                }
            }
        }
        Err(gap(GapKind::TooMuch, path))
    }
}

fn damaged(path: &str, why: &HiveError) -> weir_model::applicability::Gap {
    gap(GapKind::Unreadable, &format!("{path}: {why}"))
}

enum Step {
    Found(u32),
    Absent,
    TooDeep,
    Link { key: u32, rest: String },
}

/// Walks down in one hive.
fn step(hive: &Hive, below: &str) -> Result<Step, HiveError> {
    let mut key = hive.root();
    let mut parts = below.split('\\').filter(|part| !part.is_empty());
    for _ in 0..DEEPEST {
        let Some(part) = parts.next() else { return Ok(Step::Found(key)) };
        let subkeys: Arc<Subkeys> = hive.subkeys(key)?;
        let Some(subkey) = subkeys.get(&fold(part)) else { return Ok(Step::Absent) };
        if subkey.is_link {
            return Ok(Step::Link { key: subkey.offset, rest: parts.collect::<Vec<_>>().join("\\") });
        }
        key = subkey.offset;
    }
    Ok(if parts.next().is_none() { Step::Found(key) } else { Step::TooDeep })
}

/// What a key stands for: its value `SymbolicLinkValue` of type `REG_LINK` (6), text without a NUL at its end.
fn link_target(hive: &Hive, key: u32) -> Result<Option<String>, HiveError> {
    let Some(RegistryData::Binary(6, bytes)) = hive.value(key, "SymbolicLinkValue")? else { return Ok(None) };
    let target = super::bytes::utf16_to_nul(&bytes);
    let after = |prefix: &str| {
        let (head, tail) = target.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| tail.to_owned())
    };
    Ok(after(r"\Registry\Machine\")
        .map(|path| format!(r"HKEY_LOCAL_MACHINE\{path}"))
        .or_else(|| after(r"\Registry\User\").map(|path| format!(r"HKEY_USERS\{path}"))))
}

/// Opens a hive with its logs.
fn open(tree: &Tree, name: &str, warnings: &mut Vec<String>) -> Slot {
    let file = |name: &str| match tree.host(&format!(r"Windows\System32\config\{name}")) {
        Ok(Some(path)) => Ok(Some(path)),
        Ok(None) => Ok(None),
        Err(error) => Err(error.to_string()),
    };
    let path = file(name)?.ok_or_else(|| format!(r"there is no Windows\System32\config\{name}"))?;
    let mut bytes = read(&path)?;
    let logs = [".LOG1", ".LOG2", ".LOG"];
    let logs = logs.into_iter().filter_map(|end| read(&file(&format!("{name}{end}")).ok()??).ok());
    let logs: Vec<Vec<u8>> = logs.filter(|log| !log.is_empty()).collect();
    match recover(&mut bytes, &logs) {
        Recovery::Clean => {}
        Recovery::Applied(changes) => warnings.push(format!(
            "hive {name}: it was not written to its end; {changes} changes of its transaction logs were applied in memory"
        )),
        Recovery::Incomplete => warnings.push(format!(
            "hive {name}: it was not written to its end and no transaction log fits; the latest changes may be missing"
        )),
    }
    Hive::open(bytes).map(Arc::new).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    super::tree::read(path, LARGEST).map_err(|error: TreeError| error.to_string())
}
