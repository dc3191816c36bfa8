//! The form of a collection, with the builder of its rule.

use maud::{Markup, html};
use weir_api::{
    collection::{Collection, CollectionKind},
    search::SearchField,
};

use super::{
    form::{Draft, Mode},
    preview::{self, Outlook},
    rule::{Group, Join, Operator, Row},
};
use crate::{
    cx::Cx,
    texts::{collections as t, computers},
    ui::form::{self, Errors, Field},
};

/// What the form offers to choose from.
#[derive(Debug, Default)]
pub(super) struct Choices {
    /// Every collection.
    pub(super) collections: Vec<Collection>,
    /// What rules may ask of computers.
    pub(super) fields: Vec<SearchField>,
    /// Names of sites.
    pub(super) sites: Vec<String>,
}

/// The whole form, beside it what it would do.
pub(super) fn whole(
    cx: &Cx,
    draft: &Draft,
    choices: &Choices,
    outlook: &Outlook,
    errors: &Errors,
    to: &str,
    back: &str,
) -> Markup {
    let form = html! {
        (errors.summary(cx))
        form.collection method="post" action=(to) data-preview="/computers/collections/preview" {
            // what a key sends: the first button of a form
            button.hide type="submit" name="act" value="fill" tabindex="-1" aria-hidden="true" { (t::look(cx)) }
            @if let Some(id) = &draft.id { input type="hidden" name="id" value=(id); }
            (about(cx, draft, choices, errors))
            @if draft.by_rule {
                (rule(cx, draft, choices, errors))
                (form::group(t::more_members(cx), &others(cx, draft, choices, errors)))
            }
            (settings(cx, draft, errors))
            (suggestions(choices))
            div.buttons {
                button.primary type="submit" name="act" value="save" { (computers::save(cx)) }
                button type="submit" name="act" value="fill" data-noscript { (t::look(cx)) }
                a.button.plain href=(back) { (crate::texts::common::cancel(cx)) }
            }
        }
    };
    form::with_preview(&form, &preview::panel(cx, draft, outlook))
}

fn about(cx: &Cx, draft: &Draft, choices: &Choices, errors: &Errors) -> Markup {
    let kinds = ["target_group", "rule"].map(|kind| (kind.to_owned(), t::kinds(cx, kind)));
    let groups = choices.collections.iter().filter(|one| !one.built_in && one.kind != Some(CollectionKind::Rule));
    let parents: Vec<(String, String)> = std::iter::once((String::new(), t::all_computers(cx).to_owned()))
        .chain(groups.map(|one| (one.name.clone(), one.name.clone())))
        .collect();
    let fields = html! {
        (Field::new("name", t::name_label(cx), errors).help(t::name_help(cx)).required().input("text", &draft.name))
        @if draft.id.is_none() {
            (Field::new("kind", t::kind_label(cx), errors).help(t::kind_help(cx)).choice(&kinds, if draft.by_rule { "rule" } else { "target_group" }))
            button type="submit" name="act" value="fill" { (t::kind_apply(cx)) }
            @if !draft.by_rule { (Field::new("parent", t::parent_label(cx), errors).help(t::parent_help(cx)).choice(&parents, &draft.parent)) }
        } @else {
            input type="hidden" name="kind" value=(if draft.by_rule { "rule" } else { "target_group" });
        }
        (Field::new("description", t::description_label(cx), errors).lines(&draft.description, 2))
    };
    form::group(t::what_it_is(cx), &fields)
}

fn rule(cx: &Cx, draft: &Draft, choices: &Choices, errors: &Errors) -> Markup {
    let fields = match draft.mode {
        Mode::Text => html! {
            input type="hidden" name="mode" value="text";
            (Field::new("rule", t::rule_label(cx), errors).help(t::rule_help(cx)).lines(&draft.text, 4))
            p { button type="submit" name="act" value="rows" { (t::to_rows(cx)) } }
            (reference(cx, choices))
        },
        Mode::Rows => html! {
            input type="hidden" name="mode" value="rows";
            p.help { (t::rows_help(cx)) }
            div.rows id="f-rule" tabindex="-1" {
                @if draft.rows.groups.len() > 1 { (joined(cx, "join", t::groups_join(cx), draft.rows.join)) }
                @else { input type="hidden" name="join" value=(draft.rows.join.key()); }
                @for (at, group) in draft.rows.groups.iter().enumerate() { (group_of(cx, at, group, choices)) }
                p.inline {
                    button type="submit" name="act" value="group" { (t::add_group(cx)) }
                    button type="submit" name="act" value="text" { (t::to_text(cx)) }
                }
            }
            (reference(cx, choices))
        },
    };
    form::group(t::rule_title(cx), &fields)
}

fn joined(cx: &Cx, name: &str, label: &str, join: Join) -> Markup {
    html! {
        label.join {
            (label) " "
            select name=(name) {
                @for each in [Join::All, Join::Any] { option value=(each.key()) selected[join == each] { (t::join(cx, each.key())) } }
            }
        }
    }
}

fn group_of(cx: &Cx, at: usize, group: &Group, choices: &Choices) -> Markup {
    html! {
        fieldset.group {
            legend.hide { (t::group_number(cx, at + 1)) }
            (joined(cx, "group", t::group_join(cx), group.join))
            @for (number, row) in group.rows.iter().enumerate() { (row_of(cx, (at, number), row, choices)) }
            button.plain type="submit" name="act" value={ "row:" (at) } { (t::add_row(cx)) }
        }
    }
}

fn row_of(cx: &Cx, (group, number): (usize, usize), row: &Row, choices: &Choices) -> Markup {
    let known = choices.fields.iter().find(|field| field.name == row.field || field.aliases.contains(&row.field));
    let flag = known.is_some_and(|field| field.operators.iter().any(|operator| operator == "(alone)"));
    let suggested = match known.map(|field| field.name.as_str()) {
        Some("collection") => Some("collections".to_owned()),
        Some("site") => Some("sites".to_owned()),
        Some(name) => words(known).map(|_| format!("words-{name}")),
        None => None,
    };
    html! {
        div.row {
            select name="field" aria-label=(t::row_field(cx, number + 1)) {
                option value="" { (t::choose_field(cx)) }
                @for field in &choices.fields {
                    option value=(field.name) selected[known.is_some_and(|known| known.name == field.name)] title=(field.meaning) { (t::field(cx, &field.name)) }
                }
                @if let (None, false) = (known, row.field.is_empty()) { option value=(row.field) selected { (row.field) } }
            }
            select name="operator" aria-label=(t::row_operator(cx, number + 1)) {
                @for operator in Operator::ALL.into_iter().filter(|operator| offered(*operator, known, row)) {
                    option value=(operator.key()) selected[operator == row.operator] { (t::operator(cx, operator.key())) }
                }
            }
            input type="text" name="value" value=(row.value) list=[suggested] autocomplete="off" spellcheck="false"
                aria-label=(t::row_value(cx, number + 1)) placeholder=[known.filter(|_| !flag).map(|field| field.example.trim_matches('"'))];
            button.plain type="submit" name="act" value={ "drop:" (group) ":" (number) } { (t::drop_row(cx)) span.hide { " " (number + 1) } }
            @if let Some(known) = known { p.help lang="en" { (known.meaning) " " (known.kind) } }
        }
    }
}

/// Of a field that is known, only what it takes; the one that is chosen is always there.
fn offered(operator: Operator, known: Option<&SearchField>, row: &Row) -> bool {
    // a row without a field may become any
    let Some(field) = known else { return true };
    let takes = |sign: &str| field.operators.iter().any(|known| known == sign);
    let flag = takes("(alone)");
    let fits = match operator {
        Operator::Yes | Operator::No => flag,
        Operator::Empty | Operator::NotEmpty => !flag,
        Operator::Equal => !flag && takes("="),
        Operator::Other => !flag && takes("!="),
        Operator::Contains => takes("~"),
        Operator::Lacks => takes("!~"),
        Operator::Less => takes("<"),
        Operator::LessOrEqual => takes("<="),
        Operator::Greater => takes(">"),
        Operator::GreaterOrEqual => takes(">="),
        Operator::In | Operator::NotIn => takes("in"),
    };
    fits || operator == row.operator
}

/// The words that a field takes, if it is one of a few.
fn words(field: Option<&SearchField>) -> Option<Vec<&str>> {
    let words: Vec<&str> = field?.kind.split(", ").collect();
    let plain = |word: &&str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    (words.len() > 1 && words.iter().all(plain)).then_some(words)
}

/// What may be typed where.
fn suggestions(choices: &Choices) -> Markup {
    html! {
        datalist id="collections" { @for one in &choices.collections { option value=(one.name) {} } }
        datalist id="sites" { @for site in &choices.sites { option value=(site) {} } }
        @for field in &choices.fields {
            @if let Some(words) = words(Some(field)) {
                datalist id={ "words-" (field.name) } { @for word in words { option value=(word) {} } }
            }
        }
    }
}

/// Fields of the language, for those who write.
fn reference(cx: &Cx, choices: &Choices) -> Markup {
    html! {
        details {
            summary { (t::fields_title(cx)) }
            div.scroll {
                table {
                    caption.hide { (t::fields_title(cx)) }
                    thead { tr { @for head in [t::field_head(cx), t::operators_head(cx), t::example_head(cx), t::meaning_head(cx)] { th scope="col" { (head) } } } }
                    tbody lang="en" {
                        @for field in &choices.fields {
                            tr { th scope="row" { code { (field.name) } } td { code { (field.operators.join(" ")) } } td { code { (field.example) } } td { (field.meaning) } }
                        }
                    }
                }
            }
        }
    }
}

fn others(cx: &Cx, draft: &Draft, choices: &Choices, errors: &Errors) -> Markup {
    let limits: Vec<(String, String)> = std::iter::once((String::new(), t::all_computers(cx).to_owned()))
        .chain(
            choices
                .collections
                .iter()
                .filter(|one| one.parent.is_some() && Some(one.id.to_string()) != draft.id)
                .map(|one| (one.name.clone(), one.name.clone())),
        )
        .collect();
    html! {
        (named(cx, "includes", t::includes_label(cx), t::includes_help(cx), &draft.includes, errors))
        (named(cx, "excludes", t::excludes_label(cx), t::excludes_help(cx), &draft.excludes, errors))
        (Field::new("limiting", t::limiting_label(cx), errors).help(t::limiting_help(cx)).choice(&limits, &draft.limiting))
    }
}

/// Collections that are there, to be taken out, and a field for one more.
fn named(cx: &Cx, name: &'static str, label: &str, help: &str, known: &[String], errors: &Errors) -> Markup {
    html! {
        (Field::new(name, label, errors).help(help).suggested("", "collections"))
        @if !known.is_empty() {
            ul.named {
                @for one in known { li { label.check { input type="checkbox" name=(name) value=(one) checked; (one) } } }
            }
        }
        div.buttons.add { button type="submit" name="act" value="fill" { (t::named_add(cx)) } }
    }
}

fn settings(cx: &Cx, draft: &Draft, errors: &Errors) -> Markup {
    let fields = html! {
        (Field::new("approved_only", t::approved_only(cx), errors).help(t::approved_only_help(cx)).switch(draft.approved_only))
        (Field::new("time_zone", t::zone_label(cx), errors).help(t::zone_help(cx)).input("text", &draft.zone))
    };
    form::group(t::settings_title(cx), &fields)
}
