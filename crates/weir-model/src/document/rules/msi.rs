//! The vocabulary of Windows Installer (`MsiApplicabilityRules`).

use uuid::Uuid;

use super::value::Version;

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
