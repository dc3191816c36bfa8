//! Rules about the operating system and the hardware (BaseApplicabilityRules, MS-WUSP product behavior note 42).

use std::cmp::Ordering;

use super::{not_collected, text::texts_equal};
use crate::{
    applicability::{
        Facts, Truth,
        facts::{Fact, LicenseValue, System},
    },
    document::rules::{
        Scalar,
        base::{BaseRule, SystemVersion},
    },
};

/// Evaluates a rule; none if it is not about the system.
pub(super) fn evaluate(rule: &BaseRule, facts: &dyn Facts) -> Option<Truth> {
    let system = facts.system();
    Some(match rule {
        BaseRule::ClusteredOs => system.clustered.ok_or_else(|| not_collected("cluster")).into(),
        BaseRule::GenericQuery { namespace, kind, parameter, comparison, value } => {
            generic(facts.generic_query(namespace, kind, parameter), *comparison, value.as_deref()).into()
        }
        BaseRule::LicenseDword { value, comparison, data } => {
            let dword = |found| matches!(found, Some(LicenseValue::Dword(found)) if comparison.admits(found.cmp(data)));
            facts.license(value).map(dword).into()
        }
        BaseRule::LicenseValueExists { value } => facts.license(value).map(|found| found.is_some()).into(),
        BaseRule::MuiInstalled => mui(system).map(|languages| !languages.is_empty()).into(),
        BaseRule::MuiLanguageInstalled { language } => {
            mui(system).map(|languages| languages.iter().any(|found| speaks(found, language))).into()
        }
        // Only the attributes are public; of the types only this one names itself.
        BaseRule::Memory { kind: Some(kind), .. } if !kind.eq_ignore_ascii_case("Physical") => {
            Truth::from(Err::<bool, _>(super::unsupported("memory that is not physical")))
        }
        BaseRule::Memory { min_size_mb, .. } => {
            compare(system.memory_mib, Scalar::GreaterThanOrEqualTo, min_size_mb, "memory").into()
        }
        BaseRule::NumberOfProcessors { comparison, number } => {
            compare(system.processors, *comparison, number, "number of processors").into()
        }
        BaseRule::Platform { platform_id } => {
            compare(system.platform_id, Scalar::EqualTo, platform_id, "platform").into()
        }
        BaseRule::PlatformLanguage { language } | BaseRule::WindowsLanguage { language } => {
            windows_language(system, language)
        }
        BaseRule::PlatformVersion(stated) | BaseRule::WindowsVersion(stated) => windows_version(system, stated),
        BaseRule::Processor { architecture, level, revision } => {
            let part = |found: Option<u16>, stated: &Option<u16>, what| match stated {
                Some(stated) => compare(found, Scalar::EqualTo, stated, what).into(),
                None => Truth::True,
            };
            part(system.architecture, &Some(*architecture), "processor architecture")
                .and(part(system.processor_level, level, "processor level"))
                .and(part(system.processor_revision, revision, "processor revision"))
        }
        BaseRule::SystemMetric { index, comparison, value } => {
            facts.system_metric(*index).map(|found| comparison.admits(found.cmp(value))).into()
        }
        _ => return None,
    })
}

fn compare<T: Ord>(found: Option<T>, comparison: Scalar, stated: &T, what: &'static str) -> Fact<bool> {
    found.map(|found| comparison.admits(found.cmp(stated))).ok_or_else(|| not_collected(what))
}

/// `WindowsVersion`: what `VerifyVersionInfo` does (the schema names it).
///
/// All comparisons must succeed. Major version, minor version and service pack are tested in this sequence: one that
/// differs decides, and those behind it are not tested (`RtlVerifyVersionInfo`, remarks). The build number is not part
/// of the sequence; it is compared by itself, with the same comparison. Product type is compared for equality; of the
/// suites one must be present, or all of them.
fn windows_version(system: &System, stated: &SystemVersion) -> Truth {
    let version = || system.version.ok_or_else(|| not_collected("version of Windows"));
    let pack = || system.service_pack.ok_or_else(|| not_collected("service pack"));
    let build = match stated.build {
        Some(build) => version().map(|(_, _, found)| stated.comparison.admits(found.cmp(&build))).into(),
        None => Truth::True,
    };
    let product = match &stated.product_type {
        Some(product) => compare(system.product_type, Scalar::EqualTo, product, "product type").into(),
        None => Truth::True,
    };
    let suites = match stated.suite_mask {
        Some(mask) => {
            let present = |found: u16| if stated.all_suites { found & mask == mask } else { found & mask != 0 };
            system.suite_mask.map(present).ok_or_else(|| not_collected("suites")).into()
        }
        None => Truth::True,
    };
    let sequence = || -> Fact<bool> {
        let mut order = Ordering::Equal;
        if let Some(major) = stated.major {
            order = version()?.0.cmp(&major);
        }
        if let (Ordering::Equal, Some(minor)) = (order, stated.minor) {
            order = version()?.1.cmp(&minor);
        }
        if let (Ordering::Equal, Some(major)) = (order, stated.service_pack_major) {
            order = pack()?.0.cmp(&major);
        }
        if let (Ordering::Equal, Some(minor)) = (order, stated.service_pack_minor) {
            order = pack()?.1.cmp(&minor);
        }
        Ok(stated.comparison.admits(order))
    };
    let numbers = [stated.major, stated.minor].iter().any(Option::is_some)
        || [stated.service_pack_major, stated.service_pack_minor].iter().any(Option::is_some);
    let sequence = if numbers { sequence().into() } else { Truth::True };
    product.and(suites).and(build).and(sequence)
}

/// `WindowsLanguage`: the system is localized to the language. Always false where user interface languages are
/// installed beside it.
fn windows_language(system: &System, stated: &str) -> Truth {
    let language =
        system.language.as_deref().map(|found| speaks(found, stated)).ok_or_else(|| not_collected("language"));
    let alone = mui(system).map(<[String]>::is_empty);
    Truth::from(language).and(alone.into())
}

fn mui(system: &System) -> Fact<&[String]> {
    system.mui_languages.as_deref().ok_or_else(|| not_collected("user interface languages"))
}

/// Whether a language of the computer is the one that a rule names by its short name.
///
/// Short names have a region only where it makes a difference (`pt-br` beside `pt`, three of Chinese, `ja-nec`), so any
/// other region of the computer's language is left aside. `no` is Bokmål, which rules also call `nb`.
fn speaks(found: &str, stated: &str) -> bool {
    const WITH_REGION: [&str; 5] = ["pt-br", "zh-tw", "zh-cn", "zh-hk", "ja-nec"];
    let (found, stated) = (found.trim().to_lowercase().replace('_', "-"), stated.trim().to_lowercase());
    let plain = |name: &str| -> String {
        let name = if WITH_REGION.contains(&name) { name } else { name.split('-').next().unwrap_or(name) };
        if name == "nb" { "no".to_owned() } else { name.to_owned() }
    };
    texts_equal(&found, &stated) || plain(&found) == plain(&stated)
}

/// `GenericQuery`: what the components of a computer say is their business. Without a comparison something must be
/// found; numbers are compared as numbers, versions as versions, and other texts can only be equal.
fn generic(found: Fact<Option<String>>, comparison: Option<Scalar>, stated: Option<&str>) -> Fact<bool> {
    let Some(found) = found? else { return Ok(false) };
    let Some(stated) = stated else { return Ok(true) };
    let comparison = comparison.unwrap_or(Scalar::EqualTo);
    let numbers = |a: &str, b: &str| Some(a.trim().parse::<i64>().ok()?.cmp(&b.trim().parse().ok()?));
    let versions = |a: &str, b: &str| {
        let version = |text: &str| text.parse::<crate::document::rules::Version>().ok();
        Some(version(a)?.cmp(&version(b)?))
    };
    match numbers(&found, stated).or_else(|| versions(&found, stated)) {
        Some(order) => Ok(comparison.admits(order)),
        None if comparison == Scalar::EqualTo => Ok(texts_equal(&found, stated)),
        None => Err(super::unsupported("GenericQuery, order of texts")),
    }
}
