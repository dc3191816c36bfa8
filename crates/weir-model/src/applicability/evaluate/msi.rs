//! Rules about Windows Installer (MsiApplicabilityRules, MS-WUSP product behavior note 42).

use uuid::Uuid;

use super::{misfit, not_collected, unsupported};
use crate::{
    applicability::{
        Facts, Truth,
        evaluate::Context,
        facts::{Fact, MsiProduct},
    },
    document::rules::{
        MetadataKind, MsiPatch, PatchTarget, Version,
        msi::{MsiRule, ProductFilter},
    },
};

/// How many numbers of a version Windows Installer compares (ProductVersion property).
const NUMBERS: usize = 3;

pub(super) fn evaluate(rule: &MsiRule, facts: &dyn Facts, context: &Context<'_>) -> Truth {
    match rule {
        MsiRule::ApplicationInstallable => application(facts, context, |found, stated, recache| match found {
            None => Truth::True,
            Some(found) if stated.is_none() || found.version.is_none() || recache => {
                Truth::gap(unsupported("MsiApplicationInstallable of an installed product"))
            }
            Some(_) => Truth::False,
        }),
        MsiRule::ApplicationInstalled => application(facts, context, |found, stated, _| match (found, stated) {
            (None, _) => Truth::False,
            (Some(_), None) => Truth::True,
            (Some(found), Some(stated)) => version(found).map(|found| numbers(&found) == numbers(&stated)).into(),
        }),
        MsiRule::ApplicationSuperseded => application(facts, context, |found, stated, _| match (found, stated) {
            (None, _) => Truth::False,
            (Some(_), None) => Truth::gap(unsupported("MsiApplicationSuperseded without a version")),
            (Some(found), Some(stated)) => version(found).map(|found| numbers(&found) > numbers(&stated)).into(),
        }),
        MsiRule::ComponentInstalledForProduct { components, products, all_components, all_products } => {
            let codes: Option<Vec<Uuid>> = components.iter().map(|text| guid(text)).collect();
            let Some(codes) = codes else {
                return Truth::gap(misfit("MsiComponentInstalledForProduct, Component".to_owned()));
            };
            let present = |product: &MsiProduct| {
                let found = product.components.as_ref().ok_or_else(|| not_collected("components of products"))?;
                Ok(some_or_all(&codes, *all_components, |code| found.contains(code)))
            };
            products_with(facts, products, components.is_empty(), *all_products, &present)
        }
        MsiRule::FeatureInstalledForProduct { features, products, all_features, all_products } => {
            let present = |product: &MsiProduct| {
                let found = product.features.as_ref().ok_or_else(|| not_collected("features of products"))?;
                // Names of features are compared as they are (Feature table).
                Ok(some_or_all(features, *all_features, |name| found.iter().any(|found| found.trim() == name.trim())))
            };
            products_with(facts, products, features.is_empty(), *all_products, &present)
        }
        MsiRule::PatchInstallable => patch(facts, context, installable),
        MsiRule::PatchInstalled => {
            patch(facts, context, |facts, patch, fallback| patch_installed(facts, patch, fallback).into())
        }
        MsiRule::PatchSuperseded => patch(facts, context, superseded),
        MsiRule::PatchInstalledForProduct { patch_code, product_code, filter } => {
            with_product(facts, *product_code, |product| {
                let patches = product.patches.as_ref().ok_or_else(|| not_collected("patches of products"));
                filtered(product, filter).and(patches.map(|patches| patches.contains(patch_code)).into())
            })
        }
        MsiRule::ProductInstalled { product_code, filter } => {
            with_product(facts, *product_code, |product| filtered(product, filter))
        }
    }
}

/// Whether a product is installed and something holds for it.
fn with_product(facts: &dyn Facts, code: Uuid, holds: impl FnOnce(&MsiProduct) -> Truth) -> Truth {
    match facts.msi_product(code) {
        Ok(Some(product)) => holds(&product),
        Ok(None) => Truth::False,
        Err(gap) => Truth::gap(gap),
    }
}

/// Version and language of a product, as far as a rule restricts them.
fn filtered(product: &MsiProduct, filter: &ProductFilter) -> Truth {
    let mut answer = Truth::True;
    if let Some(language) = filter.language {
        answer = answer.and(
            product.language.map(|found| found == language).ok_or_else(|| not_collected("language of products")).into(),
        );
    }
    if let Some(min) = filter.version_min {
        let inside = version(product).map(|found| match numbers(&found).cmp(numbers(&min)) {
            order if filter.exclude_version_min => order.is_gt(),
            order => order.is_ge(),
        });
        answer = answer.and(inside.into());
    }
    if let Some(max) = filter.version_max {
        let inside = version(product).map(|found| match numbers(&found).cmp(numbers(&max)) {
            order if filter.exclude_version_max => order.is_lt(),
            order => order.is_le(),
        });
        answer = answer.and(inside.into());
    }
    answer
}

fn version(product: &MsiProduct) -> Fact<Version> {
    product.version.ok_or_else(|| not_collected("version of products"))
}

/// The numbers that count.
fn numbers(version: &Version) -> &[u32] {
    version.parts.get(..NUMBERS).unwrap_or_default()
}

fn guid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text.trim()).ok()
}

fn some_or_all<T>(stated: &[T], all: bool, present: impl FnMut(&T) -> bool) -> bool {
    if all { stated.iter().all(present) } else { stated.iter().any(present) }
}

/// `Msi...InstalledForProduct`: for one of the products, or for all. The schema wants at least one part and one product.
fn products_with(
    facts: &dyn Facts,
    products: &[Uuid],
    nothing: bool,
    all: bool,
    present: &dyn Fn(&MsiProduct) -> Fact<bool>,
) -> Truth {
    if nothing || products.is_empty() {
        return Truth::gap(misfit("Msi...InstalledForProduct without a part or a product".to_owned()));
    }
    let mut answer = Truth::from(all);
    for code in products {
        let this = with_product(facts, *code, |product| present(product).into());
        answer = if all { answer.and(this) } else { answer.or(this) };
        if answer.known() == Some(!all) {
            break;
        }
    }
    answer
}

/// Asks about the application of the metadata: what is installed, the stated version, and whether it may be installed
/// over itself (`UseRecacheReinstall`).
fn application(
    facts: &dyn Facts,
    context: &Context<'_>,
    answer: impl FnOnce(Option<&MsiProduct>, Option<Version>, bool) -> Truth,
) -> Truth {
    let stated = context.metadata.iter().find_map(|metadata| match &metadata.kind {
        MetadataKind::MsiApplication { product_code, version, recache } => Some((*product_code, *version, recache)),
        _ => None,
    });
    let Some((Some(code), version, recache)) = stated else {
        return Truth::gap(misfit("application without metadata".to_owned()));
    };
    let recache = recache.as_deref().is_some_and(|option| !option.trim().eq_ignore_ascii_case("Never"));
    match facts.msi_product(code) {
        Ok(found) => answer(found.as_deref(), version, recache),
        Err(gap) => Truth::gap(gap),
    }
}

/// Asks about the patch of the metadata.
fn patch(
    facts: &dyn Facts,
    context: &Context<'_>,
    answer: impl FnOnce(&dyn Facts, &MsiPatch, Option<Uuid>) -> Truth,
) -> Truth {
    let stated = context.metadata.iter().find_map(|metadata| match &metadata.kind {
        MetadataKind::MsiPatch { patch, fallback_patch_code } => Some((patch.as_deref(), *fallback_patch_code)),
        _ => None,
    });
    match stated {
        Some((Some(patch), fallback)) => answer(facts, patch, fallback),
        _ => Truth::gap(misfit("patch without metadata".to_owned())),
    }
}

/// The products that a patch may be for.
fn products(patch: &MsiPatch) -> impl Iterator<Item = Uuid> {
    let targets = patch.targets.iter().filter_map(|target| target.product_code);
    patch.product_codes.iter().copied().chain(targets)
}

/// The patch is applied to a product that it is for.
fn patch_installed(facts: &dyn Facts, patch: &MsiPatch, fallback: Option<Uuid>) -> Fact<bool> {
    let mut other = false;
    for code in products(patch) {
        let Some(product) = facts.msi_product(code)? else { continue };
        let applied = product.patches.as_ref().ok_or_else(|| not_collected("patches of products"))?;
        if patch.patch_code.is_some_and(|code| applied.contains(&code)) {
            return Ok(true);
        }
        other |= fallback.is_some_and(|code| applied.contains(&code));
    }
    // Whether the fallback counts as the patch itself is in no published document.
    if other { Err(unsupported("MsiPatchInstalled of a fallback patch")) } else { Ok(false) }
}

/// There is a product that the patch fits and that does not have it. Where other patches are applied, one of them may
/// supersede it, which their manifests would say.
fn installable(facts: &dyn Facts, patch: &MsiPatch, _: Option<Uuid>) -> Truth {
    let mut answer = Truth::False;
    for code in products(patch) {
        let this = with_product(facts, code, |product| {
            let fits = patch.targets.iter().fold(Truth::False, |answer, target| answer.or(fits(target, code, product)));
            let open =
                product.patches.as_ref().ok_or_else(|| not_collected("patches of products")).and_then(|applied| {
                    if patch.patch_code.is_some_and(|code| applied.contains(&code)) {
                        Ok(false)
                    } else if applied.iter().all(|code| patch.obsoleted.contains(code)) || !patch.sequenced {
                        Ok(true)
                    } else {
                        Err(unsupported("MsiPatchInstallable beside other patches"))
                    }
                });
            fits.and(open.into())
        });
        answer = answer.or(this);
    }
    answer
}

fn superseded(facts: &dyn Facts, patch: &MsiPatch, _: Option<Uuid>) -> Truth {
    let mut answer = Truth::False;
    for code in products(patch) {
        let this = with_product(facts, code, |product| match &product.patches {
            None => Truth::gap(not_collected("patches of products")),
            Some(applied) if applied.is_empty() || !patch.sequenced => Truth::False,
            Some(applied) if patch.patch_code.is_some_and(|code| applied.contains(&code)) => Truth::False,
            Some(_) => Truth::gap(unsupported("MsiPatchSuperseded beside other patches")),
        });
        answer = answer.or(this);
    }
    answer
}

/// Whether a product is what a target of the patch wants.
fn fits(target: &PatchTarget, code: Uuid, product: &MsiProduct) -> Truth {
    let mut answer = Truth::from(target.product_code.is_none_or(|stated| stated == code));
    if let Some(language) = target.language {
        answer = answer.and(
            product.language.map(|found| found == language).ok_or_else(|| not_collected("language of products")).into(),
        );
    }
    if let Some(stated) = target.version {
        let admitted = version(product).map(|found| {
            let part = |version: &Version| version.parts.get(..stated.numbers).map(<[u32]>::to_vec);
            stated.comparison.admits(part(&found).cmp(&part(&stated.version)))
        });
        answer = answer.and(admitted.into());
    }
    if target.upgrade_code.is_some() {
        answer = answer.and(Truth::gap(unsupported("upgrade code of a product")));
    }
    answer
}
