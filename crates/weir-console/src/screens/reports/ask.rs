//! What a report is asked: its parameters as fields, with what there is to choose from.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_api::{
    List,
    collection::Collection,
    deployment::{Deployment, DeploymentQuery},
    downstream::DownstreamServer,
    list::ListQuery,
    report::{Report, ReportParameter},
    update::{UpdateList, UpdateQuery},
    update_group::UpdateGroup,
};

use crate::{
    address::Address,
    cx::Cx,
    failure::Failure,
    texts::reports as t,
    ui::{
        self,
        form::{Errors, Field},
    },
};

/// Entries of a choice; where there are more, one types a name.
const MOST: u32 = 1000;
/// Updates and computers that are proposed for what was typed.
const PROPOSED: u32 = 8;

/// What there is to choose from, by kind of parameter.
#[derive(Debug, Default)]
pub(super) struct Choices {
    options: Vec<(String, Vec<(String, String)>)>,
    /// Names of what addresses may name by its id.
    names: Names,
}

impl Choices {
    /// What the parameters of a report can be. What cannot be listed in full is typed.
    pub(super) async fn load(cx: &Cx, report: &Report) -> Self {
        let has = |kind: &str| report.parameters.iter().any(|parameter| parameter.kind == kind);
        let (collections, groups, deployments, servers) = tokio::join!(
            async { if has("collection") { collections(cx).await.ok() } else { None } },
            async { if has("update_group") { groups(cx).await.ok() } else { None } },
            async { if has("deployment") { deployments(cx).await.ok() } else { None } },
            async { if has("server") { servers(cx).await.ok() } else { None } },
        );
        let mut choices = Self::default();
        for (kind, named) in [("collection", collections), ("update_group", groups)] {
            let Some((options, names)) = named else { continue };
            choices.names.extend(names);
            choices.options.extend(options.map(|options| (kind.to_owned(), options)));
        }
        for (kind, options) in [("deployment", deployments), ("server", servers)] {
            choices.options.extend(options.flatten().map(|options| (kind.to_owned(), options)));
        }
        choices
    }

    fn of(&self, kind: &str) -> Option<&[(String, String)]> {
        self.options.iter().find(|(known, _)| known == kind).map(|(_, options)| options.as_slice())
    }

    /// What people call a value: the name of what has it as its id, else the value itself.
    pub(super) fn name<'v>(&'v self, value: &'v str) -> &'v str {
        self.names.get(value).map_or(value, String::as_str)
    }
}

/// What there is to choose from; none if these are not all.
type Options = Option<Vec<(String, String)>>;
/// Names by id.
type Names = BTreeMap<String, String>;

fn whole<T>(list: List<T>, option: impl Fn(T) -> (String, String)) -> Options {
    list.next.is_none().then(|| list.items.into_iter().map(option).collect())
}

fn query() -> ListQuery {
    ListQuery { cursor: None, limit: Some(MOST) }
}

async fn collections(cx: &Cx) -> Result<(Options, Names), Failure> {
    let list: List<Collection> = cx.api.get("/collections", &query()).await?;
    let names = list.items.iter().map(|one| (one.id.to_string(), one.name.clone())).collect();
    Ok((whole(list, |one| (one.name.clone(), one.name)), names))
}

async fn groups(cx: &Cx) -> Result<(Options, Names), Failure> {
    let list: List<UpdateGroup> = cx.api.get("/groups", &query()).await?;
    let names = list.items.iter().map(|one| (one.id.to_string(), one.name.clone())).collect();
    Ok((whole(list, |one| (one.name.clone(), one.name)), names))
}

async fn deployments(cx: &Cx) -> Result<Options, Failure> {
    let asked = DeploymentQuery { limit: Some(MOST), ..DeploymentQuery::default() };
    let list: List<Deployment> = cx.api.get("/deployments", &asked).await?;
    Ok(whole(list, |one| {
        let what = one.update.or(one.group).map(|what| what.name).unwrap_or_default();
        let name = if one.name.is_empty() { what } else { one.name };
        (one.id.to_string(), format!("{} · {name} → {}", one.id, one.collection.name))
    }))
}

async fn servers(cx: &Cx) -> Result<Options, Failure> {
    let list: List<DownstreamServer> = cx.api.get("/downstream", &query()).await?;
    let here = std::iter::once(("this".to_owned(), t::this_server(cx).to_owned()));
    Ok(whole(list, |one| {
        let label = match &one.site {
            Some(site) => format!("{site} ({})", one.name),
            None => one.name.clone(),
        };
        (one.id.to_string(), label)
    })
    .map(|others| here.chain(others).collect()))
}

/// The words of REST for parameters, in the order in which a refusal is looked through: what has the word of another in it first.
pub(super) fn words(report: &Report, prefix: &str) -> Vec<String> {
    let mut names: Vec<&str> = report.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    names.sort_by_key(|name| usize::from(*name == "update") + usize::from(*name == "computer"));
    names
        .iter()
        .map(|name| format!("{prefix}{name}={}", if *name == "site" { "server" } else { name }))
        .chain(
            // a refusal of the value itself names the parameter
            names.iter().map(|name| format!("{prefix}{name}={name}")),
        )
        .collect()
}

/// The field of a parameter. `prefix` keeps its name apart from others in the form.
pub(super) fn field(
    cx: &Cx,
    parameter: &ReportParameter,
    prefix: &str,
    value: &str,
    choices: &Choices,
    errors: &Errors,
) -> Markup {
    let name = format!("{prefix}{}", parameter.name);
    let mut field = Field::new(&name, t::parameter(cx, &parameter.name), errors);
    let range = parameter.least.zip(parameter.most);
    let help = match (&parameter.default, range) {
        (Some(default), Some((least, most))) => Some(t::default_range(cx, default, least, most)),
        (Some(default), None) => Some(t::default_is(cx, default)),
        (None, Some((least, most))) => Some(t::range(cx, least, most)),
        (None, None) if parameter.required => None,
        (None, None) => Some(t::not_narrowed(cx).to_owned()),
    };
    if let Some(help) = help {
        field = field.help(help);
    }
    if parameter.required {
        field = field.required();
    }
    let words: Option<Vec<(String, String)>> = match parameter.kind.as_str() {
        "choice" => Some(parameter.choices.iter().map(|word| (word.clone(), t::words(cx, word))).collect()),
        kind => choices.of(kind).map(<[(String, String)]>::to_vec),
    };
    let input = match words {
        Some(words) => {
            let mut options = vec![(String::new(), t::choose(cx, if parameter.required { "one" } else { "any" }))];
            options.extend(words);
            let value = choices.name(value);
            // what is asked for and is not among them stays, so that the refusal is seen beside it
            if !options.iter().any(|(known, _)| known == value) {
                options.push((value.to_owned(), value.to_owned()));
            }
            field.choice(&options, value)
        }
        None if parameter.kind == "number" => field.input("number", value),
        None => field.input("text", value),
    };
    html! { div.parameter { (input) p.help lang="en" { (parameter.description) } } }
}

#[derive(Serialize)]
struct ComputerSearch<'a> {
    text: &'a str,
    limit: u32,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default)]
    name: String,
}

/// Updates and computers are asked for by id. Where something else was typed, what has it in its name is proposed.
pub(super) async fn proposals(cx: &Cx, report: &Report, asked: &[(String, String)]) -> Markup {
    let mut found: Vec<(Address, String)> = Vec::new();
    for (name, value) in asked {
        let Some(parameter) = report.parameters.iter().find(|parameter| parameter.name == *name) else { continue };
        if Uuid::parse_str(value).is_ok() {
            continue;
        }
        let named: Vec<(String, String)> = match parameter.kind.as_str() {
            "update" => {
                let asked = UpdateQuery {
                    text: Some(value.clone()),
                    language: cx.titles(),
                    limit: Some(PROPOSED),
                    ..UpdateQuery::default()
                };
                let list = cx.api.get::<UpdateList>("/updates", &asked).await.unwrap_or_default();
                list.items.into_iter().map(|row| (row.id.to_string(), row.title)).collect()
            }
            "computer" => {
                let asked = ComputerSearch { text: value, limit: PROPOSED };
                let list = cx.api.get::<List<Named>>("/computers", &asked).await;
                let items = list.map(|list| list.items).unwrap_or_default();
                items
                    .into_iter()
                    .map(|row| (row.id.clone(), if row.name.is_empty() { row.id } else { row.name }))
                    .collect()
            }
            _ => continue,
        };
        found.extend(named.into_iter().map(|(id, label)| (cx.address.with(name, id), label)));
    }
    html! {
        @if !found.is_empty() {
            (ui::panel(t::meant(cx), &html! { ul { @for (address, label) in &found { li { a href=(address) { (label) } } } } }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_names_by_its_id_is_called_by_its_name() {
        let names = BTreeMap::from([("e5095397".to_owned(), "Ring 1".to_owned())]);
        let choices = Choices { options: Vec::new(), names };
        assert_eq!((choices.name("e5095397"), choices.name("Pilot")), ("Ring 1", "Pilot"));
    }
}
