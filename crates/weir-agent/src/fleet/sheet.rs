//! Facts that many computers share, or one computer has of its own.
//!
//! A fleet of 150,000 computers has some thousand different sheets; each computer holds a reference to one, and a small
//! sheet of its own with what was installed since.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use uuid::Uuid;
use weir_model::{
    applicability::facts::{FileFacts, KeyPath, MsiProduct, PackageState, RegistryData},
    document::rules::base::Hive,
    ids::UpdateId,
};

/// Names are compared without regard to case; this is how they are kept.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) || !name.is_ascii() {
        Cow::Owned(name.to_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// The place of a key as it is kept: one letter for the hive, the path in lower case, the 32-bit view resolved.
pub(super) fn place(key: KeyPath<'_>, is_64: bool) -> String {
    const SOFTWARE: &str = "software";
    const VIEW: &str = "software\\wow6432node";
    let hive = match key.hive {
        Hive::ClassesRoot => 'c',
        Hive::CurrentUser => 'u',
        Hive::LocalMachine | Hive::LoopTarget => 'm',
        Hive::Users => 's',
    };
    let path = lower(key.path);
    let redirected = key.view32 && is_64 && key.hive == Hive::LocalMachine && !path.starts_with(VIEW);
    match path.strip_prefix(SOFTWARE) {
        Some(rest) if redirected && (rest.is_empty() || rest.starts_with('\\')) => format!("{hive}{VIEW}{rest}"),
        _ => format!("{hive}{path}"),
    }
}

/// The place above a place; none above a hive.
pub(super) fn above(place: &str) -> Option<&str> {
    match place.rsplit_once('\\') {
        Some((above, _)) => Some(above),
        None if place.len() > 1 => place.get(..1),
        None => None,
    }
}

/// What a key holds: values by lower-case name.
pub(super) type Values = BTreeMap<Box<str>, RegistryData<'static>>;

/// A sheet of facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sheet {
    /// Keys by place; each key's parents are there, too. The second text is the name as written.
    pub(super) keys: BTreeMap<Box<str>, (Box<str>, Values)>,
    /// Files and folders by lower-case path.
    pub(super) files: BTreeMap<Box<str>, FileFacts>,
    /// Products of Windows Installer.
    pub(super) products: BTreeMap<Uuid, MsiProduct>,
    /// Packages by lower-case identity, with the identity as written.
    pub(super) packages: BTreeMap<Box<str>, (Box<str>, PackageState)>,
    /// Updates that were installed once.
    pub(super) once: BTreeSet<UpdateId>,
}

impl Sheet {
    /// Adds a key with everything above it.
    pub(super) fn key_at(&mut self, key: KeyPath<'_>, is_64: bool) -> &mut Values {
        let place = place(key, is_64);
        for (place, name) in names(&place, key.path) {
            self.keys.entry(place.into()).or_insert_with(|| (name.into(), Values::new()));
        }
        &mut self.keys.entry(place.into()).or_default().1
    }
}

/// The places of a key and of everything above it, the lowest first, each with its name. The path as written gives the
/// names; the node of the 32-bit view, which is not written, has one of its own.
pub(super) fn names<'p>(place: &'p str, written: &'p str) -> Vec<(&'p str, &'p str)> {
    let mut written = written.rsplit('\\').peekable();
    let mut all = Vec::new();
    let mut at = place;
    while let Some(next) = above(at) {
        let last = at.get(next.len()..).unwrap_or_default().trim_start_matches('\\');
        let same = written.peek().is_some_and(|name| name.to_lowercase() == last);
        all.push((at, if same { written.next().unwrap_or(last) } else { "WOW6432Node" }));
        at = next;
    }
    all
}
