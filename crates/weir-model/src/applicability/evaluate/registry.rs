//! Rules about the registry (BaseApplicabilityRules and BaseTypes, MS-WUSP product behavior note 42).

use super::{
    misfit, shown,
    text::{compares, expand, texts_equal},
    unsupported,
};
use crate::{
    applicability::{
        Facts, Gap, GapKind, Truth,
        facts::{Fact, KeyPath, RegistryData},
    },
    document::rules::{
        Version,
        base::{BaseRule, Hive, RegistryKey, RegistryValue},
    },
};

/// A key that a rule means: never that of a loop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::applicability) struct Target {
    pub(in crate::applicability) hive: Hive,
    pub(in crate::applicability) path: String,
    pub(in crate::applicability) view32: bool,
}

impl Target {
    pub(in crate::applicability) fn path(&self) -> KeyPath<'_> {
        KeyPath { hive: self.hive, path: &self.path, view32: self.view32 }
    }

    pub(in crate::applicability) fn subkey(&self, name: &str) -> Self {
        Self { hive: self.hive, path: join(&self.path, name), view32: self.view32 }
    }
}

/// The key that a rule means. Blanks at the ends count; slashes there do not (genuine rules have some).
pub(in crate::applicability) fn resolve(key: &RegistryKey, target: Option<&Target>) -> Fact<Target> {
    let subkey = key.subkey.trim_matches('\\');
    match (key.hive, target) {
        (Hive::LoopTarget, Some(target)) => {
            Ok(Target { hive: target.hive, path: join(&target.path, subkey), view32: target.view32 || key.view32 })
        }
        (Hive::LoopTarget, None) => Err(misfit("HKEY_LOOP_TARGET outside a loop".to_owned())),
        (hive, _) => Ok(Target { hive, path: subkey.to_owned(), view32: key.view32 }),
    }
}

fn join(above: &str, below: &str) -> String {
    match (above.is_empty(), below.is_empty()) {
        (true, _) => below.to_owned(),
        (_, true) => above.to_owned(),
        _ => [above, "\\", below].concat(),
    }
}

/// Evaluates a rule; none if it is not about the registry.
pub(super) fn evaluate(rule: &BaseRule, facts: &dyn Facts, target: Option<&Target>) -> Option<Truth> {
    let answer = || -> Option<Fact<bool>> {
        let with = |value: &RegistryValue, holds: &dyn Fn(RegistryData<'_>) -> Fact<bool>| {
            let key = resolve(&value.key, target)?;
            // Each of these rules speaks of a value of its type; another one is not such a value.
            facts.registry_value(key.path(), &value.name)?.map_or(Ok(false), holds)
        };
        Some(match rule {
            BaseRule::ClusterResourceOwner { value, prefix, suffix } => with(value, &|found| match found {
                RegistryData::Sz(name) => facts.cluster_owner(&[prefix, &*name, suffix].concat()),
                _ => Ok(false),
            }),
            BaseRule::RegDword { value, comparison, data } => with(value, &|found| {
                Ok(matches!(found, RegistryData::Dword(found) if comparison.admits(found.cmp(data))))
            }),
            BaseRule::RegExpandSz { value, comparison, data } => with(value, &|found| match found {
                RegistryData::ExpandSz(found) => Ok(compares(&expand(&found, facts)?, *comparison, data)),
                _ => Ok(false),
            }),
            BaseRule::RegKeyExists(key) => resolve(key, target).and_then(|key| facts.registry_key(key.path())),
            BaseRule::RegSz { value, comparison, data } => with(value, &|found| {
                Ok(matches!(found, RegistryData::Sz(found) if compares(&found, *comparison, data)))
            }),
            BaseRule::RegSzToVersion { value, comparison, data } => with(value, &|found| match found {
                RegistryData::Sz(text) => match version(&text) {
                    Some(found) => Ok(found?.is_some_and(|found| comparison.admits(found.cmp(data)))),
                    None => Ok(false),
                },
                _ => Ok(false),
            }),
            BaseRule::RegValueExists { key, name, kind } => {
                value_exists(facts, target, key, name.as_deref(), kind.as_deref())
            }
            BaseRule::WUv4RegKeySubstring { key, name, data } => {
                windows_update_4(facts, target, key, name.as_deref(), &|found| {
                    found.to_lowercase().contains(&data.to_lowercase())
                })
            }
            BaseRule::WUv4RegKeyValue { key, name, data } => {
                windows_update_4(facts, target, key, name.as_deref(), &|found| texts_equal(found, data))
            }
            _ => return None,
        })
    };
    answer().map(Truth::from)
}

/// The version that a text is. None if it is no version at all; an error if it only begins like one, since nobody says
/// how much of it counts.
fn version(text: &str) -> Option<Fact<Option<Version>>> {
    let text = text.trim();
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    Some(match text.parse() {
        Ok(version) => Ok(Some(version)),
        Err(_) => Err(Gap::new(GapKind::Unsupported, format!("version {:?}", super::cut(text)))),
    })
}

/// `RegValueExists`: of a type, if one is stated. No name means the default value.
fn value_exists(
    facts: &dyn Facts,
    target: Option<&Target>,
    key: &RegistryKey,
    name: Option<&str>,
    kind: Option<&str>,
) -> Fact<bool> {
    const TYPES: [(&str, u32); 7] = [
        ("REG_SZ", 1),
        ("REG_EXPAND_SZ", 2),
        ("REG_BINARY", 3),
        ("REG_DWORD", 4),
        ("REG_MULTI_SZ", 7),
        ("REG_FULL_RESOURCE_DESCRIPTOR", 9),
        ("REG_QWORD", 11),
    ];
    let stated = match kind {
        Some(kind) => {
            let known = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind.trim()));
            Some(known.ok_or_else(|| misfit(format!("RegValueExists, Type {:?}", super::cut(kind))))?.1)
        }
        None => None,
    };
    let key = resolve(key, target)?;
    let Some(found) = facts.registry_value(key.path(), name.unwrap_or_default())? else { return Ok(false) };
    let found = match found {
        RegistryData::Binary(number, _) => number,
        RegistryData::Dword(_) => 4,
        RegistryData::ExpandSz(_) => 2,
        RegistryData::MultiSz(_) => 7,
        RegistryData::Qword(_) => 11,
        RegistryData::Sz(_) => 1,
    };
    Ok(stated.is_none_or(|stated| stated == found))
}

/// `WUv4RegKeyValue`, `WUv4RegKeySubstring`: kept for updates of 2002 and before. Their matching is in no published
/// document, so only what any matching must agree upon is answered: a text that matches literally does, and a value that
/// is not there does not.
fn windows_update_4(
    facts: &dyn Facts,
    target: Option<&Target>,
    key: &RegistryKey,
    name: Option<&str>,
    literally: &dyn Fn(&str) -> bool,
) -> Fact<bool> {
    let key = resolve(key, target)?;
    match facts.registry_value(key.path(), name.unwrap_or_default())? {
        None => Ok(false),
        Some(RegistryData::Sz(found)) if literally(&found) => Ok(true),
        Some(_) => Err(unsupported("matching of Windows Update 4")),
    }
}

/// The text of a `REG_SZ` value, with variables replaced in a `REG_EXPAND_SZ` one; none if there is no such value.
pub(super) fn text(value: &RegistryValue, facts: &dyn Facts, target: Option<&Target>) -> Fact<Option<String>> {
    let key = resolve(&value.key, target)?;
    match facts.registry_value(key.path(), &value.name)? {
        None => Ok(None),
        Some(RegistryData::Sz(text)) => Ok(Some(text.into_owned())),
        Some(RegistryData::ExpandSz(text)) => Ok(Some(expand(&text, facts)?)),
        Some(_) => {
            Err(Gap::new(GapKind::Unreadable, format!("{}, {}: no text", shown(key.path()), super::cut(&value.name))))
        }
    }
}
