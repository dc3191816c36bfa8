//! The fields of a deployment, and what REST is asked for with them.

use jiff::{Timestamp, ToSpan as _};
use maud::{Markup, html};
use weir_api::{
    collection::Collection,
    deployment::{Action, DeploymentChange, DeploymentCreate, DeploymentSettingInfo},
};

use super::{
    filled::Filled,
    names, terms,
    when::{self, Said},
};
use crate::{
    cx::Cx,
    failure::Failure,
    texts::deployments as t,
    ui::form::{Errors, Field, group},
};

/// The code of a refusal for want of room.
pub(super) const NO_ROOM: &str = "no_room";
/// Actions, the usual one first.
pub(super) const ACTIONS: [&str; 5] = ["install", "optional", "uninstall", "detect", "block"];
/// Fields that a refusal may be about, before those of the settings.
const NAMES: [&str; 6] = ["name", "description", "collection", "deadline", "available", "action"];

/// A refusal of REST beside its field: the code names it, or the words do.
pub(super) fn refused(problem: &weir_api::Problem) -> Errors {
    let field = match problem.code.as_str() {
        NO_ROOM => Some("force"),
        "eula_not_accepted" => Some("accept_eula"),
        "alert" => Some("alert_below_percent"),
        code => NAMES.into_iter().chain(terms::FIELDS).find(|name| *name == code),
    };
    match field {
        Some(field) => Errors::default().field(field, problem.detail.clone()),
        None => {
            let fields: Vec<&str> = NAMES.into_iter().chain(terms::FIELDS).collect();
            Errors::of(problem, &fields)
        }
    }
}

/// What a new deployment begins with.
pub(super) fn defaults(cx: &Cx) -> Result<Filled, Failure> {
    let mut filled = Filled::default();
    filled.set("action", "install");
    filled.set("available_when", "soon");
    filled.set("deadline_when", "at");
    filled.set("deadline", week(cx).map(|at| when::input(cx, at, false)).unwrap_or_default());
    filled.switch("enabled", true);
    terms::fill(&mut filled, &weir_api::deployment::DeploymentSettings::default())?;
    Ok(filled)
}

/// A week from now, at 18:00 of the visitor's clock.
fn week(cx: &Cx) -> Option<Timestamp> {
    let day = cx.now.to_zoned(cx.zone.clone()).date().checked_add(7.days()).ok()?;
    Some(day.at(18, 0, 0, 0).to_zoned(cx.zone.clone()).ok()?.timestamp())
}

/// An action by its word.
pub(super) fn action(filled: &Filled) -> Option<Action> {
    serde_json::from_value(filled.text("action").into()).ok()
}

/// The deployment that a form asks for.
pub(super) fn create(cx: &Cx, filled: &Filled) -> Result<DeploymentCreate, Errors> {
    let local = terms::is_local(filled);
    let available = match when::read(cx, filled, "available", local)? {
        Said::At(at) => Some(at.to_string()),
        Said::None | Said::Soon => None,
    };
    let deadline = match when::read(cx, filled, "deadline", local)? {
        Said::At(at) => at.to_string(),
        Said::Soon => "asap".to_owned(),
        Said::None => "none".to_owned(),
    };
    // only what is required has a deadline: a field that is not shown then says nothing
    let required = matches!(action(filled), None | Some(Action::Install | Action::Uninstall));
    Ok(DeploymentCreate {
        update: filled.some("update"),
        group: filled.some("group"),
        collection: filled.some("collection"),
        action: action(filled),
        name: filled.some("name"),
        description: filled.some("description"),
        template: None,
        settings: terms::read(cx, filled, false)?,
        enabled: Some(filled.on("enabled")),
        available,
        deadline: required.then_some(deadline),
        accept_eula: filled.on("accept_eula"),
        force: filled.on("force"),
    })
}

/// The change that a form asks for: what is other than before.
pub(super) fn change(cx: &Cx, before: &Filled, filled: &Filled) -> Result<DeploymentChange, Errors> {
    let local = terms::is_local(filled);
    let moved = local != terms::is_local(before);
    let is_other = |name: &str| before.some(name) != filled.some(name);
    let is_timed = |field: &str| moved || is_other(field) || is_other(&format!("{field}_when"));
    let time = |field: &str| -> Result<Option<String>, Errors> {
        Ok(match when::read(cx, filled, field, local)? {
            _ if !is_timed(field) => None,
            Said::At(at) => Some(at.to_string()),
            Said::Soon => Some(when::soon(cx, local)),
            Said::None => Some("none".to_owned()),
        })
    };
    let settings = terms::read(cx, filled, before.some("alert_below_percent").is_some())?;
    let old = terms::read(cx, before, false)?;
    Ok(DeploymentChange {
        action: action(filled).filter(|_| is_other("action")),
        available: time("available")?.filter(|text| text != "none"),
        deadline: time("deadline")?,
        accept_eula: filled.on("accept_eula"),
        name: filled.some("name").filter(|_| is_other("name")),
        description: is_other("description").then(|| filled.text("description").trim().to_owned()),
        enabled: None,
        settings: if settings == old { weir_api::deployment::DeploymentSettings::default() } else { settings },
    })
}

/// What the form of a deployment shows besides what it was filled in with.
pub(super) struct Around<'a> {
    /// Collections to choose from; none where the collection stays.
    pub(super) collections: Option<&'a [Collection]>,
    /// What is known of every setting.
    pub(super) known: &'a [DeploymentSettingInfo],
    /// Whether a licence may have to be accepted.
    pub(super) licence: bool,
    /// Whether it can be made switched off.
    pub(super) new: bool,
    /// Whether there is no room for its content, so that one has to insist.
    pub(super) force: bool,
}

/// The fields.
pub(super) fn fields(cx: &Cx, filled: &Filled, errors: &Errors, around: &Around<'_>) -> Markup {
    let actions: Vec<(String, String)> =
        ACTIONS.iter().map(|action| ((*action).to_owned(), t::action(cx, action))).collect();
    let zones = [
        ("here".to_owned(), t::zone_here(cx, cx.zone.iana_name().unwrap_or("UTC"))),
        ("local".to_owned(), t::zone_local(cx).to_owned()),
    ];
    html! {
        (group(t::group_what(cx), &html! {
            @if let Some(collections) = around.collections {
                (Field::new("collection", t::col_collection(cx), errors).help(t::collection_help(cx)).required()
                    .choice(&names::collection_options(cx, collections, t::choose(cx), true), filled.text("collection")))
            }
            (Field::new("action", t::col_action(cx), errors).help(t::action_help(cx)).choice(&actions, filled.text("action")))
            (Field::new("name", t::col_name(cx), errors).help(if around.new { t::name_help(cx) } else { t::name_unique(cx) }).input("text", filled.text("name")))
            (Field::new("description", t::col_description(cx), errors).input("text", filled.text("description")))
        }))
        (group(t::group_when(cx), &html! {
            (Field::new("zone", t::zone(cx), errors).help(t::zone_help(cx)).choice(&zones, filled.text("zone")))
            (time(cx, filled, errors, "available", t::col_available(cx), t::available_help(cx), &["soon", "at"]))
            (time(cx, filled, errors, "deadline", t::col_deadline(cx), t::deadline_help(cx), &["none", "soon", "at"]))
        }))
        details.more open[shows_settings(filled, errors)] {
            summary { (t::settings_more(cx)) }
            (terms::fields(cx, filled, errors, around.known))
        }
        (group(t::group_end(cx), &html! {
            @if around.licence { (Field::new("accept_eula", t::accept_eula(cx), errors).help(t::accept_eula_help(cx)).switch(filled.on("accept_eula"))) }
            @if around.new {
                (Field::new("enabled", t::enabled(cx), errors).help(t::enabled_help(cx)).switch(filled.on("enabled")))
            }
            @if around.force { (Field::new("force", t::force(cx), errors).help(t::force_help(cx)).switch(filled.on("force"))) }
        }))
    }
}

/// Whether settings differ from the defaults, or something is wrong with the form.
fn shows_settings(filled: &Filled, errors: &Errors) -> bool {
    let mut plain = Filled::default();
    let known = terms::fill(&mut plain, &weir_api::deployment::DeploymentSettings::default()).is_ok();
    !errors.is_empty() || (known && terms::is_other(&plain, filled))
}

/// A time: which kind, and the moment.
fn time(
    cx: &Cx,
    filled: &Filled,
    errors: &Errors,
    field: &'static str,
    label: &str,
    help: &str,
    kinds: &[&str],
) -> Markup {
    let kind = format!("{field}_when");
    let options: Vec<(String, String)> = kinds.iter().map(|kind| ((*kind).to_owned(), t::when(cx, kind))).collect();
    html! {
        div.time {
            (Field::new(&kind, label, errors).help(help).choice(&options, filled.text(&kind)))
            (Field::new(field, t::moment(cx, label), errors).input("datetime-local", filled.text(field)))
        }
    }
}

/// What differs between two forms, for people: label, before, after.
pub(super) fn differences(cx: &Cx, before: &Filled, after: &Filled) -> Vec<(String, String, String)> {
    let text = |filled: &Filled, name: &str| filled.some(name).unwrap_or_else(|| t::none(cx).to_owned());
    let word = |filled: &Filled, name: &str| match name {
        "action" => t::action(cx, filled.text(name)),
        "zone" if terms::is_local(filled) => t::zone_local(cx).to_owned(),
        "zone" => t::zone_here(cx, cx.zone.iana_name().unwrap_or("UTC")),
        "available" | "deadline" => match filled.text(&format!("{name}_when")) {
            "at" => text(filled, name).replace('T', " "),
            kind => t::when(cx, kind),
        },
        _ => text(filled, name),
    };
    let labels = [
        ("name", t::col_name(cx)),
        ("description", t::col_description(cx)),
        ("action", t::col_action(cx)),
        ("zone", t::zone(cx)),
        ("available", t::col_available(cx)),
        ("deadline", t::col_deadline(cx)),
    ];
    let rows = labels.into_iter().map(|(name, label)| (label.to_owned(), word(before, name), word(after, name)));
    let rows = rows.filter(|(_, old, new)| old != new);
    rows.chain(terms::differences(cx, before, after)).collect()
}

/// A table of what changes.
pub(super) fn changes(cx: &Cx, rows: &[(String, String, String)]) -> Markup {
    html! {
        div.scroll {
            table {
                caption.hide { (t::changes(cx)) }
                thead { tr { @for head in [t::col_setting(cx), t::col_before(cx), t::col_after(cx)] { th scope="col" { (head) } } } }
                tbody { @for (label, old, new) in rows { tr { th scope="row" { (label) } td { (old) } td { strong { (new) } } } } }
            }
        }
    }
}
