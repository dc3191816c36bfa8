//! Hearing of changes that any front end made.

use std::{future::poll_fn, io, sync::Arc, time::Duration};

use tokio::{
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_postgres::{AsyncMessage, Client};

use super::link::{PATIENCE, Purpose, Target, Wire, settings};
use crate::{changes::Changes, error::EngineError};

/// Pause before a connection that was lost is made again.
const PAUSE: Duration = Duration::from_secs(1);

/// The connection that hears; dropping it closes that.
pub(super) struct Listener {
    task: JoinHandle<()>,
}

impl Listener {
    pub(super) fn start(target: &Arc<Target>, changes: &Arc<Changes>) -> Self {
        let task = listen(Arc::clone(target), Arc::clone(changes));
        Self { task: target.runtime().spawn(task) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(target: Arc<Target>, changes: Arc<Changes>) {
    loop {
        if let Err(error) = hear(&target, &changes).await {
            tracing::debug!(%error, "changes of other servers are not heard of");
        }
        // what was said meanwhile is lost: whoever waits looks for himself
        changes.happened();
        tokio::time::sleep(PAUSE).await;
    }
}

/// Hears until the connection ends.
async fn hear(target: &Target, changes: &Arc<Changes>) -> Result<(), EngineError> {
    // whoever takes the connection and then says nothing is not waited for
    let began = timeout(PATIENCE, begin(target, changes)).await;
    let (_client, mut hearing) = began.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))?;
    changes.happened();
    // it ends with the connection; a panic of it is an end as well
    let _ = hearing.join_next().await;
    Ok(())
}

/// Begins to hear; what hears ends when it is dropped.
async fn begin(target: &Target, changes: &Arc<Changes>) -> Result<(Client, JoinSet<()>), EngineError> {
    let (client, wire) = target.connect_bare().await?;
    let mut hearing = JoinSet::new();
    hearing.spawn(read(wire, Arc::clone(changes)));
    client.batch_execute(&settings(Purpose::Listening)).await?;
    client.batch_execute("LISTEN weir_change").await?;
    Ok((client, hearing))
}

async fn read(mut wire: Wire, changes: Arc<Changes>) {
    while let Some(Ok(message)) = poll_fn(|context| wire.poll_message(context)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            changes.happened();
        }
    }
}
