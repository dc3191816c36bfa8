//! Changes for rules about Windows Installer.

use uuid::Uuid;

use super::{Solver, values};
use crate::{
    applicability::{Change, Facts, Gap, GapKind, evaluate::unsupported, facts::MsiProduct},
    document::rules::{
        MetadataKind, MsiPatch, Scalar, Version,
        msi::{MsiRule, ProductFilter},
    },
};

/// How many numbers of a version count.
const NUMBERS: usize = 3;

impl Solver<'_> {
    pub(super) fn msi(&self, rule: &MsiRule, wanted: bool) -> Result<Vec<Change>, Gap> {
        match rule {
            MsiRule::ProductInstalled { product_code, filter } => {
                if !wanted {
                    return Ok(vec![Change::RemoveProduct { code: *product_code }]);
                }
                let mut product = self.product(*product_code);
                fit(&mut product, filter)?;
                Ok(vec![Change::SetProduct { code: *product_code, product }])
            }
            MsiRule::PatchInstalledForProduct { patch_code, product_code, filter } => {
                let mut product = self.product(*product_code);
                if wanted {
                    fit(&mut product, filter)?;
                }
                set(product.patches.get_or_insert_default(), patch_code, wanted);
                Ok(vec![Change::SetProduct { code: *product_code, product }])
            }
            MsiRule::ComponentInstalledForProduct { components, products, all_components, all_products } => {
                let codes: Result<Vec<Uuid>, _> = components.iter().map(|text| Uuid::try_parse(text.trim())).collect();
                let codes =
                    codes.map_err(|_| Gap::new(GapKind::Misfit, "MsiComponentInstalledForProduct, Component"))?;
                let parts = some_or_all(&codes, *all_components, wanted);
                self.parts(products, *all_products, wanted, |product| {
                    for code in parts {
                        set(product.components.get_or_insert_default(), code, wanted);
                    }
                })
            }
            MsiRule::FeatureInstalledForProduct { features, products, all_features, all_products } => {
                let parts = some_or_all(features, *all_features, wanted);
                self.parts(products, *all_products, wanted, |product| {
                    for name in parts {
                        set(product.features.get_or_insert_default(), name, wanted);
                    }
                })
            }
            MsiRule::ApplicationInstallable => {
                let (code, _) = self.application()?;
                let product = self.product(code);
                Ok(vec![if wanted { Change::RemoveProduct { code } } else { Change::SetProduct { code, product } }])
            }
            MsiRule::ApplicationInstalled => {
                let (code, version) = self.application()?;
                let mut product = self.product(code);
                product.version = version.or(product.version);
                Ok(vec![if wanted { Change::SetProduct { code, product } } else { Change::RemoveProduct { code } }])
            }
            MsiRule::ApplicationSuperseded => {
                let (code, version) = self.application()?;
                let newer = version.and_then(|version| values::next(version, NUMBERS));
                let mut product = self.product(code);
                product.version = newer;
                match newer {
                    Some(_) if wanted => Ok(vec![Change::SetProduct { code, product }]),
                    None if wanted => Err(unsupported("MsiApplicationSuperseded without a version")),
                    _ => Ok(vec![Change::RemoveProduct { code }]),
                }
            }
            MsiRule::PatchInstalled => {
                let patch = self.patch()?;
                let (Some(code), Some(product_code)) = (patch.patch_code, self.patched(patch)) else {
                    return Err(unsupported("MsiPatchInstalled without a product"));
                };
                let mut product = self.product(product_code);
                set(product.patches.get_or_insert_default(), &code, wanted);
                Ok(vec![Change::SetProduct { code: product_code, product }])
            }
            MsiRule::PatchInstallable | MsiRule::PatchSuperseded => Err(unsupported("what other patches do")),
        }
    }

    /// A product as it is, or a new one.
    fn product(&self, code: Uuid) -> MsiProduct {
        let found = self.state.computer.msi_product(code).ok().flatten().map(|found| found.into_owned());
        found.unwrap_or_else(|| MsiProduct {
            version: Some(Version { parts: [1, 0, 0, 0], written: 3 }),
            language: Some(0),
            patches: Some(Vec::new()),
            features: Some(Vec::new()),
            components: Some(Vec::new()),
        })
    }

    fn application(&self) -> Result<(Uuid, Option<Version>), Gap> {
        let stated = self.context.metadata.iter().find_map(|metadata| match &metadata.kind {
            MetadataKind::MsiApplication { product_code, version, .. } => Some(((*product_code)?, *version)),
            _ => None,
        });
        stated.ok_or_else(|| Gap::new(GapKind::Misfit, "application without metadata"))
    }

    fn patch(&self) -> Result<&MsiPatch, Gap> {
        let stated = self.context.metadata.iter().find_map(|metadata| match &metadata.kind {
            MetadataKind::MsiPatch { patch, .. } => patch.as_deref(),
            _ => None,
        });
        stated.ok_or_else(|| Gap::new(GapKind::Misfit, "patch without metadata"))
    }

    /// The product that a patch goes to: one that is installed, else the first.
    fn patched(&self, patch: &MsiPatch) -> Option<Uuid> {
        let mut codes = patch.product_codes.iter().copied();
        let installed = |code: &Uuid| matches!(self.state.computer.msi_product(*code), Ok(Some(_)));
        codes.clone().find(installed).or_else(|| codes.next())
    }

    /// Changes parts of products: of one or of all.
    fn parts(
        &self,
        products: &[Uuid],
        all: bool,
        wanted: bool,
        change: impl Fn(&mut MsiProduct),
    ) -> Result<Vec<Change>, Gap> {
        let changed = some_or_all(products, all, wanted);
        if changed.is_empty() {
            return Err(Gap::new(GapKind::Misfit, "Msi...InstalledForProduct without a product"));
        }
        Ok(changed
            .iter()
            .map(|code| {
                let mut product = self.product(*code);
                change(&mut product);
                Change::SetProduct { code: *code, product }
            })
            .collect())
    }
}

/// Those that must be changed: the first or all of them.
fn some_or_all<T>(parts: &[T], all: bool, wanted: bool) -> &[T] {
    if all == wanted { parts } else { parts.get(..1).unwrap_or_default() }
}

/// Adds something to a list, or takes it out.
fn set<T: Clone + PartialEq>(list: &mut Vec<T>, item: &T, wanted: bool) {
    list.retain(|found| found != item);
    if wanted {
        list.push(item.clone());
    }
}

/// Makes a product satisfy a restriction.
fn fit(product: &mut MsiProduct, filter: &ProductFilter) -> Result<(), Gap> {
    product.language = filter.language.or(product.language);
    let min = filter.version_min.map(|min| {
        let comparison = if filter.exclude_version_min { Scalar::GreaterThan } else { Scalar::EqualTo };
        values::version(comparison, min, NUMBERS)
    });
    let max = filter.version_max.map(|max| {
        let comparison = if filter.exclude_version_max { Scalar::LessThan } else { Scalar::EqualTo };
        values::version(comparison, max, NUMBERS)
    });
    let inside = |found: Version| {
        let numbers = |version: Version| version.parts.get(..NUMBERS).map(<[u32]>::to_vec);
        let above = |min| if filter.exclude_version_min { numbers(found) > min } else { numbers(found) >= min };
        let below = |max| if filter.exclude_version_max { numbers(found) < max } else { numbers(found) <= max };
        filter.version_min.is_none_or(|min| above(numbers(min)))
            && filter.version_max.is_none_or(|max| below(numbers(max)))
    };
    if product.version.is_some_and(inside) {
        return Ok(());
    }
    // The lowest version that is allowed: installing an update brings a product to its version, not beyond.
    if let Some(stated) = min.or(max) {
        product.version = Some(stated.ok_or_else(|| unsupported("a comparison that no value satisfies"))?);
    }
    Ok(())
}
