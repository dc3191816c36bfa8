//! Protection against storms, before the client plane and the server plane. What is decided is in [`weir_model::admission`]; here
//! is what waits, wakes and counts.
//!
//! A request passes three gates: for the memory of its body, before that is read; for a place among those of its [`Class`], before
//! it is parsed; and for the memory of its answer, before that is sent. Files pass one, which they hold until they are sent. Small
//! bodies and answers pass without asking. On a server with nothing to do each gate costs a lock that nobody else holds.
//!
//! *Invariant:* whoever is refused is told so in a form that it comes again after: agents and servers by the fault ServerBusy
//! (MS-WUSP 2.2.2.4, MS-WSUSSS 2.2.2.1), downloads by 503. *Invariant:* nothing is refused that was made durable: the answers to
//! reports are small.

mod gate;
mod machine;

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use http::{HeaderValue, Response, header};
use parking_lot::Mutex;
use tokio::time::Instant as Deadline;
use weir_model::admission::{Class, Network, Plan, Spell, retry_after};

pub use self::gate::Permit;
pub(crate) use self::gate::REFUSALS;
use self::gate::{Gate, Refused};
use crate::{
    client::Body,
    state::Connection,
    telemetry::{self, Reason},
};

/// Requests and answers up to so many bytes are not counted: a connection takes more than that by itself.
const SMALL_BODY: usize = 4 << 10;
const SMALL_ANSWER: u64 = 8 << 10;
/// How long an answer waits for room at most. What was computed is not thrown away lightly.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// The names of all gates, as metrics have them.
pub(crate) const GATES: [&str; 8] =
    ["cheap", "content", "details", "reports", "scan", "servers", "request_bytes", "answer_bytes"];

/// All gates. One per process.
#[derive(Debug)]
pub struct Admission {
    cheap: Gate,
    content: Gate,
    details: Gate,
    reports: Gate,
    scan: Gate,
    servers: Gate,
    bodies: Gate,
    answers: Gate,
    /// Milliseconds that a request waits.
    patience: AtomicU64,
    refusals: Mutex<Spell>,
    began: Instant,
    chance: RandomState,
    drawn: AtomicU64,
}

/// What is said of refusals.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Refusals {
    /// How many there were lately, one after another.
    pub(crate) count: u64,
    /// For how many minutes they go on, if they do.
    pub(crate) minutes: Option<u64>,
}

/// The server has too much to do for a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Busy {
    /// Seconds after which it may come again.
    seconds: u64,
}

impl Busy {
    /// Says in an answer when to come again.
    pub(crate) fn mark(self, mut response: Response<Body>) -> Response<Body> {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(self.seconds));
        response
    }
}

impl Admission {
    /// Gates by a plan.
    pub fn new(plan: &Plan) -> Self {
        let class = |class: Class| Gate::new(class.name(), plan.bounds(plan.places(class)));
        Self {
            cheap: class(Class::Cheap),
            content: class(Class::Content),
            details: class(Class::Details),
            reports: class(Class::Reports),
            scan: class(Class::Scan),
            servers: class(Class::Servers),
            bodies: Gate::new("request_bytes", plan.bounds(plan.bodies)),
            answers: Gate::new("answer_bytes", plan.bounds(plan.answers)),
            patience: AtomicU64::new(plan.patience),
            refusals: Mutex::default(),
            began: Instant::now(),
            chance: RandomState::new(),
            drawn: AtomicU64::new(0),
        }
    }

    /// Gates for the machine that this process runs on.
    pub fn here() -> Self {
        let machine = machine::here();
        let plan = Plan::of(machine);
        tracing::info!(
            processors = machine.processors,
            memory_mib = machine.memory >> 20,
            scans = plan.scan,
            request_mib = plan.bodies >> 20,
            answer_mib = plan.answers >> 20,
            files = plan.content,
            "bounds of what is carried out at once"
        );
        Self::new(&plan)
    }

    /// Follows another plan from now on.
    pub fn set_plan(&self, plan: &Plan) {
        for class in Class::ALL {
            self.class(class).set_bounds(plan.bounds(plan.places(class)));
        }
        self.bodies.set_bounds(plan.bounds(plan.bodies));
        self.answers.set_bounds(plan.bounds(plan.answers));
        self.patience.store(plan.patience, Ordering::Relaxed);
    }

    /// Takes a place of a class, if need be after waiting for it as long as any request would; none if there is none.
    pub async fn enter(&self, class: Class, address: IpAddr) -> Option<Permit> {
        self.class(class).enter(Network::of(address), 1, self.until()).await.ok()
    }

    /// How many requests of a class wait.
    pub fn waiting(&self, class: Class) -> usize {
        self.class(class).standing().waiting
    }

    /// How many requests of a class are carried out.
    pub fn in_use(&self, class: Class) -> u64 {
        self.class(class).standing().used
    }

    /// The way of a request.
    pub(crate) fn turn(&self, class: Class, connection: Connection) -> Turn<'_> {
        Turn { admission: self, class, network: Network::of(connection.peer.ip()), until: self.until() }
    }

    /// What readers of answers hold up.
    pub(crate) fn pressure(&self) -> Pressure {
        Pressure([self.answers.clone(), self.content.clone()])
    }

    /// What was refused lately.
    pub(crate) fn refusals(&self) -> Refusals {
        let (spell, now) = (*self.refusals.lock(), self.now());
        Refusals { count: spell.under_way(now).unwrap_or(0), minutes: spell.goes_on(now) }
    }

    /// Sets the gauges.
    pub(crate) fn measure(&self) {
        for gate in self.gates() {
            let (name, standing) = (gate.name(), gate.standing());
            metrics::gauge!("weir_admission_capacity", "gate" => name).set(standing.capacity as f64);
            metrics::gauge!("weir_admission_in_use", "gate" => name).set(standing.used as f64);
            metrics::gauge!("weir_admission_waiting", "gate" => name).set(standing.waiting as f64);
            metrics::gauge!("weir_admission_networks", "gate" => name).set(standing.networks as f64);
        }
    }

    fn gates(&self) -> [&Gate; 8] {
        let Self { cheap, content, details, reports, scan, servers, bodies, answers, .. } = self;
        [cheap, content, details, reports, scan, servers, bodies, answers]
    }

    fn class(&self, class: Class) -> &Gate {
        match class {
            Class::Cheap => &self.cheap,
            Class::Content => &self.content,
            Class::Details => &self.details,
            Class::Reports => &self.reports,
            Class::Scan => &self.scan,
            Class::Servers => &self.servers,
        }
    }

    fn until(&self) -> Deadline {
        Deadline::now() + Duration::from_millis(self.patience.load(Ordering::Relaxed))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Counts a refusal, and says when to come again.
    fn busy(&self, gate: &Gate, refused: Refused) -> Busy {
        telemetry::refused(Reason::Busy);
        metrics::counter!("weir_admission_refused_total", "gate" => gate.name(), "reason" => refused.name())
            .increment(1);
        self.refusals.lock().note(self.now());
        let draw = self.chance.hash_one(self.drawn.fetch_add(1, Ordering::Relaxed));
        let chance = (draw >> 11) as f64 / (1_u64 << 53) as f64;
        Busy { seconds: retry_after(gate.outlook(), chance) }
    }
}

/// One request on its way through the gates. It waits so long as if they were one.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    admission: &'a Admission,
    class: Class,
    network: Network,
    until: Deadline,
}

impl Turn<'_> {
    /// Room for a request of so many bytes, which is not read yet; none is needed for a small one.
    pub(crate) async fn body(&self, bytes: usize) -> Result<Option<Permit>, Busy> {
        if bytes <= SMALL_BODY {
            return Ok(None);
        }
        let gate = &self.admission.bodies;
        let entered = gate.enter(self.network, bytes as u64, self.until).await;
        entered.map(Some).map_err(|refused| self.admission.busy(gate, refused))
    }

    /// A place among those that are carried out.
    pub(crate) async fn place(&self) -> Result<Permit, Busy> {
        let gate = self.admission.class(self.class);
        let entered = gate.enter(self.network, 1, self.until).await;
        entered.map_err(|refused| self.admission.busy(gate, refused))
    }

    /// Room for an answer, which that keeps until it is sent; none is needed for a small one.
    pub(crate) async fn hold(&self, response: Response<Body>) -> Result<Response<Body>, Busy> {
        let held = response.body().held();
        if held <= SMALL_ANSWER {
            return Ok(response);
        }
        let gate = &self.admission.answers;
        match gate.enter(self.network, held, Deadline::now() + ANSWER_PATIENCE).await {
            Ok(permit) => Ok(response.map(|body| body.keep(permit))),
            Err(refused) => Err(self.admission.busy(gate, refused)),
        }
    }
}

/// Whether others wait for what readers of answers hold.
#[derive(Clone, Debug)]
pub(crate) struct Pressure([Gate; 2]);

impl Pressure {
    /// Whether anybody waits.
    pub(crate) fn is_on(&self) -> bool {
        self.0.iter().any(|gate| gate.standing().waiting > 0)
    }
}

#[cfg(test)]
mod tests {
    use weir_model::admission::Machine;

    use super::*;

    fn connection(last: u8) -> Connection {
        Connection { peer: ([192, 0, 2, last], 50_000).into(), tls: false, certificate: None }
    }

    fn small() -> Plan {
        Plan {
            scan: 1,
            answers: 100_000,
            bodies: 100_000,
            waiting: 0,
            ..Plan::of(Machine { processors: 1, memory: 1 << 30 })
        }
    }

    #[tokio::test]
    async fn a_request_passes_three_gates_and_gives_everything_back() {
        let admission = Admission::new(&small());
        let turn = admission.turn(Class::Scan, connection(1));
        let room = turn.body(60_000).await.expect("there is room");
        assert!(room.is_some() && turn.body(4_096).await.expect("small").is_none());
        let place = turn.place().await.expect("there is one");
        let answer = turn.hold(Response::new(Body::from(vec![1; 70_000]))).await.expect("there is room");
        let used = || admission.gates().map(|gate| gate.standing().used);
        assert_eq!(used(), [0, 0, 0, 0, 1, 0, 60_000, 70_000]);
        // nobody may wait here
        let other = admission.turn(Class::Scan, connection(2));
        assert!(other.body(60_000).await.is_err() && other.place().await.is_err());
        assert!(other.hold(Response::new(Body::from(vec![1; 70_000]))).await.is_err());
        assert!(other.hold(Response::new(Body::from(vec![1; 8_192]))).await.is_ok(), "small ones always go");
        assert_eq!(admission.refusals(), Refusals { count: 3, minutes: None });
        drop((room, place, answer));
        assert_eq!(used(), [0; 8]);
    }

    #[tokio::test]
    async fn refusals_say_when_to_come_again_and_not_all_the_same() {
        let admission = Admission::new(&small());
        let _place = admission.enter(Class::Scan, [192, 0, 2, 1].into()).await.expect("there is one");
        let turn = admission.turn(Class::Scan, connection(1));
        let mut seconds = std::collections::BTreeSet::new();
        for _ in 0..64 {
            let busy = turn.place().await.expect_err("it is taken");
            let response = busy.mark(Response::new(Body::default()));
            let value = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            let value: u64 = value.expect("a header").parse().expect("seconds");
            assert!((5..=15).contains(&value), "{value}");
            seconds.insert(value);
        }
        assert!(seconds.len() > 1, "{seconds:?}");
    }

    #[tokio::test]
    async fn bytes_on_their_way_count_after_their_body_is_gone() {
        use http_body_util::BodyExt as _;
        let admission = Admission::new(&small());
        let turn = admission.turn(Class::Scan, connection(1));
        let response = turn.hold(Response::new(Body::from(vec![1; 70_000]))).await.expect("there is room");
        let bytes = response.into_body().frame().await.expect("a frame").expect("read").into_data().expect("data");
        assert_eq!((bytes.len(), admission.answers.standing().used), (70_000, 70_000));
        drop(bytes);
        assert_eq!(admission.answers.standing().used, 0);
    }
}
