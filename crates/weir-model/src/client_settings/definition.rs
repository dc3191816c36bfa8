//! What a setting is.

use std::{fmt, iter};

use super::{agent_table, updates_table};
use crate::nearest::nearest;

/// How much a user of such a system would miss it (features.md, "Marks").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// Can wait; kept and shown.
    Beyond,
    /// The field's own pages name it as part of the mission.
    Core,
    /// A user would miss it.
    Expected,
}

impl Mark {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Beyond => "beyond",
            Self::Core => "core",
            Self::Expected => "expected",
        }
    }
}

/// Who acts upon a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Honoured {
    /// It goes into the rendered Windows policy, under these registry values.
    Policy(&'static [&'static str]),
    /// The server, in these words.
    Server(&'static str),
    /// Nobody yet, or nobody but an agent that reads it over REST; in these words.
    Stored(&'static str),
}

impl Honoured {
    /// Who, in one word: `policy`, `server`, `stored`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Policy(_) => "policy",
            Self::Server(_) => "server",
            Self::Stored(_) => "stored",
        }
    }
}

impl fmt::Display for Honoured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(values) => write!(f, "policy: {}", values.join(", ")),
            Self::Server(how) => write!(f, "server: {how}"),
            Self::Stored(why) => write!(f, "stored: {why}"),
        }
    }
}

/// Which values there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number with its unit, both ends included.
    Number {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
        /// What it counts.
        unit: &'static str,
    },
    /// 1 to 23 hours or 1 to 365 days.
    Period,
    /// A recurrence ([`crate::schedule`]).
    Schedule,
    /// At most so many characters.
    Text(usize),
}

impl Kind {
    /// Which values there are, in words.
    pub fn describe(self) -> String {
        match self {
            Self::Choice(words) => words.join(", "),
            Self::Flag => "true or false".to_owned(),
            Self::Number { least, most, unit } => format!("{least} to {most} {unit}").trim_end().to_owned(),
            Self::Period => "1 to 23 hours, or 1 to 365 days".to_owned(),
            Self::Schedule => "a schedule such as every 7 days at 02:00, or weekly monday at 03:00 UTC".to_owned(),
            Self::Text(most) => format!("text of at most {most} characters"),
        }
    }
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name, such as `scan.schedule`.
    pub key: &'static str,
    /// Its number in the inventory of features, such as `CS-2`.
    pub id: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// Its value if nobody set it, in text form.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// How much it is missed if absent.
    pub mark: Mark,
    /// Who acts upon it.
    pub honoured: &'static [Honoured],
}

/// There is no such setting.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no client setting {key:?}{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
pub struct UnknownSetting {
    /// What was asked for.
    pub key: String,
    /// What may have been meant.
    pub near: Option<String>,
}

/// Every setting: those of software updates first, then those of the agent.
pub fn definitions() -> impl Iterator<Item = &'static Definition> {
    iter::empty().chain(updates_table::TABLE).chain(agent_table::TABLE)
}

/// The setting of that key.
pub fn definition(key: &str) -> Result<&'static Definition, UnknownSetting> {
    let key = key.trim();
    definitions().find(|known| known.key.eq_ignore_ascii_case(key)).ok_or_else(|| UnknownSetting {
        key: key.chars().take(80).collect(),
        near: nearest(key, definitions().map(|known| known.key)),
    })
}
