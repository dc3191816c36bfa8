//! Rules about packages of component based servicing (CbsApplicabilityRules: no published schema; these are the rules
//! that recorded and genuine documents have).

use super::{misfit, unsupported};
use crate::{
    applicability::{
        Facts, Truth,
        evaluate::Context,
        facts::{Fact, PackageState},
    },
    document::rules::{MetadataKind, Version, cbs::CbsRule},
};

pub(super) fn evaluate(rule: &CbsRule, facts: &dyn Facts, context: &Context<'_>) -> Truth {
    if let CbsRule::InstalledByIdentity { package_identity } = rule {
        return is_installed(facts, package_identity).into();
    }
    let stated = context.metadata.iter().find_map(|metadata| match &metadata.kind {
        MetadataKind::CbsPackage { identity } => Some(identity.as_deref()),
        _ => None,
    });
    let identity = match stated {
        Some(Some(identity)) => identity,
        Some(None) => return Truth::gap(unsupported("package manifest without an identity")),
        None => return Truth::gap(misfit("package without metadata".to_owned())),
    };
    match rule {
        CbsRule::Installable => installable(facts, identity).into(),
        CbsRule::Installed | CbsRule::InstalledByIdentity { .. } => is_installed(facts, identity).into(),
        CbsRule::Superseded => superseded(facts, identity).into(),
    }
}

fn is_installed(facts: &dyn Facts, identity: &str) -> Fact<bool> {
    Ok(facts.package(identity)? == Some(PackageState::Installed))
}

/// Whether servicing would take the package is what servicing alone knows: it depends on parents and components of the
/// whole manifest. What is there already, or in a newer version, is not installable.
fn installable(facts: &dyn Facts, identity: &str) -> Fact<bool> {
    if matches!(facts.package(identity)?, Some(PackageState::Installed | PackageState::Superseded))
        || newer_installed(facts, identity)?
    {
        return Ok(false);
    }
    facts.package_installable(identity)
}

/// Servicing says so, or has a newer version of the same package.
fn superseded(facts: &dyn Facts, identity: &str) -> Fact<bool> {
    match facts.package(identity)? {
        Some(PackageState::Superseded) => Ok(true),
        Some(PackageState::Installed) => Ok(false),
        Some(PackageState::Staged) | None => newer_installed(facts, identity),
    }
}

fn newer_installed(facts: &dyn Facts, identity: &str) -> Fact<bool> {
    let Some((stem, version)) = split(identity) else { return Ok(false) };
    let newer = |other: &str| {
        split(other).is_some_and(|(name, found)| found > version && name.to_lowercase() == stem.to_lowercase())
    };
    let packages = facts.packages()?;
    Ok(packages.iter().any(|(other, state)| *state == PackageState::Installed && newer(other)))
}

/// The identity without its version, and the version.
fn split(identity: &str) -> Option<(&str, Version)> {
    let (stem, version) = identity.rsplit_once('~')?;
    Some((stem, version.parse().ok()?))
}
