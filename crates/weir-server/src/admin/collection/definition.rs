//! How a collection gets its members, as administrators write it and as it is kept.

use std::collections::BTreeSet;

use uuid::Uuid;
use weir_api::Reference;
use weir_model::{
    expression::{ComputerExpression, Names, computers::Field},
    ids::CollectionId,
    membership::named_in,
    schedule::Zone,
};
use weir_store::{ReadTx, StoreError, collection::CollectionRow, membership::CollectionDefinition};

use super::{OUTSIDE, Tree};
use crate::{
    admin::AdminError,
    live::membership::{Compiled, definition},
};

/// Collections that one refers to in one way.
pub(crate) const MOST_REFERENCES: usize = 500;
/// Characters of a description.
pub(crate) const LONGEST_DESCRIPTION: usize = 1_000;

/// What is wanted of a definition; absent fields stay as they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) rule: Option<String>,
    pub(crate) includes: Option<Vec<String>>,
    pub(crate) excludes: Option<Vec<String>>,
    pub(crate) limiting: Option<String>,
}

impl Wanted {
    pub(crate) fn is_nothing(&self) -> bool {
        self.rule.is_none() && self.includes.is_none() && self.excludes.is_none() && self.limiting.is_none()
    }
}

/// Names in rules: of collections and of sites.
pub(crate) struct RuleNames<'t> {
    collections: Vec<(Uuid, &'t str)>,
    /// Collections of which who asks may not be told by name.
    outside: Vec<Uuid>,
    sites: Vec<(Uuid, String)>,
}

impl<'t> RuleNames<'t> {
    pub(crate) fn read(tx: &ReadTx<'_>, tree: &'t Tree) -> Result<Self, StoreError> {
        let (named, outside): (Vec<&CollectionRow>, Vec<_>) = tree.rows.iter().partition(|row| tree.may_name(row.id));
        let collections = named.into_iter().map(|row| (row.id.0, row.name.as_str())).collect();
        let outside = outside.into_iter().map(|row| row.id.0).collect();
        let mut sites: Vec<(Uuid, String)> =
            tx.sites_list()?.into_iter().map(|site| (site.node.id, site.node.name)).collect();
        for (_, id, name, _) in tx.rollup_server_numbers()? {
            if !name.is_empty() && !sites.iter().any(|(known, _)| *known == id) {
                sites.push((id, name));
            }
        }
        let own = match tx.sites_here()?.site {
            Some(site) => Some(site),
            None => tx.site()?.map(|site| site.server_id),
        };
        if let Some(own) = own.filter(|own| !sites.iter().any(|(id, name)| id == own || name.to_lowercase() == THIS)) {
            sites.push((own, THIS.to_owned()));
        }
        Ok(Self { collections, outside, sites })
    }

    fn of(&self, field: Field) -> Box<dyn Iterator<Item = (Uuid, &str)> + '_> {
        match field {
            Field::Collection => Box::new(self.collections.iter().copied()),
            Field::Site => Box::new(self.sites.iter().map(|(id, name)| (*id, name.as_str()))),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// A stored rule with the names that things have now.
    pub(crate) fn shown(&self, rule: &str) -> String {
        // what cannot be read any more is shown as it is
        let shown =
            ComputerExpression::parse(rule).map_or_else(|_| rule.to_owned(), |rule| rule.with_names(self).to_string());
        self.outside.iter().fold(shown, |shown, id| shown.replace(&id.to_string(), &format!("{OUTSIDE:?}")))
    }
}

/// What a server by itself is called in rules.
const THIS: &str = "this";

impl Names<Field> for RuleNames<'_> {
    fn ids(&self, field: Field, folded: &str) -> Vec<Uuid> {
        self.of(field).filter(|(_, name)| name.to_lowercase() == folded).map(|(id, _)| id).collect()
    }

    fn name(&self, field: Field, id: Uuid) -> Option<String> {
        self.of(field).find(|(known, _)| *known == id).map(|(_, name)| name.to_owned())
    }

    fn all(&self, field: Field) -> Vec<String> {
        self.of(field).map(|(_, name)| name.to_owned()).collect()
    }

    fn knows(&self, field: Field) -> bool {
        matches!(field, Field::Collection | Field::Site)
    }
}

/// A definition with what is wanted of it, checked against everything that is there. `id` is the collection's own.
pub(crate) fn changed(
    tx: &ReadTx<'_>,
    tree: &Tree,
    id: CollectionId,
    known: CollectionDefinition,
    wanted: &Wanted,
) -> Result<CollectionDefinition, AdminError> {
    let mut result = known;
    if let Some(text) = wanted.rule.as_deref() {
        (result.rule, result.named) = match text.trim() {
            "" => (None, BTreeSet::new()),
            text => {
                let (rule, named) = rule(&RuleNames::read(tx, tree)?, tree, text)?;
                (Some(rule), named)
            }
        };
    }
    if let Some(names) = &wanted.includes {
        result.includes = references(tree, "includes", names)?;
    }
    if let Some(names) = &wanted.excludes {
        result.excludes = references(tree, "excludes", names)?;
    }
    if let Some(name) = wanted.limiting.as_deref() {
        result.limiting = match name.trim() {
            "" => None,
            name => Some(named(tree, "limiting", name)?).filter(|id| *id != CollectionId::ALL_COMPUTERS),
        };
    }
    if result.excludes.contains(&CollectionId::ALL_COMPUTERS) {
        return Err(AdminError::invalid("excludes", "without All Computers nobody would be left"));
    }
    if let Some(both) = result.includes.intersection(&result.excludes).next() {
        let name = tree.name(*both);
        return Err(AdminError::invalid("excludes", format!("{name:?} is included and excluded")));
    }
    let compiled = Compiled::read(tx)?.with(definition(id, &result));
    if let Some(circle) = compiled.plan().circle() {
        let name = |of: CollectionId| match tree.rows.iter().find(|row| row.id == of) {
            Some(row) => row.name.clone(),
            None => "it".to_owned(),
        };
        return Err(AdminError::Conflict {
            code: "circle",
            detail: format!("collections would depend on each other in a circle: {}", circle.describe(name)),
            next_step: Some("leave one of these out".to_owned()),
        });
    }
    Ok(result)
}

/// A rule as it is kept, and the collections that it names.
fn rule(names: &RuleNames<'_>, tree: &Tree, text: &str) -> Result<(String, BTreeSet<CollectionId>), AdminError> {
    let wrong = |detail: String| AdminError::Invalid {
        code: "rule",
        detail,
        next_step: Some("write terms such as: os ~ \"server 2019\" and ip in 10.0.0.0/8".to_owned()),
    };
    let expression = ComputerExpression::parse(text).map_err(|error| wrong(format!("the rule is {error}")))?;
    let resolved = expression.resolve(names).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        wrong(format!("in the rule: {}", errors.join("; ")))
    })?;
    let named = named_in(&resolved.expression).map_err(|error| wrong(error.to_string()))?;
    if let Some(unknown) = named.iter().find(|id| !tree.rows.iter().any(|row| row.id == **id)) {
        return Err(wrong(format!("in the rule: there is no collection {unknown}")));
    }
    Ok((resolved.expression.to_string(), named))
}

/// An expression that lists are narrowed by, with ids in the place of names. Collections that the tree does not show cannot be named, and
/// neither can other sites by who is limited.
pub(crate) fn filter(tx: &ReadTx<'_>, tree: &Tree, text: &str) -> Result<ComputerExpression, AdminError> {
    let wrong = |detail: String| AdminError::Invalid {
        code: "filter",
        detail,
        next_step: Some("write terms such as: os ~ \"server 2019\" and last_contact < 7 days".to_owned()),
    };
    let expression = ComputerExpression::parse(text).map_err(|error| wrong(format!("the filter is {error}")))?;
    let mut names = RuleNames::read(tx, tree)?;
    if tree.is_limited() {
        names.sites.retain(|(_, name)| name.to_lowercase() == THIS);
    }
    let resolved = expression.resolve(&names).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        wrong(format!("in the filter: {}", errors.join("; ")))
    })?;
    let named = named_in(&resolved.expression).map_err(|error| wrong(error.to_string()))?;
    let is_known = |id: CollectionId| tree.may_name(id) && tree.rows.iter().any(|row| row.id == id);
    if let Some(unknown) = named.iter().find(|id| !is_known(**id)) {
        return Err(wrong(format!("in the filter: there is no collection {unknown}")));
    }
    Ok(resolved.expression)
}

fn named(tree: &Tree, field: &'static str, name: &str) -> Result<CollectionId, AdminError> {
    let found = tree.find(name).map_err(|_| AdminError::Invalid {
        code: field,
        detail: format!("{field}: there is no collection {name:?}"),
        next_step: Some("see what there is: weir collections list".to_owned()),
    })?;
    Ok(found.id)
}

fn references(tree: &Tree, field: &'static str, names: &[String]) -> Result<BTreeSet<CollectionId>, AdminError> {
    if names.len() > MOST_REFERENCES {
        return Err(AdminError::invalid(field, format!("{field} names more than {MOST_REFERENCES} collections")));
    }
    let mut ids = BTreeSet::new();
    for name in names {
        if !ids.insert(named(tree, field, name)?) {
            return Err(AdminError::invalid(field, format!("{field} names {:?} twice", name.trim())));
        }
    }
    Ok(ids)
}

/// Collections by name, those aside that may not be named to the principal of the tree.
pub(crate) fn shown(tree: &Tree, ids: &BTreeSet<CollectionId>) -> Vec<Reference> {
    let named = ids.iter().filter(|id| tree.may_name(**id));
    let mut shown: Vec<Reference> = named.map(|id| tree.reference(*id)).collect();
    shown.sort_by_key(|reference| reference.name.to_lowercase());
    shown
}

/// A zone as an administrator gives it: nothing takes it away, and names are kept as the data base of zones writes them.
pub(crate) fn checked_zone(zone: &str) -> Result<Option<String>, AdminError> {
    let zone = zone.trim();
    if zone.is_empty() {
        return Ok(None);
    }
    let known = zone.parse::<Zone>().ok().map(|zone| zone.name().to_owned());
    known.map(Some).ok_or_else(|| AdminError::Invalid {
        code: "time_zone",
        detail: format!("{zone:?} is no time zone"),
        next_step: Some("give a name of the IANA data base, such as Europe/Amsterdam or America/New_York".to_owned()),
    })
}

/// A description as an administrator gives it; nothing takes it away.
pub(crate) fn checked_description(text: &str) -> Result<Option<String>, AdminError> {
    let text = text.trim();
    let unfit = |c: char| c.is_control() && c != '\n';
    if text.chars().count() > LONGEST_DESCRIPTION || text.contains(unfit) {
        return Err(AdminError::invalid(
            "description",
            format!("a description has at most {LONGEST_DESCRIPTION} characters, and none that cannot be printed"),
        ));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
