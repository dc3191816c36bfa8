//! Questions about single revisions and updates.

use super::{
    Agenda, Entry, Explanation, Lack, Offer, Scope, Snapshot, Standing, WireAction, compile::Revision,
    graph::is_deliverable,
};
use crate::{
    ids::{ChangeNumber, CollectionId, RevisionId, UpdateId, UpdateIdentity},
    targeting::Ruling,
    update::UpdateType,
};

impl Snapshot {
    /// The identity of a present revision.
    pub fn identity(&self, revision: RevisionId) -> Option<UpdateIdentity> {
        let revision = self.revisions.get(self.dense(revision)? as usize)?;
        self.identity_of(revision)
    }

    fn identity_of(&self, revision: &Revision) -> Option<UpdateIdentity> {
        let update_id = self.updates.get(revision.update as usize)?.id;
        Some(UpdateIdentity { update_id, revision: revision.number })
    }

    /// The type of a present revision.
    pub fn update_type(&self, revision: RevisionId) -> Option<UpdateType> {
        Some(self.revisions.get(self.dense(revision)? as usize)?.update_type)
    }

    /// The id of a present revision.
    pub fn revision(&self, identity: UpdateIdentity) -> Option<RevisionId> {
        let dense = self.dense_of(identity)?;
        Some(self.revisions.get(dense as usize)?.id)
    }

    fn dense_of(&self, identity: UpdateIdentity) -> Option<u32> {
        let all = self.revisions_of.row(*self.index.get(&identity.update_id)?);
        let number = |dense: &u32| self.revisions.get(*dense as usize).map(|it| it.number);
        let found = all.binary_search_by_key(&Some(identity.revision), number).ok()?;
        all.get(found).copied()
    }

    /// The newest present revision of an update, whatever its state.
    pub fn newest(&self, update: UpdateId) -> Option<RevisionId> {
        let update = self.updates.get(*self.index.get(&update)? as usize)?;
        Some(self.revisions.get(update.newest as usize)?.id)
    }

    /// The live revision of an update, resolved or not: the newest, if it is neither declined nor expired.
    pub fn live(&self, update: UpdateId) -> Option<RevisionId> {
        let number = *self.index.get(&update)?;
        if self.is_alive(number) { self.newest(update) } else { None }
    }

    /// Every present revision that is unresolved, by id, with what it lacks.
    pub fn unresolved(&self) -> Vec<(RevisionId, Vec<Lack>)> {
        let id = |dense: u32| self.revisions.get(dense as usize).map(|it| it.id);
        self.lacks.iter().filter_map(|(dense, lacks)| Some((id(*dense)?, lacks.clone()))).collect()
    }

    /// How many they are.
    pub fn unresolved_len(&self) -> usize {
        self.lacks.len()
    }

    /// What a revision lacks; nothing if it is resolved, or not present.
    pub fn lacks(&self, revision: RevisionId) -> &[Lack] {
        let id = |(place, _): &(u32, Vec<Lack>)| self.revisions.get(*place as usize).map(|it| it.id);
        let found = self.lacks.binary_search_by_key(&Some(revision), id).ok();
        found.and_then(|at| self.lacks.get(at)).map_or(&[], |(_, lacks)| lacks.as_slice())
    }

    /// Whether the scope holds this very revision, software or driver.
    pub fn in_scope(&self, scope: &Scope, revision: RevisionId) -> bool {
        self.dense(revision).is_some_and(|dense| scope.contains(dense))
    }

    /// When this update last came into the scope: a report that follows an older anchor says nothing about it. None if it is
    /// not in the scope. In scopes of deployed updates only, and for pinned revisions, any change of the deployment counts.
    pub fn entered(&self, scope: &Scope, update: UpdateId) -> Option<ChangeNumber> {
        Some(self.entered_at(scope, self.in_scope_revision(scope, *self.index.get(&update)?)?))
    }

    /// The one revision of an update that the scope holds.
    fn in_scope_revision(&self, scope: &Scope, update: u32) -> Option<u32> {
        self.revisions_of.row(update).iter().copied().find(|dense| scope.contains(*dense))
    }

    /// Everything in the scope: non-leaf before leaf, then by revision id.
    pub fn offers(&self, scope: &Scope) -> Vec<Offer> {
        let offer = |(revision, dense): (&Revision, u32)| {
            let action = self.wire_action(scope, dense)?;
            let counts = !matches!(action, WireAction::Bundle | WireAction::Evaluate);
            Some(Offer {
                id: revision.id,
                identity: self.identity_of(revision)?,
                update_type: revision.update_type,
                action,
                explicitly_deployable: revision.flags.explicitly_deployable,
                entered: self.entered_at(scope, dense),
                reportable: revision.flags.is_leaf && counts && is_deliverable(revision.update_type),
            })
        };
        self.revisions.iter().zip(0..).filter(|(_, dense)| scope.contains(*dense)).filter_map(offer).collect()
    }

    /// Whether computers in these collections report on the same updates, and have since the same changes, as all others for which
    /// this holds. Most do: deployments change what is done with an update, not whether it is reported on.
    pub fn reports_as_all(&self, groups: &[CollectionId]) -> bool {
        self.deployed.reports_as_all(groups)
    }

    /// RefreshCache (MS-WUSP 3.1.5.8): the entries of those revisions which the scope holds, in the order asked, each once,
    /// Bundle ones left out as WSUS does.
    pub fn refresh(
        &self,
        scope: &Scope,
        agenda: Option<&Agenda>,
        ids: &[UpdateIdentity],
    ) -> Vec<(UpdateIdentity, Entry)> {
        let mut seen = super::sets::Bits::new(self.revisions.len());
        let entry = |identity: &UpdateIdentity| {
            let dense = self.dense_of(*identity).filter(|dense| scope.contains(*dense))?;
            let entry = self.entry(scope, agenda, dense).filter(|it| it.deployment.action != WireAction::Bundle)?;
            seen.insert(dense).then_some((*identity, entry))
        };
        ids.iter().filter_map(entry).collect()
    }

    /// The branches of computers in these collections ([`crate::targeting::Tree::branches`]).
    pub fn branches(&self, groups: &[CollectionId]) -> Vec<Vec<CollectionId>> {
        self.deployed.tree.branches(groups)
    }

    /// Why computers in these collections get this update as they do. Compiles their scope; not for the request path.
    pub fn effective(&self, groups: &[CollectionId], update: UpdateId) -> Explanation {
        let branches = self.deployed.tree.branches(groups);
        let number = self.index.get(&update).copied();
        let deployments = number.map(|it| self.deployed.of_update(it, &branches)).unwrap_or_default();
        let ruling = Ruling::new(branches, &deployments);
        let standing = number.map_or(Standing::Unknown, |it| self.standing(&self.compile_scope(groups), it));
        Explanation { update_id: update, standing, ruling }
    }

    fn standing(&self, scope: &Scope, update: u32) -> Standing {
        if let Some(dense) = self.in_scope_revision(scope, update)
            && let (Some(revision), Some(action)) = (self.revisions.get(dense as usize), self.wire_action(scope, dense))
        {
            return Standing::Sent { revision: revision.number, action, deployed: self.deployed_action(scope, dense) };
        }
        let newest = self.updates.get(update as usize).and_then(|it| self.revisions.get(it.newest as usize));
        match newest.map(|it| it.flags) {
            None => Standing::Unknown,
            Some(flags) if flags.declined => Standing::Declined,
            Some(flags) if flags.expired => Standing::Expired,
            Some(flags) if flags.unresolved => Standing::Unresolved,
            Some(_) => Standing::NotDeployed,
        }
    }
}
