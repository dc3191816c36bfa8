//! Breaches of service levels, one by one, for the report of them.

use jiff::Timestamp;
use weir_api::exposure::ServiceLevel;
use weir_model::{exposure::Cve, ids::UpdateId, rights::Scope};

use super::{
    super::{AdminError, App, index::severity_word},
    cves::judge,
    judged::Judge,
};

/// A computer is exposed for longer than allowed.
pub(crate) struct Breach<'b> {
    /// To what.
    pub(crate) cve: &'b Cve,
    /// The update that it needs, if that is known.
    pub(crate) update: Option<UpdateId>,
    /// The service level: a severity, `unrated`, or `exploited`.
    pub(crate) level: &'static str,
    /// Since when.
    pub(crate) due: Timestamp,
}

/// All breaches of one moment.
pub(crate) struct Breaches(Judge);

impl Breaches {
    /// Those that there are now, of all computers: who may see which is said where they are handed out.
    pub(crate) async fn current(app: &App) -> Result<Self, AdminError> {
        let (judge, ..) = judge(app, Scope::Everything, None).await?;
        Ok(Self(judge))
    }

    /// Whether no document says what is affected: then there are none, and that means nothing.
    pub(crate) fn is_without_data(&self) -> bool {
        self.0.base.known.shapes.is_empty()
    }

    /// Hands every breach of the computers that are meant, by row number, to `each`, in no order. Exceptions are left out.
    pub(crate) fn each<'b>(&'b self, meant: &dyn Fn(u32) -> bool, each: &mut dyn FnMut(u32, &Breach<'b>)) {
        let Judge { base, population, .. } = &self.0;
        let mut members = vec![Vec::new(); population.classes.len()];
        for computer in population.computers.iter().filter(|computer| meant(computer.no)) {
            if let Some(members) = members.get_mut(computer.class as usize) {
                members.push(computer.no);
            }
        }
        for it in base.known.vulnerabilities.values() {
            let Some(row) = self.0.row(it) else { continue };
            let classes = row.iter().zip(&*population.classes).zip(&members);
            for ((cell, class), members) in classes.filter(|(_, members)| !members.is_empty()) {
                let Some((ServiceLevel::Breached, Some(clock))) = self.0.level(it, class, cell) else { continue };
                let breach = Breach {
                    cve: &it.cve,
                    update: cell.evidence.update.and_then(|update| base.id(update)),
                    level: match it.rating() {
                        _ if clock.exploited => "exploited",
                        Some(severity) => severity_word(severity),
                        None => "unrated",
                    },
                    due: clock.due,
                };
                for computer in members {
                    each(*computer, &breach);
                }
            }
        }
    }
}
