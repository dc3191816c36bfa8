//! Decisions that travel, typed: what is read is written and read the same. The first line is the kind, the rest the body.

use std::str::FromStr as _;

use serde::{Serialize, de::DeserializeOwned};
use weir_server::intent::{Kind, Object, body};

/// Whether it is read.
fn check<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return false };
    let written = serde_json::to_vec(&value).expect("what is read can be written");
    assert_eq!(serde_json::from_slice::<T>(&written).expect("what is written is read"), value);
    true
}

pub(super) fn run(data: &[u8]) -> bool {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (kind, body) = data.split_at(end);
    let is_object = check::<Object>(data);
    let Ok(kind) = Kind::from_str(&String::from_utf8_lossy(kind)) else { return is_object };
    assert_eq!(Kind::from_str(kind.name()).ok(), Some(kind));
    match kind {
        Kind::ClientSettings => check::<body::ClientSettings>(body),
        Kind::Collection => check::<body::Collection>(body),
        Kind::Criterion => check::<body::Criterion>(body),
        Kind::Decline => check::<body::Decline>(body),
        Kind::Deployment => check::<body::Deployment>(body),
        Kind::DeploymentTemplate => check::<body::DeploymentTemplate>(body),
        Kind::EulaAcceptance => check::<body::EulaAcceptance>(body),
        Kind::MaintenanceWindow => check::<body::MaintenanceWindow>(body),
        Kind::Phased => check::<body::Phased>(body),
        Kind::Rule => check::<body::DeploymentRule>(body),
        Kind::SavedSearch => check::<body::SavedSearch>(body),
        Kind::Selection => check::<body::Selection>(body),
        Kind::Setting => check::<body::Setting>(body),
        Kind::UpdateGroup => check::<body::UpdateGroup>(body),
        Kind::UpdateSetting => check::<body::UpdateSetting>(body),
        Kind::UpdateStop => check::<body::UpdateStop>(body),
    }
}
