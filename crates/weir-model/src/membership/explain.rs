//! Why a computer is in a collection, or is not.

use super::{Assigned, Inside, Judge, Node, Place, Plan, Source};
use crate::ids::CollectionId;

/// What decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is a member.
    Member,
    /// Nothing puts it there.
    NotNamed,
    /// An excluded collection holds it.
    Excluded,
    /// The limiting collection does not hold it.
    OutsideLimit,
    /// The collection depends on itself, so that nobody is a member.
    Circle,
}

/// Everything that counts for one computer and one collection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The collection.
    pub collection: CollectionId,
    /// What decided.
    pub verdict: Verdict,
    /// An administrator put it there.
    pub direct: bool,
    /// Whether the rule holds it; none without a rule.
    pub rule: Option<bool>,
    /// Included collections, and whether each holds it.
    pub includes: Vec<(CollectionId, bool)>,
    /// Excluded collections, and whether each holds it.
    pub excludes: Vec<(CollectionId, bool)>,
    /// The limiting collection, and whether it holds it.
    pub limiting: Option<(CollectionId, bool)>,
}

impl<R> Plan<R> {
    /// Why a computer is in a collection by rule, or is not; none if this plan does not decide about that collection.
    /// `collections` of the definition are needed as given, since those that are not there have no place here.
    pub fn explain(
        &self,
        definition: &super::Definition<R>,
        assigned: &Assigned,
        judge: &impl Judge<R>,
    ) -> Option<Explanation> {
        let id = definition.id;
        let node = self.nodes.iter().find(|node| node.id == id)?;
        let inside = self.walk(assigned, judge, |_, _| ());
        let sources = node.sources(assigned, judge, &inside);
        let holds = |ids: &[CollectionId]| ids.iter().map(|id| (*id, inside.collection(*id))).collect::<Vec<_>>();
        let limiting = definition.limiting.map(|id| (id, inside.collection(id)));
        Some(Explanation {
            collection: id,
            verdict: verdict(node, &sources, &inside),
            direct: assigned.direct.contains(&id),
            rule: node.rule.as_ref().map(|_| sources.contains(&Source::Rule)),
            includes: holds(&definition.includes),
            excludes: holds(&definition.excludes),
            limiting,
        })
    }
}

fn verdict<R>(node: &Node<R>, sources: &[Source], inside: &Inside<'_, R>) -> Verdict {
    if node.broken {
        Verdict::Circle
    } else if sources.is_empty() {
        Verdict::NotNamed
    } else if node.excludes.iter().any(|place| inside.place(*place)) {
        Verdict::Excluded
    } else if node.limiting != Place::Everyone && !inside.place(node.limiting) {
        Verdict::OutsideLimit
    } else {
        Verdict::Member
    }
}

impl Explanation {
    /// In words, one sentence a line; `name` gives the name of a collection, `rule` the rule's text.
    pub fn describe(&self, name: impl Fn(CollectionId) -> String, rule: &str) -> String {
        let quoted = |id: CollectionId| format!("{:?}", name(id));
        let mut lines = Vec::new();
        if self.direct {
            lines.push("An administrator put it there.".to_owned());
        }
        match self.rule {
            Some(true) => lines.push(format!("The rule holds: {rule}")),
            Some(false) => lines.push(format!("The rule does not hold: {rule}")),
            None => {}
        }
        for (id, holds) in &self.includes {
            let not = if *holds { "in" } else { "not in" };
            lines.push(format!("It is {not} {}, which is included.", quoted(*id)));
        }
        for (id, holds) in &self.excludes {
            let not = if *holds { "in" } else { "not in" };
            lines.push(format!("It is {not} {}, which is excluded.", quoted(*id)));
        }
        if let Some((id, holds)) = self.limiting {
            let not = if holds { "in" } else { "not in" };
            lines.push(format!("It is {not} {}, which limits the collection.", quoted(id)));
        }
        let this = quoted(self.collection);
        lines.push(match self.verdict {
            Verdict::Member => format!("So it is in {this}."),
            Verdict::NotNamed => format!("So nothing puts it into {this}."),
            Verdict::Excluded => format!("So it is not in {this}: an exclude wins over everything else."),
            Verdict::OutsideLimit => format!("So it is not in {this}: only members of the limiting collection are."),
            Verdict::Circle => format!("{this} depends on itself: nobody is in it."),
        });
        lines.join("\n")
    }
}
