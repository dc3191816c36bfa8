//! Names of files that reports are written to. Nothing that an administrator gives leaves the folder that the settings of the
//! process allow.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::Format;

/// Characters of the part of a name that is made from the name of a schedule.
const LONGEST_SLUG: usize = 60;
/// Characters of an id that stand in names of files.
const MARK: usize = 8;
/// Length of `20261130T140500123Z`.
const STAMP: usize = 19;

/// A folder below the one that the settings of the process allow: at most five parts of letters, digits, spaces, `.`, `-` and
/// `_`, none of which begins with a dot. Empty is that folder itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Folder(Vec<String>);

/// A text that names no such folder.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{0:?} is no folder below the folder of reports: give at most five names with / between, of letters, digits, spaces, \
     '.', '-' and '_', not beginning or ending with a dot or a space"
)]
pub struct FolderError(String);

impl Folder {
    /// Parts at most.
    const DEEPEST: usize = 5;
    /// Characters of a part.
    const LONGEST: usize = 60;

    /// Its parts, the outermost first.
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for Folder {
    type Err = FolderError;

    fn from_str(text: &str) -> Result<Self, FolderError> {
        let wrong = || FolderError(text.chars().take(80).collect());
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Self::default());
        }
        let part = |part: &str| {
            part.len() <= Self::LONGEST
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" .-_".contains(&byte))
                && !part.starts_with(['.', ' '])
                && !part.ends_with(['.', ' '])
                && !part.is_empty()
        };
        let parts: Vec<String> = trimmed.split('/').map(str::to_owned).collect();
        if parts.len() <= Self::DEEPEST && parts.iter().all(|it| part(it)) { Ok(Self(parts)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// What the names of the files of a schedule begin with: its name, as far as it can be, and a part of its id, so that no two
/// schedules have the same.
pub fn stem(name: &str, schedule: Uuid) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        let character = character.to_ascii_lowercase();
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= LONGEST_SLUG {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "report" } else { slug };
    format!("{slug}-{}", mark(schedule))
}

/// The part of an id that stands in names of files.
fn mark(schedule: Uuid) -> String {
    schedule.simple().to_string().chars().take(MARK).collect()
}

/// The name of a file that is made now: what the names of its schedule begin with, the time in UTC to the millisecond, the
/// format.
pub fn name(stem: &str, at: Timestamp, format: Format) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    format!("{stem}-{}{:03}Z.{}", at.strftime("%Y%m%dT%H%M%S"), at.millisecond(), format.word())
}

/// Which of these files of a folder go when so many of a schedule are kept: the oldest of its own, whatever its name was when
/// they were made, and nothing else.
pub fn surplus<'n>(schedule: Uuid, names: impl IntoIterator<Item = &'n str>, keep: u32) -> Vec<&'n str> {
    let mark = mark(schedule);
    let mut own: Vec<(&str, &str)> = names.into_iter().filter_map(|name| Some((stamp(name, &mark)?, name))).collect();
    own.sort_unstable();
    let gone = own.len().saturating_sub(keep as usize);
    own.into_iter().take(gone).map(|(_, name)| name).collect()
}

/// When a file of a schedule was made, by its name; none if it is no such file.
fn stamp<'n>(name: &'n str, mark: &str) -> Option<&'n str> {
    let (rest, format) = name.rsplit_once('.')?;
    Format::of(format)?;
    let (rest, stamp) = rest.rsplit_once('-')?;
    let (slug, own) = rest.rsplit_once('-')?;
    let digits = |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let is_stamp = stamp.len() == STAMP
        && digits(stamp.get(..8))
        && stamp.get(8..9) == Some("T")
        && digits(stamp.get(9..18))
        && stamp.ends_with('Z');
    (own == mark && !slug.is_empty() && is_stamp).then_some(stamp)
}
