//! Forms: one column, units and help beside fields, errors beside the field whose rule was broken.

use maud::{Markup, html};
use weir_api::Problem;

use crate::{cx::Cx, texts::common as t};

/// What REST refused of a form, by field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errors {
    whole: Option<(String, Option<String>)>,
    fields: Vec<(String, String)>,
}

impl Errors {
    /// A refusal. It goes beside the first of these fields that its detail names, else above the form. A field is `name`, or
    /// `name=word` where REST calls it by another word.
    pub(crate) fn of(problem: &Problem, fields: &[&str]) -> Self {
        let detail = problem.detail.to_lowercase();
        let words: Vec<&str> = detail.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let named = fields.iter().find_map(|field| {
            let (name, word) = field.split_once('=').unwrap_or((field, field));
            let word = word.to_lowercase();
            words.contains(&word.as_str()).then_some(name)
        });
        match named {
            Some(name) => Self { whole: None, fields: vec![(name.to_owned(), problem.detail.clone())] },
            None => Self { whole: Some((problem.detail.clone(), problem.next_step.clone())), fields: Vec::new() },
        }
    }

    /// An error that the console finds itself, beside a field.
    pub(crate) fn field(mut self, name: &str, message: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), message.into()));
        self
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_none() && self.fields.is_empty()
    }

    fn beside(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, message)| message.as_str())
    }

    /// What goes above the form.
    pub(crate) fn summary(&self, cx: &Cx) -> Markup {
        html! {
            @if !self.is_empty() {
                div.errors role="alert" tabindex="-1" data-focus {
                    @if let Some((detail, next)) = &self.whole {
                        p lang="en" { (detail) }
                        @if let Some(next) = next { p lang="en" { (next) } }
                    }
                    @if !self.fields.is_empty() {
                        p { (t::form_errors(cx)) }
                        ul { @for (name, message) in &self.fields { li { a href={ "#f-" (name) } { (message) } } } }
                    }
                }
            }
        }
    }
}

/// A field in the making.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    name: &'a str,
    label: String,
    help: Option<String>,
    unit: Option<String>,
    error: Option<String>,
    required: bool,
}

impl<'a> Field<'a> {
    /// A field of this name, with the error beside it if there is one.
    pub(crate) fn new(name: &'a str, label: impl Into<String>, errors: &Errors) -> Self {
        let error = errors.beside(name).map(str::to_owned);
        Self { name, label: label.into(), help: None, unit: None, error, required: false }
    }

    /// What it means, and what holds when nobody fills it in.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The unit, shown behind the field.
    pub(crate) fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// It must be filled in.
    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn around(&self, input: &Markup) -> Markup {
        html! {
            div.field.wrong[self.error.is_some()] {
                label for={ "f-" (self.name) } { (self.label) }
                @if let Some(help) = &self.help { p.help id={ "h-" (self.name) } { (help) } }
                div.input { (input) @if let Some(unit) = &self.unit { span.unit { (unit) } } }
                @if let Some(error) = &self.error { p.error id={ "e-" (self.name) } { (error) } }
            }
        }
    }

    fn described(&self) -> Option<String> {
        let help = self.help.as_ref().map(|_| format!("h-{}", self.name));
        let error = self.error.as_ref().map(|_| format!("e-{}", self.name));
        let ids: Vec<String> = help.into_iter().chain(error).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// One line of a kind of input: `text`, `number`, `datetime-local`, `password`, ...
    pub(crate) fn input(&self, kind: &str, value: &str) -> Markup {
        self.around(&html! {
            input id={ "f-" (self.name) } type=(kind) name=(self.name) value=(value) required[self.required]
                aria-invalid=[self.error.as_ref().map(|_| "true")] aria-describedby=[self.described()];
        })
    }

    /// Files of these kinds, one or several.
    pub(crate) fn files(&self, accept: &str) -> Markup {
        self.around(&html! {
            input id={ "f-" (self.name) } type="file" multiple accept=(accept) name=(self.name) required[self.required]
                aria-invalid=[self.error.as_ref().map(|_| "true")] aria-describedby=[self.described()];
        })
    }

    /// One line of text, with suggestions from the `datalist` of this id.
    pub(crate) fn suggested(&self, value: &str, list: &str) -> Markup {
        self.around(&html! {
            input id={ "f-" (self.name) } type="text" name=(self.name) value=(value) list=(list) autocomplete="off" required[self.required]
                aria-invalid=[self.error.as_ref().map(|_| "true")] aria-describedby=[self.described()];
        })
    }

    /// Several lines.
    pub(crate) fn lines(&self, value: &str, rows: u8) -> Markup {
        self.around(&html! {
            textarea id={ "f-" (self.name) } name=(self.name) rows=(rows) required[self.required]
                aria-invalid=[self.error.as_ref().map(|_| "true")] aria-describedby=[self.described()] { (value) }
        })
    }

    /// One of several: value and name.
    pub(crate) fn choice(&self, options: &[(String, String)], value: &str) -> Markup {
        self.around(&html! {
            select id={ "f-" (self.name) } name=(self.name) required[self.required]
                aria-invalid=[self.error.as_ref().map(|_| "true")] aria-describedby=[self.described()] {
                @for (key, name) in options { option value=(key) selected[key == value] { (name) } }
            }
        })
    }

    /// Yes or no: `name=1` when it is on.
    pub(crate) fn switch(&self, on: bool) -> Markup {
        html! {
            div.field.wrong[self.error.is_some()] {
                label.check {
                    input id={ "f-" (self.name) } type="checkbox" name=(self.name) value="1" checked[on] aria-describedby=[self.described()];
                    (self.label)
                }
                @if let Some(help) = &self.help { p.help id={ "h-" (self.name) } { (help) } }
                @if let Some(error) = &self.error { p.error id={ "e-" (self.name) } { (error) } }
            }
        }
    }
}

/// Fields that belong together.
pub(crate) fn group(legend: &str, fields: &Markup) -> Markup {
    html! { fieldset { legend { (legend) } (fields) } }
}

/// A form in one column, with a preview on its right. With `preview_at`, the module posts the form there after each change and
/// shows what is in the element `preview` of the answer.
pub(crate) fn with_preview(form: &Markup, preview: &Markup) -> Markup {
    html! { div.form-preview { div { (form) } aside.preview id="preview" aria-live="polite" { (preview) } } }
}
