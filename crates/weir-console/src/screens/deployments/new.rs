//! Making a deployment: what, to whom, when, how; what it would do stands beside, and is confirmed.

use axum::{
    Form,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    collection::Collection,
    deployment::{Action, DeploymentCreate, DeploymentCreated, DeploymentSettingInfo},
    deployment_template::DeploymentTemplate,
    update::{UpdateDetail, UpdateList, UpdateQuery},
    update_group::UpdateGroup,
};

use super::{
    choose,
    fields::{self, Around},
    filled::Filled,
    names,
    preview::{self, Foreseen},
    templates, terms,
};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, deployments as t},
    ui::{
        confirm::Confirm,
        form::{Errors, with_preview},
    },
};

/// Updates with open licences that are named.
const NAMED: u32 = 5;

/// What is deployed.
pub(super) enum What {
    /// An update.
    Update(Box<UpdateDetail>),
    /// An update group, and the first of its updates with a licence that nobody accepted.
    Group(Box<UpdateGroup>, Option<Box<UpdateList>>),
}

impl What {
    /// What a form is about, as REST knows it.
    async fn load(cx: &Cx, filled: &Filled) -> Result<Self, Failure> {
        match (filled.some("update"), filled.some("group")) {
            (Some(id), None) => {
                let language = weir_api::selection::LanguageQuery { language: cx.titles() };
                Ok(Self::Update(Box::new(cx.api.get(&path(&["updates", &id]), &language).await?)))
            }
            (None, Some(name)) => {
                let group: Box<UpdateGroup> = cx.api.get(&path(&["groups", &name]), &()).await?;
                let open = UpdateQuery {
                    filter: Some(format!("group = {} and eula = required", group.id)),
                    language: cx.titles(),
                    limit: Some(NAMED),
                    ..UpdateQuery::default()
                };
                let open = cx.api.get::<Box<UpdateList>>("/updates", &open).await.ok();
                Ok(Self::Group(group, open))
            }
            _ => Err(Failure::NotFound),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Update(update) => &update.row.title,
            Self::Group(group, _) => &group.name,
        }
    }

    /// Whether a licence has to be accepted, as far as that is known.
    fn licence(&self) -> bool {
        match self {
            Self::Update(update) => update.eula.as_ref().is_some_and(|eula| !eula.accepted),
            Self::Group(_, open) => open.as_ref().is_none_or(|list| list.updates > 0),
        }
    }

    fn show(&self, cx: &Cx) -> Markup {
        match self {
            Self::Update(update) => html! {
                p { strong { a href=(path(&["updates", &update.row.id.to_string()])) { (update.row.title) } } }
                @if update.row.declined || update.row.expired || update.row.superseded { p { (t::what_doubtful(cx)) } }
                @for lack in &update.lacks { p lang="en" { (lack.message) } }
                @if self.licence() { p { (t::licences_open(cx, 1)) " " a href=(licence_page(update.row.id)) { (t::licence_read(cx)) } } }
            },
            Self::Group(group, open) => html! {
                p { strong { a href=(path(&["updates", "groups", &group.id.to_string()])) { (group.name) } } " · " (t::updates_of(cx, group.members)) }
                p.quiet { (t::what_group(cx)) }
                @if let Some(list) = open.as_ref().filter(|list| list.updates > 0) {
                    p { (t::licences_open(cx, list.updates)) }
                    ul { @for row in &list.items { li { a href=(licence_page(row.id)) { (row.title) } } } }
                    @if list.updates > list.items.len() as u64 { p.quiet { (common::more(cx, list.updates - list.items.len() as u64)) } }
                }
            },
        }
    }
}

/// The form; without something to deploy the choice of it.
pub(super) async fn show(cx: Cx) -> Result<Response, Failure> {
    let mut filled = Filled::new(cx.address.pairs().to_vec());
    let updates: Vec<&str> = filled.all("update").collect();
    if updates.len() > 1 {
        return choose::gather(&cx, &updates, "", &Errors::default()).await;
    }
    if filled.some("update").is_none() && filled.some("group").is_none() {
        return choose::show(&cx).await;
    }
    if !filled.on("filled") {
        let given = filled;
        filled = fields::defaults(&cx)?;
        if let Some(name) = given.some("template") {
            let template: DeploymentTemplate = cx.api.get(&path(&["deployment-templates", &name]), &()).await?;
            templates::apply(&cx, &mut filled, &template)?;
        }
        filled.overlay(cx.address.pairs());
    }
    form(&cx, &filled, &Errors::default(), false).await
}

/// What stands beside the form, after each change.
pub(super) async fn preview(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let beside = preview::beside(&cx, fields::create(&cx, &Filled::new(pairs))).await?;
    Ok(html! { div id="preview" { (beside) } }.into_response())
}

/// Makes updates into a group that is then deployed.
pub(super) async fn gather(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    choose::gathered(&cx, &Filled::new(pairs)).await
}

/// Asks for confirmation, or makes it.
pub(super) async fn make(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let mut filled = Filled::new(pairs);
    filled.set("filled", "1");
    let new = match fields::create(&cx, &filled) {
        Ok(new) => new,
        Err(errors) => return form(&cx, &filled, &errors, false).await,
    };
    if !filled.on("sure") {
        return match Foreseen::load(&cx, &new).await {
            Ok(foreseen) if foreseen.lacks_room() && !new.force && new.enabled == Some(true) => {
                form(&cx, &filled, &Errors::default().field("force", t::error_room(&cx)), true).await
            }
            Ok(foreseen) => confirm(&cx, &filled, &new, &foreseen).await,
            Err(failure) => form(&cx, &filled, &fields::refused(&failure.into_problem()?), false).await,
        };
    }
    match cx.api.post::<DeploymentCreated>("/deployments", &new).await {
        Ok(made) => {
            let page = names::address(made.id);
            Ok(match made.warnings.first() {
                None => t::flash_made(made.id).to(page),
                Some(first) => t::flash_made_warned(made.id, first).to(page),
            })
        }
        Err(failure) => {
            let problem = failure.into_problem()?;
            form(&cx, &filled, &fields::refused(&problem), problem.code == fields::NO_ROOM).await
        }
    }
}

async fn form(cx: &Cx, filled: &Filled, errors: &Errors, force: bool) -> Result<Response, Failure> {
    let (what, collections, known, templates, beside) = tokio::join!(
        What::load(cx, filled),
        names::collections(cx),
        terms::known(cx),
        templates::all(cx),
        preview::beside(cx, fields::create(cx, filled)),
    );
    let (what, collections) = (what?, collections?);
    let fields = inputs(cx, filled, errors, &what, &collections, &known, force || filled.on("force"));
    // templates are a convenience: whoever may not read them goes without
    let body = html! {
        (template_choice(cx, filled, &templates.unwrap_or_default()))
        (with_preview(&fields, &beside?))
    };
    Page::new(cx, t::new(cx)).body(body).render().await
}

fn inputs(
    cx: &Cx,
    filled: &Filled,
    errors: &Errors,
    what: &What,
    collections: &[Collection],
    known: &[DeploymentSettingInfo],
    force: bool,
) -> Markup {
    let around = Around { collections: Some(collections), known, licence: what.licence(), new: true, force };
    html! {
        form method="post" action="/deployments/new" data-preview="/deployments/new/preview" {
            (errors.summary(cx))
            div.panel { (what.show(cx)) }
            input type="hidden" name="update" value=(filled.text("update"));
            input type="hidden" name="group" value=(filled.text("group"));
            (fields::fields(cx, filled, errors, &around))
            div.buttons {
                button.primary type="submit" { (t::go_on(cx)) }
                a.button.plain href="/deployments" { (common::cancel(cx)) }
            }
        }
    }
}

/// A template fills the form in.
fn template_choice(cx: &Cx, filled: &Filled, templates: &[DeploymentTemplate]) -> Markup {
    html! {
        @if !templates.is_empty() {
            form.inline.begin method="get" action="/deployments/new" {
                input type="hidden" name="update" value=(filled.text("update"));
                input type="hidden" name="group" value=(filled.text("group"));
                label { (t::begin_with(cx)) " "
                    select name="template" {
                        option value="" { (t::no_template(cx)) }
                        @for one in templates { option value=(one.name) selected[one.name == filled.text("template")] { (one.name) } }
                    }
                }
                button type="submit" { (t::fill_in(cx)) }
            }
        }
    }
}

async fn confirm(cx: &Cx, filled: &Filled, new: &DeploymentCreate, foreseen: &Foreseen) -> Result<Response, Failure> {
    let what = What::load(cx, filled).await?;
    let collection = new.collection.as_deref().unwrap_or_default();
    let computers = foreseen.computers();
    let sentence = match (new.action, computers) {
        (_, None) => t::new_limited(cx, what.name(), collection),
        (Some(Action::Optional), Some(n)) => t::new_optional(cx, n, what.name(), collection),
        (Some(Action::Uninstall), Some(n)) => t::new_uninstall(cx, n, what.name(), collection),
        (Some(Action::Detect), Some(n)) => t::new_detect(cx, n, collection, what.name()),
        (Some(Action::Block), Some(n)) => t::new_block(cx, n, what.name(), collection),
        (Some(Action::Install) | None, Some(n)) => t::new_install(cx, n, what.name(), collection),
    };
    let undo = match new.action {
        Some(Action::Install | Action::Uninstall) => t::new_undo(cx),
        _ => t::new_undo_plain(cx),
    };
    let mut back = Address::new("/deployments/new");
    for (name, value) in filled.kept() {
        back = back.and(name, value);
    }
    let details = html! {
        @if new.enabled == Some(false) { p { (t::new_disabled(cx)) } }
        div.panel { (preview::show(cx, foreseen)) }
    };
    let label = if new.action == Some(Action::Uninstall) { t::remove_now(cx) } else { t::deploy_now(cx) };
    let mut confirm = Confirm::new(sentence, undo, label, "/deployments/new", back.to_string()).details(details);
    for (name, value) in filled.kept() {
        confirm = confirm.field(name, value);
    }
    let confirm = confirm.field("sure", "1");
    let confirm = if new.action == Some(Action::Uninstall) { confirm.danger() } else { confirm };
    Page::new(cx, t::new(cx)).body(confirm.render(cx)).render().await
}

/// Where the licence of an update is read.
fn licence_page(id: Uuid) -> Address {
    Address::new(path(&["updates", &id.to_string()])).with("tab", "licence")
}

/// Ids of updates among texts.
pub(super) fn ids(texts: &[&str]) -> Vec<Uuid> {
    texts.iter().filter_map(|id| Uuid::parse_str(id.trim()).ok()).collect()
}
