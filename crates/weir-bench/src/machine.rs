//! What a figure is worth nothing without: the machine, its system, the build, the day.

use std::{fs, io::Write as _, path::Path, time::Instant};

use serde::Serialize;

use crate::measure::median;

/// Flushes that are timed.
const FLUSHES: usize = 50;

/// The machine and the program of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Model of the processor, as the system names it.
    pub processor: String,
    /// Processors that this process may use.
    pub cores: usize,
    /// Megabytes of memory; 0 if unknown.
    pub memory_mb: u64,
    /// Name of the system.
    pub system: String,
    /// Version of the kernel.
    pub kernel: String,
    /// Version of the program, the architecture it was built for, `release` or `debug`.
    pub build: String,
    /// Milliseconds that appending 4 KiB to a file and flushing it takes in the folder of the run: the median. What is durable before
    /// it is acknowledged waits for that.
    pub flush_ms: Option<f64>,
}

impl Machine {
    /// Looks at this machine; data folders will be in `scratch`.
    pub fn look(scratch: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let named = |found: Option<String>| found.unwrap_or_else(|| "unknown".to_owned());
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        Self {
            processor: named(valued(&text("/proc/cpuinfo"), "model name", ':')),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mb: memory_mb(),
            system: named(valued(&text("/etc/os-release"), "PRETTY_NAME", '=')),
            kernel: named(Some(text("/proc/sys/kernel/osrelease").trim().to_owned()).filter(|name| !name.is_empty())),
            build: format!("{} {} {build}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH),
            flush_ms: flush(scratch).ok(),
        }
    }

    /// In lines, as the head of a report.
    pub fn lines(&self) -> Vec<String> {
        let flush = self.flush_ms.map_or_else(|| "unknown".to_owned(), |time| format!("{time:.2} ms"));
        vec![
            format!("processor   {}, {} cores", self.processor, self.cores),
            format!("memory      {} MB", self.memory_mb),
            format!("system      {}, kernel {}", self.system, self.kernel),
            format!("build       {}", self.build),
            format!("disk        a flush takes {flush}"),
        ]
    }
}

/// Megabytes of memory; 0 if unknown.
pub(crate) fn memory_mb() -> u64 {
    let known = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    valued(&known, "MemTotal", ':').and_then(|size| kilobytes(&size)).unwrap_or(0) / 1_000
}

/// The value of the first line with this name, without quotes.
fn valued(text: &str, name: &str, sign: char) -> Option<String> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(sign)?;
        (found.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// Kilobytes of 1,024 bytes as the system counts them, in kilobytes of 1,000.
fn kilobytes(size: &str) -> Option<u64> {
    Some(size.strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024 / 1_000)
}

fn flush(scratch: &Path) -> std::io::Result<f64> {
    let path = scratch.join("flushed");
    let mut file = fs::File::create(&path)?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let started = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    drop(file);
    fs::remove_file(path)?;
    Ok(median(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sizes_are_read() {
        let cpu = "processor\t: 0\nmodel name\t: Example CPU @ 3 GHz\nmodel name\t: other\n";
        assert_eq!(valued(cpu, "model name", ':').as_deref(), Some("Example CPU @ 3 GHz"));
        assert_eq!(valued("PRETTY_NAME=\"Debian 13\"\n", "PRETTY_NAME", '=').as_deref(), Some("Debian 13"));
        assert_eq!(valued(cpu, "flags", ':'), None);
        assert_eq!(kilobytes("24000000 kB"), Some(24_576_000));
        assert_eq!(kilobytes("24 MB"), None);
    }

    #[test]
    fn this_machine_is_described() {
        let folder = tempfile::tempdir().expect("a folder");
        let machine = Machine::look(folder.path());
        assert!(machine.cores > 0 && machine.flush_ms.is_some_and(|time| time > 0.0), "{machine:?}");
        assert!(machine.build.starts_with(env!("CARGO_PKG_VERSION")), "{machine:?}");
        assert!(fs::read_dir(folder.path()).expect("there").next().is_none(), "nothing stays behind");
        assert_eq!(machine.lines().len(), 5);
    }
}
