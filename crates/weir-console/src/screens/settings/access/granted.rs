//! A role in collections, as it is filled in.

use maud::{Markup, html};
use weir_api::{Problem, Reference, access::Role, collection::Collection};

use crate::{
    cx::Cx,
    screens::settings::field,
    texts::accounts as t,
    ui::{
        self,
        form::{Errors, Field},
    },
};

/// All roles, the one that may least first.
pub(super) const ROLES: [Role; 4] =
    [Role::ReadOnlyAnalyst, Role::Operator, Role::SoftwareUpdateManager, Role::FullAdministrator];

/// The fields.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Grant {
    pub(super) role: String,
    /// Ids of collections; none: no limit.
    pub(super) collections: Vec<String>,
}

impl Grant {
    /// What there is.
    pub(super) fn of(role: Role, collections: &[Reference]) -> Self {
        Self {
            role: ui::word(&role),
            collections: collections.iter().map(|collection| collection.id.to_string()).collect(),
        }
    }

    /// What a form sent.
    pub(super) fn sent(pairs: &[(String, String)]) -> Self {
        let collections = pairs.iter().filter(|(name, value)| name == "collections" && !value.is_empty());
        Self { role: field(pairs, "role").to_owned(), collections: collections.map(|(_, id)| id.clone()).collect() }
    }

    /// The role that is meant; the one that may least if it is none.
    pub(super) fn role(&self) -> Role {
        ROLES.into_iter().find(|role| ui::word(role) == self.role).unwrap_or(Role::ReadOnlyAnalyst)
    }

    /// The fields, with roles up to one.
    pub(super) fn fields(&self, cx: &Cx, collections: &[Collection], most: Role, errors: &Errors) -> Markup {
        let roles: Vec<(String, String)> =
            ROLES.into_iter().filter(|role| *role <= most).map(|role| (ui::word(&role), ui::role(cx, role))).collect();
        html! {
            (Field::new("role", t::role(cx), errors).help(t::role_help(cx)).choice(&roles, &self.role))
            details.roles { summary { (t::roles_what(cx)) } dl.facts { @for role in ROLES { div { dt { (ui::role(cx, role)) } dd { (t::roles_may(cx, &ui::word(&role))) } } } } }
            fieldset.field {
                legend { (t::collections(cx)) }
                p.help { (t::collections_help(cx)) }
                @if collections.is_empty() { p.quiet { (t::collections_none(cx)) } }
                div.checks.tall id="f-collections" {
                    @for one in collections {
                        @let id = one.id.to_string();
                        label.check {
                            input type="checkbox" name="collections" value=(id) checked[self.collections.contains(&id)];
                            (one.name) span.quiet { " " (ui::number(cx, one.members_below)) }
                        }
                    }
                }
            }
        }
    }
}

/// Where a refusal goes.
pub(super) fn errors(problem: &Problem) -> Errors {
    match problem.code.as_str() {
        field @ ("name" | "password" | "role" | "days" | "group" | "display_name") => {
            Errors::default().field(field, &problem.detail)
        }
        "exists" => Errors::default().field("name", &problem.detail),
        _ => {
            Errors::of(problem, &["display_name", "password", "role", "days", "collections=collection", "collections"])
        }
    }
}
