//! Has ready what screens of the console ask for, once somebody looks at it: every page asks for the status, and the first list or search
//! after a pause would wait for what is kept in memory while it is asked for. Of few computers it is read in no time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use weir_api::{deployment::DeploymentQuery, exposure::CollectionQuery, update_group::UpdateGroupQuery};
use weir_model::rights::Scope;

use super::{AdminError, App, computer_roster::Roster, content, deployment, exposure, group_list};

/// Of fewer computers than these nothing is prepared.
const MANY: usize = 10_000;
/// What computers are called is looked at this often, so that it is never too old to be searched.
const OFTEN: Duration = Duration::from_secs(20);
/// Everything else is asked for this often, well within the time that it is kept and followed for.
const SELDOM: Duration = Duration::from_mins(10);
/// Entries of the lists that are counted, as the console shows them.
const ROWS: u32 = 25;

/// When what was asked for last, and the turn to ask.
#[derive(Debug, Default)]
pub(super) struct Kept(Arc<tokio::sync::Mutex<Done>>);

#[derive(Debug, Default)]
struct Done {
    names: Option<Instant>,
    rest: Option<Instant>,
}

fn is_over(at: Option<Instant>, after: Duration) -> bool {
    at.is_none_or(|at| at.elapsed() >= after)
}

/// Asks for it on a task of its own, unless that was done lately or is done now.
pub(super) fn somebody_looks(app: &App) {
    if app.state.live.directory.len() < MANY {
        return;
    }
    let Ok(mut done) = Arc::clone(&app.shared().warm.0).try_lock_owned() else { return };
    let (names, all) = (is_over(done.names, OFTEN), is_over(done.rest, SELDOM));
    if !names && !all {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        if names {
            told(Roster::current(&app).await.map(drop));
            done.names = Some(Instant::now());
        }
        if all {
            told(rest(&app).await);
            done.rest = Some(Instant::now());
        }
    });
}

/// The first page of each list that counts computers for each of its rows, what exposure is known from, and what content would need.
async fn rest(app: &App) -> Result<(), AdminError> {
    let groups = UpdateGroupQuery { compliance: true, limit: Some(ROWS), ..UpdateGroupQuery::default() };
    group_list::list(app, Scope::Everything, groups).await?;
    let sort = Some("created:desc".to_owned());
    let deployments = DeploymentQuery { compliance: true, sort, limit: Some(ROWS), ..DeploymentQuery::default() };
    deployment::list(app, Scope::Everything, deployments).await?;
    exposure::summary(app, Scope::Everything, CollectionQuery::default()).await?;
    content::forecast(app).await?;
    Ok(())
}

fn told(done: Result<(), AdminError>) {
    if let Err(error) = done {
        // whoever asks for it is told
        tracing::debug!(error = super::chain(&error), "what the console asks for could not be prepared");
    }
}
