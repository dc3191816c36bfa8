//! How far long work is: a bar on a terminal, a line now and then elsewhere. Always on standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::print;

/// How often a line is printed where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unit {
    Bytes,
    Documents,
}

/// One piece of work. What it shows disappears when it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    verb: &'static str,
    unit: Unit,
    done: u64,
    total: u64,
    started: Instant,
    told: Instant,
}

impl Progress {
    /// Work of `total` bytes.
    pub(crate) fn of_bytes(verb: &'static str, total: u64) -> Self {
        const STYLE: &str = "{msg} {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        Self::new(verb, Unit::Bytes, total, STYLE)
    }

    /// Work of `total` documents.
    pub(crate) fn of_documents(verb: &'static str, total: u64) -> Self {
        const STYLE: &str = "{msg} {bar:30} {human_pos}/{human_len} documents  {per_sec}  {eta} left";
        Self::new(verb, Unit::Documents, total, STYLE)
    }

    fn new(verb: &'static str, unit: Unit, total: u64, style: &str) -> Self {
        let bar = print::wants_bar().then(|| {
            let bar = ProgressBar::new(total);
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar.set_message(verb);
            bar
        });
        let now = Instant::now();
        Self { bar, verb, unit, done: 0, total, started: now, told: now }
    }

    /// Which work this is.
    pub(crate) fn verb(&self) -> &'static str {
        self.verb
    }

    /// More was done.
    pub(crate) fn advance(&mut self, more: u64) {
        self.set(self.done + more, self.total);
    }

    /// This much is done of that much.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        (self.done, self.total) = (done, total);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
        } else if self.told.elapsed() >= LINE_INTERVAL {
            self.told = Instant::now();
            anstream::eprintln!("{}", self.line(self.started.elapsed()));
        }
    }

    /// The line after this time.
    fn line(&self, elapsed: Duration) -> String {
        let rate = self.done as f64 / elapsed.as_secs_f64().max(0.001);
        let left = self.total.saturating_sub(self.done) as f64 / rate.max(0.001);
        let (done, total, rate) = (self.done, self.total, rate as u64);
        let what = match self.unit {
            Unit::Bytes => {
                format!("{} of {}, {}/s", print::bytes(done), print::bytes(total), print::bytes(rate))
            }
            Unit::Documents => format!("{done} of {total} documents, {rate}/s"),
        };
        format!("{}: {what}, {left:.0} s left", self.verb)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_rate_and_time_left() {
        let mut progress = Progress::of_documents("parsing", 300);
        progress.done = 100;
        let line = progress.line(Duration::from_secs(10));
        assert_eq!(line, "parsing: 100 of 300 documents, 10/s, 20 s left");
        let mut progress = Progress::of_bytes("sending", 4096);
        progress.done = 1024;
        assert_eq!(progress.line(Duration::from_secs(1)), "sending: 1.00 KiB of 4.00 KiB, 1.00 KiB/s, 3 s left");
    }
}
