//! `weir serve`.

use std::{io::IsTerminal as _, path::PathBuf, time::Duration};

use anyhow::{Result, anyhow};
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};
use weir_server::{
    config::{Log, Options},
    start,
    telemetry::trace::{self, TraceLayer},
};

use crate::Outcome;

#[derive(Args, Debug)]
#[command(
    after_help = "Addresses are ADDRESS:PORT, a PORT alone or, but for administrators, off; port 0 takes a free one. The same \
                        settings can stand in weir.toml of the data folder and in WEIR_ variables; flags win.\n\n\
                        Examples:\n  weir serve\n  weir serve --data /var/lib/weir --client-https 443 --client-http 80\n  \
                        weir serve --admin 0.0.0.0:8540 --log-format json\n  \
                        weir serve --enrol CODE"
)]
pub(crate) struct ServeArguments {
    /// Where computers reach it without TLS [default: 0.0.0.0:8530].
    #[arg(long, value_name = "ADDRESS")]
    client_http: Option<String>,
    /// Where computers reach it with TLS [default: 0.0.0.0:8531].
    #[arg(long, value_name = "ADDRESS")]
    client_https: Option<String>,
    /// Where administrators reach it [default: 127.0.0.1:8540].
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// Where downstream servers reach it, with and without TLS; they do not reach it elsewhere then [default: where
    /// computers do].
    #[arg(long, value_name = "ADDRESS")]
    server: Option<String>,
    /// Answer downstream servers (WSUS and Weir). Without it that begins when the first site below gets a code.
    #[arg(long)]
    downstream: bool,
    /// Where updates come from, on the first start: microsoft, none or the URL of an upstream server. Later it is the
    /// setting "source".
    #[arg(long, value_name = "SOURCE")]
    upstream: Option<String>,
    /// The parent that the code of --enrol is of, as https://HOST:PORT; the code alone is enough.
    #[arg(long, value_name = "URL")]
    parent: Option<String>,
    /// Enrol below a parent with the code that `weir sites enrol NAME` printed there. Once it has worked it is ignored.
    #[arg(long, value_name = "CODE", conflicts_with = "upstream")]
    enrol: Option<String>,
    /// Enrol although deployments, collections and choices that were made here are lost.
    #[arg(long, requires = "enrol")]
    force: bool,
    /// Database of PostgreSQL, as postgres://USER@HOST/NAME, in place of the one in the data folder. Its password is better in
    /// database.password_file of the configuration file than here, where everybody on this machine sees it.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Folder of the files of updates, or an object store: s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, gs://BUCKET/PREFIX
    /// [default: content in the data folder].
    #[arg(long, value_name = "PLACE")]
    content: Option<String>,
    /// Configuration file [default: weir.toml of the data folder].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What to log, such as info or weir_server=debug.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How to log: text or json.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// End as soon as this process, which started it, is gone (the servers of `weir lab`).
    #[arg(long, hide = true, value_name = "PID")]
    exit_with_parent: Option<u32>,
}

/// How often to look whether the parent is still there.
const GLANCE: Duration = Duration::from_millis(200);

pub(crate) async fn run(data: Option<PathBuf>, arguments: ServeArguments) -> Result<Outcome> {
    let options = Options {
        data,
        config: arguments.config,
        database: arguments.database,
        content: arguments.content,
        client_http: arguments.client_http,
        client_https: arguments.client_https,
        admin: arguments.admin,
        server: arguments.server,
        downstream: arguments.downstream,
        upstream: arguments.upstream,
        parent: arguments.parent,
        enrol: arguments.enrol,
        force: arguments.force,
        log: arguments.log,
        log_format: arguments.log_format,
    };
    let settings = start::settings(&options)?;
    let traces = settings.traces.as_ref().map(trace::start).transpose()?;
    let (layer, exporter) = traces.unzip();
    log(&settings.log, layer)?;
    // listened to from here on, so that a signal during the start is not lost
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    let orphaned = orphaned(arguments.exit_with_parent);
    let served = start::serve(settings, stop(interrupt, terminate, orphaned)).await;
    if let Some(exporter) = exporter {
        exporter.finish().await;
    }
    served?;
    Ok(Outcome::Done)
}

/// Logs to standard error; standard output has the sign-in link alone. Traces, if any are exported, see what the log leaves out.
fn log(log: &Log, traces: Option<TraceLayer>) -> Result<()> {
    // the store tells of migrations itself; the library's steps are of no use unless asked for, and a newer release's are no error
    let filter = EnvFilter::try_new(format!("refinery_core=warn,refinery_core::traits::missing=off,{}", log.filter))
        .map_err(|_| anyhow!("{:?} is no log filter such as info or weir_server=debug", log.filter))?;
    let color = std::io::stderr().is_terminal();
    // a line that cannot be written is lost; telling of that would end a server whose log is on a full disk
    let Some(traces) = traces else {
        let lines =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
        if log.json {
            lines.json().init();
        } else {
            lines.with_ansi(color).with_target(false).init();
        }
        return Ok(());
    };
    // spans of ours, down to units of work of the database
    let ours = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("weir_"))
        .with_max_level_hint(LevelFilter::DEBUG);
    let subscriber = tracing_subscriber::registry().with(traces.with_filter(ours));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    if log.json {
        subscriber.with(lines.json().with_filter(filter)).init();
    } else {
        subscriber.with(lines.with_ansi(color).with_target(false).with_filter(filter)).init();
    }
    Ok(())
}

/// Ready when the process is asked to end, or its parent is gone. Asked twice, it ends at once.
async fn stop(mut interrupt: Signal, mut terminate: Signal, orphaned: impl Future<Output = ()>) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = orphaned => tracing::warn!("the process that started this server is gone: ending"),
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::warn!("asked to end a second time: ending at once");
        std::process::exit(1);
    });
}

/// Ready when another process than `parent` is the parent of this one; never without one. A process whose parent dies,
/// however it dies, is given another parent at once.
async fn orphaned(parent: Option<u32>) {
    let Some(parent) = parent else { return std::future::pending().await };
    while rustix::process::getppid().is_some_and(|now| now.as_raw_pid().unsigned_abs() == parent) {
        tokio::time::sleep(GLANCE).await;
    }
}
