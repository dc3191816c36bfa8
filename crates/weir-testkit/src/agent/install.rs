//! Downloading and installing what is offered, with the events that an agent sends.

use anyhow::{Context as _, Result};
use weir_model::ids::UpdateIdentity;
use weir_wire::wusp::{Action, ReportingEvent};

use super::{Condition, ScriptedAgent, download, report::upper};

/// How installing an update goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Installation {
    /// Well.
    Succeeds,
    /// Well, with a restart to come.
    NeedsRestart,
    /// With this error.
    Fails(i32),
}

/// The result code of an installation that waits for a restart.
const PENDING: i32 = 0x0024_0005;

impl ScriptedAgent {
    /// Downloads (with the members of bundles), installs or removes everything offered, and reports it as an agent does.
    /// Gives what it worked on.
    ///
    /// # Errors
    ///
    /// A call, a download or a report failed; what installing does is the script's ([`super::Computer::outcomes`]).
    pub async fn install_offered(&mut self) -> Result<Vec<UpdateIdentity>> {
        let offered = self.offered();
        for identity in &offered {
            let id = self.revision_id(*identity).context("offered, but not cached")?;
            let action = self.state.cache.get(&id).context("offered, but not cached")?.action;
            let events = if action == Action::Uninstall {
                self.computer.installed.remove(&identity.update_id);
                vec![
                    self.event(226, Some(*identity), 0, Vec::new(), Vec::new()),
                    self.event(222, Some(*identity), 0, Vec::new(), Vec::new()),
                ]
            } else {
                self.install(*identity, id).await?
            };
            self.report(events).await?;
        }
        Ok(offered)
    }

    async fn install(&mut self, identity: UpdateIdentity, id: i32) -> Result<Vec<ReportingEvent>> {
        let mut revisions = Vec::new();
        self.closure(id, &mut revisions)?;
        let info = self.extended_info(&revisions).await?;
        for file in info.files.values().flatten() {
            download(file).await?;
        }
        let update = Some(identity);
        let title = vec![format!("Update {}", identity.update_id)];
        let bundle = if revisions.len() > 1 { vec!["Q=2".to_owned()] } else { Vec::new() };
        let plain =
            |agent: &Self, event_id, result| agent.event(event_id, update, result, title.clone(), bundle.clone());
        let mut events = vec![plain(self, 167, 0), plain(self, 162, 0), plain(self, 181, 0)];
        let outcome = self.computer.outcomes.get(&identity.update_id).copied().unwrap_or(Installation::Succeeds);
        match outcome {
            Installation::Succeeds => {
                events.push(plain(self, 183, 0));
                self.state.conditions.remove(&identity.update_id);
                self.computer.installed.insert(identity.update_id);
            }
            Installation::NeedsRestart => {
                events.push(plain(self, 201, PENDING));
                self.state.conditions.insert(identity.update_id, Condition::PendingRestart);
                self.computer.installed.insert(identity.update_id);
            }
            Installation::Fails(code) => {
                let strings = vec![format!("0x{code:08x}"), format!("Update {}", identity.update_id)];
                // the failing member first, then its bundle
                if let Some(member) =
                    revisions.last().filter(|last| **last != id).and_then(|last| self.state.cache.get(last))
                {
                    let top = format!("M={};{}", upper(identity.update_id), identity.revision);
                    let misc = vec!["Q=1".to_owned(), top];
                    events.push(self.event(182, Some(member.identity), code, strings.clone(), misc));
                }
                events.push(self.event(182, update, code, strings, bundle.clone()));
                self.state.conditions.insert(identity.update_id, Condition::Failed);
            }
        }
        Ok(events)
    }

    /// The revision and, for a bundle, the first applicable alternative of each clause, and so on.
    fn closure(&self, id: i32, revisions: &mut Vec<i32>) -> Result<()> {
        if revisions.contains(&id) {
            return Ok(());
        }
        revisions.push(id);
        let cached = self.state.cache.get(&id).with_context(|| format!("{id} is not cached"))?;
        for clause in &cached.bundled {
            let member = clause
                .iter()
                .filter(|member| !self.computer.not_applicable.contains(&member.update_id))
                .find_map(|member| self.revision_id(*member));
            let member = member.with_context(|| format!("no member of {} was sent", cached.identity))?;
            self.closure(member, revisions)?;
        }
        Ok(())
    }
}
