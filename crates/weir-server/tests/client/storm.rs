//! Storms: who waits, who is refused, who is cut off, and that nothing is lost by any of it.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
};
use weir_model::{
    admission::{Class, Machine, Plan},
    ids::UpdateIdentity,
};
use weir_server::{
    client::ClientService,
    config::Limits,
    start::listen::{Terms, bind, serve},
};
use weir_testkit::{Document, Payload, agent::fault_code, http};
use weir_wire::{
    soap::{ErrorCode, SoapVersion},
    wusp::{SyncUpdateParameters, SyncUpdates, client::Call as _},
};

use crate::common::{Server, element, id};

/// Nothing here takes long; this only turns a hang into a failure.
const HANG: Duration = Duration::from_secs(120);
const CLIENT: &str = "/ClientWebService/client.asmx";
/// Whoever holds the places that requests wait for.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn plan() -> Plan {
    Plan { patience: 100_000, ..Plan::of(Machine { processors: 1, memory: 1 << 30 }) }
}

/// Waits until something is so.
async fn until(so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(HANG, wait).await.expect("it comes to that");
}

/// A server with an update, and the scan of a computer that it knows.
async fn scanned() -> (Server, Arc<str>) {
    let server = Server::start().await;
    server.import(&[Document::software(id(1), 1).title("Update")]).await;
    let mut agent = server.agent(1);
    agent.scan().await.expect("scan");
    let cookie = agent.state.cookie.clone();
    let mut body = String::new();
    SyncUpdates { cookie, parameters: Some(SyncUpdateParameters::new()) }.encode(&mut body, SoapVersion::V11);
    (server, body.into())
}

/// Sends a scan from an address of this machine.
async fn scan(base: String, from: Ipv4Addr, body: Arc<str>) -> http::Answer {
    let mut connection = http::Connection::to(&base).expect("an address").from(from);
    let headers = [("Content-Type", "text/xml; charset=utf-8")];
    connection.send("POST", CLIENT, &headers, body.as_bytes()).await.expect("an answer")
}

fn is_busy(answer: &http::Answer) -> bool {
    answer.status == 500 && element(&answer.text(), "ErrorCode") == Some("ServerBusy")
}

/// The product's own listener over the server's state: where it is, and what stops it when it is dropped.
fn listen(server: &Server, limits: Limits) -> (std::net::SocketAddr, watch::Sender<bool>) {
    let bound = bind("client plane", "--client-http", "127.0.0.1:0".parse().expect("an address")).expect("bound");
    let address = bound.address;
    let (stop, stopped) = watch::channel(false);
    let plane = ClientService::new(Arc::clone(&server.state));
    tokio::spawn(serve(bound, plane, Terms::plain(limits), stopped));
    (address, stop)
}

#[tokio::test]
async fn a_flood_of_one_network_does_not_delay_another() {
    const FLOOD: usize = 40;
    let (server, body) = scanned().await;
    let admission = &server.state.admission;
    admission.set_plan(&Plan { scan: 1, ..plan() });
    let held = admission.enter(Class::Scan, ELSEWHERE.into()).await.expect("it is free");
    let (told, mut order) = mpsc::unbounded_channel();
    let send = |from: Ipv4Addr| {
        let (base, body, told) = (server.base.clone(), Arc::clone(&body), told.clone());
        tokio::spawn(async move {
            let answer = scan(base, from, body).await;
            told.send((from, answer)).expect("somebody listens");
        })
    };
    let (office, other) = (Ipv4Addr::new(127, 1, 0, 1), Ipv4Addr::new(127, 2, 0, 1));
    for _ in 0..FLOOD {
        send(office);
    }
    until(|| admission.waiting(Class::Scan) == FLOOD).await;
    send(other);
    until(|| admission.waiting(Class::Scan) == FLOOD + 1).await;
    drop(held);
    let mut served = Vec::new();
    for _ in 0..=FLOOD {
        let (from, answer) = tokio::time::timeout(HANG, order.recv()).await.expect("answered").expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        served.push(from);
    }
    let place = served.iter().position(|from| *from == other).expect("it is served");
    assert!(place < FLOOD / 2, "served as number {place}");
    assert_eq!(admission.in_use(Class::Scan), 0);
}

#[tokio::test]
async fn who_is_refused_is_told_when_and_succeeds_later() {
    const ALL: usize = 10;
    let (server, body) = scanned().await;
    let admission = &server.state.admission;
    // three of a network may wait
    admission.set_plan(&Plan { scan: 1, waiting: 4, ..plan() });
    let held = admission.enter(Class::Scan, ELSEWHERE.into()).await.expect("it is free");
    let from = Ipv4Addr::new(127, 1, 0, 1);
    let mut storm = JoinSet::new();
    for _ in 0..ALL {
        storm.spawn(scan(server.base.clone(), from, Arc::clone(&body)));
    }
    for _ in 0..ALL - 3 {
        let answer = tokio::time::timeout(HANG, storm.join_next()).await.expect("at once").expect("one").expect("ends");
        assert!(is_busy(&answer), "{}", answer.text());
        let seconds: u64 = answer.header("retry-after").expect("a time").parse().expect("seconds");
        assert!((5..=360).contains(&seconds), "{seconds}");
        assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
    }
    assert_eq!(admission.waiting(Class::Scan), 3);
    // other work goes on meanwhile
    let mut newcomer = server.agent(2);
    newcomer.handshake().await.expect("configuration and cookies are not scans");
    drop(held);
    while let Some(answer) = storm.join_next().await {
        assert_eq!(answer.expect("ends").status, 200);
    }
    for _ in 0..ALL - 3 {
        assert_eq!(scan(server.base.clone(), from, Arc::clone(&body)).await.status, 200);
    }
}

#[tokio::test]
async fn what_waits_too_long_is_refused_before_the_agent_gives_up() {
    let (server, body) = scanned().await;
    let admission = &server.state.admission;
    admission.set_plan(&Plan { scan: 1, patience: 50, ..plan() });
    let _held = admission.enter(Class::Scan, ELSEWHERE.into()).await.expect("it is free");
    let answer = scan(server.base.clone(), Ipv4Addr::LOCALHOST, body).await;
    assert!(is_busy(&answer), "{}", answer.text());
    assert_eq!(admission.waiting(Class::Scan), 0);
}

#[tokio::test]
async fn a_large_request_is_refused_unread_and_its_sender_reads_why() {
    let (server, _) = scanned().await;
    let admission = &server.state.admission;
    admission.set_plan(&Plan { bodies: 1, waiting: 0, ..plan() });
    let (address, _stop) = listen(&server, Limits::default());
    let mut first = TcpStream::connect(address).await.expect("connected");
    // one that is on its way takes all the room
    let head = format!("POST {CLIENT} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    first.write_all(head.as_bytes()).await.expect("sent");
    let refused = AtomicUsize::new(0);
    let large = " ".repeat(1 << 20);
    let attempt = async {
        // the first one may still be on its way
        while refused.load(Ordering::Relaxed) == 0 {
            let mut connection = http::Connection::to(&format!("http://{address}")).expect("an address");
            let answer = connection.send("POST", CLIENT, &[], large.as_bytes()).await.expect("an answer");
            refused.fetch_add(usize::from(is_busy(&answer)), Ordering::Relaxed);
        }
    };
    tokio::time::timeout(HANG, attempt).await.expect("refused");
    drop(first);
    // what the first one held is free again
    let again = async {
        loop {
            let mut connection = http::Connection::to(&format!("http://{address}")).expect("an address");
            let answer = connection.send("POST", CLIENT, &[], large.as_bytes()).await.expect("an answer");
            if !is_busy(&answer) {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let answer = tokio::time::timeout(HANG, again).await.expect("read");
    assert_eq!(answer.status, 500, "it was read, and is no envelope: {}", answer.text());
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_counts_twice() {
    const COMPUTERS: u64 = 30;
    let (server, _) = scanned().await;
    let mut agents = Vec::new();
    for number in 1..=COMPUTERS {
        let mut agent = server.agent(number);
        agent.scan().await.expect("scan");
        agents.push(agent);
    }
    server.state.admission.set_plan(&Plan { reports: 2, waiting: 4, ..plan() });
    let held = [
        server.state.admission.enter(Class::Reports, ELSEWHERE.into()).await.expect("it is free"),
        server.state.admission.enter(Class::Reports, ELSEWHERE.into()).await.expect("it is free"),
    ];
    let refused = Arc::new(AtomicUsize::new(0));
    let mut storm = JoinSet::new();
    for mut agent in agents {
        let refused = Arc::clone(&refused);
        storm.spawn(async move {
            let update = UpdateIdentity::new(id(1), 1);
            let event = agent.event(183, Some(update), 0, Vec::new(), Vec::new());
            let instance = event.basic_data.as_ref().expect("basic data").event_instance_id;
            while let Err(error) = agent.report(vec![event.clone()]).await {
                assert_eq!(fault_code(&error), Some(ErrorCode::ServerBusy), "{error:#}");
                refused.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            (agent, instance)
        });
    }
    until(|| refused.load(Ordering::Relaxed) >= 50).await;
    drop(held);
    while let Some(done) = tokio::time::timeout(HANG, storm.join_next()).await.expect("it ends") {
        let (agent, instance) = done.expect("no panic");
        let no = server.computer(&agent).expect("a row").no;
        let rows = server.state.store.read(|tx| tx.event_list(no, None, 1_000)).expect("events").items;
        let count = rows.iter().filter(|row| row.instance_id == instance).count();
        assert_eq!(count, 1, "{}", agent.computer.client_id);
    }
    assert_eq!(server.state.admission.in_use(Class::Reports), 0);
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_others_are_served() {
    let server = Server::start().await;
    // more than the buffers of both sides hold
    let payload = Payload::new("update.exe", vec![7; 32 << 20]);
    server.add_content(&payload).await;
    let (address, _stop) = listen(&server, Limits { idle_time: Duration::from_secs(1), ..Limits::default() });
    let path = format!("/Content/{}", payload.content_path());
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 << 10).expect("a small buffer");
    let mut slow = socket.connect(address).await.expect("connected");
    slow.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.expect("sent");
    let admission = &server.state.admission;
    until(|| admission.in_use(Class::Content) == 1).await;
    let mut connection = http::Connection::to(&format!("http://{address}")).expect("an address");
    let answer = connection.send("GET", &path, &[], b"").await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (200, payload.bytes.len()));
    until(|| admission.in_use(Class::Content) == 0).await;
    let mut rest = Vec::new();
    // an end or a reset, but not the whole
    let _ = tokio::time::timeout(HANG, slow.read_to_end(&mut rest)).await.expect("it ends");
    assert!(rest.len() < payload.bytes.len(), "{} bytes", rest.len());
}

#[tokio::test]
async fn an_address_leaves_connections_to_others() {
    let server = Server::start().await;
    let (address, _stop) = listen(&server, Limits { connections: 16, ..Limits::default() });
    let mut open = Vec::new();
    for _ in 0..12 {
        open.push(TcpStream::connect(address).await.expect("connected"));
    }
    for number in 0..3 {
        let mut more = TcpStream::connect(address).await.expect("connected");
        let mut byte = [0];
        let read = tokio::time::timeout(HANG, more.read(&mut byte)).await.expect("closed at once");
        assert!(!matches!(read, Ok(1)), "number {number}");
    }
    let mut other =
        http::Connection::to(&format!("http://{address}")).expect("an address").from(Ipv4Addr::new(127, 0, 0, 2));
    assert_eq!(other.send("GET", "/nothing", &[], b"").await.expect("an answer").status, 404);
    // a place that is given back is there again
    drop(open.pop());
    let again = async {
        loop {
            let mut more = http::Connection::to(&format!("http://{address}")).expect("an address");
            if let Ok(answer) = more.send("GET", "/nothing", &[], b"").await {
                break answer.status;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert_eq!(tokio::time::timeout(HANG, again).await.expect("there is a place"), 404);
}
