//! What is done with many updates: a confirmation that says to how many, then the act.

use axum::{Form, response::Response};
use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    update::{UpdateDetail, UpdateQuery},
    update_edit::{UpdatesChange, UpdatesChanged},
};

use super::{deploy, groups, list, refused};
use crate::{
    address::{Address, local, path},
    cx::Cx,
    failure::Failure,
    layout::Page,
    texts::{common, updates as t},
    ui::{
        self,
        confirm::Confirm,
        form::{Errors, Field},
    },
};

/// Updates of one change at most, as REST has it.
const MOST: usize = 10_000;

/// What the selection and the confirmation send.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    /// The updates.
    pub(super) ids: Vec<Uuid>,
    all: bool,
    act: String,
    /// Where one comes from and goes back to.
    pub(super) from: String,
    /// A severity, minutes, a group.
    pub(super) value: String,
    /// The name of something new.
    pub(super) name: String,
    /// Licences are accepted.
    pub(super) accept: bool,
    /// It was confirmed.
    pub(super) sure: bool,
}

impl Sent {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut sent = Self { from: "/updates".to_owned(), ..Self::default() };
        for (name, value) in pairs {
            match name.as_str() {
                // several keys in one field come from the selection that the module remembers
                "id" | "ids" => sent.ids.extend(value.split([',', ' ']).filter_map(|id| Uuid::parse_str(id).ok())),
                "all" => sent.all = value == "1",
                "act" => sent.act = value,
                "from" => sent.from = local(Some(&value)),
                "value" => sent.value = value,
                "name" => sent.name = value,
                "accept" => sent.accept = value == "1",
                "sure" => sent.sure = value == "1",
                _ => {}
            }
        }
        sent.ids.sort_unstable();
        sent.ids.dedup();
        sent
    }

    /// What goes from the selection through the confirmation.
    pub(super) fn carried(&self, confirm: Confirm) -> Confirm {
        let ids: Vec<String> = self.ids.iter().map(Uuid::to_string).collect();
        let confirm = confirm.field("ids", ids.join(",")).field("act", &self.act).field("from", &self.from);
        confirm.field("sure", "1")
    }

    /// The change that REST is asked for, or to say what it would be; none if the run time is no number.
    fn change(&self, preview: bool) -> Option<UpdatesChange> {
        let mut change = UpdatesChange { ids: self.ids.clone(), preview, ..UpdatesChange::default() };
        match (self.act.as_str(), self.value.trim()) {
            ("decline", _) => change.declined = Some(true),
            ("undecline", _) => change.declined = Some(false),
            ("severity", "") => change.custom_severity = Some("critical".to_owned()),
            ("severity", severity) => change.custom_severity = Some(severity.to_owned()),
            (_, "") => change.default_run_time = true,
            (_, minutes) => change.run_time_minutes = Some(minutes.parse().ok()?),
        }
        Some(change)
    }
}

/// Asks for confirmation, or acts.
pub(super) async fn change(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let mut sent = Sent::read(pairs);
    if sent.all {
        let from = sent.from.parse().map_err(|error: http::uri::InvalidUri| Failure::internal("from", &error))?;
        let listed = cx.at(Address::of(&from));
        let query = UpdateQuery { facets: false, cursor: None, limit: Some(1000), ..list::query(&listed) };
        let rows = list::all(&cx, query, MOST + 1).await?;
        sent.ids = rows.into_iter().map(|row| row.id).collect();
    }
    if sent.ids.is_empty() {
        return Ok(t::flash_nothing_selected().to(&sent.from));
    }
    if sent.ids.len() > MOST {
        return Ok(t::flash_too_many(ui::number(&cx, MOST as u64)).to(&sent.from));
    }
    match sent.act.as_str() {
        "deploy" => deploy::deploy(&cx, &sent).await,
        "group" => groups::join(&cx, &sent).await,
        "decline" | "undecline" | "severity" | "run_time" if sent.sure => apply(&cx, &sent).await,
        "decline" | "undecline" | "severity" | "run_time" => confirm(&cx, &sent, &Errors::default()).await,
        _ => Err(Failure::NotFound),
    }
}

async fn apply(cx: &Cx, sent: &Sent) -> Result<Response, Failure> {
    let Some(change) = sent.change(false) else {
        return confirm(cx, sent, &Errors::default().field("value", t::run_time_wrong(cx))).await;
    };
    match cx.api.post::<UpdatesChanged>("/updates-change", &change).await {
        Ok(changed) => Ok(t::flash_changed(changed.changed).to(&sent.from)),
        Err(failure) => {
            let problem = failure.into_problem()?;
            confirm(cx, sent, &refused(&problem, &["value=custom_severity", "value=run_time_minutes"])).await
        }
    }
}

async fn confirm(cx: &Cx, sent: &Sent, errors: &Errors) -> Result<Response, Failure> {
    let looked_at = Sent { value: String::new(), ..sent.clone() };
    let change = looked_at.change(true).unwrap_or_default();
    let (preview, current) = tokio::join!(cx.api.post::<UpdatesChanged>("/updates-change", &change), current(cx, sent));
    let preview = preview?;
    let value = if sent.sure { sent.value.clone() } else { current.unwrap_or_else(|| sent.value.clone()) };
    let (sentence, undo, chosen) = match sent.act.as_str() {
        "decline" => (t::decline_sentence(cx, preview.changed), t::decline_undo(cx), None),
        "undecline" => (t::undecline_sentence(cx, preview.changed), t::undecline_undo(cx), None),
        "severity" => {
            let options = ["critical", "important", "moderate", "low", "none"];
            let options: Vec<(String, String)> =
                options.into_iter().map(|value| (value.to_owned(), common::severity(cx, value))).collect();
            let field = Field::new("value", t::severity_label(cx), errors).help(t::severity_help(cx));
            (t::severity_sentence(cx, preview.matched), t::severity_undo(cx), Some(field.choice(&options, &value)))
        }
        _ => {
            let field = Field::new("value", t::run_time_label(cx), errors)
                .help(t::run_time_help(cx))
                .unit(t::run_time_unit(cx));
            (t::run_time_sentence(cx, preview.matched), t::run_time_undo(cx), Some(field.input("number", &value)))
        }
    };
    let details = html! {
        (errors.summary(cx))
        @if let Some(field) = &chosen { (field) }
        (samples(cx, &preview))
    };
    let nothing = chosen.is_none() && preview.changed == 0;
    let confirm = Confirm::new(sentence, undo, t::acts(cx, &sent.act), "/updates/change", &sent.from)
        .details(details)
        .nothing(nothing);
    Page::new(cx, t::acts(cx, &sent.act)).body(sent.carried(confirm).render(cx)).render().await
}

/// What one update has now, for the field that changes it.
async fn current(cx: &Cx, sent: &Sent) -> Option<String> {
    let ([id], "severity" | "run_time") = (sent.ids.as_slice(), sent.act.as_str()) else { return None };
    let update: UpdateDetail = cx.api.get(&path(&["updates", &id.to_string()]), &()).await.ok()?;
    Some(match sent.act.as_str() {
        "severity" => update.row.custom_severity.unwrap_or_else(|| "none".to_owned()),
        _ if update.run_time_set => update.row.max_run_time_minutes.to_string(),
        _ => String::new(),
    })
}

fn samples(cx: &Cx, preview: &UpdatesChanged) -> Markup {
    html! {
        @if preview.left_out > 0 { p { (t::left_out(cx, preview.left_out)) } }
        @if !preview.samples.is_empty() {
            ul.samples { @for sample in &preview.samples { li { (sample.name) } } }
            @if preview.changed > preview.samples.len() as u64 { p.quiet { (common::more(cx, preview.changed - preview.samples.len() as u64)) } }
        }
    }
}
