//! What a plan is made of, and its reasons in words.

use weir_model::{
    cleanup::{Input, Kept, Rules, Wait, Why},
    ids::{ChangeNumber, UpdateId},
};
use weir_store::{ReadTx, StoreError};

use crate::{
    admin::setting::{self, Current},
    sites,
};

/// The classification of feature updates: Upgrades.
const UPGRADES: UpdateId = UpdateId(uuid::uuid!("3689bdc8-b205-4af4-8d4a-a63924c5e9d5"));

/// Everything that a plan depends on, and the change that it is of.
pub(crate) fn load(tx: &ReadTx<'_>) -> Result<(Input, ChangeNumber), StoreError> {
    let mut input = tx.cleanup_input(&[UPGRADES])?;
    input.follows = sites::is_replica(tx)?;
    for (_, body) in tx.held_list()? {
        // deployments of the parent that wait: their update stays until it is decided
        let update = body.get("update").and_then(|id| id.as_str()?.parse::<UpdateId>().ok());
        let number = match update {
            Some(update) => tx.update_no(update)?,
            None => None,
        };
        let revision = body.get("revision").and_then(serde_json::Value::as_u64).and_then(|it| u32::try_from(it).ok());
        input.expected.extend(number.zip(revision.map(weir_model::ids::RevisionNumber)));
    }
    Ok((input, tx.catalogue_version()?))
}

/// The rules as the settings say.
pub(crate) fn rules(current: &Current) -> Rules {
    let wait = |key: &str| current.text(key).parse().unwrap_or(Wait::Off);
    let days = |key: &str| u32::try_from(current.number(key)).unwrap_or(u32::MAX);
    Rules {
        features: wait(setting::CLEANUP_FEATURES),
        others: wait(setting::CLEANUP_SUPERSEDED),
        keep_until_deployed: current.flag(setting::CLEANUP_KEEP_UNTIL_DEPLOYED),
        keep_narrower: current.flag(setting::CLEANUP_KEEP_NARROWER),
        expired_days: days(setting::CLEANUP_EXPIRED_DAYS),
        declined_days: days(setting::CLEANUP_DECLINED_DAYS),
        obsolete_days: days(setting::CLEANUP_OBSOLETE_DAYS),
    }
}

/// A reason in words.
pub(crate) mod reason {
    use jiff::Timestamp;

    use super::{Kept, Why};

    fn day(at: Timestamp) -> String {
        at.strftime("%Y-%m-%d").to_string()
    }

    /// Why an update is declined.
    pub(crate) fn decline(since: Timestamp, feature: bool) -> String {
        let what = if feature { "a feature update" } else { "an update" };
        format!("superseded by {what} of {}", day(since))
    }

    /// Why a revision is removed.
    pub(crate) fn remove(why: Why) -> String {
        match why {
            Why::Declined(at) => format!("declined on {}", day(at)),
            Why::Expired(at) => format!("withdrawn by its publisher, which came on {}", day(at)),
            Why::Obsolete(at) => format!("a newer revision came on {}", day(at)),
            Why::Orphan => "the bundles that it was a member of are gone".to_owned(),
        }
    }

    /// Why something stays, and the update that this speaks of. `named` names a collection or a product.
    pub(crate) fn keep(why: &Kept, named: &str) -> (String, Option<u32>) {
        let more = |count: u64| if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        match why {
            Kept::Until(by, at) => (format!("superseded; declined on {} at the earliest", day(*at)), Some(*by)),
            Kept::NotDeployed(count, _) => {
                (format!("it is deployed to {named}{}, and what replaces it is not", more(*count)), None)
            }
            Kept::Narrower(count, _) => {
                (format!("it is made for {named}{}, and what replaces it is not", more(*count)), None)
            }
            Kept::Pinned(number) => (format!("a deployment names its revision {number}"), None),
            Kept::Protected => ("a decline of it was taken back, or it was fetched by name".to_owned(), None),
            Kept::Circle(other) => ("it and another update replace each other".to_owned(), Some(*other)),
            Kept::NeededBy(other) => ("another update needs it".to_owned(), Some(*other)),
            Kept::Deployed => ("it is deployed: it is removed when it no longer is".to_owned(), None),
            Kept::Grouped => ("it is in an update group: it is removed when it no longer is".to_owned(), None),
            Kept::Expected => ("something on its way into the catalogue needs it".to_owned(), None),
            Kept::Reason(other) => {
                ("it is the reason why another update is declined or to be".to_owned(), Some(*other))
            }
        }
    }
}
