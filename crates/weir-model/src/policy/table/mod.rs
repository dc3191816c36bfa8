//! Every value of the policy (features, section 26).

mod access;
mod automatic;
mod deferral;
mod delivery;
mod server;

use super::known::{Branch, Csp, CspFormat, Evidence, Known, Shape};

pub(super) fn all() -> impl Iterator<Item = &'static Known> {
    [server::TABLE, automatic::TABLE, access::TABLE, deferral::TABLE, delivery::TABLE].into_iter().flatten()
}

/// A documented value without a form in Intune and without notes.
const fn value(branch: Branch, name: &'static str, shape: Shape, policy: &'static str, meaning: &'static str) -> Known {
    Known {
        branch,
        name,
        shape,
        policy,
        meaning,
        windows: "",
        csp: Csp::None("the Policy CSP has no setting for it"),
        evidence: Evidence::Documented,
    }
}

impl Known {
    /// Its setting in the Policy CSP, with the number of the registry.
    const fn csp(self, setting: &'static str) -> Self {
        let format = match self.shape {
            Shape::Choice(_) | Shape::Flag | Shape::Number(..) => CspFormat::Number,
            Shape::Date | Shape::Text(_) | Shape::Url => CspFormat::Text,
        };
        Self { csp: Csp::Setting(setting, format), ..self }
    }

    /// Its setting in the Policy CSP, with other numbers.
    const fn mapped(self, setting: &'static str, numbers: &'static [(u32, u32)]) -> Self {
        Self { csp: Csp::Setting(setting, CspFormat::Mapped(numbers)), ..self }
    }

    /// Why it has no setting in the Policy CSP.
    const fn no_csp(self, why: &'static str) -> Self {
        Self { csp: Csp::None(why), ..self }
    }

    const fn windows(self, note: &'static str) -> Self {
        Self { windows: note, ..self }
    }

    const fn reported(self) -> Self {
        Self { evidence: Evidence::Reported, ..self }
    }
}
