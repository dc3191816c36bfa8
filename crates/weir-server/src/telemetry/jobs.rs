//! Runs of work in the background: how many, how long, how they ended.

use std::time::Instant;

use jiff::Timestamp;
use tracing::{Instrument as _, Span, field::Empty};

use super::{Job, meters::meters};

/// Does one run of a job, and counts it. A run that is dropped before its end, since the server stops, is not counted.
pub(crate) async fn job<T, E>(job: Job, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let span = tracing::debug_span!("job", task = job.word(), failed = Empty);
    let running = Running::new(job, span.clone());
    let done = work.instrument(span).await;
    running.ends(done.is_ok());
    done
}

/// [`job`] for work that blocks, on the thread that does it.
pub(crate) fn job_here<T, E>(job: Job, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let span = tracing::debug_span!("job", task = job.word(), failed = Empty);
    let running = Running::new(job, span.clone());
    let done = span.in_scope(work);
    running.ends(done.is_ok());
    done
}

struct Running {
    job: Job,
    begun: Instant,
    span: Span,
}

impl Running {
    fn new(job: Job, span: Span) -> Self {
        meters().job_running.of(job.word()).increment(1.0);
        Self { job, begun: Instant::now(), span }
    }

    fn ends(self, good: bool) {
        let (meters, word) = (meters(), self.job.word());
        meters.job_seconds.of(word).record(self.begun.elapsed().as_secs_f64());
        meters.job_runs.of((word, if good { "done" } else { "failed" })).increment(1);
        if good {
            meters.job_last_success.of(word).set(Timestamp::now().as_second() as f64);
        } else {
            self.span.record("failed", true);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        meters().job_running.of(self.job.word()).decrement(1.0);
    }
}
