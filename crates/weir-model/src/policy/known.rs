//! What a registry value of the policy is.

use std::fmt;

use super::{
    address::Address,
    registry::{Data, Root},
    table,
};
use crate::nearest::nearest;

/// A key of the policy, below `HKEY_LOCAL_MACHINE`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Branch {
    /// Automatic Updates.
    Automatic,
    /// Background transfers.
    Bits,
    /// Delivery Optimization.
    Delivery,
    /// Windows Update.
    Update,
}

impl Branch {
    /// Its path below `HKEY_LOCAL_MACHINE`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Automatic => "SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate\\AU",
            Self::Bits => "SOFTWARE\\Policies\\Microsoft\\Windows\\BITS",
            Self::Delivery => "SOFTWARE\\Policies\\Microsoft\\Windows\\DeliveryOptimization",
            Self::Update => "SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate",
        }
    }

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Automatic, Self::Bits, Self::Delivery, Self::Update];
}

/// Which data a value takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// One of these numbers.
    Choice(&'static [u32]),
    /// A day, `YYYY-MM-DD`, as text.
    Date,
    /// 0 or 1.
    Flag,
    /// A number; both ends are included.
    Number(u32, u32),
    /// Text of at most so many characters.
    Text(usize),
    /// An [`Address`].
    Url,
}

impl Shape {
    /// Which data, in words.
    pub fn describe(self) -> String {
        match self {
            Self::Choice(numbers) => numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            Self::Date => "a day such as 2026-12-31".to_owned(),
            Self::Flag => "0 or 1".to_owned(),
            Self::Number(least, most) => format!("{least} to {most}"),
            Self::Text(most) => format!("text of 1 to {most} characters"),
            Self::Url => "http://HOST:PORT or https://HOST:PORT".to_owned(),
        }
    }

    /// The name of its kind.
    pub fn kind_name(self) -> &'static str {
        match self {
            Self::Choice(_) | Self::Flag | Self::Number(..) => "REG_DWORD",
            Self::Date | Self::Text(_) | Self::Url => "REG_SZ",
        }
    }

    /// The data of a text, if it is within the range.
    pub fn read(self, text: &str) -> Option<Data> {
        let text = text.trim();
        let number = || {
            let (digits, radix) = match text.strip_prefix("0x") {
                Some(digits) => (digits, 16),
                None => (text, 10),
            };
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if plain { u32::from_str_radix(digits, radix).ok() } else { None }
        };
        let data = match self {
            Self::Choice(_) | Self::Flag | Self::Number(..) => Data::Dword(number()?),
            Self::Date | Self::Text(_) => Data::Text(text.to_owned()),
            Self::Url => Data::Text(text.parse::<Address>().ok()?.to_string()),
        };
        self.fits(&data).then_some(data)
    }

    /// Whether data are of this kind and within the range.
    pub fn fits(self, data: &Data) -> bool {
        match (self, data) {
            (Self::Choice(numbers), Data::Dword(number)) => numbers.contains(number),
            (Self::Flag, Data::Dword(number)) => *number <= 1,
            (Self::Number(least, most), Data::Dword(number)) => (least..=most).contains(number),
            (Self::Date, Data::Text(text)) => {
                let shape = text.len() >= 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
                // administrators also write a time after the day
                shape && text.get(..10).is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok()) && text.len() <= 40
            }
            (Self::Text(most), Data::Text(text)) => {
                (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
            }
            (Self::Url, Data::Text(text)) => text.parse::<Address>().is_ok(),
            _ => false,
        }
    }
}

/// How a setting of a CSP is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CspFormat {
    /// `chr`: a text.
    Text,
    /// `int`: the same number as in the registry.
    Number,
    /// `int`: numbers of the registry and what they are there; others have no form there.
    Mapped(&'static [(u32, u32)]),
}

/// The setting of a configuration service provider that a value becomes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Csp {
    /// There is none; in words.
    None(&'static str),
    /// Area and name below `./Device/Vendor/MSFT/Policy/Config/`, and the format.
    Setting(&'static str, CspFormat),
}

/// How well a value is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Evidence {
    /// A template or page of Microsoft names it.
    Documented,
    /// Listings of others name it, or it is common knowledge.
    Reported,
}

impl Evidence {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Reported => "reported",
        }
    }
}

/// A value of the policy.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The key.
    pub branch: Branch,
    /// Its name.
    pub name: &'static str,
    /// Which data it takes.
    pub shape: Shape,
    /// The policy that it belongs to, as the template names it.
    pub policy: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// From which Windows on, or until which, where that matters.
    pub windows: &'static str,
    /// Its setting in Intune.
    pub csp: Csp,
    /// How well it is known.
    pub evidence: Evidence,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\\{}\\{}", Root::LocalMachine.short(), self.branch.path(), self.name)
    }
}

/// There is no such value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no policy value {name:?}{}", near.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
pub struct UnknownValue {
    /// What was asked for.
    pub name: String,
    /// What may have been meant.
    pub near: Option<String>,
}

/// Every value of the policy, in the order of the inventory.
pub fn known_values() -> impl Iterator<Item = &'static Known> {
    table::all()
}

/// The value of that name.
pub fn known(name: &str) -> Result<&'static Known, UnknownValue> {
    let name = name.trim();
    known_values().find(|known| known.name.eq_ignore_ascii_case(name)).ok_or_else(|| UnknownValue {
        name: name.chars().take(80).collect(),
        near: nearest(name, known_values().map(|known| known.name)),
    })
}

/// The value of that name in a key, its path below `HKEY_LOCAL_MACHINE` in any letters.
pub fn known_at(path: &str, name: &str) -> Option<&'static Known> {
    known_values().find(|known| known.branch.path().eq_ignore_ascii_case(path) && known.name.eq_ignore_ascii_case(name))
}
