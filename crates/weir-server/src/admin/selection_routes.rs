//! Routes of what to synchronize: three resources of one shape.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use weir_api::{
    List,
    selection::{
        Category, Language, LanguageQuery, Selection, SelectionChange, SelectionPreview, SelectionPreviewQuery,
    },
};
use weir_store::selection::SelectionKind;

use super::{
    AdminError, App, Caller,
    extract::{Body, Query},
    selection::{self, Change},
};

type Answer<T> = Result<Json<T>, AdminError>;

/// All of them.
pub(super) fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(products_list, products_set, products_add, products_remove))
        .routes(routes!(classifications_list, classifications_set, classifications_add, classifications_remove))
        .routes(routes!(languages_list, languages_set, languages_add, languages_remove))
        .routes(routes!(file_languages_list, file_languages_set, file_languages_add, file_languages_remove))
        .routes(routes!(selection_preview))
}

macro_rules! selection_routes {
    ($path:literal, $kind:ident, $list:ident, $set:ident, $add:ident, $remove:ident, $item:ty, |$app:ident, $query:ident| $listed:expr) => {
        /// What there is to choose from.
        #[utoipa::path(get, path = $path, tag = "selection", params(LanguageQuery), responses((status = 200, body = List<$item>)))]
        async fn $list(State($app): State<App>, Query($query): Query<LanguageQuery>) -> Answer<List<$item>> {
            $listed.await.map(Json)
        }

        /// Selects exactly these.
        #[utoipa::path(put, path = $path, tag = "selection", request_body = SelectionChange, responses((status = 200, body = Selection)))]
        async fn $set(State(app): State<App>, caller: Caller, Body(change): Body<SelectionChange>) -> Answer<Selection> {
            selection::change(&app, &caller, SelectionKind::$kind, Change::Replace, change).await.map(Json)
        }

        /// Selects these, too.
        #[utoipa::path(post, path = $path, tag = "selection", request_body = SelectionChange, responses((status = 200, body = Selection)))]
        async fn $add(State(app): State<App>, caller: Caller, Body(change): Body<SelectionChange>) -> Answer<Selection> {
            selection::change(&app, &caller, SelectionKind::$kind, Change::Add, change).await.map(Json)
        }

        /// Selects these no longer.
        #[utoipa::path(delete, path = $path, tag = "selection", request_body = SelectionChange, responses((status = 200, body = Selection)))]
        async fn $remove(State(app): State<App>, caller: Caller, Body(change): Body<SelectionChange>) -> Answer<Selection> {
            selection::change(&app, &caller, SelectionKind::$kind, Change::Remove, change).await.map(Json)
        }
    };
}

selection_routes!(
    "/products",
    Products,
    products_list,
    products_set,
    products_add,
    products_remove,
    Category,
    |app, query| selection::categories(&app, SelectionKind::Products, query.language.as_deref())
);
selection_routes!(
    "/classifications",
    Classifications,
    classifications_list,
    classifications_set,
    classifications_add,
    classifications_remove,
    Category,
    |app, query| selection::categories(&app, SelectionKind::Classifications, query.language.as_deref())
);
selection_routes!(
    "/languages",
    Languages,
    languages_list,
    languages_set,
    languages_add,
    languages_remove,
    Language,
    |app, _query| selection::languages(&app)
);
selection_routes!(
    "/file-languages",
    FileLanguages,
    file_languages_list,
    file_languages_set,
    file_languages_add,
    file_languages_remove,
    Language,
    |app, _query| selection::languages(&app)
);

/// What a change of products or classifications would mean for the catalogue as it is. Nothing is changed.
#[utoipa::path(post, path = "/selection-preview", tag = "selection", request_body = SelectionPreviewQuery, responses((status = 200, body = SelectionPreview)))]
async fn selection_preview(
    State(app): State<App>,
    Body(query): Body<SelectionPreviewQuery>,
) -> Answer<SelectionPreview> {
    selection::preview(&app, query).await.map(Json)
}
