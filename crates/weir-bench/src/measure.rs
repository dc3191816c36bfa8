//! Ratios from interleaved pairs, growth exponents, and what the process table tells of the measured server.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command as Process, Stdio},
};

use anyhow::Context as _;

use crate::load::{Command, Outcome, write_bodies};
pub(crate) use crate::row::{Figure, Limit, Row};

/// Pairs of runs behind every ratio: identical pairs of one second differ by 10 to 25 % here, their median does not.
pub(crate) const PAIRS: usize = 7;

/// The load generator's process.
pub(crate) struct Load {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Load {
    /// Starts this program again as the load generator.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut child = Process::new(std::env::current_exe()?)
            .arg("bench-load")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the load generator")?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, input, output })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Carries out one run.
    pub(crate) fn run(&mut self, command: &Command) -> anyhow::Result<Outcome> {
        serde_json::to_writer(&mut self.input, command)?;
        self.input.write_all(b"\n")?;
        self.input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).context("the load generator ended early")
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of the answer to each of these requests as they are sent: each is asked once, alone.
pub(crate) fn answer_sizes(load: &mut Load, command: &Command, bodies: &[Vec<u8>]) -> anyhow::Result<Vec<u64>> {
    let mut sizes = Vec::with_capacity(bodies.len());
    for (number, body) in bodies.iter().enumerate() {
        // a path of its own: the generator keeps what it has read
        let path = command.bodies.with_extension(format!("{number}.one"));
        write_bodies(&path, std::slice::from_ref(body))?;
        let alone =
            Command { bodies: path.clone(), connections: 1, seconds: 60.0, requests: Some(1), ..command.clone() };
        let outcome = load.run(&alone)?;
        std::fs::remove_file(&path)?;
        anyhow::ensure!(outcome.errors == 0 && outcome.statuses.keys().eq([&200]), "request {number}: {outcome:?}");
        sizes.push(outcome.bytes);
    }
    Ok(sizes)
}

/// Outcomes of interleaved runs: `runs[i]` holds one outcome per command of round i.
pub(crate) struct Rounds {
    runs: Vec<Vec<Outcome>>,
}

impl Rounds {
    /// Runs all commands in turn, `PAIRS` times after a short warm-up, and fails if any answer was not a 200.
    pub(crate) fn measure(load: &mut Load, commands: &[Command]) -> anyhow::Result<Self> {
        for command in commands {
            load.run(&Command { seconds: 0.3, ..command.clone() })?;
        }
        let mut runs = Vec::with_capacity(PAIRS);
        for _ in 0..PAIRS {
            let round = commands.iter().map(|command| load.run(command)).collect::<anyhow::Result<Vec<_>>>()?;
            for outcome in &round {
                anyhow::ensure!(
                    outcome.errors == 0 && outcome.statuses.keys().all(|status| *status == 200 || *status == 206),
                    "answers other than 200: {:?}, {} broken",
                    outcome.statuses,
                    outcome.errors
                );
            }
            runs.push(round);
        }
        Ok(Self { runs })
    }

    /// Rates of command `index` over the rate of command `base`, sorted.
    pub(crate) fn ratios_of(&self, index: usize, base: usize) -> Vec<f64> {
        let mut ratios: Vec<f64> = self.runs.iter().map(|round| round[index].rate() / round[base].rate()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    /// Median rate of a command.
    pub(crate) fn rate(&self, index: usize) -> f64 {
        median(self.runs.iter().map(|round| round[index].rate()).collect())
    }

    /// Mean bytes of an answer of a command.
    pub(crate) fn answer_bytes(&self, index: usize) -> f64 {
        let of = |figure: fn(&Outcome) -> u64| self.runs.iter().map(|round| figure(&round[index])).sum::<u64>() as f64;
        of(|outcome| outcome.bytes) / of(|outcome| outcome.requests).max(1.0)
    }

    /// Median of any figure of a command's outcomes.
    pub(crate) fn figure(&self, index: usize, of: impl Fn(&Outcome) -> f64) -> f64 {
        median(self.runs.iter().map(|round| of(&round[index])).collect())
    }
}

/// The middle value; the mean of the two middle ones for an even count.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Slope of log(cost) over log(size), by least squares: 0 is constant, 1 is linear.
pub(crate) fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let n = logs.len() as f64;
    let (mean_x, mean_y) = (logs.iter().map(|p| p.0).sum::<f64>() / n, logs.iter().map(|p| p.1).sum::<f64>() / n);
    let covariance: f64 = logs.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
    let variance: f64 = logs.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
    covariance / variance
}

/// Resident memory of a process in bytes, from the process table; 0 where there is none.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}

/// Ticks of a second in the process table: on Linux the same on every machine (proc(5), `USER_HZ`).
const TICKS: f64 = 100.0;

/// Processor seconds that a process has used with all its threads, those of the kernel for it included; none where there is no process
/// table.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    cpu_of(&process(pid)?, Own::Alone)
}

/// The same of a process and of those that it started, those that have ended included.
pub(crate) fn family_cpu_seconds(pid: u32) -> Option<f64> {
    let mut sum = cpu_of(&process(pid)?, Own::WithEnded)?;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let other = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let line = other.and_then(process).filter(|line| parent_of(line) == Some(pid));
        sum += line.and_then(|line| cpu_of(&line, Own::Alone)).unwrap_or_default();
    }
    Some(sum)
}

/// The line of a process in the process table; none if there is no such process.
pub(crate) fn process(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()
}

/// Whose time is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Own {
    /// That of the process.
    Alone,
    /// That of processes that it started and that have ended, too.
    WithEnded,
}

/// What stands behind the name of the program in the line of a process: the name may have blanks and brackets, and ends with the last
/// bracket (proc(5)). State and parent come first.
fn fields(line: &str) -> Option<impl Iterator<Item = &str>> {
    Some(line.rsplit_once(')')?.1.split_whitespace())
}

/// Whether a process has ended, by its line: it has one until somebody asks how it ended.
pub(crate) fn has_ended(line: &str) -> bool {
    fields(line).and_then(|mut fields| fields.next()).is_none_or(|state| state == "Z" || state == "X")
}

fn parent_of(line: &str) -> Option<u32> {
    fields(line)?.nth(1)?.parse().ok()
}

/// Processor seconds by the line of a process: utime, stime, cutime and cstime are the 14th to the 17th of it.
fn cpu_of(line: &str, own: Own) -> Option<f64> {
    let counted = if own == Own::WithEnded { 4 } else { 2 };
    let ticks: Vec<f64> = fields(line)?.skip(11).take(counted).map_while(|field| field.parse().ok()).collect();
    (ticks.len() == counted).then(|| ticks.iter().sum::<f64>() / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let line = "17 (a) b (c) S 1 17 17 0 -1 4194304 900 0 0 0 250 50 100 40 20 0 9 0 4711 1 2";
        assert_eq!((cpu_of(line, Own::Alone), cpu_of(line, Own::WithEnded)), (Some(3.0), Some(4.4)));
        assert_eq!(cpu_of("17 (weir) S 1 2", Own::Alone), None);
        assert_eq!((parent_of(line), has_ended(line)), (Some(1), false));
        assert!(has_ended("17 (weir) Z 1 17"));
    }

    #[test]
    fn processes_that_were_started_are_counted() {
        let me = std::process::id();
        let mut child = Process::new("sleep").arg("60").spawn().expect("it starts");
        assert_eq!(process(child.id()).as_deref().and_then(parent_of), Some(me));
        let alone = cpu_seconds(me).expect("a process table");
        assert!(family_cpu_seconds(me).is_some_and(|seconds| seconds >= alone));
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        assert_eq!(process(child.id()), None);
    }

    #[test]
    fn this_process_uses_its_processor() {
        let before = cpu_seconds(std::process::id()).expect("a process table");
        let until = std::time::Instant::now() + std::time::Duration::from_millis(60);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        let used = cpu_seconds(std::process::id()).expect("a process table") - before;
        assert!(used > 0.0, "{used}");
    }

    #[test]
    fn the_exponent_of_a_power_law_is_found() {
        let points: Vec<(f64, f64)> = [2e3, 2e4, 1e5].iter().map(|&n: &f64| (n, 3.0 * n.powf(0.25))).collect();
        assert!((exponent(&points) - 0.25).abs() < 1e-9);
        assert!(exponent(&[(10.0, 5.0), (100.0, 5.0)]).abs() < 1e-9);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }
}
