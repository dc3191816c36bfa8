//! The vocabulary of Windows Installer (`MsiApplicabilityRules`).

use uuid::Uuid;

use super::{
    tree::{Attributes, Misfit},
    value::Version,
};

/// Restricts installed products; the bounds of versions count as inside unless excluded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProductFilter {
    /// `@VersionMin`.
    pub version_min: Option<Version>,
    /// `@ExcludeVersionMin`, default false.
    pub exclude_version_min: bool,
    /// `@VersionMax`.
    pub version_max: Option<Version>,
    /// `@ExcludeVersionMax`, default false.
    pub exclude_version_max: bool,
    /// `@Language`: a decimal language id (LCID).
    pub language: Option<i32>,
}

/// An `msiar:*` rule. Those without fields speak of the patch or product of the update's metadata.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MsiRule {
    /// `MsiApplicationInstallable`.
    ApplicationInstallable,
    /// `MsiApplicationInstalled`.
    ApplicationInstalled,
    /// `MsiApplicationSuperseded`.
    ApplicationSuperseded,
    /// `MsiComponentInstalledForProduct`.
    ComponentInstalledForProduct {
        /// Each `Component`: component codes.
        components: Vec<String>,
        /// Each `Product`: product codes.
        products: Vec<Uuid>,
        /// `@AllComponentsRequired`, default false: one suffices.
        all_components: bool,
        /// `@AllProductsRequired`, default false: one suffices.
        all_products: bool,
    },
    /// `MsiFeatureInstalledForProduct`.
    FeatureInstalledForProduct {
        /// Each `Feature`: feature names.
        features: Vec<String>,
        /// Each `Product`: product codes.
        products: Vec<Uuid>,
        /// `@AllFeaturesRequired`, default false: one suffices.
        all_features: bool,
        /// `@AllProductsRequired`, default false: one suffices.
        all_products: bool,
    },
    /// `MsiPatchInstallable`.
    PatchInstallable,
    /// `MsiPatchInstalled`.
    PatchInstalled,
    /// `MsiPatchInstalledForProduct`.
    PatchInstalledForProduct {
        /// `@PatchCode`.
        patch_code: Uuid,
        /// `@ProductCode`.
        product_code: Uuid,
        /// Restricts the product.
        filter: ProductFilter,
    },
    /// `MsiPatchSuperseded`.
    PatchSuperseded,
    /// `MsiProductInstalled`.
    ProductInstalled {
        /// `@ProductCode`.
        product_code: Uuid,
        /// Restricts the product.
        filter: ProductFilter,
    },
}

/// Reads a rule of this vocabulary; none if there is no such rule. `leaves` are its child elements that hold text.
pub(super) fn read(
    name: &str,
    attributes: &Attributes<'_>,
    leaves: &[(String, String)],
) -> Option<Result<MsiRule, Misfit>> {
    let texts = |wanted: &str| leaves.iter().filter(|(name, _)| name == wanted).map(|(_, text)| text.clone()).collect();
    let products = || {
        leaves
            .iter()
            .filter(|(name, _)| name == "Product")
            .map(|(_, text)| Uuid::try_parse(text.trim()).map_err(|_| Misfit::new("Product", text)))
            .collect::<Result<Vec<_>, _>>()
    };
    Some(match name {
        "MsiApplicationInstallable" => Ok(MsiRule::ApplicationInstallable),
        "MsiApplicationInstalled" => Ok(MsiRule::ApplicationInstalled),
        "MsiApplicationSuperseded" => Ok(MsiRule::ApplicationSuperseded),
        "MsiComponentInstalledForProduct" => (|| {
            Ok(MsiRule::ComponentInstalledForProduct {
                components: texts("Component"),
                products: products()?,
                all_components: attributes.flag("AllComponentsRequired")?,
                all_products: attributes.flag("AllProductsRequired")?,
            })
        })(),
        "MsiFeatureInstalledForProduct" => (|| {
            Ok(MsiRule::FeatureInstalledForProduct {
                features: texts("Feature"),
                products: products()?,
                all_features: attributes.flag("AllFeaturesRequired")?,
                all_products: attributes.flag("AllProductsRequired")?,
            })
        })(),
        "MsiPatchInstallable" => Ok(MsiRule::PatchInstallable),
        "MsiPatchInstalled" => Ok(MsiRule::PatchInstalled),
        "MsiPatchInstalledForProduct" => (|| {
            Ok(MsiRule::PatchInstalledForProduct {
                patch_code: attributes.guid("PatchCode")?,
                product_code: attributes.guid("ProductCode")?,
                filter: filter(attributes)?,
            })
        })(),
        "MsiPatchSuperseded" => Ok(MsiRule::PatchSuperseded),
        "MsiProductInstalled" => (|| {
            Ok(MsiRule::ProductInstalled { product_code: attributes.guid("ProductCode")?, filter: filter(attributes)? })
        })(),
        _ => return None,
    })
}

fn filter(attributes: &Attributes<'_>) -> Result<ProductFilter, Misfit> {
    Ok(ProductFilter {
        version_min: attributes.optional("VersionMin")?,
        exclude_version_min: attributes.flag("ExcludeVersionMin")?,
        version_max: attributes.optional("VersionMax")?,
        exclude_version_max: attributes.flag("ExcludeVersionMax")?,
        language: attributes.optional("Language")?,
    })
}
