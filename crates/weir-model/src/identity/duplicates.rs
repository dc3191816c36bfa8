//! One machine with several ids.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Days for which a row must not have called before it counts as the one that was left behind.
pub const QUIET_DAYS: u32 = 7;

/// What is known of a computer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    /// Its row number.
    pub no: u32,
    /// Its DNS name, in any case; one without a name is nobody's duplicate.
    pub name: String,
    /// Its hardware, as [`super::Print::hardware`].
    pub hardware: String,
    /// First call.
    pub first_contact: Timestamp,
    /// Last call.
    pub last_contact: Timestamp,
}

/// How alike two rows are.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Likeness {
    /// The same name on other or unknown hardware: a machine was replaced, or two machines have one name.
    Name,
    /// The same name on the same hardware: a machine was installed anew.
    Hardware,
}

/// What a row is among its duplicates.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// The one that called last.
    Newest,
    /// It called while the newest was already known, or lately: it is in use, whoever uses it.
    InUse,
    /// It stopped calling before the newest began to.
    LeftBehind,
}

/// One row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Member {
    /// Its row number.
    pub no: u32,
    /// How alike it is to the newest; the newest to itself.
    pub likeness: Likeness,
    /// What it is.
    pub standing: Standing,
}

impl Member {
    /// Whether it may be retired without asking: the same hardware goes on under a newer id.
    pub fn retires(&self) -> bool {
        self.standing == Standing::LeftBehind && self.likeness == Likeness::Hardware
    }
}

/// Rows with one name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Duplicate {
    /// The name, in lower case.
    pub name: String,
    /// The rows, the one that called last first.
    pub members: Vec<Member>,
}

/// Finds rows of one site that have the same name, by name.
pub fn duplicates(known: impl IntoIterator<Item = Known>, now: Timestamp) -> Vec<Duplicate> {
    let quiet = SignedDuration::from_hours(24 * i64::from(QUIET_DAYS));
    let mut by_name: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    for one in known {
        let name = one.name.trim().to_lowercase();
        if !name.is_empty() {
            by_name.entry(name).or_default().push(one);
        }
    }
    let several = by_name.into_iter().filter(|(_, rows)| rows.len() > 1);
    several
        .filter_map(|(name, mut rows)| {
            rows.sort_by_key(|row| (std::cmp::Reverse(row.last_contact), std::cmp::Reverse(row.no)));
            let newest = rows.first()?.clone();
            let member = |row: &Known| {
                let same = !row.hardware.is_empty() && row.hardware == newest.hardware;
                let left = row.last_contact < newest.first_contact && now.duration_since(row.last_contact) > quiet;
                Member {
                    no: row.no,
                    likeness: if row.no == newest.no || same { Likeness::Hardware } else { Likeness::Name },
                    standing: match (row.no == newest.no, left) {
                        (true, _) => Standing::Newest,
                        (false, true) => Standing::LeftBehind,
                        (false, false) => Standing::InUse,
                    },
                }
            };
            Some(Duplicate { name, members: rows.iter().map(member).collect() })
        })
        .collect()
}
