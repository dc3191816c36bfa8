//! The form of phases: as many as are wanted, those that started as they are.

use maud::{Markup, html};
use serde::Serialize;
use weir_api::{
    Problem,
    collection::Collection,
    deployment::{Action, DeploymentSettings},
    deployment_template::DeploymentTemplate,
    phased::PhaseSpec,
};

use crate::{
    cx::Cx,
    screens::deployments::{filled::Filled, names, templates},
    texts::{deployments as d, deployments_phased as t},
    ui::form::{Errors, Field, group},
};

/// Phases that one may have.
const MOST: usize = 12;
/// Phases that one must have.
const LEAST: usize = 2;

/// How many phases a form has.
pub(super) fn count(filled: &Filled) -> usize {
    filled.text("phases").parse().unwrap_or(LEAST).clamp(LEAST, MOST)
}

/// The name of a field of a phase, counted from 1.
fn key(phase: usize, field: &str) -> String {
    format!("p{phase}-{field}")
}

/// Fields of a phase.
const FIELDS: [&str; 17] = [
    "name",
    "collection",
    "action",
    "start",
    "after_days",
    "success",
    "success_of",
    "ignore_unknown",
    "max_failed",
    "max_failed_of",
    "soak_hours",
    "approval",
    "deadline_days",
    "template",
    "spread_days",
    "settings",
    "spec",
];

/// What a new phase begins with.
pub(super) fn begin(filled: &mut Filled, phase: usize) {
    for (field, value) in
        [("action", "install"), ("start", "after"), ("after_days", "1"), ("success", "95"), ("deadline_days", "7")]
    {
        filled.set(&key(phase, field), value);
    }
}

/// Fills a phase in: one that started stays as it is.
pub(super) fn fill(filled: &mut Filled, phase: usize, spec: &PhaseSpec, started: bool) {
    if started {
        filled.set(&key(phase, "spec"), json(spec));
    }
    let number = |value: Option<u32>| value.map(|value| value.to_string()).unwrap_or_default();
    filled.set(&key(phase, "name"), spec.name.clone().unwrap_or_default());
    filled.set(&key(phase, "collection"), &spec.collection);
    filled.set(&key(phase, "action"), if spec.action == Some(Action::Optional) { "optional" } else { "install" });
    filled.set(&key(phase, "start"), if spec.manual { "manual" } else { "after" });
    filled.set(&key(phase, "after_days"), number(spec.after_days.map(u32::from)));
    let (success, of) = amount(spec.success_percent, spec.success_count);
    filled.set(&key(phase, "success"), number(success));
    filled.set(&key(phase, "success_of"), of);
    let (failed, of) = amount(spec.max_failed_percent, spec.max_failed_count);
    filled.set(&key(phase, "max_failed"), number(failed));
    filled.set(&key(phase, "max_failed_of"), of);
    filled.switch(&key(phase, "ignore_unknown"), spec.ignore_unknown);
    filled.set(&key(phase, "soak_hours"), number(Some(spec.soak_hours).filter(|hours| *hours > 0)));
    filled.switch(&key(phase, "approval"), spec.approval);
    filled.set(&key(phase, "deadline_days"), number(spec.deadline_days.map(u32::from)));
    filled.set(&key(phase, "spread_days"), number(Some(u32::from(spec.spread_days)).filter(|days| *days > 0)));
    filled.set(&key(phase, "settings"), json(&spec.settings));
}

fn amount(percent: Option<u8>, count: Option<u32>) -> (Option<u32>, &'static str) {
    match (percent, count) {
        (None, Some(count)) => (Some(count), "computers"),
        (percent, _) => (percent.map(u32::from), "percent"),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// One more phase, or one less: what the buttons of the form say.
pub(super) fn resize(filled: &mut Filled) -> bool {
    let (act, phases) = (filled.text("act").to_owned(), count(filled));
    if act == "add" && phases < MOST {
        begin(filled, phases + 1);
        filled.set("phases", (phases + 1).to_string());
    } else if let Some(gone) = act.strip_prefix("remove-").and_then(|number| number.parse::<usize>().ok()) {
        if phases > LEAST && (1..=phases).contains(&gone) {
            for (to, field) in (gone..=phases).flat_map(|to| FIELDS.map(|field| (to, field))) {
                // the last one is followed by nothing
                let next = if to < phases { filled.text(&key(to + 1, field)).to_owned() } else { String::new() };
                filled.set(&key(to, field), next);
            }
            filled.set("phases", (phases - 1).to_string());
        }
    } else {
        return false;
    }
    true
}

/// The phases of a form.
pub(super) fn read(cx: &Cx, filled: &Filled) -> Result<Vec<PhaseSpec>, Errors> {
    (1..=count(filled)).map(|phase| read_one(cx, filled, phase)).collect()
}

fn read_one(cx: &Cx, filled: &Filled, phase: usize) -> Result<PhaseSpec, Errors> {
    let wrong = |field: &str, message: &str| Errors::default().field(&key(phase, field), message);
    if let Some(spec) = filled.some(&key(phase, "spec")) {
        return serde_json::from_str(&spec).map_err(|error| wrong("name", &error.to_string()));
    }
    let number = |field: &str| match filled.some(&key(phase, field)).map(|text| text.parse::<u32>()) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(wrong(field, d::error_number(cx))),
    };
    let small = |field: &str| match number(field)?.map(u16::try_from) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(wrong(field, d::error_number(cx))),
    };
    let share = |field: &str| -> Result<(Option<u8>, Option<u32>), Errors> {
        let value = number(field)?;
        if filled.text(&key(phase, &format!("{field}_of"))) == "computers" {
            return Ok((None, value));
        }
        match value.map(u8::try_from) {
            None => Ok((None, None)),
            Some(Ok(percent)) if percent <= 100 => Ok((Some(percent), None)),
            Some(_) => Err(wrong(field, d::error_percent(cx))),
        }
    };
    let collection =
        filled.some(&key(phase, "collection")).ok_or_else(|| wrong("collection", t::error_collection(cx)))?;
    let optional = filled.text(&key(phase, "action")) == "optional";
    let manual = phase > 1 && filled.text(&key(phase, "start")) == "manual";
    let (success_percent, success_count) = share("success")?;
    let (max_failed_percent, max_failed_count) = share("max_failed")?;
    let settings = filled.some(&key(phase, "settings")).map(|text| serde_json::from_str::<DeploymentSettings>(&text));
    Ok(PhaseSpec {
        name: filled.some(&key(phase, "name")),
        collection,
        action: Some(if optional { Action::Optional } else { Action::Install }),
        manual,
        after_days: if manual || phase == 1 { None } else { small("after_days")? },
        success_percent,
        success_count,
        ignore_unknown: filled.on(&key(phase, "ignore_unknown")),
        max_failed_percent,
        max_failed_count,
        soak_hours: number("soak_hours")?.unwrap_or_default(),
        approval: filled.on(&key(phase, "approval")),
        spread_days: small("spread_days")?.and_then(|days| u8::try_from(days).ok()).unwrap_or_default(),
        deadline_days: if optional { None } else { small("deadline_days")? },
        template: filled.some(&key(phase, "template")),
        settings: settings.transpose().map_err(|error| wrong("name", &error.to_string()))?.unwrap_or_default(),
    })
}

/// A refusal of REST beside its field: `phase 2: success must be ...` says where.
pub(super) fn refused(problem: &Problem) -> Errors {
    if problem.code == "eula_not_accepted" {
        return Errors::default().field("accept_eula", problem.detail.clone());
    }
    let of_phase = problem.detail.strip_prefix("phase ").and_then(|rest| rest.split_once(": "));
    if let Some((number, what)) = of_phase.and_then(|(number, what)| Some((number.parse::<usize>().ok()?, what))) {
        let words = [
            ("success", "success"),
            ("error_limit", "max_failed"),
            ("max_failed", "max_failed"),
            ("deadline", "deadline_days"),
            ("start", "after_days"),
            ("soak_hours", "soak_hours"),
            ("collection", "collection"),
            ("action", "action"),
            ("name", "name"),
        ];
        let field = words.into_iter().find(|(word, _)| what.contains(word)).map_or("name", |(_, field)| field);
        return Errors::default().field(&key(number, field), problem.detail.clone());
    }
    Errors::of(problem, &["name", "description", "group", "updates"])
}

/// All phases.
pub(super) fn fields(
    cx: &Cx,
    filled: &Filled,
    errors: &Errors,
    collections: &[Collection],
    templates: &[DeploymentTemplate],
) -> Markup {
    let phases = count(filled);
    let options = names::collection_options(cx, collections, d::choose(cx), true);
    html! {
        input type="hidden" name="phases" value=(phases);
        @for phase in 1..=phases {
            (group(&t::phase_number(cx, phase), &match filled.some(&key(phase, "spec")) {
                Some(spec) => fixed(cx, filled, phase, &spec),
                None => html! {
                    (one(cx, filled, errors, phase, &options, templates))
                    @if phases > LEAST { button.plain type="submit" name="act" value={ "remove-" (phase) } formnovalidate { (t::remove_phase(cx)) } }
                },
            }))
        }
        @if phases < MOST { p { button type="submit" name="act" value="add" formnovalidate { (t::add_phase(cx)) } } }
    }
}

/// A phase that started.
fn fixed(cx: &Cx, filled: &Filled, phase: usize, spec: &str) -> Markup {
    let name = filled.some(&key(phase, "name"));
    html! {
        p { strong { (name.unwrap_or_default()) } " · " (filled.text(&key(phase, "collection"))) }
        p.quiet { (t::fixed(cx)) }
        @for field in ["spec", "name", "collection"] {
            @let value = if field == "spec" { spec } else { filled.text(&key(phase, field)) };
            input type="hidden" name=(key(phase, field)) value=(value);
        }
    }
}

fn one(
    cx: &Cx,
    filled: &Filled,
    errors: &Errors,
    phase: usize,
    collections: &[(String, String)],
    templates: &[DeploymentTemplate],
) -> Markup {
    let named = FIELDS.map(|field| key(phase, field));
    let name = |field: &str| {
        let at = FIELDS.iter().position(|known| *known == field);
        at.and_then(|at| named.get(at)).map_or("", String::as_str)
    };
    let value = |field: &str| filled.text(name(field));
    let pair = |key: &str, word: &str| (key.to_owned(), word.to_owned());
    let actions = [pair("install", &d::action(cx, "install")), pair("optional", &d::action(cx, "optional"))];
    let starts = [pair("after", t::start_by_itself(cx)), pair("manual", t::start_manual(cx))];
    let of = [pair("percent", "%"), pair("computers", t::unit_computers(cx))];
    let kept = if value("spread_days").is_empty() && value("settings").is_empty() {
        &[][..]
    } else {
        &["spread_days", "settings"][..]
    };
    html! {
        @for field in kept { input type="hidden" name=(name(field)) value=(value(field)); }
        (Field::new(name("collection"), d::col_collection(cx), errors).required().choice(collections, value("collection")))
        (Field::new(name("name"), d::col_name(cx), errors).help(t::phase_name_help(cx)).input("text", value("name")))
        (Field::new(name("action"), d::col_action(cx), errors).choice(&actions, value("action")))
        @if phase > 1 {
            div.pair {
                (Field::new(name("start"), t::starts(cx), errors).choice(&starts, value("start")))
                (Field::new(name("after_days"), t::after_days(cx), errors).unit(t::unit_days(cx)).input("number", value("after_days")))
            }
        }
        div.pair {
            (Field::new(name("success"), t::success(cx), errors).help(t::success_help(cx)).input("number", value("success")))
            (Field::new(name("success_of"), t::counted_in(cx), errors).choice(&of, value("success_of")))
        }
        div.pair {
            (Field::new(name("max_failed"), t::error_limit(cx), errors).help(t::error_limit_help(cx)).input("number", value("max_failed")))
            (Field::new(name("max_failed_of"), t::counted_in(cx), errors).choice(&of, value("max_failed_of")))
        }
        (Field::new(name("deadline_days"), d::col_deadline(cx), errors).help(t::deadline_help(cx)).unit(t::unit_days(cx)).input("number", value("deadline_days")))
        (Field::new(name("soak_hours"), t::soak(cx), errors).help(t::soak_help(cx)).unit(t::unit_hours(cx)).input("number", value("soak_hours")))
        (Field::new(name("ignore_unknown"), t::ignore_unknown(cx), errors).help(t::ignore_unknown_help(cx)).switch(filled.on(name("ignore_unknown"))))
        (Field::new(name("approval"), t::approval(cx), errors).help(t::approval_help(cx)).switch(filled.on(name("approval"))))
        @if !templates.is_empty() {
            (Field::new(name("template"), t::template(cx), errors).help(t::template_help(cx)).choice(&templates::options(cx, templates), value("template")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_come_and_go() {
        let mut filled = Filled::default();
        filled.set("phases", "3");
        for (phase, name) in [(1, "pilot"), (2, "half"), (3, "all")] {
            filled.set(&key(phase, "name"), name);
        }
        filled.set("act", "remove-2");
        assert!(resize(&mut filled));
        assert_eq!((count(&filled), filled.text("p1-name"), filled.text("p2-name")), (2, "pilot", "all"));
        filled.set("act", "add");
        assert!(resize(&mut filled));
        assert_eq!((count(&filled), filled.text("p3-name"), filled.text("p3-success")), (3, "", "95"));
        filled.set("act", "next");
        assert!(!resize(&mut filled));
    }

    #[test]
    fn a_refusal_is_beside_the_field_of_its_phase() {
        let problem = |detail: &str| Problem {
            status: 400,
            code: "phase".to_owned(),
            title: String::new(),
            detail: detail.to_owned(),
            next_step: None,
        };
        let beside = Errors::default().field("p2-success", "phase 2: success must be 1 to 100 percent");
        let refused = refused(&problem("phase 2: success must be 1 to 100 percent"));
        assert_eq!(format!("{refused:?}"), format!("{beside:?}"));
    }
}
