//! The confirmation that every act on more than one object passes: what will happen, to how many, how to undo it.

use maud::{Markup, html};

use crate::{cx::Cx, texts::common as t};

/// A confirmation in the making.
#[derive(Clone, Debug)]
pub(crate) struct Confirm {
    sentence: String,
    undo: String,
    details: Markup,
    fields: Vec<(String, String)>,
    action: String,
    label: String,
    back: String,
    danger: bool,
    typed: Option<String>,
    error: Option<String>,
    nothing: bool,
}

impl Confirm {
    /// A sentence that says what will happen and to how many; how it is undone; what the button says and where it posts to;
    /// where one goes back to.
    pub(crate) fn new(
        sentence: impl Into<String>,
        undo: impl Into<String>,
        label: impl Into<String>,
        action: impl Into<String>,
        back: impl Into<String>,
    ) -> Self {
        Self {
            sentence: sentence.into(),
            undo: undo.into(),
            details: Markup::default(),
            fields: Vec::new(),
            action: action.into(),
            label: label.into(),
            back: back.into(),
            danger: false,
            typed: None,
            error: None,
            nothing: false,
        }
    }

    /// More about it: the first of those that are meant, who is affected.
    pub(crate) fn details(mut self, details: Markup) -> Self {
        self.details = details;
        self
    }

    /// What the form sends along.
    pub(crate) fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// It takes something away.
    pub(crate) fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    /// This name must be typed (`typed` in the form). The handler compares with [`matches()`].
    pub(crate) fn typed(mut self, name: impl Into<String>, wrong: Option<String>) -> Self {
        self.typed = Some(name.into());
        self.error = wrong;
        self.danger()
    }

    /// Nothing would be changed, so that there is nothing to confirm.
    pub(crate) fn nothing(mut self, nothing: bool) -> Self {
        self.nothing = nothing;
        self
    }

    /// Makes it. It stands on a page of its own; with the module, in a dialog.
    pub(crate) fn render(&self, cx: &Cx) -> Markup {
        html! {
            form.confirm.danger[self.danger] method="post" action=(self.action) data-confirm {
                p.sentence { (self.sentence) }
                (self.details)
                @if !self.undo.is_empty() { p { strong { (t::undo(cx)) } " " (self.undo) } }
                @for (name, value) in &self.fields { input type="hidden" name=(name) value=(value); }
                @if let Some(name) = &self.typed {
                    div.field.wrong[self.error.is_some()] {
                        label for="f-typed" { (t::type_name(cx, name)) }
                        div.input { input id="f-typed" name="typed" autocomplete="off" required; }
                        @if let Some(error) = &self.error { p.error { (error) } }
                    }
                }
                div.buttons {
                    @if !self.nothing { button.primary type="submit" { (self.label) } }
                    a.button.plain href=(self.back) data-close { (t::cancel(cx)) }
                }
            }
        }
    }
}

/// Whether the name that was typed is the one that was asked for; case does not matter, as nowhere for names.
pub(crate) fn matches(typed: &str, name: &str) -> bool {
    typed.trim().to_lowercase() == name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, sync::Arc};

    use axum::Router;
    use http::Uri;

    use super::*;
    use crate::{Console, Shared, api::Outer, assets::Assets, texts::Catalogue};

    const HOSTILE: &str = "\"'></form><script>alert(1)</script>&amp;";

    #[test]
    fn every_part_of_a_question_is_escaped() {
        let shared =
            Shared { api: Router::new(), catalogue: Catalogue::new(&[]), assets: Assets::new(), version: "0.0.0" };
        let cx = Cx::anonymous(&Console(Arc::new(shared)), &Uri::from_static("/"), Outer::default());
        let confirm = Confirm::new(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
            .details(html! { p { (HOSTILE) } })
            .field(HOSTILE, HOSTILE)
            .typed(HOSTILE, Some(HOSTILE.to_owned()));
        let page = confirm.render(&cx).into_string();
        assert!(!page.contains("<script") && page.matches("</form>").count() == 1, "{page}");
        // sentence, details, undo, name and value of the field, label of the name, error, button, action, way back
        assert_eq!(page.matches("&lt;script&gt;").count(), 10, "{page}");
    }

    #[test]
    fn screens_that_ask_write_no_markup_themselves() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/screens")];
        let mut asking = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                if text.contains("Confirm::new(") {
                    asking += 1;
                    assert!(!text.contains("PreEscaped"), "{} makes markup of a text", path.display());
                }
            }
        }
        assert!(asking > 40, "only {asking} files ask");
    }
}
