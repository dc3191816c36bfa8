//! Values of a facts file as JSON writes them.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};
use weir_model::{
    applicability::facts::{LicenseValue, PackageState, RegistryData, WmiValue},
    document::rules,
};

use super::table::Names;

/// A path below which all was collected.
#[derive(Clone, Debug, PartialEq)]
pub struct Covered {
    written: String,
    form: String,
}

impl Covered {
    /// The path as it was written.
    pub fn path(&self) -> &str {
        &self.written
    }
}

/// How much of a section was collected.
#[derive(Clone, Debug, PartialEq)]
pub enum Coverage<N> {
    /// What is absent was not collected (`false`).
    Partial,
    /// What is absent does not exist (`true`).
    Complete,
    /// What is absent below these paths, or one of them itself, does not exist (a list of paths).
    Below(Vec<Covered>, PhantomData<N>),
}

impl<N: Names> Coverage<N> {
    /// Complete below some paths. An error says which of them is none.
    pub fn below(paths: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let covered = |written: String| N::form(&written).map(|form| Covered { written, form });
        Ok(Self::Below(paths.into_iter().map(covered).collect::<Result<_, _>>()?, PhantomData))
    }

    /// Whether what is absent at a path, given in the form in which it is compared, does not exist.
    pub fn covers(&self, form: &str) -> bool {
        match self {
            Self::Partial => false,
            Self::Complete => true,
            Self::Below(paths, _) => paths.iter().map(|path| path.form.as_str()).any(|path| {
                form.strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('\\') || path.ends_with('\\'))
            }),
        }
    }
}

impl<N> Serialize for Coverage<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Partial => serializer.serialize_bool(false),
            Self::Complete => serializer.serialize_bool(true),
            Self::Below(paths, _) => serializer.collect_seq(paths.iter().map(|path| &path.written)),
        }
    }
}

impl<'de, N: Names> Deserialize<'de> for Coverage<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<N>(PhantomData<N>);

        impl<'de, N: Names> Visitor<'de> for Either<N> {
            type Value = Coverage<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a list of paths")
            }

            fn visit_bool<E>(self, complete: bool) -> Result<Self::Value, E> {
                Ok(if complete { Coverage::Complete } else { Coverage::Partial })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut paths = Vec::new();
                while let Some(path) = list.next_element::<String>()? {
                    if paths.len() >= 10_000 {
                        return Err(A::Error::custom("more than 10000 paths"));
                    }
                    paths.push(path);
                }
                Coverage::below(paths).map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// Bytes, written as hexadecimal digits.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hex(pub Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(self.0.len() * 2);
        for byte in &self.0 {
            text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("bytes are written as pairs of hexadecimal digits, such as \"00ff\"");
        let text = String::deserialize(deserializer)?;
        let digits: Option<Vec<u32>> = text.chars().map(|character| character.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or_else(wrong)?;
        let byte = |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte * 16 + *digit) as u8;
        Ok(Self(digits.chunks(2).map(byte).collect()))
    }
}

/// The data of a registry value.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Data {
    /// `REG_BINARY`.
    Binary(Hex),
    /// `REG_DWORD`.
    Dword(u32),
    /// `REG_EXPAND_SZ`, as stored.
    ExpandSz(String),
    /// `REG_MULTI_SZ`.
    MultiSz(Vec<String>),
    /// Every other type: its number and the bytes.
    Other {
        /// The number of the type, such as 0 for `REG_NONE`.
        #[serde(rename = "type")]
        kind: u32,
        /// The bytes.
        hex: Hex,
    },
    /// `REG_QWORD`.
    Qword(u64),
    /// `REG_SZ`.
    Sz(String),
}

impl Data {
    /// As rules see it.
    pub fn as_fact(&self) -> RegistryData<'_> {
        match self {
            Self::Binary(bytes) => RegistryData::Binary(3, (&bytes.0).into()),
            Self::Dword(number) => RegistryData::Dword(*number),
            Self::ExpandSz(text) => RegistryData::ExpandSz(text.into()),
            Self::MultiSz(texts) => RegistryData::MultiSz(texts.into()),
            Self::Other { kind, hex } => RegistryData::Binary(*kind, (&hex.0).into()),
            Self::Qword(number) => RegistryData::Qword(*number),
            Self::Sz(text) => RegistryData::Sz(text.into()),
        }
    }
}

impl From<RegistryData<'_>> for Data {
    fn from(data: RegistryData<'_>) -> Self {
        match data {
            RegistryData::Binary(3, bytes) => Self::Binary(Hex(bytes.into_owned())),
            RegistryData::Binary(kind, bytes) => Self::Other { kind, hex: Hex(bytes.into_owned()) },
            RegistryData::Dword(number) => Self::Dword(number),
            RegistryData::ExpandSz(text) => Self::ExpandSz(text.into_owned()),
            RegistryData::MultiSz(texts) => Self::MultiSz(texts.into_owned()),
            RegistryData::Qword(number) => Self::Qword(number),
            RegistryData::Sz(text) => Self::Sz(text.into_owned()),
        }
    }
}

/// A version of one to four numbers, written as a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Version(pub rules::Version);

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// The state of a package of component based servicing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Package {
    /// Installed, or installed once the computer has restarted.
    Installed,
    /// Known, not installed.
    Staged,
    /// Known and replaced by a newer one.
    Superseded,
}

impl From<Package> for PackageState {
    fn from(state: Package) -> Self {
        match state {
            Package::Installed => Self::Installed,
            Package::Staged => Self::Staged,
            Package::Superseded => Self::Superseded,
        }
    }
}

impl From<PackageState> for Package {
    fn from(state: PackageState) -> Self {
        match state {
            PackageState::Installed => Self::Installed,
            PackageState::Staged => Self::Staged,
            PackageState::Superseded => Self::Superseded,
        }
    }
}

/// A licence value.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Licence {
    /// A number.
    Dword(u32),
    /// Anything else.
    Other,
}

impl From<Licence> for LicenseValue {
    fn from(value: Licence) -> Self {
        match value {
            Licence::Dword(number) => Self::Dword(number),
            Licence::Other => Self::Other,
        }
    }
}

/// A property of a WMI instance: null, true or false, a number, or a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Property(pub WmiValue);

impl Serialize for Property {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            WmiValue::Boolean(value) => serializer.serialize_bool(*value),
            WmiValue::Integer(number) => serializer.serialize_i64(*number),
            WmiValue::Null => serializer.serialize_unit(),
            WmiValue::Real(number) => serializer.serialize_f64(*number),
            WmiValue::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = WmiValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("null, true, false, a number or a text")
            }

            fn visit_bool<E>(self, value: bool) -> Result<WmiValue, E> {
                Ok(WmiValue::Boolean(value))
            }

            fn visit_i64<E>(self, number: i64) -> Result<WmiValue, E> {
                Ok(WmiValue::Integer(number))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<WmiValue, E> {
                let wrong = |_| E::custom("a whole number has at most 63 bits; WMI gives longer ones as texts");
                i64::try_from(number).map(WmiValue::Integer).map_err(wrong)
            }

            fn visit_f64<E>(self, number: f64) -> Result<WmiValue, E> {
                Ok(WmiValue::Real(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<WmiValue, E> {
                Ok(WmiValue::Text(text.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<WmiValue, E> {
                Ok(WmiValue::Null)
            }
        }

        deserializer.deserialize_any(Any).map(Self)
    }
}
