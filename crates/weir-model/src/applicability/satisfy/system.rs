//! Changes of the operating system's version: a feature update or a service pack.

use super::{Solver, values};
use crate::{
    applicability::{Change, Facts, Gap, evaluate::unsupported},
    document::rules::{Scalar, base::SystemVersion},
};

impl Solver<'_> {
    pub(super) fn windows(&self, stated: &SystemVersion, wanted: bool) -> Result<Vec<Change>, Gap> {
        let system = self.state.computer.system();
        let (major, minor, build) = system.version.unwrap_or((10, 0, 0));
        let (pack_major, pack_minor) = system.service_pack.unwrap_or((0, 0));
        let comparison = values::wanted(stated.comparison, wanted);
        // The sequence of numbers; only what is stated may change.
        let mut sequence = [
            (stated.major, u64::from(major)),
            (stated.minor, u64::from(minor)),
            (stated.service_pack_major.map(u32::from), u64::from(pack_major)),
            (stated.service_pack_minor.map(u32::from), u64::from(pack_minor)),
        ]
        .map(|(stated, found)| (stated.is_some(), stated.map_or(found, u64::from)));
        let last = sequence.iter().rposition(|(stated, _)| *stated);
        if let Some((_, number)) = last.and_then(|last| sequence.get_mut(last)) {
            *number = step(comparison, *number)?;
        }
        let build = match stated.build {
            Some(build) => step(comparison, build.into())?,
            None => build.into(),
        };
        let [major, minor, pack_major, pack_minor] = sequence.map(|(_, number)| number);
        let wide = |number: u64| u32::try_from(number).map_err(|_| unsupported("a version of Windows"));
        let narrow = |number: u64| u16::try_from(number).map_err(|_| unsupported("a service pack"));
        let mut changes = Vec::new();
        if stated.major.is_some() || stated.minor.is_some() || stated.build.is_some() {
            changes.push(Change::SetVersion((wide(major)?, wide(minor)?, wide(build)?)));
        }
        if stated.service_pack_major.is_some() || stated.service_pack_minor.is_some() {
            changes.push(Change::SetServicePack((narrow(pack_major)?, narrow(pack_minor)?)));
        }
        Ok(changes)
    }
}

fn step(comparison: Scalar, number: u64) -> Result<u64, Gap> {
    values::number(comparison, number, |it| it.checked_add(1), |it| it.checked_sub(1))
        .ok_or_else(|| unsupported("a comparison that no value satisfies"))
}
