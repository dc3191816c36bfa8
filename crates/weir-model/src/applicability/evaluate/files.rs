//! Rules about files (BaseApplicabilityRules, MS-WUSP product behavior note 42).

use super::{
    not_collected,
    registry::{self, Target},
    text::expand,
};
use crate::{
    applicability::{
        Facts, Truth,
        facts::{Fact, FileFacts},
    },
    document::rules::{
        Scalar,
        base::{BaseRule, FilePath, FileRoot},
    },
};

/// Longest path that is looked up, in characters: that of Windows.
const PATH_CHARACTERS: usize = 32_767;

/// Where the file of a rule is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::applicability) enum FileName {
    /// At this path.
    At(String),
    /// Nowhere: the folder or the value that stands before the path is not there.
    Nowhere,
}

/// Evaluates a rule; none if it is not about files. A file that is not there has nothing to compare: the rule is false.
pub(super) fn evaluate(rule: &BaseRule, facts: &dyn Facts, target: Option<&Target>) -> Option<Truth> {
    let with = |path: &FilePath, holds: &dyn Fn(&FileFacts) -> Truth| match find(path, facts, target) {
        Ok(Some(file)) => holds(&file),
        Ok(None) => Truth::False,
        Err(gap) => Truth::gap(gap),
    };
    Some(match rule {
        BaseRule::FileCreated { file, comparison, created } => {
            with(file, &|found| compare(found.created, *comparison, created, "creation time"))
        }
        BaseRule::FileModified { file, comparison, modified } => {
            with(file, &|found| compare(found.modified, *comparison, modified, "time of writing"))
        }
        BaseRule::FileSize { file, comparison, size } => {
            with(file, &|found| compare(found.size, *comparison, size, "size of a file"))
        }
        BaseRule::FileVersion { file, comparison, version } => with(file, &|found| match found.version {
            Some(None) => Truth::False,
            Some(Some(found)) => comparison.admits(found.cmp(version)).into(),
            None => Truth::gap(not_collected("version of a file")),
        }),
        BaseRule::FileExists { file, version, created, modified, size, language } => with(file, &|found| {
            let equal = Scalar::EqualTo;
            let resource = |found: Option<bool>, what| found.ok_or_else(|| not_collected(what)).into();
            let version = version.map_or(Truth::True, |stated| {
                resource(found.version.map(|found| found == Some(stated)), "version of a file")
            });
            let language = language.map_or(Truth::True, |stated| {
                resource(found.language.map(|found| found == Some(stated)), "language of a file")
            });
            let created = created.map_or(Truth::True, |stated| compare(found.created, equal, &stated, "creation time"));
            let modified =
                modified.map_or(Truth::True, |stated| compare(found.modified, equal, &stated, "time of writing"));
            let size = size.map_or(Truth::True, |stated| compare(found.size, equal, &stated, "size of a file"));
            version.and(language).and(created).and(modified).and(size)
        }),
        _ => return None,
    })
}

fn compare<T: Ord>(found: Option<T>, comparison: Scalar, stated: &T, what: &'static str) -> Truth {
    found.map(|found| comparison.admits(found.cmp(stated))).ok_or_else(|| not_collected(what)).into()
}

fn find(path: &FilePath, facts: &dyn Facts, target: Option<&Target>) -> Fact<Option<FileFacts>> {
    match file_name(path, facts, target)? {
        FileName::At(path) => facts.file(&path),
        FileName::Nowhere => Ok(None),
    }
}

/// The full path of a rule's file: the special folder or the text of the registry value before the stated path,
/// variables replaced, canonicalized.
pub(in crate::applicability) fn file_name(
    path: &FilePath,
    facts: &dyn Facts,
    target: Option<&Target>,
) -> Fact<FileName> {
    let before = match &path.root {
        FileRoot::Absolute => None,
        FileRoot::Csidl(folder) => match facts.special_folder(*folder)? {
            Some(folder) => Some(folder.into_owned()),
            None => return Ok(FileName::Nowhere),
        },
        FileRoot::Registry(value) => match registry::text(value, facts, target)? {
            Some(text) => Some(text),
            None => return Ok(FileName::Nowhere),
        },
    };
    let mut full = before.unwrap_or_default();
    if !full.is_empty() {
        full.push('\\');
    }
    full.push_str(&path.path);
    if full.contains('%') {
        full = expand(&full, facts)?;
    }
    Ok(if full.chars().count() > PATH_CHARACTERS { FileName::Nowhere } else { FileName::At(canonical(&full)) })
}

/// A path with single backslashes, without quotation marks around it and without `.` and `..`.
fn canonical(path: &str) -> String {
    let path = path.trim().replace('/', "\\").replace('"', "");
    let share = path.starts_with("\\\\");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('\\') {
        match part {
            "" | "." => {}
            // Nothing is above a drive.
            ".." if parts.len() > 1 => {
                parts.pop();
            }
            ".." => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("\\");
    if share { ["\\\\", &joined].concat() } else { joined }
}
