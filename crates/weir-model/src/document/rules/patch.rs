//! `MsiPatch`: which products a patch of Windows Installer is for (patch_applicability.xsd, which MS-WUSP product behavior
//! note 42 refers to).

use uuid::Uuid;

use super::value::{self, Version};
use crate::document::{
    DocumentError,
    source::{Sink, Source},
    value::{Value, find},
};

/// `MsiPatch`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MsiPatch {
    /// `@PatchGUID`.
    pub patch_code: Option<Uuid>,
    /// `@TargetsRTM`, default false.
    pub targets_rtm: bool,
    /// Each `TargetProduct`: the patch fits a product that satisfies one of them.
    pub targets: Vec<PatchTarget>,
    /// Each `TargetProductCode` beside them: all products that the patch may be for.
    pub product_codes: Vec<Uuid>,
    /// Each `ObsoletedPatch`.
    pub obsoleted: Vec<Uuid>,
    /// Whether there is `SequenceData`: other patches may supersede this one.
    pub sequenced: bool,
}

/// `TargetProduct`: what a product must be. What is not to be validated is none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PatchTarget {
    /// `TargetProductCode`.
    pub product_code: Option<Uuid>,
    /// `TargetVersion`.
    pub version: Option<TargetVersion>,
    /// `TargetLanguage` (LCID).
    pub language: Option<i32>,
    /// `UpgradeCode`.
    pub upgrade_code: Option<Uuid>,
}

/// `TargetVersion`: what the version of a product must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TargetVersion {
    /// The version.
    pub version: Version,
    /// `@ComparisonType`: how the product's version must stand to it.
    pub comparison: value::Scalar,
    /// `@ComparisonFilter`: how many numbers are compared, 1 to 3.
    pub numbers: usize,
}

/// Reads the current element and past its end; none if something in it is malformed.
pub(super) fn read<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<Option<MsiPatch>, DocumentError> {
    let attributes = source.attributes();
    let mut patch = MsiPatch {
        patch_code: find(attributes, "PatchGUID").and_then(Value::read),
        targets_rtm: find(attributes, "TargetsRTM").and_then(Value::read).unwrap_or(false),
        ..MsiPatch::default()
    };
    let mut whole = patch.patch_code.is_some();
    source.children(|source| {
        match source.local() {
            "TargetProduct" => match target(source)? {
                Some(target) => patch.targets.push(target),
                None => whole = false,
            },
            name @ ("ObsoletedPatch" | "TargetProductCode") => match Uuid::read(&source.content()?) {
                Some(code) if name == "ObsoletedPatch" => patch.obsoleted.push(code),
                Some(code) => patch.product_codes.push(code),
                None => whole = false,
            },
            "SequenceData" => patch.sequenced = true,
            _ => {}
        }
        Ok(())
    })?;
    Ok(whole.then_some(patch))
}

fn target<'t, S: Sink<'t>>(source: &mut Source<'t, S>) -> Result<Option<PatchTarget>, DocumentError> {
    let mut target = PatchTarget::default();
    let mut whole = true;
    source.children(|source| {
        let validated = find(source.attributes(), "Validate").and_then(bool::read).unwrap_or(false);
        if !validated {
            return Ok(());
        }
        match source.local() {
            "TargetProductCode" => {
                target.product_code = Uuid::read(&source.content()?);
                whole &= target.product_code.is_some();
            }
            "TargetVersion" => {
                let comparison = find(source.attributes(), "ComparisonType").unwrap_or("None").to_owned();
                let filter = find(source.attributes(), "ComparisonFilter").unwrap_or("None").to_owned();
                let text = source.content()?;
                let (Some(comparison), Some(numbers)) = (comparison_type(&comparison), filtered(&filter)) else {
                    whole &= [comparison, filter].iter().any(|it| it.eq_ignore_ascii_case("None"));
                    return Ok(());
                };
                match Version::read(&text) {
                    Some(version) => target.version = Some(TargetVersion { version, comparison, numbers }),
                    None => whole = false,
                }
            }
            "TargetLanguage" => {
                target.language = i32::read(&source.content()?);
                whole &= target.language.is_some();
            }
            "UpgradeCode" => {
                target.upgrade_code = Uuid::read(&source.content()?);
                whole &= target.upgrade_code.is_some();
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(whole.then_some(target))
}

fn comparison_type(text: &str) -> Option<value::Scalar> {
    const ALL: [(&str, value::Scalar); 5] = [
        ("Equal", value::Scalar::EqualTo),
        ("GreaterThan", value::Scalar::GreaterThan),
        ("GreaterThanOrEqual", value::Scalar::GreaterThanOrEqualTo),
        ("LessThan", value::Scalar::LessThan),
        ("LessThanOrEqual", value::Scalar::LessThanOrEqualTo),
    ];
    value::find(&ALL, text)
}

fn filtered(text: &str) -> Option<usize> {
    value::find(&[("Major", 1), ("MajorMinor", 2), ("MajorMinorUpdate", 3)], text)
}
