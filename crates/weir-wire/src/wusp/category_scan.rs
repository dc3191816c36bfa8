//! StartCategoryScan (MS-WUSP 2.2.2.2.8, 3.1.5.6).

use weir_model::ids::UpdateId;

use super::bounds::{Bounds, InvalidParameter};
use crate::soap::{Item, record};

record! {
    /// Asks which of the wanted categories a scan may be narrowed to. Needs no cookie.
    pub struct StartCategoryScan {
        /// A disjunction of conjunctions: entries of the same index belong together.
        requested_categories: Vec<CategoryRelationship> = "requestedCategories",
    }
}

impl StartCategoryScan {
    /// Checks what the schema does not say.
    ///
    /// # Errors
    ///
    /// The list is missing or too long.
    pub fn validate(&self, bounds: &Bounds) -> Result<(), InvalidParameter> {
        if self.requested_categories.is_empty() {
            return Err(InvalidParameter::missing("requestedCategories"));
        }
        if self.requested_categories.len() >= bounds.requested_categories {
            return Err(InvalidParameter::new("requestedCategories", "too many entries"));
        }
        Ok(())
    }
}

record! {
    /// A category, and which conjunction it belongs to.
    pub struct CategoryRelationship {
        /// Entries with the same index must all hold.
        index_of_and_group: i32 = "IndexOfAndGroup",
        /// The category.
        category_id: UpdateId = "CategoryId",
    }
}

impl Item for CategoryRelationship {
    const NAME: &'static str = "CategoryRelationship";
}

record! {
    /// Answer to StartCategoryScan.
    pub struct StartCategoryScanAnswer {
        /// What to put into FilterCategoryIds.
        preferred_category_ids: Vec<UpdateId> = "preferredCategoryIds",
        /// Categories that this server does not know.
        requested_category_ids_in_error: Vec<UpdateId> = "requestedCategoryIdsInError",
    }
}
