//! Making and changing collections.

use axum::{Form, extract::Path, response::Response};
use maud::html;
use weir_api::{
    List, Problem, Reference,
    access::Role,
    collection::{Collection, CollectionCreated},
    search::{SearchField, SearchFieldQuery},
    site::Site,
};

use super::{
    super::{collection_at, rest},
    builder::{self, Choices},
    form::Draft,
    preview::{self, Outlook},
};
use crate::{
    address::path,
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{collections as t, computers},
    ui::{confirm::Confirm, form::Errors},
};

/// Where a new one is made.
const NEW: &str = "/computers/collections/new";
/// The list.
const LIST: &str = "/computers/collections";
/// Fields of the form, as REST names them in the codes of refusals.
const FIELDS: [&str; 8] = ["name", "kind", "parent", "description", "time_zone", "includes", "excludes", "limiting"];

/// An empty form, or one with what a link asks for.
pub(super) async fn new(cx: Cx) -> Result<Response, Failure> {
    let draft = Draft::new(&cx.address);
    page(&cx, &draft, None, Errors::default()).await
}

/// Does what a button of the builder asks for, or makes the collection.
pub(super) async fn create(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let mut draft = Draft { id: None, ..Draft::read(&pairs) };
    if draft.build() {
        return page(&cx, &draft, None, Errors::default()).await;
    }
    let rule = match rule_of(&cx, &draft) {
        Ok(rule) => rule,
        Err(errors) => return page(&cx, &draft, None, errors).await,
    };
    match cx.api.post::<CollectionCreated>("/collections", &draft.creation(&rule)).await {
        Ok(made) => {
            let address = collection_at(&Reference { id: made.id, name: made.name.clone() });
            Ok(t::flash_created(made.name).to(address))
        }
        Err(failure) => {
            let errors = refused(&failure.into_problem()?);
            page(&cx, &draft, None, errors).await
        }
    }
}

/// The form of one that exists.
pub(super) async fn edit(cx: Cx, Path(name): Path<String>) -> Result<Response, Failure> {
    let known: Collection = cx.api.get(&path(&["collections", &name]), &()).await?;
    page(&cx, &Draft::of(&known), Some(&known), Errors::default()).await
}

/// Does what a button of the builder asks for, asks for confirmation where members would move, or changes it.
pub(super) async fn change(
    cx: Cx,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let known: Collection = cx.api.get(&path(&["collections", &name]), &()).await?;
    let id = known.id.to_string();
    let mut draft = Draft { id: Some(id.clone()), ..Draft::read(&pairs) };
    if draft.build() {
        return page(&cx, &draft, Some(&known), Errors::default()).await;
    }
    let rule = match rule_of(&cx, &draft) {
        Ok(rule) => rule,
        Err(errors) => return page(&cx, &draft, Some(&known), errors).await,
    };
    let change = draft.change(&rule, &known);
    let defined =
        change.rule.is_some() || change.includes.is_some() || change.excludes.is_some() || change.limiting.is_some();
    if defined && !draft.sure {
        match preview::outlook(&cx, &draft).await? {
            Outlook::Known(found) if found.coming.count > 0 || found.going.count > 0 || !found.others.is_empty() => {
                let sentence =
                    t::change_sentence(&cx, found.coming.count, crate::ui::number(&cx, found.going.count), &known.name);
                let back = collection_at(&Reference { id: known.id, name: known.name.clone() });
                let to = format!("{back}/edit");
                let confirm = Confirm::new(sentence, t::change_undo(&cx), computers::save(&cx), to, back)
                    .details(html! { (preview::known(&cx, &found)) });
                let sent = pairs.iter().filter(|(name, _)| name != "sure");
                let confirm =
                    sent.fold(confirm, |confirm, (name, value)| confirm.field(name, value)).field("sure", "1");
                return Page::new(&cx, t::change_title(&cx, &known.name)).body(confirm.render(&cx)).render().await;
            }
            outlook @ (Outlook::Refused(_) | Outlook::Lacks(_)) => {
                let errors = preview::errors(&cx, &outlook);
                return page(&cx, &draft, Some(&known), errors).await;
            }
            _ => {}
        }
    }
    match cx.api.patch::<Collection>(&path(&["collections", &id]), &change).await {
        Ok(changed) => {
            let address = collection_at(&Reference { id: changed.id, name: changed.name.clone() });
            Ok(t::flash_changed(changed.name).to(address))
        }
        Err(failure) => {
            let errors = refused(&failure.into_problem()?);
            page(&cx, &draft, Some(&known), errors).await
        }
    }
}

/// The rule of a draft, or what its rows lack.
fn rule_of(cx: &Cx, draft: &Draft) -> Result<String, Errors> {
    draft.rule().map_err(|row| Errors::default().field("rule", t::row_lacks(cx, row)))
}

/// A refusal beside the field that REST names by its code.
pub(super) fn refused(problem: &Problem) -> Errors {
    let code = problem.code.as_str();
    match FIELDS.into_iter().find(|field| *field == code) {
        Some(field) => Errors::default().field(field, &problem.detail),
        None if code == "rule" => Errors::default().field("rule", &problem.detail),
        None if code == "circle" => Errors::default().field("includes", &problem.detail),
        None if code == "exists" => Errors::default().field("name", &problem.detail),
        None => Errors::of(problem, &[]),
    }
}

async fn page(cx: &Cx, draft: &Draft, known: Option<&Collection>, errors: Errors) -> Result<Response, Failure> {
    if !cx.may(Role::SoftwareUpdateManager) {
        let body =
            html! { section.panel { p { (t::may_not(cx)) } p { a href=(LIST) { (computers::collections(cx)) } } } };
        return Page::new(cx, computers::collections(cx)).body(body).render().await;
    }
    let fields = SearchFieldQuery { of: Some("computers".to_owned()) };
    let (collections, fields, sites, outlook) = tokio::join!(
        rest::collections(cx),
        cx.api.get::<List<SearchField>>("/searches-fields", &fields),
        cx.api.get::<List<Site>>("/sites", &()),
        async {
            match known.filter(|known| draft.by_rule && draft.untouched(known)) {
                // looking at every computer would only say that nobody moves
                Some(known) => Ok(Outlook::Untried(known.members)),
                None => preview::outlook(cx, draft).await,
            }
        },
    );
    let choices = Choices {
        collections: collections?,
        fields: fields.map(|list| list.items).unwrap_or_default(),
        sites: sites.map(|list| list.items.into_iter().map(|site| site.name).collect()).unwrap_or_default(),
    };
    let outlook = outlook?;
    let (title, to, back) = match known {
        None => (t::new_title(cx).to_owned(), NEW.to_owned(), LIST.to_owned()),
        Some(known) => {
            let back = collection_at(&Reference { id: known.id, name: known.name.clone() });
            (t::change_title(cx, &known.name), format!("{back}/edit"), back)
        }
    };
    let form = builder::whole(cx, draft, &choices, &outlook, &errors, &to, &back);
    let page = Page::new(cx, title).crumb(computers::collections(cx), cx.to(LIST));
    let page = match known {
        None => page,
        Some(known) => page.crumb(&known.name, &back),
    };
    page.body(form).render().await
}
