//! What is synchronized: products, classifications, languages. Each change is looked at before it is made.

mod languages;
mod tree;

use std::collections::BTreeSet;

use axum::{
    Form, Router,
    response::Response,
    routing::{get, post},
};
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    List,
    access::Role,
    selection::{
        Category, LanguageQuery, Selection, SelectionChange, SelectionHow, SelectionOf, SelectionPreview,
        SelectionPreviewQuery,
    },
};

use self::tree::View;
use super::{field, may};
use crate::{
    Console,
    address::local,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, selection as t, settings as s},
    ui::{
        self,
        confirm::Confirm,
        form::{self, Errors},
    },
};

/// Titles that a preview lists.
const LISTED: usize = 20;

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/settings/products", get(products).post(products_save))
        .route("/settings/products/preview", post(products_preview))
        .route("/settings/classifications", get(classifications).post(classifications_save))
        .route("/settings/classifications/preview", post(classifications_preview))
        .merge(languages::routes())
}

/// Which selection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Of {
    Products,
    Classifications,
}

impl Of {
    /// Its word: in the texts and as its resource.
    fn key(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Classifications => "classifications",
        }
    }

    fn here(self) -> String {
        format!("/settings/{}", self.key())
    }

    async fn tree(self, cx: &Cx) -> Result<Vec<Category>, Failure> {
        let query = LanguageQuery { language: cx.titles() };
        Ok(cx.api.get::<List<Category>>(&format!("/{}", self.key()), &query).await?.items)
    }

    async fn preview(self, cx: &Cx, ids: &BTreeSet<Uuid>) -> Result<SelectionPreview, Failure> {
        let of = match self {
            Self::Products => SelectionOf::Products,
            Self::Classifications => SelectionOf::Classifications,
        };
        let query = SelectionPreviewQuery { of, how: SelectionHow::Set, change: change(ids) };
        cx.api.post("/selection-preview", &query).await
    }
}

fn change(ids: &BTreeSet<Uuid>) -> SelectionChange {
    SelectionChange { all: false, ids: ids.iter().map(Uuid::to_string).collect() }
}

async fn products(cx: Cx) -> Result<Response, Failure> {
    page(&cx, Of::Products, &Errors::default()).await
}

async fn classifications(cx: Cx) -> Result<Response, Failure> {
    page(&cx, Of::Classifications, &Errors::default()).await
}

async fn page(cx: &Cx, of: Of, errors: &Errors) -> Result<Response, Failure> {
    let categories = of.tree(cx).await?;
    let open = may(cx, Role::FullAdministrator);
    let view = View::of(cx, open);
    let (list, seen) = tree::show(cx, &categories, &view);
    let (all, some): (u64, u64) =
        (categories.iter().map(tree::leaves).sum(), categories.iter().map(tree::chosen).sum());
    let seen = seen.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
    let boxes = html! {
        (errors.summary(cx))
        @if categories.is_empty() {
            (ui::empty(t::no_catalogue(cx), Some((t::synchronize(cx), "/infrastructure/synchronization"))))
        } @else if open {
            form method="post" action=(of.here()) data-preview={ (of.here()) "/preview" } {
                input type="hidden" name="seen" value=(seen);
                input type="hidden" name="from" value=(cx.address);
                section.panel { (list) }
                div.buttons.foot { button.primary type="submit" { (t::review(cx)) } }
            }
        } @else { section.panel { (list) } }
    };
    let beside = html! { h2 { (t::what_it_means(cx)) } p.quiet { (t::preview_hint(cx)) } };
    let body = html! {
        (filters(cx, &of.here(), &view))
        @if open && !categories.is_empty() { (form::with_preview(&boxes, &beside)) } @else { (boxes) }
    };
    Page::new(cx, s::places(cx, of.key()))
        .fact(t::chosen_fact(cx), html! { (t::of_all(cx, all, ui::number(cx, some))) })
        .body(body)
        .render()
        .await
}

fn filters(cx: &Cx, here: &str, view: &View) -> Markup {
    html! {
        form.filters.alone method="get" action=(here) role="search" {
            label.hide for="text" { (t::find(cx)) }
            input id="text" type="search" name="text" value=[cx.address.value("text")] placeholder=(t::find(cx)) maxlength="100";
            label.check { input type="checkbox" name="only" value="chosen" checked[view.only_chosen]; (t::only_chosen(cx)) }
            button type="submit" { (common::filter(cx)) }
            @if view.narrows() { a.button.plain href=(here) { (t::show_all(cx)) } }
        }
    }
}

/// What a form sent: what is to be chosen, of the tree as it is now.
struct Sent {
    ids: BTreeSet<Uuid>,
    from: String,
    sure: bool,
}

impl Sent {
    fn read(of: Of, tree: &[Category], pairs: &[(String, String)]) -> Self {
        let list = |text: &str| -> BTreeSet<Uuid> { text.split(',').filter_map(|id| id.parse().ok()).collect() };
        let sure = field(pairs, "sure") == "1";
        let ids = if sure {
            list(field(pairs, "ids"))
        } else {
            let on = pairs.iter().filter(|(name, _)| name == "id").filter_map(|(_, id)| id.parse().ok()).collect();
            tree::wanted(tree, &list(field(pairs, "seen")), &on)
        };
        let from = local(Some(field(pairs, "from")));
        let from = if from.starts_with(&of.here()) { from } else { of.here() };
        Self { ids, from, sure }
    }
}

async fn products_preview(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    fragment(&cx, Of::Products, &pairs).await
}

async fn classifications_preview(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    fragment(&cx, Of::Classifications, &pairs).await
}

/// The preview alone, for the module.
async fn fragment(cx: &Cx, of: Of, pairs: &[(String, String)]) -> Result<Response, Failure> {
    let tree = of.tree(cx).await?;
    let sent = Sent::read(of, &tree, pairs);
    let preview = of.preview(cx, &sent.ids).await?;
    let body = html! { aside id="preview" { h2 { (t::what_it_means(cx)) } (figures(cx, of, &preview)) } };
    Page::new(cx, t::what_it_means(cx)).bare().body(body).render().await
}

fn figures(cx: &Cx, of: Of, preview: &SelectionPreview) -> Markup {
    let step = |before: u64, after: u64| {
        html! {
            (ui::number(cx, before)) " → " strong { (ui::number(cx, after)) }
            @if after > before { span.quiet { " +" (ui::number(cx, after - before)) } }
            @if after < before { span.quiet { " −" (ui::number(cx, before - after)) } }
        }
    };
    let missing = preview.bytes.saturating_sub(preview.bytes_here);
    html! {
        (ui::facts([
            (s::places(cx, of.key()), step(preview.covers_before, preview.covers)),
            (t::updates_here(cx).to_owned(), step(preview.updates_before, preview.updates)),
            (t::files(cx).to_owned(), html! { (ui::number(cx, preview.files)) }),
            (t::bytes(cx).to_owned(), html! { (ui::bytes(cx, preview.bytes)) }),
            (t::bytes_here(cx).to_owned(), html! { (ui::bytes(cx, preview.bytes_here)) }),
            (t::bytes_missing(cx).to_owned(), html! { (ui::bytes(cx, missing)) }),
        ]))
        @if !preview.unknown.is_empty() {
            p { (t::unknown(cx, preview.unknown.len() as u64)) }
            (samples(cx, &preview.unknown))
        }
        @for note in &preview.notes { p.quiet lang="en" { (note) } }
    }
}

fn samples(cx: &Cx, titles: &[String]) -> Markup {
    html! {
        ul.samples { @for title in titles.iter().take(LISTED) { li { (title) } } }
        @if titles.len() > LISTED { p.quiet { (common::more(cx, (titles.len() - LISTED) as u64)) } }
    }
}

async fn products_save(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    save(&cx, Of::Products, &pairs).await
}

async fn classifications_save(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    save(&cx, Of::Classifications, &pairs).await
}

/// Asks whether it is meant, or makes the change.
async fn save(cx: &Cx, of: Of, pairs: &[(String, String)]) -> Result<Response, Failure> {
    let tree = of.tree(cx).await?;
    let sent = Sent::read(of, &tree, pairs);
    if !sent.sure {
        return confirm(cx, of, &tree, &sent).await;
    }
    match cx.api.put::<Selection>(&format!("/{}", of.key()), &change(&sent.ids)).await {
        Ok(selection) => Ok(match of {
            Of::Products => t::flash_products(selection.covers),
            Of::Classifications => t::flash_classifications(selection.covers),
        }
        .to(of.here())),
        Err(failure) => {
            page(&cx.at(crate::address::Address::new(of.here())), of, &Errors::of(&failure.into_problem()?, &[])).await
        }
    }
}

async fn confirm(cx: &Cx, of: Of, tree: &[Category], sent: &Sent) -> Result<Response, Failure> {
    let before = tree::present(tree);
    if before == sent.ids {
        return Ok(s::flash_nothing_changed().to(&sent.from));
    }
    let preview = match of.preview(cx, &sent.ids).await {
        Ok(preview) => preview,
        Err(failure) => return page(cx, of, &Errors::of(&failure.into_problem()?, &[])).await,
    };
    let added = tree::titles(tree, &sent.ids.difference(&before).copied().collect());
    let removed = tree::titles(tree, &before.difference(&sent.ids).copied().collect());
    let details = html! {
        @if !added.is_empty() { p { strong { (t::added(cx, added.len() as u64)) } } (samples(cx, &added)) }
        @if !removed.is_empty() { p { strong { (t::removed(cx, removed.len() as u64)) } } (samples(cx, &removed)) p.quiet { (t::removed_stay(cx)) } }
        (figures(cx, of, &preview))
        p.quiet { (t::when(cx)) }
    };
    let sentence = match of {
        Of::Products => t::products_sentence(cx, preview.covers),
        Of::Classifications => t::classifications_sentence(cx, preview.covers),
    };
    let ids: Vec<String> = sent.ids.iter().map(Uuid::to_string).collect();
    let confirm = Confirm::new(sentence, t::undo(cx), t::choose(cx), of.here(), &sent.from)
        .details(details)
        .field("ids", ids.join(","))
        .field("from", &sent.from)
        .field("sure", "1");
    Page::new(cx, t::review(cx)).crumb(s::places(cx, of.key()), of.here()).body(confirm.render(cx)).render().await
}
