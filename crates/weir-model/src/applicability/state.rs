//! The state of an update on a computer.

use super::{Bounds, Context, Facts, Gap, GapKind, Truth, evaluate, truth::Gaps};
use crate::{
    document::{
        ApplicabilityRules, CoreFragment, UpdateDocument,
        rules::{Expr, Rule},
    },
    ids::UpdateIdentity,
    update::{BundleClause, Relationships},
};

/// What an update is to a computer (MS-WUSP 3.1.5, ApplicabilityState: needed, installed, or not applicable).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// It is installed.
    Installed,
    /// It is not for this computer, or something newer is there.
    NotApplicable,
    /// It is for this computer and not installed.
    Required,
    /// It is not known, for these reasons.
    Unknown(Gaps),
}

impl State {
    /// Why it is not known; empty if it is.
    pub fn gaps(&self) -> &[Gap] {
        match self {
            Self::Unknown(gaps) => gaps.kept(),
            _ => &[],
        }
    }
}

/// What decides about an update: its rules, what they refer to, and its members if it is a bundle.
#[derive(Clone, Copy, Debug)]
pub struct Applicability<'a> {
    rules: &'a ApplicabilityRules,
    relationships: &'a Relationships,
    context: Context<'a>,
}

impl<'a> From<&'a UpdateDocument> for Applicability<'a> {
    fn from(document: &'a UpdateDocument) -> Self {
        Self { rules: &document.rules, relationships: &document.relationships, context: document.into() }
    }
}

impl<'a> From<&'a CoreFragment> for Applicability<'a> {
    fn from(core: &'a CoreFragment) -> Self {
        Self { rules: &core.rules, relationships: &core.relationships, context: core.into() }
    }
}

impl<'a> Applicability<'a> {
    /// What the rules refer to.
    pub fn context(&self) -> &Context<'a> {
        &self.context
    }

    /// Whether it is a bundle.
    pub fn is_bundle(&self) -> bool {
        !self.relationships.bundled.is_empty()
    }

    /// `IsInstalled`: this very update is installed. An absent rule, or one without an expression, is false
    /// (SoftwareDistributionPackage.xsd, ApplicabilityRules).
    pub fn is_installed(&self, facts: &dyn Facts, bounds: &Bounds) -> Truth {
        self.rule(self.rules.is_installed.as_ref(), facts, bounds)
    }

    /// `IsInstallable`: the update is relevant to the computer. Absent means false.
    pub fn is_installable(&self, facts: &dyn Facts, bounds: &Bounds) -> Truth {
        self.rule(self.rules.is_installable.as_ref(), facts, bounds)
    }

    /// `IsSuperseded`: something that replaces it is installed. Absent means false.
    pub fn is_superseded(&self, facts: &dyn Facts, bounds: &Bounds) -> Truth {
        self.rule(self.rules.is_superseded.as_ref(), facts, bounds)
    }

    /// The state of the update. `members` tells those of the members of a bundle, none for one that the computer was not
    /// sent: its prerequisites are not met, so it is not for this computer (MS-WUSP 3.1.5.7).
    ///
    /// An update is required if it is not installed, not superseded, and installable (SoftwareDistributionPackage.xsd,
    /// IsInstallable).
    ///
    /// A bundle has its members instead of rules. They are in conjunctive normal form (MS-WUSP 3.1.1, bundle table): of
    /// each clause one member suffices. So a bundle is installed if every clause has an installed member; it is not
    /// applicable if some clause has neither an installed nor a required one. Rules that a bundle has beside its members
    /// restrict it; absent ones do not [our reading: recorded bundles have none].
    pub fn state(
        &self,
        facts: &dyn Facts,
        bounds: &Bounds,
        members: &dyn Fn(UpdateIdentity) -> Option<State>,
    ) -> State {
        let installed = self.is_installed(facts, bounds);
        if installed.is_true() {
            return State::Installed;
        }
        if !self.is_bundle() {
            let offered = !self.is_superseded(facts, bounds);
            let offered = offered.and(self.is_installable(facts, bounds));
            return match (installed, offered) {
                (Truth::Unknown(gaps), _) | (_, Truth::Unknown(gaps)) => State::Unknown(gaps),
                (_, Truth::True) => State::Required,
                (_, Truth::False) => State::NotApplicable,
            };
        }
        let restricted = |rule: &Option<Rule>, answer: Truth| if rule.is_some() { answer } else { Truth::True };
        let offered = restricted(&self.rules.is_installable, self.is_installable(facts, bounds))
            .and(!self.is_superseded(facts, bounds));
        let bundled = bundle(&self.relationships.bundled, members, bounds);
        match (bundled, offered, installed) {
            (State::NotApplicable, _, Truth::False) | (_, Truth::False, Truth::False) => State::NotApplicable,
            (_, _, Truth::Unknown(gaps)) | (_, Truth::Unknown(gaps), _) => State::Unknown(gaps),
            // Its own rule says that it is not installed.
            (State::Installed, ..) if self.rules.is_installed.is_some() => State::Required,
            (bundled, ..) => bundled,
        }
    }

    fn rule(&self, rule: Option<&Rule>, facts: &dyn Facts, bounds: &Bounds) -> Truth {
        match rule.map_or(&[] as &[Expr], |rule| &rule.roots) {
            [] => Truth::False,
            [expr] => evaluate(expr, facts, &self.context, bounds),
            _ => Truth::gap(Gap::new(GapKind::Misfit, "a rule of more than one expression")),
        }
    }
}

/// The state of a bundle by the states of its members.
fn bundle(clauses: &[BundleClause], members: &dyn Fn(UpdateIdentity) -> Option<State>, bounds: &Bounds) -> State {
    let mut all = State::Installed;
    for clause in clauses {
        let mut one = State::NotApplicable;
        for member in &clause.alternatives {
            one = match (one, members(*member).unwrap_or(State::NotApplicable)) {
                (State::Installed, _) | (_, State::Installed) => State::Installed,
                (State::Unknown(gaps), State::Unknown(more)) => State::Unknown(gaps.with(more, bounds.gaps)),
                // It may be installed, so whether the required one is needed is not known.
                (State::Unknown(gaps), _) | (_, State::Unknown(gaps)) => State::Unknown(gaps),
                (State::Required, _) | (_, State::Required) => State::Required,
                (State::NotApplicable, State::NotApplicable) => State::NotApplicable,
            };
        }
        all = match (all, one) {
            (State::NotApplicable, _) | (_, State::NotApplicable) => State::NotApplicable,
            (State::Unknown(gaps), State::Unknown(more)) => State::Unknown(gaps.with(more, bounds.gaps)),
            (State::Unknown(gaps), _) | (_, State::Unknown(gaps)) => State::Unknown(gaps),
            (State::Required, _) | (_, State::Required) => State::Required,
            (State::Installed, State::Installed) => State::Installed,
        };
    }
    all
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
