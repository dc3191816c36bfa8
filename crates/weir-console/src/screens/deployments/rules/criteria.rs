//! Which updates a rule means: fields for what most rules ask, and words for the rest. All of it must hold.

use maud::{Markup, html};
use uuid::Uuid;
use weir_api::{
    List,
    selection::{Category, LanguageQuery},
};

use crate::{
    cx::Cx,
    screens::deployments::filled::Filled,
    texts::deployments_rules as t,
    ui::form::{Errors, Field},
};

/// Fields of several values: what they are called here and in expressions.
const LISTS: [(&str, &str); 5] = [
    ("c_classification", "classification"),
    ("c_product", "product"),
    ("c_severity", "severity"),
    ("c_architecture", "architecture"),
    ("c_kb", "kb"),
];
/// Terms that hold or are not asked for.
const FLAGS: [(&str, &str); 3] =
    [("c_not_superseded", "not superseded"), ("c_not_declined", "not declined"), ("c_needed", "needed > 0")];
const SEVERITIES: [&str; 4] = ["critical", "important", "moderate", "low"];
const ARCHITECTURES: [&str; 3] = ["x64", "x86", "arm64"];
const UNITS: [&str; 3] = ["days", "weeks", "months"];

/// Fills the fields in with an expression. Terms that they cannot say stand in words, where they hold as well.
pub(super) fn fill(filled: &mut Filled, expression: &str) {
    let mut rest = Vec::new();
    match terms(expression) {
        Some(terms) => {
            for term in terms {
                if !fill_one(filled, term) {
                    rest.push(term);
                }
            }
        }
        None => rest.push(expression),
    }
    filled.set("criteria", rest.join(" and "));
}

fn fill_one(filled: &mut Filled, term: &str) -> bool {
    if let Some((flag, _)) = FLAGS.into_iter().find(|(flag, text)| *text == term && !filled.on(flag)) {
        filled.switch(flag, true);
        return true;
    }
    let list = LISTS.into_iter().find_map(|(field, name)| Some((field, values(term, name)?)));
    if let Some((field, values)) = list.filter(|(field, _)| filled.all(field).next().is_none()) {
        let fits = match field {
            "c_severity" => values.iter().all(|value| SEVERITIES.contains(&value.as_str())),
            "c_architecture" => values.iter().all(|value| ARCHITECTURES.contains(&value.as_str())),
            // names are not among the boxes: those have ids
            "c_classification" | "c_product" => values.iter().all(|value| Uuid::parse_str(value).is_ok()),
            _ => values.iter().all(|value| value.bytes().all(|byte| byte.is_ascii_digit())),
        };
        if fits {
            filled.set(field, values.join(" "));
        }
        return fits;
    }
    if let Some((number, unit)) = term.strip_prefix("released < ").and_then(|age| age.split_once(' ')) {
        let unit = UNITS.into_iter().find(|known| known.trim_end_matches('s') == unit.trim_end_matches('s'));
        if let (Some(unit), Ok(number), None) = (unit, number.parse::<u32>(), filled.some("c_released")) {
            filled.set("c_released", number.to_string());
            filled.set("c_released_unit", unit);
            return true;
        }
    }
    for (field, sign) in [("c_title", "title ~ "), ("c_not_title", "title !~ ")] {
        if let (Some(text), None) = (term.strip_prefix(sign).and_then(unquoted), filled.some(field)) {
            filled.set(field, text);
            return true;
        }
    }
    false
}

/// The terms of a conjunction. None for what is none, or cannot be read.
fn terms(expression: &str) -> Option<Vec<&str>> {
    let (mut depth, mut quoted, mut escaped, mut from) = (0_u32, false, false, 0);
    let mut terms = Vec::new();
    for (at, sign) in expression.char_indices() {
        if quoted {
            match sign {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match sign {
            '"' => quoted = true,
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            ' ' if depth == 0 => {
                let rest = expression.get(at..)?;
                if rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(" or ")) {
                    return None;
                }
                if rest.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(" and ")) {
                    terms.push(expression.get(from..at)?.trim());
                    from = at + 4;
                }
            }
            _ => {}
        }
    }
    if quoted || depth > 0 {
        return None;
    }
    terms.push(expression.get(from..)?.trim());
    terms.retain(|term| !term.is_empty());
    Some(terms)
}

/// The values of `name = value` or `name in (value, value)`.
fn values(term: &str, name: &str) -> Option<Vec<String>> {
    let rest = term.strip_prefix(name)?;
    if let Some(value) = rest.strip_prefix(" = ") {
        return Some(vec![unquoted(value)?]);
    }
    let inside = rest.strip_prefix(" in (")?.strip_suffix(')')?;
    // values with commas of their own are left in words
    if inside.contains('"') {
        return None;
    }
    inside.split(',').map(|value| unquoted(value.trim())).collect()
}

/// A value without its quotes. None for what is more than a value.
fn unquoted(value: &str) -> Option<String> {
    let Some(inside) = value.strip_prefix('"') else {
        let plain = !value.is_empty() && !value.contains([' ', '"', '(', ')', ',']);
        return plain.then(|| value.to_owned());
    };
    let mut out = String::new();
    let mut signs = inside.chars();
    loop {
        match signs.next()? {
            '"' => return signs.next().is_none().then_some(out),
            '\\' => out.push(signs.next()?),
            sign => out.push(sign),
        }
    }
}

fn quoted(value: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_');
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The expression of the fields; empty without any.
pub(super) fn compose(filled: &Filled) -> String {
    let mut terms = Vec::new();
    for (field, name) in LISTS {
        let values = chosen(filled, field);
        match values.as_slice() {
            [] => {}
            [one] => terms.push(format!("{name} = {}", quoted(one))),
            several => {
                let several: Vec<String> = several.iter().map(|value| quoted(value)).collect();
                terms.push(format!("{name} in ({})", several.join(", ")));
            }
        }
    }
    if let Some(number) = filled.some("c_released") {
        let unit = UNITS.into_iter().find(|unit| *unit == filled.text("c_released_unit")).unwrap_or("days");
        terms.push(format!("released < {number} {unit}"));
    }
    for (field, sign) in [("c_title", "~"), ("c_not_title", "!~")] {
        terms.extend(filled.some(field).map(|text| format!("title {sign} {}", quoted(&text))));
    }
    terms.extend(FLAGS.into_iter().filter(|(flag, _)| filled.on(flag)).map(|(_, text)| text.to_owned()));
    if let Some(text) = filled.some("criteria") {
        terms.push(if terms.is_empty() { text } else { format!("({text})") });
    }
    terms.join(" and ")
}

/// The values of a field: a box each, or one field with all of them.
fn chosen(filled: &Filled, field: &str) -> Vec<String> {
    let split = |text: &str| text.split([' ', ',', ';']).map(str::to_owned).collect::<Vec<_>>();
    let values = filled.all(field).flat_map(split).filter(|value| !value.is_empty());
    values
        .map(|value| if field == "c_kb" { value.trim_start_matches(['K', 'k', 'B', 'b']).to_owned() } else { value })
        .collect()
}

/// What there is to choose from.
#[derive(Debug, Default)]
pub(super) struct Choices {
    classifications: Vec<Category>,
    products: Vec<Category>,
}

impl Choices {
    /// Asks REST; what cannot be had is not among the boxes.
    pub(super) async fn load(cx: &Cx) -> Self {
        let language = LanguageQuery { language: cx.titles() };
        let (classifications, products) = tokio::join!(
            cx.api.get::<List<Category>>("/classifications", &language),
            cx.api.get::<List<Category>>("/products", &language),
        );
        Self {
            classifications: classifications.map(|list| list.items).unwrap_or_default(),
            products: products.map(|list| list.items).unwrap_or_default(),
        }
    }
}

/// The fields.
pub(super) fn fields(cx: &Cx, filled: &Filled, errors: &Errors, choices: &Choices) -> Markup {
    let words = |words: &[&str], say: fn(&Cx, &str) -> String| -> Vec<(String, String)> {
        words.iter().map(|word| ((*word).to_owned(), say(cx, word))).collect()
    };
    let classifications: Vec<(String, String)> = choices
        .classifications
        .iter()
        .filter(|one| one.selected || chosen(filled, "c_classification").contains(&one.id.to_string()))
        .map(|one| (one.id.to_string(), one.title.clone()))
        .collect();
    let units = words(&UNITS, t::unit);
    let flag = |name: &'static str| Field::new(name, t::flag(cx, name), errors).switch(filled.on(name));
    html! {
        (boxes(t::classification(cx), "c_classification", &classifications, filled))
        (products(cx, filled, &choices.products))
        (boxes(t::severity(cx), "c_severity", &words(&SEVERITIES, crate::texts::common::severity), filled))
        div.pair {
            (Field::new("c_released", t::released(cx), errors).help(t::released_help(cx)).input("number", filled.text("c_released")))
            (Field::new("c_released_unit", t::released_unit(cx), errors).choice(&units, filled.text("c_released_unit")))
        }
        (Field::new("c_title", t::title_has(cx), errors).input("text", filled.text("c_title")))
        (Field::new("c_not_title", t::title_has_not(cx), errors).input("text", filled.text("c_not_title")))
        (Field::new("c_kb", t::articles(cx), errors).help(t::articles_help(cx)).input("text", filled.text("c_kb")))
        (boxes(t::architecture(cx), "c_architecture", &words(&ARCHITECTURES, |_, word| word.to_owned()), filled))
        (flag("c_not_superseded")) (flag("c_not_declined")) (flag("c_needed"))
        (Field::new("criteria", t::expression(cx), errors).help(t::expression_help(cx)).lines(filled.text("criteria"), 3))
    }
}

fn boxes(label: &str, name: &str, options: &[(String, String)], filled: &Filled) -> Markup {
    let chosen = chosen(filled, name);
    html! {
        @if !options.is_empty() {
            div.field role="group" aria-labelledby={ "l-" (name) } {
                span.label id={ "l-" (name) } { (label) }
                div.checks {
                    @for (value, title) in options {
                        label.check { input type="checkbox" name=(name) value=(value) checked[chosen.contains(value)]; (title) }
                    }
                }
            }
        }
    }
}

/// Products that are synchronized, under their families.
fn products(cx: &Cx, filled: &Filled, companies: &[Category]) -> Markup {
    let chosen = chosen(filled, "c_product");
    let wanted = |one: &Category| one.selected || chosen.contains(&one.id.to_string());
    let mut groups: Vec<(&str, Vec<&Category>)> = Vec::new();
    for (above, one) in companies.iter().flat_map(|company| company.children.iter().map(move |one| (company, one))) {
        if one.children.is_empty() {
            if wanted(one) {
                groups.push((&above.title, vec![one]));
            }
        } else {
            let below: Vec<&Category> = one.children.iter().filter(|product| wanted(product)).collect();
            if !below.is_empty() || wanted(one) {
                groups.push((&one.title, std::iter::once(one).filter(|one| wanted(one)).chain(below).collect()));
            }
        }
    }
    html! {
        @if !groups.is_empty() {
            div.field {
                label for="f-c_product" { (t::products(cx)) }
                p.help id="h-c_product" { (t::products_help(cx)) }
                div.input {
                    select id="f-c_product" name="c_product" multiple size="8" aria-describedby="h-c_product" {
                        @for (title, products) in &groups {
                            optgroup label=(title) {
                                @for one in products { option value=(one.id) selected[chosen.contains(&one.id.to_string())] { (one.title) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(expression: &str) -> String {
        let mut filled = Filled::default();
        fill(&mut filled, expression);
        compose(&filled)
    }

    #[test]
    fn what_fields_say_is_what_was_stored() {
        let id = "0fa1201d-4330-4fa8-8ae9-b877473b6441";
        let whole = format!(
            "classification = {id} and severity in (critical, important) and released < 1 months and title ~ preview and \
             not superseded"
        );
        assert_eq!(back(&whole), whole);
        assert_eq!(back("title ~ \"say \\\"x\\\" and y\""), "title ~ \"say \\\"x\\\" and y\"");
        assert_eq!(back("kb in (5034123, 5034124)"), "kb in (5034123, 5034124)");
    }

    #[test]
    fn what_fields_cannot_say_stays_in_words() {
        for same in ["not superseded or needed > 5", "size > 1 GB", "product = \"Windows 11\"", "title ~ \"open"] {
            let mut filled = Filled::default();
            fill(&mut filled, same);
            assert_eq!((filled.text("criteria"), compose(&filled).as_str()), (same, same));
        }
        assert_eq!(
            back("severity = critical and (size > 1 GB or needed > 5) and severity = low"),
            "severity = critical and ((size > 1 GB or needed > 5) and severity = low)"
        );
    }

    #[test]
    fn hostile_words_stay_one_value() {
        let mut filled = Filled::default();
        filled.set("c_title", "x\" or declined or title ~ \"");
        assert_eq!(compose(&filled), "title ~ \"x\\\" or declined or title ~ \\\"\"");
    }
}
