//! The load generator: a closed loop over keep-alive connections, in a process of its own, so that the server's share
//! of the processor is not distorted more than two processes on one machine always are.
//!
//! It speaks just enough HTTP/1.1 (Content-Length and chunked answers) to cost little itself. Commands come as JSON
//! lines on standard input, results go as JSON lines to standard output.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// One measured run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Command {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// Request line and headers without Host, Content-Length and the empty line; lines end with CR LF.
    pub(crate) head: String,
    /// The bodies that the connections take in turn: each a length (u32, little endian) and its bytes.
    pub(crate) bodies: PathBuf,
    /// Keep-alive connections, each with one request under way.
    pub(crate) connections: usize,
    /// How long to go on, unless `requests` ends it.
    pub(crate) seconds: f64,
    /// Stop after so many requests over all connections.
    pub(crate) requests: Option<u64>,
    /// Give every request its own [`ID`] and [`TIME`].
    #[serde(default)]
    pub(crate) vary: bool,
    /// Requests a second over all connections; none: as fast as answers come.
    #[serde(default)]
    pub(crate) rate: Option<f64>,
    /// More places that serve the same: connections take all of them in turn.
    #[serde(default)]
    pub(crate) others: Vec<SocketAddr>,
}

/// Stands in bodies for an id that differs in every request; its last twelve digits count up.
pub(crate) const ID: &str = "0b5e55ed-0000-4000-8000-000000000000";
/// Stands in bodies for a time that grows from request to request, by a hundredth of a second from this instant on.
pub(crate) const TIME: &str = "2026-01-05T00:00:00.000Z";

/// Requests sent; starts where the clock stands, so that no two processes number alike.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Places of [`ID`] and [`TIME`] in a request, and the request.
struct Template {
    bytes: Vec<u8>,
    ids: Vec<usize>,
    times: Vec<usize>,
}

impl Template {
    fn new(bytes: Vec<u8>, vary: bool) -> Self {
        let places = |needle: &str| {
            let all = bytes.windows(needle.len()).enumerate();
            let found = all.filter(|(_, window)| vary && *window == needle.as_bytes());
            found.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let (ids, times) = (places(ID), places(TIME));
        Self { bytes, ids, times }
    }

    /// The request of this number, in `buffer` if it differs from the others.
    fn fill<'a>(&'a self, number: u64, buffer: &'a mut Vec<u8>) -> &'a [u8] {
        if self.ids.is_empty() && self.times.is_empty() {
            return &self.bytes;
        }
        buffer.clear();
        buffer.extend_from_slice(&self.bytes);
        for (turn, place) in self.ids.iter().enumerate() {
            let digits = format!("{:012x}", (number * 4 + turn as u64) & 0xffff_ffff_ffff);
            buffer[place + 24..place + 36].copy_from_slice(digits.as_bytes());
        }
        let centiseconds = number % (24 * 360_000);
        let (seconds, rest) = (centiseconds / 100, centiseconds % 100);
        let clock = format!("{:02}:{:02}:{:02}.{rest:02}0", seconds / 3600, seconds / 60 % 60, seconds % 60);
        for place in &self.times {
            buffer[place + 11..place + 23].copy_from_slice(clock.as_bytes());
        }
        buffer
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Outcome {
    /// Complete answers.
    pub(crate) requests: u64,
    /// From the first request to the last answer.
    pub(crate) seconds: f64,
    /// Body bytes received.
    pub(crate) bytes: u64,
    /// Answers by HTTP status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Broken connections and unreadable answers.
    pub(crate) errors: u64,
    /// The requests that were answered with 200, where each is sent once ([`Command::requests`]).
    #[serde(default)]
    pub(crate) good: Places,
    /// Time from sending to the whole answer.
    pub p50_us: f64,
    /// The same, 99th percentile.
    pub p99_us: f64,
    /// The same, maximum.
    pub(crate) max_us: f64,
    /// Time from sending to the first byte of the answer, median.
    pub first_byte_p50_us: f64,
    /// The same, maximum.
    pub(crate) first_byte_max_us: f64,
}

/// Numbers of requests, in no order: that of number n has the n-th body, and after the last body comes the first again.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Places(pub(crate) Vec<u64>);

impl std::fmt::Debug for Places {
    /// How many they are: an outcome is shown in messages.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} requests", self.0.len())
    }
}

impl Outcome {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}

/// Reads commands until standard input ends.
pub fn serve_commands() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let clock = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    NUMBER.store((clock % (1 << 36)) * 16, Ordering::Relaxed);
    let mut cache: Option<(PathBuf, Arc<[Vec<u8>]>)> = None;
    for line in std::io::stdin().lock().lines() {
        let command: Command = serde_json::from_str(&line?).context("reading a load command")?;
        let bodies = match &cache {
            Some((path, bodies)) if *path == command.bodies => Arc::clone(bodies),
            _ => read_bodies(&command.bodies)?.into(),
        };
        cache = Some((command.bodies.clone(), Arc::clone(&bodies)));
        let outcome = runtime.block_on(run(&command, &bodies))?;
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, &outcome)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

/// Writes bodies in the form that [`Command::bodies`] names.
pub(crate) fn write_bodies(path: &std::path::Path, bodies: &[Vec<u8>]) -> anyhow::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for body in bodies {
        file.write_all(&u32::try_from(body.len())?.to_le_bytes())?;
        file.write_all(body)?;
    }
    file.flush()?;
    Ok(())
}

/// Mean bytes of the bodies of a file.
pub(crate) fn mean_body(path: &std::path::Path) -> anyhow::Result<f64> {
    let bodies = read_bodies(path)?;
    Ok(bodies.iter().map(Vec::len).sum::<usize>() as f64 / bodies.len() as f64)
}

fn read_bodies(path: &std::path::Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let mut rest = bytes.as_slice();
    let mut bodies = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (body, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize).context("bodies cut short")?;
        bodies.push(body.to_vec());
        rest = tail;
    }
    if bodies.is_empty() {
        bail!("{} holds no bodies", path.display());
    }
    Ok(bodies)
}

#[derive(Default)]
struct Samples {
    whole: Vec<f64>,
    first_byte: Vec<f64>,
    bytes: u64,
    statuses: BTreeMap<u16, u64>,
    errors: u64,
    good: Vec<u64>,
}

async fn run(command: &Command, bodies: &[Vec<u8>]) -> anyhow::Result<Outcome> {
    let requests: Arc<Vec<Template>> = Arc::new(
        bodies
            .iter()
            .map(|body| {
                let mut request =
                    format!("{}Host: {}\r\nContent-Length: {}\r\n\r\n", command.head, command.address, body.len())
                        .into_bytes();
                request.extend_from_slice(body);
                Template::new(request, command.vary)
            })
            .collect(),
    );
    let start = Instant::now();
    let stop = start + Duration::from_secs_f64(command.seconds);
    let left = Arc::new(AtomicI64::new(command.requests.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX))));
    let tasks: Vec<_> = (0..command.connections)
        .map(|index| {
            let (requests, left) = (Arc::clone(&requests), Arc::clone(&left));
            let mut places = std::iter::once(command.address).chain(command.others.iter().copied());
            let address = places.nth(index % (1 + command.others.len())).unwrap_or(command.address);
            let pace = command.rate.map(|rate| Pace {
                first: start + Duration::from_secs_f64(index as f64 / rate),
                every: Duration::from_secs_f64(command.connections as f64 / rate),
            });
            let order = command.requests.map_or(Order::Spread { first: index * 7919 }, |total| Order::Each { total });
            tokio::spawn(async move { connection(order, address, &requests, stop, &left, pace).await })
        })
        .collect();
    let mut all = Samples::default();
    for task in tasks {
        let samples = task.await?;
        all.whole.extend(samples.whole);
        all.first_byte.extend(samples.first_byte);
        all.bytes += samples.bytes;
        all.errors += samples.errors;
        all.good.extend(samples.good);
        for (status, count) in samples.statuses {
            *all.statuses.entry(status).or_default() += count;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    all.whole.sort_by(f64::total_cmp);
    all.first_byte.sort_by(f64::total_cmp);
    Ok(Outcome {
        requests: all.whole.len() as u64,
        seconds,
        bytes: all.bytes,
        statuses: all.statuses,
        errors: all.errors,
        good: Places(all.good),
        p50_us: quantile(&all.whole, 0.5),
        p99_us: quantile(&all.whole, 0.99),
        max_us: quantile(&all.whole, 1.0),
        first_byte_p50_us: quantile(&all.first_byte, 0.5),
        first_byte_max_us: quantile(&all.first_byte, 1.0),
    })
}

/// The value below which the given share of the sorted samples lies; 0 without samples.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let index = ((sorted.len().max(1) - 1) as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(0.0)
}

/// When the requests of a connection are sent.
#[derive(Clone, Copy)]
struct Pace {
    first: Instant,
    every: Duration,
}

/// Which requests a connection sends.
#[derive(Clone, Copy)]
enum Order {
    /// One after the other from here on; a stride coprime to any small count spreads the connections over them.
    Spread { first: usize },
    /// Those that no other connection has sent: all connections together send each once, of so many.
    Each { total: u64 },
}

async fn connection(
    order: Order,
    address: SocketAddr,
    requests: &[Template],
    stop: Instant,
    left: &AtomicI64,
    pace: Option<Pace>,
) -> Samples {
    let mut own = Vec::new();
    let mut samples = Samples::default();
    let mut buffer = vec![0; 256 << 10];
    let mut stream = None;
    for turn in 0.. {
        if let Some(Pace { first, every }) = pace {
            let at = first + every * u32::try_from(turn).unwrap_or(u32::MAX);
            tokio::time::sleep_until(at.min(stop).into()).await;
        }
        let still = left.fetch_sub(1, Ordering::Relaxed);
        if Instant::now() >= stop || still <= 0 {
            break;
        }
        let place = match order {
            Order::Spread { first } => first + turn,
            Order::Each { total } => total.saturating_sub(still as u64) as usize,
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let request = requests[place % requests.len()].fill(number, &mut own);
        let open = match stream.take() {
            Some(open) => Ok(open),
            None => TcpStream::connect(address).await.and_then(|s| s.set_nodelay(true).map(|()| s)),
        };
        let Ok(mut open) = open else {
            samples.errors += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let sent = Instant::now();
        match exchange(&mut open, request, &mut buffer).await {
            Ok(answer) => {
                samples.whole.push(sent.elapsed().as_secs_f64() * 1e6);
                samples.first_byte.push((answer.first_byte - sent).as_secs_f64() * 1e6);
                samples.bytes += answer.bytes;
                *samples.statuses.entry(answer.status).or_default() += 1;
                if answer.status == 200 && matches!(order, Order::Each { .. }) {
                    samples.good.push(place as u64);
                }
                stream = Some(open);
            }
            Err(_) => samples.errors += 1,
        }
    }
    samples
}

struct Answer {
    status: u16,
    bytes: u64,
    first_byte: Instant,
}

async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> anyhow::Result<Answer> {
    stream.write_all(request).await?;
    let mut filled = stream.read(buffer).await?;
    let first_byte = Instant::now();
    let head_end = loop {
        if let Some(end) = find(&buffer[..filled], b"\r\n\r\n") {
            break end + 4;
        }
        if filled == buffer.len() {
            bail!("the head of the answer is too long");
        }
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            bail!("closed inside the head");
        }
        filled += read;
    };
    let head = std::str::from_utf8(&buffer[..head_end])?;
    let status = head.get(9..12).context("no status")?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<u64>().ok())?
    });
    let mut received = (filled - head_end) as u64;
    if let Some(length) = length {
        while received < length {
            let read = stream.read(buffer).await?;
            if read == 0 {
                bail!("closed inside the body");
            }
            received += read as u64;
        }
    } else {
        // chunked: the last chunk and the empty trailer end it
        let mut tail: Vec<u8> = buffer[head_end..filled].to_vec();
        while !tail.ends_with(b"0\r\n\r\n") {
            let read = stream.read(buffer).await?;
            if read == 0 {
                bail!("closed inside a chunk");
            }
            received += read as u64;
            tail.extend_from_slice(&buffer[..read]);
            tail.drain(..tail.len().saturating_sub(8));
        }
    }
    Ok(Answer { status, bytes: received, first_byte })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
