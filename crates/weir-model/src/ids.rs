//! Identifiers, each its own type, so that a revision can never be passed where a deployment is meant.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

/// Why a text is not an identifier of the wanted kind.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdError {
    /// Not 1 to 255 characters of `A-Z a-z 0-9 -` (MS-WUSP 1.1, ClientIdString).
    #[error("a computer id is 1 to 255 letters, digits and hyphens")]
    Computer,
    /// Not base64 or hexadecimal text of the digest's exact length.
    #[error("{text:?} is not a {algorithm} digest of {length} bytes")]
    Digest {
        /// `SHA-1` or `SHA-256`.
        algorithm: &'static str,
        /// Length in bytes that the digest must have.
        length: usize,
        /// The offending text, cut to 80 characters.
        text: String,
    },
    /// Not a GUID.
    #[error("{0:?} is not a GUID")]
    Guid(String),
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! guid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads the 36-character form in any case; surrounding blanks and braces are not accepted.
            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.len() != 36 {
                    return Err(IdError::Guid(cut(text)));
                }
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::Guid(cut(text)))
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

guid_id! {
    /// An update over all its revisions: `UpdateIdentity/@UpdateID` (MS-WUSP 2.2.3.2.1).
    UpdateId
}
guid_id! {
    /// A collection. WSUS target groups are collections, so this is also the TargetGroupID of MS-WSUSSS.
    CollectionId
}
number_id! {
    /// `RevisionNumber`: which publication of an update this is. Higher replaces lower.
    RevisionNumber(u32)
}
number_id! {
    /// `RevisionID`: this server's own number of a revision (MS-WUSP 2.2.3.2.2). Given once, never reused.
    RevisionId(i32)
}
number_id! {
    /// This server's own number of a deployment; positive, given once, never reused.
    DeploymentId(i32)
}
number_id! {
    /// Position in the one global order of changes to revisions, deployments, declines and licence acceptances.
    /// 0 is "before everything".
    ChangeNumber(u64)
}

impl CollectionId {
    /// The root of the target groups, of which every computer is a member (MS-WUSP 3.1.1).
    pub const ALL_COMPUTERS: Self = Self(Uuid::from_u128(0xa0a0_8746_4dbe_4a37_9adf_9e76_52c0_b421));
    /// Where computers are that belong to no other target group.
    pub const UNASSIGNED_COMPUTERS: Self = Self(Uuid::from_u128(0xb73c_a6ed_5727_47f3_84de_015e_03f6_a88a));
}

/// One revision of one update, as documents name it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct UpdateIdentity {
    /// The update.
    pub update_id: UpdateId,
    /// Its revision.
    pub revision: RevisionNumber,
}

impl UpdateIdentity {
    /// Puts the two halves together.
    pub fn new(update_id: UpdateId, revision: u32) -> Self {
        Self { update_id, revision: RevisionNumber(revision) }
    }
}

impl fmt::Display for UpdateIdentity {
    /// `guid@revision`, the form of the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.update_id, self.revision)
    }
}

/// The id a computer gave itself (`SusClientId`): 1 to 255 letters, digits and hyphens, kept in lower case, since it is
/// compared without regard to case.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ComputerId(Box<str>);

impl ComputerId {
    /// The id in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Uuid> for ComputerId {
    /// What agents use natively: a GUID.
    fn from(id: Uuid) -> Self {
        Self(id.to_string().into())
    }
}

impl FromStr for ComputerId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let valid = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if valid { Ok(Self(text.to_ascii_lowercase().into())) } else { Err(IdError::Computer) }
    }
}

impl fmt::Display for ComputerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ComputerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $length:literal, $algorithm:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// Reads base64 text, the form of update documents; blanks around it are ignored.
            pub fn from_base64(text: &str) -> Result<Self, IdError> {
                let wrong = || IdError::Digest { algorithm: $algorithm, length: $length, text: cut(text) };
                let bytes = BASE64.decode(text.trim()).map_err(|_| wrong())?;
                Ok(Self(bytes.try_into().map_err(|_| wrong())?))
            }

            /// Base64 text, the form of update documents.
            pub fn to_base64(self) -> String {
                BASE64.encode(self.0)
            }

            /// Reads hexadecimal text of either case.
            pub fn from_hex(text: &str) -> Result<Self, IdError> {
                let wrong = || IdError::Digest { algorithm: $algorithm, length: $length, text: cut(text) };
                if text.len() != 2 * $length || !text.is_ascii() {
                    return Err(wrong());
                }
                let mut bytes = [0; $length];
                for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
                    *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
                }
                // from_str_radix takes a leading plus sign
                if text.contains('+') { Err(wrong()) } else { Ok(Self(bytes)) }
            }

            /// Upper-case hexadecimal text, the form of content paths (MS-WUSP 2.2.2.5).
            pub fn to_hex(self) -> String {
                self.0.iter().map(|byte| format!("{byte:02X}")).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.to_hex())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_hex())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    };
}

digest! {
    /// SHA-1 of a content file: its name everywhere in the protocols (`File/@Digest`).
    ContentDigest, 20, "SHA-1"
}
digest! {
    /// SHA-256 of a content file (`AdditionalDigest`), which Windows 8 and later check.
    Sha256Digest, 32, "SHA-256"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_read_in_any_case_and_written_in_lower_case() {
        let id: UpdateId = "5CC25303-143F-40f3-A2FF-803A1DB69955".parse().expect("valid");
        assert_eq!(id.to_string(), "5cc25303-143f-40f3-a2ff-803a1db69955");
        assert!("{5CC25303-143F-40f3-A2FF-803A1DB69955}".parse::<UpdateId>().is_err());
        assert!("5cc25303143f40f3a2ff803a1db69955".parse::<UpdateId>().is_err());
        assert!("".parse::<UpdateId>().is_err());
    }

    #[test]
    fn computer_ids_are_bounded_and_compared_without_case() {
        let id: ComputerId = "AB-c1".parse().expect("valid");
        assert_eq!(id.as_str(), "ab-c1");
        for wrong in ["", "a b", "a_b", "é", &"a".repeat(256)] {
            assert_eq!(wrong.parse::<ComputerId>(), Err(IdError::Computer), "{wrong:?}");
        }
        assert!("a".repeat(255).parse::<ComputerId>().is_ok());
    }

    #[test]
    fn digests_survive_both_text_forms() {
        let digest = ContentDigest::from_base64("hlQslyYcRtWzeaQ+yJX5fq9Am6I=").expect("valid");
        assert_eq!(digest.to_hex(), "86542C97261C46D5B379A43EC895F97EAF409BA2");
        assert_eq!(ContentDigest::from_hex(&digest.to_hex().to_lowercase()), Ok(digest));
        assert_eq!(digest.to_base64(), "hlQslyYcRtWzeaQ+yJX5fq9Am6I=");
        assert!(ContentDigest::from_base64("AAAA").is_err());
        assert!(ContentDigest::from_hex(&"+1".repeat(20)).is_err());
    }
}
