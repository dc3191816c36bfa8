//! Languages of texts, and languages of files.

use std::collections::BTreeSet;

use axum::{Form, Router, response::Response, routing::get};
use maud::{Markup, html};
use weir_api::{
    List,
    access::Role,
    selection::{Language, Selection, SelectionChange},
};

use crate::{
    Console,
    cx::Cx,
    failure::Failure,
    layout::Page,
    screens::settings::{field, may},
    texts::{common, selection as t, settings as s},
    ui::{
        self,
        confirm::Confirm,
        form::{Errors, Field},
    },
};

const HERE: &str = "/settings/languages";

/// Pages and forms.
pub(super) fn routes() -> Router<Console> {
    Router::new().route(HERE, get(show).post(save))
}

/// The languages that can be chosen: all but the row that stands for all of them.
async fn load(cx: &Cx) -> Result<Vec<Language>, Failure> {
    let list: List<Language> = cx.api.get("/languages", &()).await?;
    Ok(list.items.into_iter().filter(|language| language.lcid != 0).collect())
}

/// What is chosen: languages of texts, and of files; none of files are those of the texts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Choice {
    texts: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Choice {
    fn of(languages: &[Language]) -> Self {
        let ids = |chosen: fn(&Language) -> bool| -> BTreeSet<String> {
            languages.iter().filter(|language| chosen(language)).map(|language| language.id.clone()).collect()
        };
        let (texts, files) = (ids(|language| language.selected), ids(|language| language.files));
        Self { files: if files == texts { BTreeSet::new() } else { files }, texts }
    }

    /// What a form makes of it; what it did not show stays.
    fn filled(&self, pairs: &[(String, String)]) -> Self {
        let seen: BTreeSet<&str> = field(pairs, "seen").split(',').collect();
        let of = |name: &str, now: &BTreeSet<String>| -> BTreeSet<String> {
            let on = pairs.iter().filter(|(known, _)| known == name).map(|(_, id)| id.clone());
            now.iter().filter(|id| !seen.contains(id.as_str())).cloned().chain(on).collect()
        };
        let texts = of("texts", &self.texts);
        let shown = if self.files.is_empty() { &self.texts } else { &self.files };
        let files = of("files", shown);
        let same = field(pairs, "same") == "1" || files == texts;
        Self { files: if same { BTreeSet::new() } else { files }, texts }
    }
}

async fn show(cx: Cx) -> Result<Response, Failure> {
    page(&cx, &Errors::default()).await
}

async fn page(cx: &Cx, errors: &Errors) -> Result<Response, Failure> {
    let languages = load(cx).await?;
    let now = Choice::of(&languages);
    let open = may(cx, Role::FullAdministrator);
    let text = cx.address.value("text").map(str::to_lowercase);
    let found = |language: &&Language| {
        text.as_ref()
            .is_none_or(|text| language.name.to_lowercase().contains(text) || language.id.contains(text.as_str()))
    };
    let shown: Vec<&Language> = languages.iter().filter(found).collect();
    let seen = shown.iter().map(|language| language.id.as_str()).collect::<Vec<_>>().join(",");
    let table = table(cx, &shown, open);
    let body = html! {
        form.filters.alone method="get" action=(HERE) role="search" {
            label.hide for="text" { (t::find(cx)) }
            input id="text" type="search" name="text" value=[cx.address.value("text")] placeholder=(t::find(cx)) maxlength="50";
            button type="submit" { (common::filter(cx)) }
            @if text.is_some() { a.button.plain href=(HERE) { (t::show_all(cx)) } }
        }
        (errors.summary(cx))
        @if shown.is_empty() { div.empty { p { (t::no_language(cx)) } } }
        @else if open {
            form method="post" action=(HERE) {
                input type="hidden" name="seen" value=(seen);
                section.panel {
                    p { (t::languages_help(cx)) }
                    (Field::new("same", t::same(cx), errors).help(t::same_help(cx)).switch(now.files.is_empty()))
                    (table)
                }
                div.buttons.foot { button.primary type="submit" { (t::review(cx)) } }
            }
        } @else { section.panel { (table) } }
    };
    Page::new(cx, s::places(cx, "languages"))
        .fact(t::of_texts(cx), html! { (ui::number(cx, now.texts.len() as u64)) })
        .fact(
            t::of_files(cx),
            if now.files.is_empty() {
                html! { (t::as_texts(cx)) }
            } else {
                html! { (ui::number(cx, now.files.len() as u64)) }
            },
        )
        .body(body)
        .render()
        .await
}

fn table(cx: &Cx, languages: &[&Language], open: bool) -> Markup {
    let mark = |on: bool, name: &str, language: &Language, label: &str| {
        html! {
            @if open { input type="checkbox" name=(name) value=(language.id) checked[on] aria-label={ (language.name) ": " (label) }; }
            @else if on { (ui::icon::Icon::Check.show()) span.hide { (t::is_chosen(cx)) } }
        }
    };
    html! {
        table.plain {
            caption.hide { (s::places(cx, "languages")) }
            thead { tr {
                th scope="col" { (t::language(cx)) }
                th scope="col" { (t::of_texts(cx)) }
                th scope="col" { (t::of_files(cx)) }
            } }
            tbody {
                @for language in languages {
                    tr {
                        th scope="row" { span lang="en" { (language.name) } " " code { (language.id) } }
                        td { (mark(language.selected, "texts", language, t::of_texts(cx))) }
                        td { (mark(language.files, "files", language, t::of_files(cx))) }
                    }
                }
            }
        }
    }
}

async fn save(cx: Cx, Form(pairs): Form<Vec<(String, String)>>) -> Result<Response, Failure> {
    let languages = load(&cx).await?;
    let now = Choice::of(&languages);
    if field(&pairs, "sure") != "1" {
        return confirm(&cx, &languages, &now, &now.filled(&pairs)).await;
    }
    let list = |name: &str| -> BTreeSet<String> {
        field(&pairs, name).split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect()
    };
    let wanted = Choice { texts: list("texts"), files: list("files") };
    let texts = now.texts != wanted.texts;
    // files that were the same by choice would not follow the texts
    let files = now.files != wanted.files || (texts && wanted.files.is_empty());
    for (changed, resource, after) in [(texts, "/languages", &wanted.texts), (files, "/file-languages", &wanted.files)]
    {
        if !changed {
            continue;
        }
        let change = SelectionChange { all: false, ids: after.iter().cloned().collect() };
        if let Err(failure) = cx.api.put::<Selection>(resource, &change).await {
            return page(&cx, &Errors::of(&failure.into_problem()?, &[])).await;
        }
    }
    Ok(t::flash_languages().to(HERE))
}

async fn confirm(cx: &Cx, languages: &[Language], now: &Choice, wanted: &Choice) -> Result<Response, Failure> {
    if now == wanted {
        return Ok(s::flash_nothing_changed().to(HERE));
    }
    let files = |choice: &Choice| if choice.files.is_empty() { choice.texts.clone() } else { choice.files.clone() };
    let names = |ids: BTreeSet<String>| -> Vec<String> {
        languages.iter().filter(|language| ids.contains(&language.id)).map(|language| language.name.clone()).collect()
    };
    let less = |a: &BTreeSet<String>, b: &BTreeSet<String>| names(a.difference(b).cloned().collect());
    let (file_now, file_wanted) = (files(now), files(wanted));
    let rows = [
        (t::texts_added(cx), less(&wanted.texts, &now.texts)),
        (t::texts_removed(cx), less(&now.texts, &wanted.texts)),
        (t::files_added(cx), less(&file_wanted, &file_now)),
        (t::files_removed(cx), less(&file_now, &file_wanted)),
    ];
    let join = |ids: &BTreeSet<String>| ids.iter().cloned().collect::<Vec<_>>().join(",");
    let details = html! {
        (ui::facts(rows.into_iter().filter(|(_, names)| !names.is_empty()).map(|(label, names)| {
            (label.to_owned(), html! { span lang="en" { (names.join(", ")) } })
        })))
        @if wanted.files.is_empty() && !now.files.is_empty() { p { (t::files_follow(cx)) } }
        p.quiet { (t::languages_when(cx)) }
    };
    let confirm = Confirm::new(t::languages_sentence(cx), t::undo(cx), t::choose(cx), HERE, HERE)
        .details(details)
        .field("texts", join(&wanted.texts))
        .field("files", join(&wanted.files))
        .field("sure", "1");
    Page::new(cx, t::review(cx)).crumb(s::places(cx, "languages"), HERE).body(confirm.render(cx)).render().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(id: &str, selected: bool, files: bool) -> Language {
        Language { id: id.to_owned(), lcid: 1, name: id.to_owned(), selected, files }
    }

    fn sent(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn languages_that_were_not_shown_stay() {
        let now = Choice::of(&[language("en", true, true), language("nl", true, true), language("de", false, false)]);
        assert_eq!(now, Choice { texts: set(&["en", "nl"]), files: set(&[]) });
        let filled = now.filled(&sent(&[("seen", "de"), ("texts", "de"), ("same", "1")]));
        assert_eq!(filled, Choice { texts: set(&["de", "en", "nl"]), files: set(&[]) });
        let filled = now.filled(&sent(&[("seen", "en,nl,de"), ("texts", "en"), ("files", "en"), ("files", "nl")]));
        assert_eq!(filled, Choice { texts: set(&["en"]), files: set(&["en", "nl"]) });
    }
}
