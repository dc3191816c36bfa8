//! `products`, `classifications`, `languages`: what to synchronize.
//!
//! * `GET products?language=` and `GET classifications?language=` answer a [`crate::List`] of [`Category`]; the first is a
//!   tree (company, family, product).
//! * `GET languages` answers a [`crate::List`] of [`Language`].
//! * `file-languages` is the languages whose files are kept; none chosen means those of the metadata.
//! * `POST selection-preview` takes a [`SelectionPreviewQuery`] and answers a [`SelectionPreview`], changing nothing.
//! * `PUT` replaces the selection, `POST` adds to it, `DELETE` removes from it; each takes a [`SelectionChange`] as JSON
//!   and answers a [`Selection`].

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use weir_model::update::CategoryKind;

/// Query parameters of lists with localized titles.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LanguageQuery {
    /// Short name of the language of titles, such as `de`; English where there is no such title, and by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// A category of the catalogue with those below it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Category {
    /// Its update id.
    pub id: Uuid,
    /// `company`, `product_family`, `product` or `update_classification`.
    #[schema(value_type = String)]
    pub kind: CategoryKind,
    /// Its title in the language asked for.
    pub title: String,
    /// Newest revision.
    pub revision: u32,
    /// Selected for synchronization. Families and companies are selected when all products below them are.
    pub selected: bool,
    /// Chosen itself: a family or company that is covers products that come below it later, too.
    pub chosen: bool,
    /// Whether it may hold updates (`ProhibitsUpdates` is not set).
    pub holds_updates: bool,
    /// `ExcludedByDefault`: not proposed to a new administrator.
    pub excluded_by_default: bool,
    /// Categories below it, by title.
    #[schema(no_recursion)]
    pub children: Vec<Category>,
}

/// One of the 39 languages of the catalogue.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Language {
    /// Short name, such as `pt-br`: its id in selections.
    pub id: String,
    /// Number of the language in server synchronization and packages, such as 1046; 0 is all languages.
    pub lcid: u32,
    /// English name.
    pub name: String,
    /// Whether metadata is synchronized in it.
    pub selected: bool,
    /// Whether files made for it are kept.
    pub files: bool,
}

/// A change of a selection.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectionChange {
    /// Everything there is now; `ids` must be empty then.
    #[serde(default)]
    pub all: bool,
    /// Ids: GUIDs of categories (a family or company stands for the products below it), short names or numbers of
    /// languages.
    #[serde(default)]
    pub ids: Vec<String>,
}

/// A selection after a change.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Selection {
    /// Everything selected now, in order: GUIDs in lower case, or short names of languages. A family stands for the
    /// products below it, those to come included.
    pub selected: Vec<String>,
    /// Products or classifications that this covers now.
    #[serde(default, skip_serializing_if = "is_none")]
    pub covers: u64,
    /// What is worth knowing about the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Which selection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectionOf {
    /// Classifications.
    Classifications,
    /// Products.
    Products,
}

/// How a change goes into a selection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelectionHow {
    /// To what is chosen.
    Add,
    /// From what is chosen.
    Remove,
    /// In place of what is chosen.
    Set,
}

/// A change to look at before it is made.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectionPreviewQuery {
    /// Of which selection.
    pub of: SelectionOf,
    /// How.
    pub how: SelectionHow,
    /// What.
    pub change: SelectionChange,
}

/// What a change of a selection would mean for the catalogue as it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SelectionPreview {
    /// Products or classifications covered before the change.
    pub covers_before: u64,
    /// Products or classifications covered after it.
    pub covers: u64,
    /// Updates here that the selection of before covers.
    pub updates_before: u64,
    /// Updates here that it would cover.
    pub updates: u64,
    /// Files of these.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Bytes among them that are stored here.
    pub bytes_here: u64,
    /// Titles of covered products or classifications of which nothing is here yet, so that their size is not known.
    pub unknown: Vec<String>,
    /// What the figures leave out.
    pub notes: Vec<String>,
}
