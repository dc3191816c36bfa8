//! A connection that may be used on any thread.

use std::{error::Error, fmt::Write as _, panic, thread, time::Duration};

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{
    Client, Config, NoTls,
    types::{FromSql, Type},
};

use super::schema;

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a database.
pub(crate) struct Link {
    client: Client,
    // none while it is dropped
    runtime: Option<Runtime>,
}

/// Names of columns, and rows with every value in words.
pub(crate) type Found = (Vec<String>, Vec<Vec<String>>);

impl Link {
    pub(crate) fn open(url: &str) -> Result<Self> {
        apart(|| -> Result<Self> {
            let mut config: Config = url.parse()?;
            config.connect_timeout(PATIENCE).application_name("weir-testkit");
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (client, connection) = runtime.block_on(config.connect(NoTls))?;
            runtime.spawn(async move {
                // whoever asks something is told
                let _ = connection.await;
            });
            Ok(Self { client, runtime: Some(runtime) })
        })
    }

    /// Runs statements.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        apart(|| -> Result<()> { Ok(self.runtime().block_on(self.client.batch_execute(sql))?) })
    }

    /// Runs one statement; gives how many rows it changed.
    pub(crate) fn execute(&self, sql: &str) -> Result<u64> {
        apart(|| -> Result<u64> { Ok(self.runtime().block_on(self.client.execute(sql, &[]))?) })
    }

    /// Asks one question.
    pub(crate) fn query(&self, sql: &str) -> Result<Found> {
        apart(|| -> Result<Found> {
            self.runtime().block_on(async {
                let statement = self.client.prepare(sql).await?;
                let columns: Vec<String> = statement.columns().iter().map(|column| column.name().to_owned()).collect();
                let mut rows = Vec::new();
                for row in self.client.query(&statement, &[]).await? {
                    let values = (0..row.len()).map(|at| row.try_get::<_, Shown>(at).map(|shown| shown.0));
                    rows.push(values.collect::<Result<Vec<_>, _>>()?);
                }
                anyhow::Ok((columns, rows))
            })
        })
    }

    /// Brings the schema up to date, as the server does.
    pub(crate) fn migrate(&mut self) -> Result<()> {
        let Self { client, runtime } = self;
        let runtime = runtime.as_ref().expect("it is not dropped");
        apart(|| -> Result<()> {
            let runner = schema::migrations::runner().set_abort_missing(false).set_grouped(true);
            runtime.block_on(runner.run_async(client))?;
            Ok(())
        })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is not dropped")
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // waiting is not allowed on the threads of a runtime
            runtime.shutdown_background();
        }
    }
}

/// Runs work on a thread of its own: the caller's may be one of a runtime, which nothing may block on.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panicked) => panic::resume_unwind(panicked),
    })
}

/// A value in words, the same as of the other engine.
struct Shown(String);

impl<'a> FromSql<'a> for Shown {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let text = match *kind {
            Type::BOOL => i64::from(bool::from_sql(kind, raw)?).to_string(),
            Type::INT2 => i16::from_sql(kind, raw)?.to_string(),
            Type::INT4 => i32::from_sql(kind, raw)?.to_string(),
            Type::INT8 => i64::from_sql(kind, raw)?.to_string(),
            Type::FLOAT8 => f64::from_sql(kind, raw)?.to_string(),
            Type::BYTEA => hexadecimal(raw),
            Type::TEXT | Type::VARCHAR | Type::NAME => String::from_utf8(raw.to_vec())?,
            _ => return Err(format!("cast a value of type {kind} to BIGINT or TEXT").into()),
        };
        Ok(Self(text))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self("NULL".to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Bytes as digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes it");
        text
    })
}
